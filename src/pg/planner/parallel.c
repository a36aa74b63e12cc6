/*
 * Parallel scans of small tables. PostgreSQL considers them from a size of the
 * table on, 8 MB, since reading is what it knows to be slow; a thousand rows
 * that each take a millisecond of computing fit into a tenth of that. Where a
 * statement runs a model over columns of a relation, a partial sequential scan
 * is offered in addition, with as many workers as the work is worth; whether it
 * is taken remains a matter of costs. The functions are costed in the plan's
 * final projection, which the planner puts below Gather, for they are safe.
 *
 * A worker more is worth it as long as it saves more than starting one costs:
 *
 *   work / w - work / (w + 1) >= parallel_setup_cost
 *
 * The reloption parallel_workers has been obeyed by then, and stays the last
 * word, 0 included.
 */
#include "pg/planner/cost.h"

#include <math.h>

#include "catalog/pg_class.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"

/* For less than this many rows by LIMIT, workers would compute more in vain than they save. */
#define SMALL_LIMIT 256

static set_rel_pathlist_hook_type next_rel_pathlist;

typedef struct WorkWalk
{
	PlannerInfo *root;
	Relids relids; /* the relation, and the one that it is a part of */
	Cost cost;
} WorkWalk;

/* Adds up what the calls of tasks on columns of a relation cost once. */
static bool
add_calls(Node *node, WorkWalk *walk)
{
	if (node == NULL || IsA(node, Query))
		return false;
	if (IsA(node, RestrictInfo))
		return add_calls((Node *) ((RestrictInfo *) node)->clause, walk);
	if (plan_is_task(node) && bms_overlap(pull_varnos(walk->root, node), walk->relids))
	{
		QualCost cost;

		/* What stands in its arguments is in it. */
		cost_qual_eval_node(&cost, node, walk->root);
		walk->cost += cost.per_tuple;
		return false;
	}
	return expression_tree_walker(node, add_calls, walk);
}

static Cost
cost_of_calls(PlannerInfo *root, Relids relids, Node *node)
{
	WorkWalk walk = {root, relids, 0};

	add_calls(node, &walk);
	return walk.cost;
}

/* A condition of the scan. */
typedef struct Condition
{
	Cost cost;
	Cost calls;
	Selectivity selectivity;
} Condition;

static int
compare_conditions(const void *a, const void *b)
{
	Cost x = ((const Condition *) a)->cost, y = ((const Condition *) b)->cost;

	return x < y ? -1 : x > y;
}

/* What the models in the scan's conditions cost: cheap conditions come first, and spare the others rows. */
static Cost
work_of_conditions(PlannerInfo *root, RelOptInfo *rel, Relids relids)
{
	Condition *conditions;
	double rows = rel->tuples;
	int n = 0;
	Cost work = 0;
	ListCell *cell;

	if (cost_of_calls(root, relids, (Node *) rel->baserestrictinfo) == 0)
		return 0;
	conditions = palloc(list_length(rel->baserestrictinfo) * sizeof *conditions);
	foreach(cell, rel->baserestrictinfo)
	{
		RestrictInfo *clause = lfirst_node(RestrictInfo, cell);
		QualCost cost;

		cost_qual_eval_node(&cost, (Node *) clause, root);
		conditions[n++] = (Condition){cost.per_tuple, cost_of_calls(root, relids, (Node *) clause),
									  clause_selectivity(root, (Node *) clause, 0, JOIN_INNER, NULL)};
	}
	qsort(conditions, n, sizeof *conditions, compare_conditions);
	for (int i = 0; i < n; i++)
	{
		work += rows * conditions[i].calls;
		rows *= conditions[i].selectivity;
	}
	return work;
}

/* What running models over a relation's rows costs in all. */
static Cost
estimate_work(PlannerInfo *root, RelOptInfo *rel)
{
	Relids relids = bms_union(rel->relids, rel->top_parent_relids);
	bool is_limited = root->limit_tuples > 0 && root->parse->sortClause == NIL;
	double rows = is_limited ? Min(rel->rows, root->limit_tuples) : rel->rows;
	Cost calls = cost_of_calls(root, relids, (Node *) root->processed_tlist) +
		cost_of_calls(root, relids, root->parse->havingQual) + cost_of_calls(root, relids, (Node *) rel->joininfo);

	/* Set-returning ones that follow the relation in FROM; relations that were not needed have left gaps. */
	for (int i = 1; i < root->simple_rel_array_size; i++)
	{
		RangeTblEntry *rte = root->simple_rte_array[i];

		if (rte != NULL && rte->rtekind == RTE_FUNCTION && rte->lateral)
			calls += cost_of_calls(root, relids, (Node *) rte->functions);
	}
	return rows * calls + work_of_conditions(root, rel, relids);
}

static int
count_workers(RelOptInfo *rel, Cost work)
{
	/* A block, and so a row, is read by one process; the leader reads, too. */
	double most = Min(max_parallel_workers_per_gather,
					  Min(rel->pages, rel->tuples) - (parallel_leader_participation ? 1 : 0));
	double worth = parallel_setup_cost > 0 ? (sqrt(1 + 4 * work / parallel_setup_cost) - 1) / 2 : most;

	return work > 0 && most >= 1 ? (int) Min(most, worth) : 0;
}

/* A plain table, scanned for itself, that may be scanned in parallel. */
static bool
is_eligible(PlannerInfo *root, RelOptInfo *rel, RangeTblEntry *rte)
{
	return root->glob->parallelModeOK && rel->consider_parallel && max_parallel_workers_per_gather > 0 &&
		IS_SIMPLE_REL(rel) && rte->rtekind == RTE_RELATION && !rte->inh && rte->tablesample == NULL &&
		(rte->relkind == RELKIND_RELATION || rte->relkind == RELKIND_MATVIEW) && bms_is_empty(rel->lateral_relids) &&
		rel->rel_parallel_workers == -1 && !IS_DUMMY_REL(rel);
}

/* A LIMIT that ends a scan early, unless a sort has to see all rows first. */
static bool
ends_early(PlannerInfo *root)
{
	return root->limit_tuples > 0 && root->limit_tuples < SMALL_LIMIT && root->parse->sortClause == NIL;
}

static void
rel_pathlist(PlannerInfo *root, RelOptInfo *rel, Index relid, RangeTblEntry *rte)
{
	int n;
	ListCell *cell;

	if (next_rel_pathlist != NULL)
		next_rel_pathlist(root, rel, relid, rte);
	if (!is_eligible(root, rel, rte) || ends_early(root))
		return;
	n = count_workers(rel, estimate_work(root, rel));
	foreach(cell, rel->partial_pathlist)
		if (((Path *) lfirst(cell))->parallel_workers >= n)
			return;
	if (n > 0)
		add_partial_path(rel, create_seqscan_path(root, rel, NULL, n));
}

void
plan_parallel_install(void)
{
	next_rel_pathlist = set_rel_pathlist_hook;
	set_rel_pathlist_hook = rel_pathlist;
}
