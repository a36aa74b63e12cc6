/*
 * Our plan node, MaskgenBatch: reads a window of rows from its child, makes
 * each of its calls for all of them together, and puts the rows out one by
 * one, checked and projected.
 *
 *   custom_scan_tlist  what our rows are before projection: results of the calls, then the child's columns
 *   lefttree           the child; only the calls' arguments name its columns (OUTER_VAR), all else ours (INDEX_VAR)
 *   custom_exprs       of a LIMIT above: count, and offset if there is one
 *   custom_private     (all, is_bound) of BatchDemand, and what the plan expects of the calls; below a MERGE also what batch/merge.c describes
 */
#include "pg/batch/scan.h"

#include "access/parallel.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_proc.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "pg/batch/rewrite.h"
#include "pg/model/progress.h"
#include "pg/planner/cost.h"
#include "pg/compat.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

static Node *create_state(CustomScan *plan);

static const CustomScanMethods plan_methods = {"MaskgenBatch", create_state};

void
batch_scan_register(void)
{
	RegisterCustomScanMethods(&plan_methods);
}

/* ------------------------------------------------------------------- plan */

/* A child's column where it is in our rows, after so many results. */
static Node *
shift_columns(Node *node, void *context)
{
	int *n_results = context;

	if (node == NULL)
		return NULL;
	if (IsA(node, Var) && ((Var *) node)->varno == OUTER_VAR)
	{
		Var *column = copyObject((Var *) node);

		column->varno = INDEX_VAR;
		column->varattno += *n_results;
		return (Node *) column;
	}
	return expression_tree_mutator(node, shift_columns, context);
}

/* Of each call: tokens that it reads and draws for a row, as Float nodes; then how many times the rows of a process there are. */
static List *
call_estimates(const BatchRewrite *rewrite, List *calls)
{
	List *estimates = NIL;
	ListCell *cell;

	foreach(cell, calls)
	{
		PlanTokens tokens = plan_call_tokens(lfirst_node(FuncExpr, cell));

		estimates = lappend(estimates, makeFloat(psprintf("%.17g", tokens.read)));
		estimates = lappend(estimates, makeFloat(psprintf("%.17g", tokens.drawn)));
	}
	return lappend(estimates, makeFloat(psprintf("%.17g", rewrite->in_worker ? rewrite->n_processes : 1)));
}

/* Our rows. */
static List *
row_targets(List *calls, const Plan *child)
{
	List *targets = NIL;
	ListCell *cell;

	foreach(cell, calls)
		targets = lappend(targets, makeTargetEntry(lfirst(cell), list_length(targets) + 1, NULL, false));
	foreach(cell, child->targetlist)
	{
		Var *column = makeVarFromTargetEntry(OUTER_VAR, lfirst(cell));

		targets = lappend(targets, makeTargetEntry((Expr *) column, list_length(targets) + 1, NULL, false));
	}
	return targets;
}

Plan *
batch_scan_make(BatchRewrite *rewrite, Plan *child, List *calls, List *qual, List *targets, const BatchDemand *demand)
{
	CustomScan *scan = makeNode(CustomScan);
	Plan *plan = &scan->scan.plan;
	int n_calls = list_length(calls);

	plan_copy_estimates(plan, rewrite->model);
	plan->parallel_safe = rewrite->model->parallel_safe;
	/* For what it counts, and the rows of a LIMIT: a node must be parallel-aware to share anything. */
	plan->parallel_aware = rewrite->in_worker;
	plan->extParam = bms_copy(rewrite->model->extParam);
	plan->allParam = bms_copy(rewrite->model->allParam);
	plan->plan_node_id = rewrite->next_id++;
	plan->targetlist = (List *) shift_columns((Node *) targets, &n_calls);
	plan->qual = (List *) shift_columns((Node *) qual, &n_calls);
	outerPlan(plan) = child;
	scan->custom_scan_tlist = row_targets(calls, child);
	scan->custom_exprs = copyObject(demand->limit);
	scan->custom_private = list_make3(makeBoolConst(demand->all, false), makeBoolConst(demand->is_bound, false), call_estimates(rewrite, calls));
	scan->methods = &plan_methods;
	return plan;
}

/* ------------------------------------------------------------------ begin */

static void
check_privilege(Oid function)
{
	AclResult result = function_aclcheck(function, GetUserId());

	if (result != ACLCHECK_OK)
		aclcheck_error(result, OBJECT_FUNCTION, get_func_name(function));
	InvokeFunctionExecuteHook(function);
}

/* The value of a constant count; -1: it is none. */
static int64
const_count(Node *count)
{
	return count != NULL && IsA(count, Const) && !((Const *) count)->constisnull ? DatumGetInt64(((Const *) count)->constvalue) : -1;
}

/* Rows of the child that will be asked for, as far as the plan knows. */
static double
rows_expected(const CustomScan *plan)
{
	double rows = outerPlan(plan)->plan_rows;
	int64 limit = plan->custom_exprs == NIL ? -1 : const_count(linitial(plan->custom_exprs));
	int64 offset = list_length(plan->custom_exprs) < 2 ? 0 : const_count(lsecond(plan->custom_exprs));

	return limit >= 0 && offset >= 0 && plan->scan.plan.qual == NIL ? Min(rows, (double) limit + (double) offset) : rows;
}

BatchEstimate
batch_scan_estimate(const CustomScan *plan, int call)
{
	List *estimates = lthird_node(List, plan->custom_private);

	return (BatchEstimate){rows_expected(plan) * floatVal(llast(estimates)), floatVal(list_nth(estimates, 2 * call)),
						   floatVal(list_nth(estimates, 2 * call + 1))};
}

/* Refuses what is expected to be more than a statement may compute. */
static void
check_tokens(const CustomScan *plan, int n_calls)
{
	for (int i = 0; i < n_calls; i++)
	{
		BatchEstimate estimate = batch_scan_estimate(plan, i);

		progress_expect_tokens(estimate.rows, estimate.rows * (estimate.read + estimate.drawn));
	}
}

static void
prepare_call(BatchScan *scan, BatchCall *call, FuncExpr *expr, List *args)
{
	const TaskFunction *task = task_function_of(expr->funcid);
	ListCell *cell;

	check_privilege(expr->funcid);
	if (task == NULL || list_length(expr->args) != task->n_args)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("function %s is not what it was when the statement was planned", get_func_name(expr->funcid)),
						errhint("Run the statement again.")));
	fmgr_info(expr->funcid, &call->function);
	fmgr_info_set_expr((Node *) expr, &call->function);
	call->call.function = task;
	call->call.expected = rows_expected((CustomScan *) scan->custom.ss.ps.plan);
	call->input = task_input(task);
	call->call.flinfo = &call->function;
	call->is_column = IsA(list_nth(args, call->input), Var) && list_nth_node(Var, args, call->input)->varno == OUTER_VAR;
	foreach(cell, args)
	{
		int i = foreach_current_index(cell);

		call->varies = call->varies || (i != call->input && contain_var_clause(lfirst(cell)));
		if (task->args[i].type != TASK_ENUM)
			call->args[i] = ExecInitExpr(lfirst(cell), &scan->custom.ss.ps);
	}
}

static void
begin(CustomScanState *node, EState *estate, int flags)
{
	BatchScan *scan = (BatchScan *) node;
	CustomScan *plan = (CustomScan *) node->ss.ps.plan;
	const List *merge = list_length(plan->custom_private) > 3 ? lfourth(plan->custom_private) : NIL;

	outerPlanState(node) = ExecInitNode(outerPlan(plan), estate, flags & ~(EXEC_FLAG_BACKWARD | EXEC_FLAG_MARK));
	/* Arguments see the child's rows in the form that we keep them in. */
	node->ss.ps.outerops = &TTSOpsMinimalTuple;
	node->ss.ps.outeropsset = node->ss.ps.outeropsfixed = true;
	/* Beside them, those of a MERGE see its target's. */
	node->ss.ps.scanopsfixed = false;
	scan->row = ExecInitExtraTupleSlot(estate, ExecGetResultType(outerPlanState(node)), &TTSOpsMinimalTuple);
	scan->n_columns = list_length(outerPlan(plan)->targetlist);
	scan->n_calls = list_length(plan->custom_scan_tlist) - scan->n_columns;
	scan->calls = palloc0(scan->n_calls * sizeof *scan->calls);
	if ((flags & EXEC_FLAG_EXPLAIN_ONLY) == 0 && !IsParallelWorker())
		check_tokens(plan, scan->n_calls);
	for (int i = 0; i < scan->n_calls; i++)
	{
		FuncExpr *call = (FuncExpr *) list_nth_node(TargetEntry, plan->custom_scan_tlist, i)->expr;

		prepare_call(scan, &scan->calls[i], call, merge == NIL ? call->args : batch_merge_call(merge, i)->args);
	}
	if (merge != NIL)
		batch_merge_begin(scan, merge);
	scan->limit = plan->custom_exprs == NIL ? NULL : ExecInitExpr(linitial(plan->custom_exprs), &node->ss.ps);
	scan->offset = list_length(plan->custom_exprs) < 2 ? NULL : ExecInitExpr(lsecond(plan->custom_exprs), &node->ss.ps);
	scan->all = DatumGetBool(linitial_node(Const, plan->custom_private)->constvalue);
	scan->is_bound = DatumGetBool(lsecond_node(Const, plan->custom_private)->constvalue);
	scan->memory = AllocSetContextCreate(estate->es_query_cxt, "maskgen batch", ALLOCSET_DEFAULT_SIZES);
}

/* ----------------------------------------------------------------- output */

/* The result of a call for the row that is shown; afterwards it is known whether that is NULL. */
static Datum
result_of(BatchScan *scan, BatchCall *call, int row)
{
	if (call->nulls[row])
		return (Datum) 0;
	if (call->varies && !call->made[row])
		batch_window_make(scan, call, row);
	if (call->errors[row] == NULL)
		return call->results[row];
	/* The action of a MERGE makes the call itself, and is told the same. */
	if (scan->merge == NULL)
		task_null_or_throw(&call->call, call->errors[row]);
	call->nulls[row] = true;
	return (Datum) 0;
}

/* One of our rows: results, and the child's columns. */
static TupleTableSlot *
make_row(BatchScan *scan, int row)
{
	TupleTableSlot *slot = scan->custom.ss.ss_ScanTupleSlot;

	batch_window_show(scan, row);
	slot_getallattrs(scan->row);
	ExecClearTuple(slot);
	for (int i = 0; i < scan->n_calls; i++)
	{
		slot->tts_values[i] = result_of(scan, &scan->calls[i], row);
		slot->tts_isnull[i] = scan->calls[i].nulls[row];
	}
	memcpy(slot->tts_values + scan->n_calls, scan->row->tts_values, scan->n_columns * sizeof *slot->tts_values);
	memcpy(slot->tts_isnull + scan->n_calls, scan->row->tts_isnull, scan->n_columns * sizeof *slot->tts_isnull);
	return ExecStoreVirtualTuple(slot);
}

static TupleTableSlot *
next_row(CustomScanState *node)
{
	BatchScan *scan = (BatchScan *) node;
	ExprContext *context = node->ss.ps.ps_ExprContext;

	while (scan->next < scan->n || batch_window_next(scan))
	{
		CHECK_FOR_INTERRUPTS();
		ResetExprContext(context);
		context->ecxt_scantuple = make_row(scan, scan->next++);
		if (ExecQual(node->ss.ps.qual, context))
			return node->ss.ps.ps_ProjInfo != NULL ? ExecProject(node->ss.ps.ps_ProjInfo) : context->ecxt_scantuple;
		InstrCountFiltered1(node, 1);
	}
	return NULL;
}

static void
rescan(CustomScanState *node)
{
	BatchScan *scan = (BatchScan *) node;

	batch_window_forget(scan);
	batch_window_restart(scan);
	if (outerPlanState(node)->chgParam == NULL)
		ExecReScan(outerPlanState(node));
}

static void
end(CustomScanState *node)
{
	BatchScan *scan = (BatchScan *) node;

	batch_window_forget(scan);
	batch_usage_detach(scan);
	batch_merge_end(scan);
	ExecEndNode(outerPlanState(node));
}

static const CustomExecMethods exec_methods = {
	.CustomName = "MaskgenBatch",
	.BeginCustomScan = begin,
	.ExecCustomScan = next_row,
	.EndCustomScan = end,
	.ReScanCustomScan = rescan,
	.EstimateDSMCustomScan = batch_share_estimate,
	.InitializeDSMCustomScan = batch_share_initialize,
	.ReInitializeDSMCustomScan = batch_share_restart,
	.InitializeWorkerCustomScan = batch_share_attach,
	.ShutdownCustomScan = batch_share_end,
	.ExplainCustomScan = batch_usage_explain,
};

static Node *
create_state(CustomScan *plan)
{
	BatchScan *scan = palloc0(sizeof *scan);

	NodeSetTag(scan, T_CustomScanState);
	scan->custom.methods = &exec_methods;
	return (Node *) scan;
}
