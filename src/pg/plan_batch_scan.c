/*
 * Our plan node, MaskgenBatch: reads a window of rows from its child, makes
 * each of its calls for all of them together, and puts the rows out one by
 * one, checked and projected.
 *
 *   custom_scan_tlist  the calls; their results are the columns INDEX_VAR
 *   lefttree           the child; its columns are OUTER_VAR
 *   custom_exprs       of a LIMIT above: count, and offset if there is one
 *   custom_private     (all, is_bound) of BatchDemand
 */
#include "pg/plan_batch_scan.h"

#include "catalog/objectaccess.h"
#include "catalog/pg_proc.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "pg/compat.h"
#include "pg/plan_batch.h"
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

Plan *
batch_scan_make(BatchRewrite *rewrite, Plan *child, List *calls, List *qual, List *targets, const BatchDemand *demand)
{
	CustomScan *scan = makeNode(CustomScan);
	Plan *plan = &scan->scan.plan;
	ListCell *cell;

	plan_copy_estimates(plan, rewrite->model);
	plan->parallel_safe = rewrite->model->parallel_safe;
	/* Has nothing to share but what it counts: a node must be parallel-aware to share anything. */
	plan->parallel_aware = rewrite->in_worker;
	plan->extParam = bms_copy(rewrite->model->extParam);
	plan->allParam = bms_copy(rewrite->model->allParam);
	plan->plan_node_id = rewrite->next_id++;
	plan->targetlist = targets;
	plan->qual = qual;
	outerPlan(plan) = child;
	foreach(cell, calls)
		scan->custom_scan_tlist = lappend(scan->custom_scan_tlist, makeTargetEntry(lfirst(cell), foreach_current_index(cell) + 1,
																				   NULL, false));
	scan->custom_exprs = copyObject(demand->limit);
	scan->custom_private = list_make2(makeBoolConst(demand->all, false), makeBoolConst(demand->is_bound && qual == NIL, false));
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

static void
prepare_call(BatchScan *scan, BatchCall *call, FuncExpr *expr)
{
	const TaskFunction *task = task_function_of(expr->funcid);
	ListCell *cell;

	check_privilege(expr->funcid);
	if (task == NULL || list_length(expr->args) != (int) strlen(task->args))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("function %s is not what it was when the statement was planned", get_func_name(expr->funcid)),
						errhint("Run the statement again.")));
	fmgr_info(expr->funcid, &call->function);
	fmgr_info_set_expr((Node *) expr, &call->function);
	call->call.function = task;
	call->call.flinfo = &call->function;
	call->is_column = IsA(list_nth(expr->args, task->input), Var);
	foreach(cell, expr->args)
		if (task->args[foreach_current_index(cell)] != 'e')
			call->args[foreach_current_index(cell)] = ExecInitExpr(lfirst(cell), &scan->custom.ss.ps);
}

static void
begin(CustomScanState *node, EState *estate, int flags)
{
	BatchScan *scan = (BatchScan *) node;
	CustomScan *plan = (CustomScan *) node->ss.ps.plan;
	ListCell *cell;

	outerPlanState(node) = ExecInitNode(outerPlan(plan), estate, flags & ~(EXEC_FLAG_BACKWARD | EXEC_FLAG_MARK));
	/* Expressions see the child's rows in our form. (Those of the plan itself were compiled for any form.) */
	node->ss.ps.outerops = &TTSOpsMinimalTuple;
	node->ss.ps.outeropsset = node->ss.ps.outeropsfixed = true;
	scan->row = ExecInitExtraTupleSlot(estate, ExecGetResultType(outerPlanState(node)), &TTSOpsMinimalTuple);
	scan->n_calls = list_length(plan->custom_scan_tlist);
	scan->calls = palloc0(scan->n_calls * sizeof *scan->calls);
	foreach(cell, plan->custom_scan_tlist)
		prepare_call(scan, &scan->calls[foreach_current_index(cell)], (FuncExpr *) lfirst_node(TargetEntry, cell)->expr);
	scan->limit = plan->custom_exprs == NIL ? NULL : ExecInitExpr(linitial(plan->custom_exprs), &node->ss.ps);
	scan->offset = list_length(plan->custom_exprs) < 2 ? NULL : ExecInitExpr(lsecond(plan->custom_exprs), &node->ss.ps);
	scan->all = DatumGetBool(linitial_node(Const, plan->custom_private)->constvalue);
	scan->is_bound = DatumGetBool(lsecond_node(Const, plan->custom_private)->constvalue);
	scan->memory = AllocSetContextCreate(estate->es_query_cxt, "maskgen batch", ALLOCSET_DEFAULT_SIZES);
}

/* ----------------------------------------------------------------- output */

/* A slot with the results of a row. */
static TupleTableSlot *
results_of_row(BatchScan *scan, int row)
{
	TupleTableSlot *slot = scan->custom.ss.ss_ScanTupleSlot;

	ExecClearTuple(slot);
	for (int i = 0; i < scan->n_calls; i++)
	{
		BatchCall *call = &scan->calls[i];

		if (call->one_by_one && !call->nulls[row])
		{
			MemoryContext caller = MemoryContextSwitchTo(scan->memory);

			task_call(&call->call, &call->inputs[row], 1, &call->results[row]);
			MemoryContextSwitchTo(caller);
		}
		slot->tts_values[i] = call->nulls[row] ? (Datum) 0 : call->results[row];
		slot->tts_isnull[i] = call->nulls[row];
	}
	return ExecStoreVirtualTuple(slot);
}

static TupleTableSlot *
next_row(CustomScanState *node)
{
	BatchScan *scan = (BatchScan *) node;
	ExprContext *context = node->ss.ps.ps_ExprContext;

	while (scan->next < scan->n || batch_window_next(scan))
	{
		int row = scan->next++;

		CHECK_FOR_INTERRUPTS();
		ResetExprContext(context);
		batch_window_show(scan, row);
		context->ecxt_scantuple = results_of_row(scan, row);
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
	ExecEndNode(outerPlanState(node));
}

static const CustomExecMethods exec_methods = {
	.CustomName = "MaskgenBatch",
	.BeginCustomScan = begin,
	.ExecCustomScan = next_row,
	.EndCustomScan = end,
	.ReScanCustomScan = rescan,
	.EstimateDSMCustomScan = batch_usage_estimate,
	.InitializeDSMCustomScan = batch_usage_share,
	.ReInitializeDSMCustomScan = batch_usage_keep,
	.InitializeWorkerCustomScan = batch_usage_attach,
	.ShutdownCustomScan = batch_usage_report,
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
