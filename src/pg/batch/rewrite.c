/*
 * Transparent batching: the hooks, and the walk over a finished plan.
 *
 * The walk goes from the top down with what is known of how many rows will be
 * asked for, and rewrites from the bottom up.
 */
#include "postgres.h"

#include "access/parallel.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/planner.h"
#include "pg/batch/rewrite.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "pg/model/progress.h"
#include "utils/plancache.h"
#include "utils/syscache.h"

static planner_hook_type next_planner;
static ExecutorStart_hook_type next_start;

/* This library came into the process while a statement was planned, too late for the hook. */
static bool first_statement;

/* --------------------------------------------------------------- children */

/* Calls visit for each child of a plan node, and puts what it returns in its place. */
typedef Plan *(*Visit) (Plan *child, int position, void *context);

static void
visit_list(List *plans, Visit visit, void *context)
{
	ListCell *cell;

	foreach(cell, plans)
		if (lfirst(cell) != NULL)
			lfirst(cell) = visit(lfirst(cell), foreach_current_index(cell), context);
}

static void
visit_children(Plan *plan, Visit visit, void *context)
{
	if (outerPlan(plan) != NULL)
		outerPlan(plan) = visit(outerPlan(plan), 0, context);
	if (innerPlan(plan) != NULL)
		innerPlan(plan) = visit(innerPlan(plan), 1, context);
	switch (nodeTag(plan))
	{
		case T_Append:
			visit_list(((Append *) plan)->appendplans, visit, context);
			break;
		case T_MergeAppend:
			visit_list(((MergeAppend *) plan)->mergeplans, visit, context);
			break;
		case T_BitmapAnd:
			visit_list(((BitmapAnd *) plan)->bitmapplans, visit, context);
			break;
		case T_BitmapOr:
			visit_list(((BitmapOr *) plan)->bitmapplans, visit, context);
			break;
		case T_SubqueryScan:
			((SubqueryScan *) plan)->subplan = visit(((SubqueryScan *) plan)->subplan, 0, context);
			break;
		case T_CustomScan:
			visit_list(((CustomScan *) plan)->custom_plans, visit, context);
			break;
		default:
			break;
	}
}

/* What a walk over a plan as the planner left it finds out. */
typedef struct Survey
{
	int last_id; /* the highest plan_node_id */
	bool calls;	 /* a node calls a task */
} Survey;

static bool
calls_task(const Plan *plan)
{
	if (batch_calls_any((Node *) plan->targetlist) || batch_calls_any((Node *) plan->qual))
		return true;
	if (IsA(plan, HashJoin) && batch_calls_any((Node *) ((const HashJoin *) plan)->hashclauses))
		return true;
	if ((IsA(plan, NestLoop) || IsA(plan, MergeJoin) || IsA(plan, HashJoin)) &&
		batch_calls_any((Node *) ((const Join *) plan)->joinqual))
		return true;
	return batch_merge_calls_any(plan);
}

static Plan *
survey(Plan *plan, int position, void *context)
{
	Survey *found = context;

	check_stack_depth();
	found->last_id = Max(found->last_id, plan->plan_node_id);
	found->calls = found->calls || calls_task(plan);
	visit_children(plan, survey, found);
	return plan;
}

/* ----------------------------------------------------------------- demand */

static const BatchDemand some = {false, NIL, false};
static const BatchDemand all = {true, NIL, false};

static bool
is_variable(Node *node, void *unused)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param) && ((Param *) node)->paramkind != PARAM_EXTERN)
		return true;
	return IsA(node, SubPlan) || expression_tree_walker(node, is_variable, NULL);
}

/* Whether a node of ours can compute the number itself. */
static bool
is_known(Node *number)
{
	return !is_variable(number, NULL) && !contain_volatile_functions(number);
}

static BatchDemand
demand_of_limit(const Limit *limit)
{
	BatchDemand demand = {false, NIL, true};

	if (limit->limitCount == NULL || limit->limitOption != LIMIT_OPTION_COUNT || !is_known(limit->limitCount) ||
		!is_known(limit->limitOffset))
		return some;
	demand.limit = list_make1(limit->limitCount);
	if (limit->limitOffset != NULL)
		demand.limit = lappend(demand.limit, limit->limitOffset);
	return demand;
}

static BatchDemand
all_or_some(const BatchDemand *demand)
{
	return demand->all ? all : some;
}

static BatchDemand
demand_on_join(const Plan *plan, int position, const BatchDemand *demand)
{
	const Join *join = (const Join *) plan;

	/* A merge ends with its shorter side. */
	if (IsA(plan, MergeJoin))
		return some;
	if (position == 1 && (join->inner_unique || join->jointype == JOIN_SEMI || join->jointype == JOIN_ANTI))
		return some;
	return all_or_some(demand);
}

/* The demand on a child of a node on which there is one. */
static BatchDemand
demand_on_child(const Plan *plan, int position, const BatchDemand *demand)
{
	BatchDemand same = *demand;

	switch (nodeTag(plan))
	{
		case T_ModifyTable:
		case T_Sort:
		case T_Hash:
			return all;
		case T_Agg:
			return ((const Agg *) plan)->aggstrategy == AGG_SORTED ? all_or_some(demand) : all;
		case T_Limit:
			return demand_of_limit((const Limit *) plan);
		case T_Result:
		case T_Append:
		case T_Gather:
			return same;
		case T_SubqueryScan:
			return plan->qual == NIL ? same : all_or_some(demand);
		case T_LockRows:
			/* It may skip rows, and then ask for more. */
			same.is_bound = false;
			return same;
		case T_NestLoop:
		case T_MergeJoin:
		case T_HashJoin:
			return demand_on_join(plan, position, demand);
		default:
			return all_or_some(demand);
	}
}

/* ------------------------------------------------------------------- walk */

typedef struct Walk
{
	BatchRewrite *rewrite;
	const Plan *parent;
	BatchDemand demand;	 /* on parent */
	bool in_worker;		 /* parent is */
	double n_processes;	 /* that run it */
	bool restorable;	 /* parent must be able to go back to a marked row */
} Walk;

/* Nodes that leave going back to their child. */
static bool
passes_marks(const Walk *walk, int position)
{
	return (IsA(walk->parent, MergeJoin) && position == 1) || (walk->restorable && IsA(walk->parent, Result));
}

/* As the planner divides rows: a leader with many workers has little time for rows of its own. */
static double
count_processes(const Plan *gather)
{
	double workers = IsA(gather, Gather) ? ((const Gather *) gather)->num_workers : ((const GatherMerge *) gather)->num_workers;

	return parallel_leader_participation ? workers + Max(1 - 0.3 * workers, 0) : workers;
}

static Plan *
rewrite_plan(Plan *plan, int position, void *context)
{
	const Walk *above = context;
	BatchRewrite *rewrite = above->rewrite;
	BatchDemand demand = demand_on_child(above->parent, position, &above->demand);
	bool in_worker = above->in_worker || IsA(above->parent, Gather) || IsA(above->parent, GatherMerge);
	bool restorable = passes_marks(above, position);
	double n_processes = in_worker && !above->in_worker ? count_processes(above->parent) : above->n_processes;
	Walk walk = {rewrite, plan, demand, in_worker, n_processes, restorable};
	BatchDemand below;

	check_stack_depth();
	/* Other extensions know their children by their form, ours is done. A foreign scan's child is for rechecks. */
	if (IsA(plan, CustomScan) || IsA(plan, ForeignScan))
		return IsA(plan, CustomScan) || restorable ? plan : batch_pull_up(rewrite, plan, &demand);
	if (IsA(plan, NestLoop))
		batch_lift_inner((NestLoop *) plan);
	visit_children(plan, rewrite_plan, &walk);
	rewrite->in_worker = in_worker;
	rewrite->n_processes = n_processes;
	below = demand_on_child(plan, 0, &demand);
	batch_push_down(rewrite, plan, &below);
	if (batch_merge_calls_any(plan))
		batch_merge(rewrite, (ModifyTable *) plan);
	return restorable ? plan : batch_pull_up(rewrite, plan, &demand);
}

/* A plan of its own: its top is the child of a node that asks for some rows. */
static Plan *
rewrite_tree(BatchRewrite *rewrite, Plan *plan)
{
	Result nobody = {.plan = {.type = T_Result}};
	Walk walk = {rewrite, &nobody.plan, some, false, 1, false};

	return rewrite_plan(plan, 0, &walk);
}

/* ---------------------------------------------------------------- scrolling */

/* What a cursor that can scroll stands on, as standard_planner() would have it. */
static Plan *
make_scrollable(BatchRewrite *rewrite, Plan *plan)
{
	Material *material = makeNode(Material);
	Plan *top = &material->plan;
	ListCell *cell;

	plan_copy_estimates(top, plan);
	foreach(cell, plan->targetlist)
	{
		TargetEntry *entry = flatCopyTargetEntry(lfirst(cell));

		entry->expr = (Expr *) makeVarFromTargetEntry(OUTER_VAR, lfirst(cell));
		top->targetlist = lappend(top->targetlist, entry);
	}
	outerPlan(top) = plan;
	top->initPlan = plan->initPlan;
	plan->initPlan = NIL;
	top->parallel_safe = plan->parallel_safe;
	top->extParam = bms_copy(plan->extParam);
	top->allParam = bms_copy(plan->allParam);
	top->plan_node_id = rewrite->next_id++;
	return top;
}

/* ------------------------------------------------------------------ hooks */

/* Cheap: functions that are not built in are listed with a plan, for its invalidation. */
static bool
has_own_functions(const PlannedStmt *statement)
{
	ListCell *cell;

	foreach(cell, statement->invalItems)
		if (lfirst_node(PlanInvalItem, cell)->cacheId == PROCOID)
			return true;
	return false;
}

static bool
is_wanted(PlannedStmt *statement, Survey *found)
{
	if (!maskgen_enable_batching || statement->commandType == CMD_UTILITY || !has_own_functions(statement))
		return false;
	survey(statement->planTree, 0, found);
	visit_list(statement->subplans, survey, found);
	return found->calls;
}

static void
rewrite_statement(PlannedStmt *statement, const Survey *found, int cursor_options)
{
	bool scrollable = (cursor_options & CURSOR_OPT_SCROLL) != 0 && ExecSupportsBackwardScan(statement->planTree);
	BatchRewrite rewrite = {.next_id = found->last_id + 1, .range_table = statement->rtable};
	ListCell *cell;

	foreach(cell, statement->subplans)
		if (lfirst(cell) != NULL)
			lfirst(cell) = rewrite_tree(&rewrite, lfirst(cell));
	statement->planTree = rewrite_tree(&rewrite, statement->planTree);
	if (scrollable && !ExecSupportsBackwardScan(statement->planTree))
		statement->planTree = make_scrollable(&rewrite, statement->planTree);
}

static PlannedStmt *
plan_statement(Query *query, const char *text, int cursor_options, ParamListInfo params)
{
	PlannedStmt *statement;
	Survey found = {0};

	if (maskgen_enable_batching)
		batch_values_unfold(query);
	statement = next_planner != NULL ? next_planner(query, text, cursor_options, params)
									 : standard_planner(query, text, cursor_options, params);
	if (is_wanted(statement, &found))
		rewrite_statement(statement, &found, cursor_options);
	return statement;
}

/* Makes up for a plan from before our hook was set. It is somebody else's, and may be used again: a copy is rewritten. */
static void
rewrite_late(QueryDesc *query)
{
	Survey found = {0};

	if (!is_wanted(query->plannedstmt, &found))
		return;
	query->plannedstmt = copyObject(query->plannedstmt);
	rewrite_statement(query->plannedstmt, &found, 0);
}

/* A worker's plan is its leader's. A plan that is read backward cannot become ours any more. */
static void
start_statement(QueryDesc *query, int flags)
{
	if (first_statement && (flags & EXEC_FLAG_BACKWARD) == 0 && !IsParallelWorker())
	{
		first_statement = false;
		rewrite_late(query);
	}
	progress_expect();
	if (next_start != NULL)
		next_start(query, flags);
	else
		standard_ExecutorStart(query, flags);
}

void
plan_batch_install(void)
{
	batch_scan_register();
	first_statement = !process_shared_preload_libraries_in_progress;
	/* What was planned without us is planned again at its next use; the one that is being planned now as well. */
	if (first_statement)
		ResetPlanCache();
	next_planner = planner_hook;
	planner_hook = plan_statement;
	next_start = ExecutorStart_hook;
	ExecutorStart_hook = start_statement;
}
