/* Finding the description of a function, and whether pg_proc says the same. */
#include "pg/task/function.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "pg/compat.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* A function that was asked about before. */
typedef struct KnownFunction
{
	Oid oid; /* hash key */
	const TaskFunction *task;
	bool plain; /* called by nobody's rights but the caller's, and with no settings of its own */
} KnownFunction;

static HTAB *known_functions;

const TaskFunction *
task_function_named(const char *symbol)
{
	const TaskFunction *const lists[] = {embed_tasks, classify_tasks, fill_mask_tasks, tokenize_tasks, generate_tasks,
										 score_tasks, tag_tasks, multi_tasks, mask_state_tasks, likelihood_tasks, choose_tasks};
	const int sizes[] = {n_embed_tasks, n_classify_tasks, n_fill_mask_tasks, n_tokenize_tasks, n_generate_tasks,
						 n_score_tasks, n_tag_tasks, n_multi_tasks, n_mask_state_tasks, n_likelihood_tasks, n_choose_tasks};

	for (int list = 0; list < lengthof(lists); list++)
		for (int i = 0; i < sizes[list]; i++)
			if (strcmp(lists[list][i].symbol, symbol) == 0)
				return &lists[list][i];
	return NULL;
}

const char *
task_verb(const TaskFunction *function)
{
	return function->symbol + strlen("maskgen_");
}

int
task_arg(const TaskFunction *function, const char *name)
{
	for (int i = 0; i < function->n_args; i++)
		if (strcmp(function->args[i].name, name) == 0)
			return i;
	return -1;
}

int
task_input(const TaskFunction *function)
{
	int input = task_arg(function, "input");

	if (input < 0)
		input = task_arg(function, "document");
	return input >= 0 ? input : task_arg(function, "prompt");
}

/* Whether a function's result is of the kind that is described. */
static bool
same_result(const TaskFunction *task, const FormData_pg_proc *form)
{
	if (task->result == TASK_SET)
		return true;
	if (form->proretset)
		return false;
	if (task->result == TASK_LABEL)
		return form->prorettype == ANYENUMOID;
	return get_typbyval(form->prorettype) == task_result_by_value(task) &&
		(task->result == TASK_VALUE || get_typlen(form->prorettype) == -1);
}

/* Whether pg_proc has the arguments and the result that are described. */
static bool
same_signature(const TaskFunction *task, HeapTuple tuple)
{
	static const Oid types[] = {TEXTOID, TEXTARRAYOID, INT4OID, BOOLOID, FLOAT4OID, INT8OID, JSONBOID, ANYENUMOID};
	const FormData_pg_proc *form = (Form_pg_proc) GETSTRUCT(tuple);
	Oid *all_types;
	char **names = NULL, *modes;

	if (form->pronargs != task->n_args || !same_result(task, form))
		return false;
	get_func_arg_info(tuple, &all_types, &names, &modes);
	for (int i = 0; i < task->n_args; i++)
		if (form->proargtypes.values[i] != types[task->args[i].type] || names == NULL ||
			strcmp(names[i], task->args[i].name) != 0)
			return false;
	return true;
}

/* That a function has the symbol is not enough: another library may have one of that name. */
static void
identify(Oid function, KnownFunction *known)
{
	HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc form;
	FmgrInfo info;

	known->task = NULL;
	known->plain = false;
	if (!HeapTupleIsValid(tuple))
		return;
	form = (Form_pg_proc) GETSTRUCT(tuple);
	if (form->prolang == ClanguageId)
	{
		bool is_null;
		Datum symbol = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &is_null);

		known->task = is_null ? NULL : task_function_named(TextDatumGetCString(symbol));
		known->plain = !form->prosecdef && heap_attisnull(tuple, Anum_pg_proc_proconfig, NULL);
		if (known->task != NULL && !same_signature(known->task, tuple))
			known->task = NULL;
	}
	ReleaseSysCache(tuple);
	if (known->task == NULL)
		return;
	fmgr_info(function, &info);
	/* With settings or another owner's rights, the address is that of fmgr's own frame. */
	if (known->plain && info.fn_addr != known->task->address)
		known->task = NULL;
}

static void
forget_functions(Datum arg, int cache, uint32 hash)
{
	HASH_SEQ_STATUS scan;
	KnownFunction *known;

	hash_seq_init(&scan, known_functions);
	while ((known = hash_seq_search(&scan)) != NULL)
		hash_search(known_functions, &known->oid, HASH_REMOVE, NULL);
}

static KnownFunction
know(Oid function)
{
	KnownFunction *known, found = {.oid = function};

	if (function < FirstNormalObjectId)
		return found;
	if (known_functions == NULL)
	{
		HASHCTL control = {.keysize = sizeof(Oid), .entrysize = sizeof(KnownFunction)};

		known_functions = hash_create("maskgen functions", 64, &control, HASH_ELEM | HASH_BLOBS);
		CacheRegisterSyscacheCallback(PROCOID, forget_functions, 0);
	}
	known = hash_search(known_functions, &function, HASH_FIND, NULL);
	if (known != NULL)
		return *known;
	identify(function, &found);
	known = hash_search(known_functions, &function, HASH_ENTER, NULL);
	*known = found;
	return found;
}

const TaskFunction *
task_function_of(Oid function)
{
	KnownFunction known = know(function);

	return known.task != NULL && known.plain && known.task->run != NULL ? known.task : NULL;
}

const TaskFunction *
task_description_of(Oid function)
{
	return know(function).task;
}
