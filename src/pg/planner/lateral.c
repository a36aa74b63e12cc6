/*
 * Functions in FROM that take columns of what stands before them:
 *
 *   FROM t, fill_mask('bert', t.body)
 *
 * PostgreSQL takes a function's scan to run it once and to keep the rows, so
 * that scanning again costs next to nothing. That is not so where its arguments
 * change from row to row. Here what runs a model moves from the cost of
 * starting such a scan to that of its rows, which is paid with each scan.
 */
#include "pg/planner/cost.h"

#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/paths.h"

static set_rel_pathlist_hook_type next_rel_pathlist;

static bool
add_tasks(Node *node, List **calls)
{
	if (node == NULL || IsA(node, Query))
		return false;
	if (plan_is_task(node))
	{
		*calls = lappend(*calls, node);
		return false;
	}
	return expression_tree_walker(node, add_tasks, calls);
}

static void
rel_pathlist(PlannerInfo *root, RelOptInfo *rel, Index relid, RangeTblEntry *rte)
{
	List *calls = NIL;
	QualCost cost;
	ListCell *cell;

	if (next_rel_pathlist != NULL)
		next_rel_pathlist(root, rel, relid, rte);
	if (rte->rtekind != RTE_FUNCTION || bms_is_empty(rel->lateral_relids))
		return;
	add_tasks((Node *) rte->functions, &calls);
	cost_qual_eval(&cost, calls, root);
	foreach(cell, rel->pathlist)
	{
		Path *path = lfirst(cell);

		if (path->pathtype == T_FunctionScan)
			path->startup_cost = Max(path->startup_cost - cost.per_tuple, 0);
	}
}

void
plan_lateral_install(void)
{
	next_rel_pathlist = set_rel_pathlist_hook;
	set_rel_pathlist_hook = rel_pathlist;
}
