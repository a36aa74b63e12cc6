/*
 * Moving calls out of a plan node.
 *
 * Up, from its target list T and from conditions q1, q2, ... that it checks
 * last: the node N is left with the expressions that only it can evaluate, and
 * levels of our node B are put on top, from the bottom up:
 *
 *     B  calls of T        targets: T
 *     B  calls of q2       drops rows that fail q2
 *     B  calls of q1       drops rows that fail q1
 *     N  less conditions   targets: leaves of q1, q2, T
 *
 * A level passes on what those above need; one whose results are all known
 * already is left out. A call inside of another's argument has a level below.
 * So each call is made for exactly the rows that it was made for by N, and
 * conditions are checked in the order in which the planner put them: one that
 * guards others (a view's or a policy's) goes on guarding them.
 *
 * Down (batch/columns.c), from what a node evaluates once for each row of
 * a child: a level on the child adds columns.
 */
#include "postgres.h"

#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "pg/batch/rewrite.h"
#include "pg/compat.h"

typedef struct Level
{
	List *calls; /* none of them inside of another */
	List *qual;
} Level;

static BatchPlace *
make_place(Expr *expr, int varno, int column)
{
	BatchPlace *place = palloc(sizeof *place);

	*place = (BatchPlace){expr, varno, column};
	return place;
}

/* One place for each expression, in columns from the first on. */
static List *
make_places(List *exprs, int varno)
{
	List *places = NIL;
	ListCell *cell;

	foreach(cell, exprs)
		places = lappend(places, make_place(lfirst(cell), varno, foreach_current_index(cell) + 1));
	return places;
}

/* Levels for calls, inner ones before those around them. */
static List *
add_levels(List *levels, List *calls)
{
	while (calls != NIL)
	{
		Level *level = palloc0(sizeof *level);
		List *later = NIL;
		ListCell *cell;

		foreach(cell, calls)
		{
			FuncExpr *call = lfirst(cell);
			List *inner = batch_calls_find(NIL, (Node *) call->args);

			if (list_intersection(inner, calls) == NIL)
				level->calls = lappend(level->calls, call);
			else
				later = lappend(later, call);
		}
		levels = lappend(levels, level);
		calls = later;
	}
	return levels;
}

static List *
plan_levels(List *moved, List *targets)
{
	List *levels = NIL, *known = NIL;
	ListCell *cell;

	foreach(cell, moved)
	{
		Node *clause = lfirst(cell);
		List *calls = list_difference(batch_calls_find(NIL, clause), known);
		Level *last;

		levels = add_levels(levels, calls);
		known = list_concat(known, calls);
		last = llast(levels);
		last->qual = lappend(last->qual, clause);
	}
	return add_levels(levels, list_difference(batch_calls_find(NIL, (Node *) targets), known));
}

/* The places that the levels from the nth on, and the targets, read. */
static List *
needed_above(List *levels, int n, List *targets, List *places)
{
	List *needed = NIL;

	for (int i = n; i < list_length(levels); i++)
	{
		Level *level = list_nth(levels, i);

		needed = batch_calls_needed(needed, (Node *) level->calls, places);
		needed = batch_calls_needed(needed, (Node *) level->qual, places);
	}
	return batch_calls_needed(needed, (Node *) targets, places);
}

static List *
make_targets(List *exprs)
{
	List *targets = NIL;
	ListCell *cell;

	foreach(cell, exprs)
		targets = lappend(targets, makeTargetEntry(lfirst(cell), foreach_current_index(cell) + 1, NULL, false));
	return targets;
}

static List *
exprs_of_places(List *places)
{
	List *exprs = NIL;
	ListCell *cell;

	foreach(cell, places)
		exprs = lappend(exprs, ((BatchPlace *) lfirst(cell))->expr);
	return exprs;
}

/* Demand on the nth level: a filter in it or above lets less through than is asked for. */
static BatchDemand
demand_on_level(const BatchDemand *demand, List *levels, int n)
{
	BatchDemand on_level = *demand;

	for (int i = n; i < list_length(levels); i++)
		if (((Level *) list_nth(levels, i))->qual != NIL)
			on_level.is_bound = false;
	return on_level;
}

/* Puts levels on a node whose columns have the places given; the last one puts out the targets. */
static Plan *
stack_levels(BatchRewrite *rewrite, Plan *plan, List *places, List *levels, List *targets, const BatchDemand *demand)
{
	for (int i = 0; i < list_length(levels); i++)
	{
		Level *level = list_nth(levels, i);
		BatchDemand on_level = demand_on_level(demand, levels, i);
		List *calls = (List *) batch_calls_replace((Node *) level->calls, places);
		List *qual, *passed, *outputs = targets;

		places = list_concat(make_places(level->calls, INDEX_VAR), places);
		qual = (List *) batch_calls_replace((Node *) level->qual, places);
		passed = exprs_of_places(needed_above(levels, i + 1, targets, places));
		if (i + 1 < list_length(levels))
			outputs = make_targets(passed);
		plan = batch_scan_make(rewrite, plan, calls, qual, (List *) batch_calls_replace((Node *) outputs, places), &on_level);
		places = make_places(passed, OUTER_VAR);
	}
	return plan;
}

/* Nodes that compute their target list from something. */
static bool
is_projecting(const Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_Result:
			return outerPlan(plan) != NULL;
		case T_SeqScan:
		case T_SampleScan:
		case T_IndexScan:
		case T_IndexOnlyScan:
		case T_BitmapHeapScan:
		case T_TidScan:
		case T_TidRangeScan:
		case T_SubqueryScan:
		case T_FunctionScan:
		case T_TableFuncScan:
		case T_ValuesScan:
		case T_CteScan:
		case T_NamedTuplestoreScan:
		case T_WorkTableScan:
		case T_NestLoop:
		case T_MergeJoin:
		case T_HashJoin:
		case T_Agg:
		case T_Group:
		case T_Gather:
		case T_GatherMerge:
			return true;
		case T_WindowAgg:
			/* Its conditions name columns of its own target list. */
			return plan->qual == NIL && ((const WindowAgg *) plan)->runCondition == NIL;
		case T_ForeignScan:
			return ((const ForeignScan *) plan)->operation == CMD_SELECT && !plan->async_capable;
		default:
			return false;
	}
}

/*
 * The conditions that a node checks last, on rows that it is about to put out. Those of an outer join's ON clause are not:
 * they decide what is joined.
 */
static List **
last_qual(Plan *plan)
{
	if (IsA(plan, NestLoop) || IsA(plan, MergeJoin) || IsA(plan, HashJoin))
	{
		Join *join = (Join *) plan;

		if (join->jointype == JOIN_INNER && plan->qual == NIL)
			return &join->joinqual;
	}
	return &plan->qual;
}

/* Takes the conditions from the first one with a call on away from a node. */
static List *
take_qual(Plan *plan)
{
	List **qual = last_qual(plan);
	List *moved;
	int kept = 0;

	while (kept < list_length(*qual) && batch_calls_find(NIL, list_nth(*qual, kept)) == NIL)
		kept++;
	if (kept == list_length(*qual))
		return NIL;
	moved = list_copy_tail(*qual, kept);
	*qual = list_truncate(list_copy(*qual), kept);
	/* That a row joins with one other at most may rest on what was taken. */
	if (qual != &plan->qual)
		((Join *) plan)->inner_unique = false;
	return moved;
}

/* The places of a child's columns that a Result's expressions read. */
static List *
places_of_child(List *leaves)
{
	List *places = NIL;
	ListCell *cell;

	foreach(cell, leaves)
		places = lappend(places, make_place(lfirst(cell), OUTER_VAR, lfirst_node(Var, cell)->varattno));
	return places;
}

Plan *
batch_pull_up(BatchRewrite *rewrite, Plan *plan, const BatchDemand *demand)
{
	List *targets = plan->targetlist;
	List *moved, *levels, *leaves, *places, *init_plans = plan->initPlan;
	Plan *top, whole;

	if (!is_projecting(plan))
		return plan;
	moved = take_qual(plan);
	levels = plan_levels(moved, targets);
	if (levels == NIL)
		return plan;
	leaves = batch_calls_leaves(batch_calls_leaves(NIL, (Node *) moved), (Node *) targets);
	rewrite->model = plan;
	whole = *plan;
	plan->initPlan = NIL;
	if (IsA(plan, Result) && ((Result *) plan)->resconstantqual == NULL)
	{
		places = places_of_child(leaves);
		plan = outerPlan(plan);
	}
	else
	{
		places = make_places(leaves, OUTER_VAR);
		plan->targetlist = make_targets(leaves);
	}
	top = stack_levels(rewrite, plan, places, levels, targets, demand);
	batch_estimate_moved(rewrite, top, plan, &whole);
	top->initPlan = init_plans;
	return top;
}

List *
batch_add_columns(BatchRewrite *rewrite, Plan **child, List *calls, const BatchDemand *demand, double most)
{
	List *targets = NIL, *places = NIL;
	Plan *node = *child;
	ListCell *cell;

	foreach(cell, node->targetlist)
	{
		TargetEntry *entry = flatCopyTargetEntry(lfirst(cell));

		entry->expr = (Expr *) makeVarFromTargetEntry(OUTER_VAR, lfirst(cell));
		targets = lappend(targets, entry);
	}
	foreach(cell, calls)
	{
		int column = list_length(targets) + 1;

		targets = lappend(targets, makeTargetEntry(lfirst(cell), column, NULL, false));
		places = lappend(places, make_place(lfirst(cell), OUTER_VAR, column));
	}
	rewrite->model = node;
	*child = stack_levels(rewrite, node, places_of_child(batch_calls_leaves(NIL, (Node *) targets)), add_levels(NIL, calls),
						  targets, demand);
	batch_estimate_added(*child, node, most);
	return places;
}
