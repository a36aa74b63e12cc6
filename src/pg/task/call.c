/* Tasks as SQL calls them; see task/call.h. */
#include "pg/arrays.h"
#include "pg/task/call.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "pg/host.h"
#include "pg/model/planned.h"
#include "pg/task/cache.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/syscache.h"

/* A function that was asked about before. */
typedef struct KnownFunction
{
	Oid oid; /* hash key */
	const TaskFunction *task;
} KnownFunction;

static HTAB *known_functions;

/*
 * The last call of one place in a statement: `ORDER BY v <=> embed(m, $1)` in
 * a generic plan asks the same for each row of a scan.
 */
typedef struct Memo
{
	bool filled;
	uint64 version; /* of the catalog: privileges and names */
	Oid user;
	uint8 digest[DIGEST_SIZE];
	char *model;
	Datum args[TASK_MOST_ARGS]; /* the memo's own */
	int long_input, cpu, matmul;
	Datum result;
} Memo;

/* What a scalar function keeps between calls. */
typedef struct Scalar
{
	TaskCall call;
	Memo memo;
} Scalar;

const TaskFunction *
task_function_named(const char *symbol)
{
	for (int i = 0; i < n_embed_tasks; i++)
		if (strcmp(embed_tasks[i].symbol, symbol) == 0)
			return &embed_tasks[i];
	for (int i = 0; i < n_classify_tasks; i++)
		if (strcmp(classify_tasks[i].symbol, symbol) == 0)
			return &classify_tasks[i];
	return NULL;
}

/* That a function has the symbol is not enough: another library may have one of that name. */
static const TaskFunction *
identify(Oid function)
{
	HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	const TaskFunction *task = NULL;
	Form_pg_proc form;
	FmgrInfo info;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	form = (Form_pg_proc) GETSTRUCT(tuple);
	if (form->prolang == ClanguageId && !form->prosecdef && heap_attisnull(tuple, Anum_pg_proc_proconfig, NULL))
	{
		bool is_null;
		Datum symbol = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &is_null);

		task = is_null ? NULL : task_function_named(TextDatumGetCString(symbol));
		if (task != NULL && (form->pronargs != (int) strlen(task->args) ||
							 form->proargtypes.values[task->input] != TEXTOID || form->proretset))
			task = NULL;
	}
	ReleaseSysCache(tuple);
	if (task == NULL)
		return NULL;
	fmgr_info(function, &info);
	return info.fn_addr == task->address ? task : NULL;
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

const TaskFunction *
task_function_of(Oid function)
{
	const TaskFunction *task;
	KnownFunction *known;

	if (function < FirstNormalObjectId)
		return NULL;
	if (known_functions == NULL)
	{
		HASHCTL control = {.keysize = sizeof(Oid), .entrysize = sizeof(KnownFunction)};

		known_functions = hash_create("maskgen functions", 64, &control, HASH_ELEM | HASH_BLOBS);
		CacheRegisterSyscacheCallback(PROCOID, forget_functions, 0);
	}
	known = hash_search(known_functions, &function, HASH_FIND, NULL);
	if (known != NULL)
		return known->task;
	task = identify(function);
	known = hash_search(known_functions, &function, HASH_ENTER, NULL);
	known->task = task;
	return task;
}

char *
task_call_model(const TaskCall *call)
{
	const TaskFunction *function = call->function;

	if (function->model >= 0)
		return TextDatumGetCString(call->args[function->model]);
	return pstrdup(*function->setting);
}

void
task_begin(TaskCall *call)
{
	char *model = task_call_model(call);

	model_use_begin(&call->use, model);
	memcpy(call->digest, call->use.entry->digest, DIGEST_SIZE);
	call->extra_tokens = mg_wrap_extra(mg_tokenizer_wrapping(call->use.run.model->tokenizer), 1);
	pfree(model);
}

static const MgError *
copy_error(const MgError *error)
{
	MgError *copy = palloc(sizeof *copy);

	*copy = *error;
	return copy;
}

/* Memory and a host that says stop concern the statement; all else is kept for the rows. */
bool
task_end(TaskCall *call, bool fine)
{
	const MgUsage *used = &call->use.usage;
	const MgError *error = &call->use.run.cx->error;
	bool keep = !fine && call->errors != NULL && error->code != MG_NO_MEMORY && error->code != MG_STOPPED;

	call->usage.model.rows += used->rows;
	call->usage.model.tokens += used->tokens;
	call->usage.model.batches += used->batches;
	if (keep)
		call->failed = copy_error(error);
	model_use_end(&call->use, fine || keep);
	return fine;
}

static void
refuse(void *user, size_t text, const MgError *error)
{
	TaskCall *call = user;

	call->errors[call->n_done + (int) text] = copy_error(error);
}

const MgRefusals *
task_refusals(TaskCall *call, int n_done)
{
	call->n_done = n_done;
	call->refusals = (MgRefusals){call, refuse};
	return call->errors == NULL ? NULL : &call->refusals;
}

bool
task_refused(const TaskCall *call, int input)
{
	return call->errors != NULL && call->errors[input] != NULL;
}

void
task_throw(const TaskCall *call, const MgError *error)
{
	session_count_error(call->digest);
	host_throw_error(error);
}

void
task_run(TaskCall *call, const MgSpan *inputs, int n, Datum *results, const MgError **errors)
{
	if (errors != NULL)
		memset(errors, 0, n * sizeof *errors);
	call->errors = errors;
	call->failed = NULL;
	call->function->run(call, inputs, n, results);
	for (int i = 0; call->failed != NULL && i < n; i++)
		errors[i] = call->failed;
}

void
task_call(TaskCall *call, const MgSpan *inputs, int n, Datum *results, const MgError **errors)
{
	ResultSegment *segment;
	instr_time start, end;

	if (n == 0)
		return;
	INSTR_TIME_SET_CURRENT(start);
	segment = maskgen_enable_result_cache ? result_segment() : NULL;
	if (segment == NULL)
		task_run(call, inputs, n, results, errors);
	else
		task_run_cached(call, segment, inputs, n, results, errors);
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_ACCUM_DIFF(call->usage.time, end, start);
	call->usage.inputs += (uint64) n;
}

Datum
task_enum_datum(const TaskCall *call, const char *label)
{
	const char *args = call->function->args;
	Oid type = get_fn_expr_argtype(call->flinfo, (int) (strchr(args, 'e') - args));

	return DirectFunctionCall2(enum_in, CStringGetDatum(label), ObjectIdGetDatum(type));
}

static bool
by_value(char letter)
{
	return letter == 'i' || letter == 'b' || letter == 'e';
}

static bool
same_arg(char letter, Datum a, Datum b)
{
	if (by_value(letter))
		return letter == 'e' || a == b;
	return VARSIZE_ANY_EXHDR(DatumGetPointer(a)) == VARSIZE_ANY_EXHDR(DatumGetPointer(b)) &&
		memcmp(VARDATA_ANY(DatumGetPointer(a)), VARDATA_ANY(DatumGetPointer(b)),
			   VARSIZE_ANY_EXHDR(DatumGetPointer(a))) == 0;
}

static bool
memo_fits(const Memo *memo, const TaskCall *call)
{
	const TaskFunction *function = call->function;
	char *model;
	bool same;

	/* As each look-up does: what others have done since counts with the next call. */
	AcceptInvalidationMessages();
	if (!memo->filled || memo->version != catalog_version() || memo->user != GetUserId() ||
		memo->long_input != maskgen_long_input || memo->cpu != maskgen_cpu || memo->matmul != maskgen_matmul)
		return false;
	for (int i = 0; function->args[i] != '\0'; i++)
		if (!same_arg(function->args[i], memo->args[i], call->args[i]))
			return false;
	if (function->model >= 0)
		return true;
	model = task_call_model(call);
	same = strcmp(model, memo->model) == 0;
	pfree(model);
	return same;
}

/* Remembers a call; what it replaces is freed, so that a long scan does not grow. */
static void
memo_keep(Memo *memo, const TaskCall *call, Datum result)
{
	const TaskFunction *function = call->function;
	bool filled = memo->filled;
	MemoryContext caller = MemoryContextSwitchTo(call->flinfo->fn_mcxt);

	memo->filled = false;
	for (int i = 0; function->args[i] != '\0'; i++)
	{
		bool value = by_value(function->args[i]);

		if (filled && !value)
			pfree(DatumGetPointer(memo->args[i]));
		memo->args[i] = datumCopy(call->args[i], value, value ? (int) sizeof(Datum) : -1);
	}
	if (filled)
	{
		pfree(memo->model);
		if (!function->enum_result)
			pfree(DatumGetPointer(memo->result));
	}
	memo->model = task_call_model(call);
	memo->result = datumCopy(result, function->enum_result, function->enum_result ? (int) sizeof(Oid) : -1);
	memo->version = call->use.version;
	memo->user = GetUserId();
	memcpy(memo->digest, call->use.entry->digest, DIGEST_SIZE);
	memo->long_input = maskgen_long_input;
	memo->cpu = maskgen_cpu;
	memo->matmul = maskgen_matmul;
	memo->filled = true;
	MemoryContextSwitchTo(caller);
}

Datum
task_scalar(FunctionCallInfo fcinfo, const TaskFunction *function)
{
	Scalar *scalar = fcinfo->flinfo->fn_extra;
	TaskCall *call;
	MgSpan input;
	Datum result;

	if (scalar == NULL)
	{
		scalar = fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof *scalar);
		scalar->call.function = function;
		scalar->call.flinfo = fcinfo->flinfo;
	}
	call = &scalar->call;
	for (int i = 0; function->args[i] != '\0'; i++)
	{
		char letter = function->args[i];

		call->nulls[i] = PG_ARGISNULL(i);
		if (call->nulls[i] && letter != 'e')
			PG_RETURN_NULL();
		call->args[i] = letter == 'e' ? (Datum) 0
			: by_value(letter) ? PG_GETARG_DATUM(i) : PointerGetDatum(PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(i)));
	}
	if (memo_fits(&scalar->memo, call))
	{
		planned_look();
		planned_use(scalar->memo.model, scalar->memo.digest);
		session_count_hits(scalar->memo.digest, 1, true);
		return datumCopy(scalar->memo.result, function->enum_result, function->enum_result ? (int) sizeof(Oid) : -1);
	}
	input = span_of_text(DatumGetTextPP(call->args[function->input]));
	task_call(call, &input, 1, &result, NULL);
	memo_keep(&scalar->memo, call, result);
	return result;
}
