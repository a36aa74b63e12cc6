/*
 * What our plan node tells EXPLAIN, and how the counts of parallel workers get
 * there.
 *
 * The leader's part of a parallel scan ends before its workers do when a LIMIT
 * is reached, and takes the plan's shared memory with it. So counts have a
 * segment of their own, made by EXPLAIN ANALYZE only, whose handle travels in
 * the plan's (batch/share.c).
 */
#include "pg/batch/scan.h"

#include "access/parallel.h"
#include "pg/compat.h"
#include "pg/planner/model_work.h"
#include EXPLAIN_FORMAT_HEADER
#include EXPLAIN_STATE_HEADER
#include "nodes/makefuncs.h"
#include "port/atomics.h"
#include "utils/builtins.h"
#include "utils/ruleutils.h"

typedef enum Count
{
	COUNT_ROWS,
	COUNT_BATCHES,
	COUNT_TOKENS,
	COUNT_CACHE_HITS,
	COUNT_MICROSECONDS,
	N_COUNTS
} Count;

/* What workers counted for a call of the node. */
struct BatchUsage
{
	pg_atomic_uint64 counts[N_COUNTS];
};

static uint64
count_of(const TaskUsage *usage, Count count)
{
	switch (count)
	{
		case COUNT_ROWS:
			return usage->inputs;
		case COUNT_BATCHES:
			return usage->model.batches;
		case COUNT_TOKENS:
			return usage->model.tokens;
		case COUNT_CACHE_HITS:
			return usage->cache_hits;
		case COUNT_MICROSECONDS:
			return (uint64) INSTR_TIME_GET_MICROSEC(usage->time);
		case N_COUNTS:
			break;
	}
	return 0;
}

/* ---------------------------------------------------------------- workers */

dsm_handle
batch_usage_share(BatchScan *scan)
{
	if (scan->custom.ss.ps.instrument == NULL)
		return DSM_HANDLE_INVALID;
	if (scan->usage == NULL)
	{
		scan->usage_segment = dsm_create(scan->n_calls * sizeof *scan->usage, 0);
		scan->usage = dsm_segment_address(scan->usage_segment);
		for (int i = 0; i < scan->n_calls; i++)
			for (int k = 0; k < N_COUNTS; k++)
				pg_atomic_init_u64(&scan->usage[i].counts[k], 0);
	}
	return dsm_segment_handle(scan->usage_segment);
}

void
batch_usage_attach(BatchScan *scan, dsm_handle handle)
{
	if (handle == DSM_HANDLE_INVALID)
		return;
	/* It is gone if the leader has ended already. */
	scan->usage_segment = dsm_attach(handle);
	if (scan->usage_segment != NULL)
		scan->usage = dsm_segment_address(scan->usage_segment);
}

/* Called once at least, when the node has put out its last row. */
void
batch_usage_report(BatchScan *scan)
{
	if (!IsParallelWorker() || scan->usage == NULL)
		return;
	for (int i = 0; i < scan->n_calls; i++)
	{
		TaskUsage *usage = &scan->calls[i].call.usage;

		for (int k = 0; k < N_COUNTS; k++)
			pg_atomic_fetch_add_u64(&scan->usage[i].counts[k], (int64) count_of(usage, k));
		memset(usage, 0, sizeof *usage);
	}
}

void
batch_usage_detach(BatchScan *scan)
{
	batch_usage_report(scan);
	if (scan->usage_segment != NULL)
		dsm_detach(scan->usage_segment);
	scan->usage_segment = NULL;
	scan->usage = NULL;
}

/* ---------------------------------------------------------------- EXPLAIN */

static uint64
total(const BatchScan *scan, int call, Count count)
{
	uint64 of_workers = scan->usage == NULL ? 0 : pg_atomic_read_u64(&scan->usage[call].counts[count]);

	return of_workers + count_of(&scan->calls[call].call.usage, count);
}

/* The name of a call's model if it is known: it has been called here, or names it. NULL otherwise. */
static const char *
model_of(const BatchCall *call, const FuncExpr *expr)
{
	const TaskFunction *task = call->call.function;
	Node *arg;

	if (call->model != NULL)
		return call->model;
	if (task->setting != NULL)
		return **task->setting != '\0' ? *task->setting : NULL;
	arg = list_nth(expr->args, task_arg(task, "model"));
	if (!IsA(arg, Const) || ((Const *) arg)->constisnull)
		return NULL;
	return TextDatumGetCString(((Const *) arg)->constvalue);
}

static void
explain_counts(const BatchScan *scan, int call, ExplainState *state)
{
	double milliseconds = (double) total(scan, call, COUNT_MICROSECONDS) / 1000.0;

	if (state->format != EXPLAIN_FORMAT_TEXT)
	{
		ExplainPropertyUInteger("Rows", NULL, total(scan, call, COUNT_ROWS), state);
		ExplainPropertyUInteger("Batches", NULL, total(scan, call, COUNT_BATCHES), state);
		ExplainPropertyUInteger("Tokens", NULL, total(scan, call, COUNT_TOKENS), state);
		ExplainPropertyUInteger("Cache Hits", NULL, total(scan, call, COUNT_CACHE_HITS), state);
		if (state->timing)
			ExplainPropertyFloat("Time", "ms", milliseconds, 3, state);
		return;
	}
	appendStringInfo(state->str, "Rows: " UINT64_FORMAT "  Batches: " UINT64_FORMAT "  Tokens: " UINT64_FORMAT,
					 total(scan, call, COUNT_ROWS), total(scan, call, COUNT_BATCHES), total(scan, call, COUNT_TOKENS));
	if (total(scan, call, COUNT_CACHE_HITS) > 0)
		appendStringInfo(state->str, "  Cache Hits: " UINT64_FORMAT, total(scan, call, COUNT_CACHE_HITS));
	if (state->timing)
		appendStringInfo(state->str, "  Time: %.3f ms", milliseconds);
}

/* What the plan expects of a call that generates; of others in VERBOSE. */
static void
explain_estimate(const CustomScan *plan, int call, const TaskFunction *task, const char *model, ExplainState *state)
{
	bool generates = task->cost == TASK_COST_GENERATE;
	BatchEstimate estimate = batch_scan_estimate(plan, call);
	ModelEstimate whole = {-1, -1};

	if (!state->costs || !(generates || state->verbose) || estimate.read == 0)
		return;
	if (generates && model != NULL)
		whole = model_work_estimate(model, estimate.rows, estimate.read, estimate.drawn);
	if (state->format != EXPLAIN_FORMAT_TEXT)
	{
		ExplainPropertyFloat("Expected Rows", NULL, estimate.rows, 0, state);
		ExplainPropertyFloat("Expected Prompt Tokens", NULL, estimate.rows * estimate.read, 0, state);
		ExplainPropertyFloat("Expected New Tokens", NULL, estimate.rows * estimate.drawn, 0, state);
		if (whole.seconds >= 0)
		{
			ExplainPropertyFloat("Expected Time", "ms", whole.seconds * 1000, 3, state);
			ExplainPropertyFloat("Expected Memory", "kB", whole.memory / 1024, 0, state);
		}
		return;
	}
	appendStringInfoSpaces(state->str, state->indent * 2 + 2);
	appendStringInfo(state->str, "Expected: %.0f rows, %.0f %s", estimate.rows, estimate.rows * estimate.read, generates ? "prompt tokens" : "tokens");
	if (generates)
		appendStringInfo(state->str, ", %.0f new tokens", estimate.rows * estimate.drawn);
	if (whole.seconds >= 0)
		appendStringInfo(state->str, ", %.3g s, %.0f kB", whole.seconds, whole.memory / 1024);
	appendStringInfoChar(state->str, '\n');
}

void
batch_usage_explain(CustomScanState *node, List *ancestors, ExplainState *state)
{
	BatchScan *scan = (BatchScan *) node;
	CustomScan *plan = (CustomScan *) node->ss.ps.plan;
	List *names = set_deparse_context_plan(state->deparse_cxt, &plan->scan.plan, ancestors);
	bool prefix = list_length(state->rtable) > 1 || state->verbose;

	ExplainOpenGroup("Calls", "Calls", false, state);
	for (int i = 0; i < scan->n_calls; i++)
	{
		Node *expr = (Node *) list_nth_node(TargetEntry, plan->custom_scan_tlist, i)->expr;
		const char *model = model_of(&scan->calls[i], (FuncExpr *) expr);

		ExplainOpenGroup("Call", NULL, true, state);
		ExplainPropertyText("Call", deparse_expression(expr, names, prefix, false), state);
		if (state->format != EXPLAIN_FORMAT_TEXT && model != NULL)
			ExplainPropertyText("Model", model, state);
		explain_estimate(plan, i, scan->calls[i].call.function, model, state);
		if (state->format != EXPLAIN_FORMAT_TEXT)
		{
			if (state->analyze)
				explain_counts(scan, i, state);
		}
		else if (state->analyze)
		{
			appendStringInfoSpaces(state->str, state->indent * 2 + 2);
			if (model != NULL)
				appendStringInfo(state->str, "Model: %s  ", model);
			explain_counts(scan, i, state);
			appendStringInfoChar(state->str, '\n');
		}
		ExplainCloseGroup("Call", NULL, true, state);
	}
	ExplainCloseGroup("Calls", "Calls", false, state);
}
