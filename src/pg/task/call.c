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
#include "pg/model/progress.h"
#include "pg/task/cache.h"
#include "pg/task/cut.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/syscache.h"

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
	uint64 n_cut;
	Datum result;
} Memo;

/* What a scalar function keeps between calls. */
typedef struct Scalar
{
	TaskCall call;
	Memo memo;
} Scalar;

char *
task_call_model(const TaskCall *call)
{
	const TaskFunction *function = call->function;

	if (function->setting == NULL)
		return TextDatumGetCString(call->args[task_arg(function, "model")]);
	if (**function->setting == '\0')
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("no model is named"),
						errhint("Set %s, or name a model as the first argument.",
								function->setting == &maskgen_classify_model ? "maskgen.classify_model" : "maskgen.embed_model")));
	return pstrdup(*function->setting);
}

void
task_begin(TaskCall *call)
{
	char *model = task_call_model(call);

	model_use_begin(&call->use, model);
	memcpy(call->digest, call->use.entry->digest, DIGEST_SIZE);
	call->extra_tokens = mg_wrap_extra(mg_tokenizer_wrapping(call->use.run.model->tokenizer), 1);
	call->use.run.cut = call->cut;
	pfree(model);
}

static const TaskError *
copy_error(const MgError *error, bool of_row)
{
	TaskError *copy = palloc(sizeof *copy);

	*copy = (TaskError){*error, of_row};
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
	call->usage.model.decoded += used->decoded;
	call->usage.model.new_tokens += used->new_tokens;
	call->usage.model.batches += used->batches;
	if (keep)
		call->failed = copy_error(error, false);
	model_use_end(&call->use, fine || keep);
	return fine;
}

static void
refuse(void *user, size_t text, const MgError *error)
{
	TaskCall *call = user;

	call->errors[call->n_done + (int) text] = copy_error(error, true);
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
task_throw(const TaskCall *call, const TaskError *error)
{
	session_count_error(call->digest);
	host_throw_error(&error->error);
}

void
task_null_or_throw(const TaskCall *call, const TaskError *error)
{
	if (!error->of_row || maskgen_on_row_error == MASKGEN_ROW_ERROR)
		task_throw(call, error);
	session_count_error(call->digest);
	row_error_count(&error->error);
}

void
task_run(TaskCall *call, const MgSpan *inputs, int n, Datum *results, const TaskError **errors)
{
	if (errors != NULL)
		memset(errors, 0, n * sizeof *errors);
	call->errors = errors;
	call->failed = NULL;
	call->function->run(call, inputs, n, results);
	for (int i = 0; call->failed != NULL && i < n; i++)
		errors[i] = call->failed;
}

static void
begin_progress(const TaskCall *call)
{
	char *model = task_call_model(call);

	progress_begin(task_verb(call->function), model, call->expected);
	pfree(model);
}

void
task_call(TaskCall *call, const MgSpan *inputs, int n, Datum *results, const TaskError **errors)
{
	CacheSegment *segment;
	instr_time start, end;
	bool one = false, *cut;

	if (n == 0)
		return;
	begin_progress(call);
	call->cut = cut = n == 1 ? &one : palloc0(n * sizeof *cut);
	INSTR_TIME_SET_CURRENT(start);
	segment = result_segment();
	if (segment == NULL)
		task_run(call, inputs, n, results, errors);
	else
		task_run_cached(call, segment, inputs, n, results, errors);
	call->n_cut = 0;
	for (int i = 0; i < n; i++)
		call->n_cut += cut[i];
	cut_count(call->n_cut);
	call->cut = NULL;
	if (n > 1)
		pfree(cut);
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_ACCUM_DIFF(call->usage.time, end, start);
	call->usage.inputs += (uint64) n;
	progress_rows((uint64) n);
}

Datum
task_enum_datum(const TaskCall *call, const char *label)
{
	Oid type = get_fn_expr_argtype(call->flinfo, task_arg(call->function, "labels"));

	return DirectFunctionCall2(enum_in, CStringGetDatum(label), ObjectIdGetDatum(type));
}

static bool
same_arg(TaskType type, Datum a, Datum b)
{
	if (task_type_by_value(type))
		return type == TASK_ENUM || a == b;
	return VARSIZE_ANY_EXHDR(DatumGetPointer(a)) == VARSIZE_ANY_EXHDR(DatumGetPointer(b)) &&
		memcmp(VARDATA_ANY(DatumGetPointer(a)), VARDATA_ANY(DatumGetPointer(b)),
			   VARSIZE_ANY_EXHDR(DatumGetPointer(a))) == 0;
}

static Datum
copy_result(const TaskFunction *function, Datum result)
{
	return datumCopy(result, task_result_by_value(function), task_result_by_value(function) ? (int) sizeof(Datum) : -1);
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
		memo->long_input != (int) guc_long_input() || memo->cpu != maskgen_cpu || memo->matmul != maskgen_matmul)
		return false;
	for (int i = 0; i < function->n_args; i++)
		if (!same_arg(function->args[i].type, memo->args[i], call->args[i]))
			return false;
	if (function->setting == NULL)
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
	for (int i = 0; i < function->n_args; i++)
	{
		bool value = task_type_by_value(function->args[i].type);

		if (filled && !value)
			pfree(DatumGetPointer(memo->args[i]));
		memo->args[i] = datumCopy(call->args[i], value, value ? (int) sizeof(Datum) : -1);
	}
	if (filled)
	{
		pfree(memo->model);
		if (!task_result_by_value(function))
			pfree(DatumGetPointer(memo->result));
	}
	memo->model = task_call_model(call);
	memo->result = copy_result(function, result);
	memo->version = call->use.version;
	memo->user = GetUserId();
	memcpy(memo->digest, call->use.entry->digest, DIGEST_SIZE);
	memo->long_input = (int) guc_long_input();
	memo->n_cut = call->n_cut;
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
	const TaskError *error = NULL;
	MgSpan input;
	Datum result;

	if (scalar == NULL)
	{
		scalar = fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof *scalar);
		scalar->call.function = function;
		scalar->call.flinfo = fcinfo->flinfo;
	}
	call = &scalar->call;
	for (int i = 0; i < function->n_args; i++)
	{
		TaskType type = function->args[i].type;

		call->nulls[i] = PG_ARGISNULL(i);
		if (call->nulls[i] && type != TASK_ENUM)
			PG_RETURN_NULL();
		call->args[i] = type == TASK_ENUM ? (Datum) 0
			: task_type_by_value(type) ? PG_GETARG_DATUM(i) : PointerGetDatum(PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(i)));
	}
	if (memo_fits(&scalar->memo, call))
	{
		planned_look();
		planned_use(scalar->memo.model, scalar->memo.digest);
		session_count_hits(scalar->memo.digest, 1, true);
		cut_count(scalar->memo.n_cut);
		return copy_result(function, scalar->memo.result);
	}
	input = span_of_text(DatumGetTextPP(call->args[task_input(function)]));
	task_call(call, &input, 1, &result, maskgen_on_row_error == MASKGEN_ROW_NULL ? &error : NULL);
	if (error != NULL)
	{
		task_null_or_throw(call, error);
		PG_RETURN_NULL();
	}
	memo_keep(&scalar->memo, call, result);
	return result;
}
