/*
 * The window of our plan node: the rows that it reads, and computes, together.
 *
 * It is limited by rows, by tokens (as far as bytes tell) and by memory, and
 * grows with the rows that were asked for, so that at most as many rows are
 * computed in vain as were of use.
 */
#include "pg/arrays.h"
#include "pg/batch/scan.h"

#include "executor/executor.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "utils/datum.h"
#include "utils/memutils.h"

/* Rows in a window; more than fit into its tokens unless most are empty. */
#define MOST_ROWS 2048

/* As long as it is unknown what results take. */
#define FIRST_ROWS 64

/* Of the model, so that texts of like length find each other. */
#define BATCHES ((size_t) 8)

/* The same where texts are generated: times those. */
#define GENERATE_BATCHES 16

/* An English text has 4 to 5 bytes a token. */
#define BYTES_PER_TOKEN 4

/* The value of an optional count; -1 if there is none or it is no limit. */
static int64
count_of(BatchScan *scan, ExprState *expr)
{
	ExprContext *context = scan->custom.ss.ps.ps_ExprContext;
	bool is_null = true;
	Datum value = 0;

	if (expr != NULL)
		value = ExecEvalExprSwitchContext(expr, context, &is_null);
	return is_null ? -1 : DatumGetInt64(value);
}

/* Finds out how many rows the limit asks for, and lets the child know if no more will be. */
static void
start(BatchScan *scan)
{
	int64 limit = count_of(scan, scan->limit);
	int64 offset = Max(count_of(scan, scan->offset), 0);

	scan->bound = limit < 0 || limit > PG_INT64_MAX - offset ? -1 : limit + offset;
	if (scan->is_bound)
		ExecSetTupleBound(scan->bound, outerPlanState(scan));
	scan->started = true;
}

/* Rows for the next window. */
static int
rows_wanted(BatchScan *scan)
{
	uint64 fitting = scan->row_size == 0 ? FIRST_ROWS : Max((uint64) work_mem * 1024 / scan->row_size, 1);
	uint64 wanted = scan->all ? MOST_ROWS : Max(scan->n_read, 1);
	uint64 most = Min(fitting, MOST_ROWS);

	if (scan->bound > 0 && scan->n_read < (uint64) scan->bound)
	{
		uint64 missing = (uint64) scan->bound - scan->n_read;

		if (scan->is_bound && scan->shared != NULL)
			return (int) batch_share_take(scan, Min(missing, most));
		/* Rows of parallel workers that a filter or a join drops: nobody knows what the others have. */
		wanted = scan->custom.ss.ps.plan->parallel_aware ? Min(wanted, missing) : missing;
	}
	return (int) Min(wanted, most);
}

static void
enlarge(BatchScan *scan)
{
	MemoryContext caller = MemoryContextSwitchTo(scan->custom.ss.ps.state->es_query_cxt);
	bool is_first = scan->capacity == 0;
	int capacity = is_first ? 8 : scan->capacity * 2;

#define ENLARGE(array) \
	((array) = is_first ? palloc(capacity * sizeof *(array)) : repalloc((array), capacity * sizeof *(array)))
	ENLARGE(scan->rows);
	for (int i = 0; i < scan->n_calls; i++)
	{
		ENLARGE(scan->calls[i].inputs);
		ENLARGE(scan->calls[i].results);
		ENLARGE(scan->calls[i].nulls);
		ENLARGE(scan->calls[i].errors);
		ENLARGE(scan->calls[i].options);
		ENLARGE(scan->calls[i].made);
	}
#undef ENLARGE
	scan->capacity = capacity;
	MemoryContextSwitchTo(caller);
}

void
batch_window_show(BatchScan *scan, int row)
{
	ExecStoreMinimalTuple(scan->rows[row], scan->row, false);
	scan->custom.ss.ps.ps_ExprContext->ecxt_outertuple = scan->row;
}

/* The input of a call for the row that is shown, in the current memory context; false if it is NULL. */
static bool
read_input(BatchScan *scan, BatchCall *call, MgSpan *input)
{
	bool is_null;
	Datum value = ExecEvalExprSwitchContext(call->args[call->input], scan->custom.ss.ps.ps_ExprContext,
											&is_null);

	if (is_null)
		return false;
	/* A column stays where it is, in the window. What an expression gives may be gone with its next value. */
	value = PointerGetDatum(call->is_column ? PG_DETOAST_DATUM_PACKED(value) : PG_DETOAST_DATUM_COPY(value));
	*input = span_of_text((text *) DatumGetPointer(value));
	return true;
}

/* The options of a call for the row that is shown, in the current memory context; false if one is NULL. */
static bool
read_options(BatchScan *scan, BatchCall *call, Datum options[TASK_MOST_ARGS])
{
	const TaskFunction *task = call->call.function;

	for (int i = 0; i < task->n_args; i++)
	{
		bool is_null;

		options[i] = 0;
		if (i == call->input || call->args[i] == NULL)
			continue;
		options[i] = ExecEvalExprSwitchContext(call->args[i], scan->custom.ss.ps.ps_ExprContext, &is_null);
		if (is_null)
			return false;
		if (!task_type_by_value(task->args[i].type))
			options[i] = PointerGetDatum(PG_DETOAST_DATUM_COPY(options[i]));
	}
	return true;
}

size_t
batch_window_read(BatchScan *scan, BatchCall *call, int row)
{
	MgSpan *input = &call->inputs[row];

	call->nulls[row] = !read_input(scan, call, input) || (call->varies && !read_options(scan, call, call->options[row]));
	if (!call->nulls[row])
		return input->size / BYTES_PER_TOKEN + call->call.extra_tokens;
	call->made[row] = true;
	return 0;
}

/* Takes a row of the child into the window; returns its tokens for that call that has the most. */
static size_t
add_row(BatchScan *scan, TupleTableSlot *slot)
{
	MemoryContext caller = MemoryContextSwitchTo(scan->memory);
	size_t most = 0;
	int row = scan->n;

	if (row == scan->capacity)
		enlarge(scan);
	scan->rows[row] = ExecCopySlotMinimalTuple(slot);
	batch_window_show(scan, row);
	for (int i = 0; i < scan->n_calls; i++)
	{
		scan->calls[i].made[row] = false;
		scan->calls[i].nulls[row] = true;
		if (scan->merge == NULL)
			most = Max(most, batch_window_read(scan, &scan->calls[i], row));
	}
	if (scan->merge != NULL)
		batch_merge_look(scan, row, &most);
	scan->n++;
	ResetExprContext(scan->custom.ss.ps.ps_ExprContext);
	MemoryContextSwitchTo(caller);
	return most;
}

/* Tokens of a window. Texts that are generated take turns at the model: the more there are, the fewer wait for the longest. */
static size_t
tokens_wanted(const BatchScan *scan)
{
	size_t tokens = BATCHES * maskgen_batch_tokens;

	for (int i = 0; i < scan->n_calls; i++)
		if (scan->calls[i].call.function->cost == TASK_COST_GENERATE)
			return GENERATE_BATCHES * tokens;
	return tokens;
}

static void
read_window(BatchScan *scan)
{
	int wanted = rows_wanted(scan);
	size_t tokens = 0, tokens_most = tokens_wanted(scan);

	while (scan->n < wanted && tokens < tokens_most &&
		   MemoryContextMemAllocated(scan->memory, false) < (Size) work_mem * 1024)
	{
		TupleTableSlot *slot = ExecProcNode(outerPlanState(scan));

		scan->exhausted = TupIsNull(slot);
		if (scan->exhausted)
			break;
		tokens += add_row(scan, slot);
	}
	scan->n_read += (uint64) scan->n;
	batch_share_settle(scan);
}

/* The arguments that all rows share; returns whether one is NULL, so that there is nothing to call. */
static bool
read_arguments(BatchScan *scan, BatchCall *call)
{
	const TaskFunction *task = call->call.function;
	bool any_null = false;

	for (int i = 0; i < task->n_args; i++)
	{
		bool is_null = task->args[i].type == TASK_ENUM, is_varlena = !task_type_by_value(task->args[i].type);
		Datum value = 0;

		if (i == call->input)
			continue;
		if (call->args[i] != NULL)
		{
			value = ExecEvalExpr(call->args[i], scan->custom.ss.ps.ps_ExprContext, &is_null);
			any_null |= is_null;
		}
		call->call.nulls[i] = is_null;
		call->call.args[i] = is_varlena && !is_null ? PointerGetDatum(PG_DETOAST_DATUM_PACKED(value)) : value;
	}
	return any_null;
}

/* Makes a call for rows [n] of the window. An input that is refused neither stops nor repeats the others. */
static void
make_call(BatchScan *scan, BatchCall *call, const int *rows, int n)
{
	MgSpan *inputs = palloc(n * sizeof *inputs);
	Datum *results = palloc(n * sizeof *results);
	const TaskError **errors = palloc(n * sizeof *errors);

	for (int i = 0; i < n; i++)
		inputs[i] = call->inputs[rows[i]];
	task_call(&call->call, inputs, n, results, errors);
	for (int i = 0; i < n; i++)
	{
		call->results[rows[i]] = results[i];
		call->errors[rows[i]] = errors[i];
		call->made[rows[i]] = true;
	}
	if (call->model == NULL && n > 0)
		call->model = MemoryContextStrdup(call->call.flinfo->fn_mcxt, task_call_model(&call->call));
}

static bool
same_options(const BatchCall *call, int row, int other)
{
	const TaskFunction *task = call->call.function;

	for (int i = 0; i < task->n_args; i++)
		if (i != call->input && call->args[i] != NULL &&
			!datumIsEqual(call->options[row][i], call->options[other][i], task_type_by_value(task->args[i].type),
						  task_type_by_value(task->args[i].type) ? (int) sizeof(Datum) : -1))
			return false;
	return true;
}

void
batch_window_make(BatchScan *scan, BatchCall *call, int row)
{
	MemoryContext caller = MemoryContextSwitchTo(scan->memory);
	int *rows = palloc(scan->n * sizeof *rows), n = 0;

	for (int i = row; i < scan->n; i++)
		if (!call->nulls[i] && !call->made[i] && same_options(call, row, i))
			rows[n++] = i;
	for (int i = 0; i < call->call.function->n_args; i++)
	{
		call->call.nulls[i] = call->args[i] == NULL;
		call->call.args[i] = call->options[row][i];
	}
	make_call(scan, call, rows, n);
	MemoryContextSwitchTo(caller);
}

/* Of such a call, for all rows that wait for it. */
static void
make_varying(BatchScan *scan, BatchCall *call)
{
	for (int i = 0; i < scan->n; i++)
		if (!call->nulls[i] && !call->made[i])
			batch_window_make(scan, call, i);
}

static void
make_calls(BatchScan *scan)
{
	MemoryContext caller = MemoryContextSwitchTo(scan->memory);
	int *rows = palloc(scan->n * sizeof *rows);

	for (int i = 0; i < scan->n_calls; i++)
	{
		BatchCall *call = &scan->calls[i];
		int n = 0;

		if (call->varies && scan->merge != NULL)
			make_varying(scan, call);
		if (call->varies)
			continue;
		for (int k = 0; k < scan->n; k++)
			if (!call->nulls[k] && !call->made[k])
				rows[n++] = k;
		if (scan->merge != NULL && n == 0)
			continue;
		if (!read_arguments(scan, call))
			make_call(scan, call, rows, n);
		else
			for (int k = 0; k < n; k++)
				call->nulls[rows[k]] = call->made[rows[k]] = true;
	}
	MemoryContextSwitchTo(caller);
}

/* Looks at the actions of a MERGE with what is known now; returns whether there are calls to make. */
static bool
look_again(BatchScan *scan)
{
	MemoryContext caller = MemoryContextSwitchTo(scan->memory);
	size_t tokens = 0;
	bool any = false;

	for (int row = 0; scan->merge != NULL && row < scan->n; row++)
	{
		CHECK_FOR_INTERRUPTS();
		any = batch_merge_look(scan, row, &tokens) || any;
		ResetExprContext(scan->custom.ss.ps.ps_ExprContext);
	}
	MemoryContextSwitchTo(caller);
	return any;
}

bool
batch_window_next(BatchScan *scan)
{
	if (!scan->started)
		start(scan);
	if (scan->exhausted)
		return false;
	if (scan->n > 0)
		scan->row_size = MemoryContextMemAllocated(scan->memory, false) / scan->n;
	ExecClearTuple(scan->row);
	MemoryContextReset(scan->memory);
	scan->n = scan->next = 0;
	read_window(scan);
	if (scan->n > 0)
		make_calls(scan);
	while (look_again(scan))
		make_calls(scan);
	return scan->n > 0;
}

void
batch_window_forget(BatchScan *scan)
{
	ExecClearTuple(scan->row);
	ExecClearTuple(scan->custom.ss.ss_ScanTupleSlot);
	MemoryContextReset(scan->memory);
	scan->n = scan->next = 0;
}

void
batch_window_restart(BatchScan *scan)
{
	scan->exhausted = false;
	scan->n_read = scan->n_beyond = 0;
	if (scan->started)
		start(scan);
}
