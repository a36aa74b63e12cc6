/*
 * Costs and rows of our nodes. The planner has charged a node for the calls
 * that are moved out of it; what it thinks of the whole stays as it is, and is
 * shared out: to each level its calls, to the node below what is left.
 *
 * How many rows a condition with calls is checked for is not in a plan. It is
 * the size of the table for a sequential scan; elsewhere, as many rows as the node's own cost pays for.
 */
#include "postgres.h"

#include <math.h>

#include "access/table.h"
#include "optimizer/optimizer.h"
#include "optimizer/plancat.h"
#include "pg/batch/rewrite.h"
#include "pg/planner/cost.h"
#include "utils/rel.h"

/* For one row. */
static double
cost_of_calls(const Plan *level)
{
	double cost = 0;
	ListCell *cell;

	foreach(cell, ((const CustomScan *) level)->custom_scan_tlist)
	{
		const TargetEntry *entry = lfirst(cell);

		/* Results come first, then the child's columns. */
		if (!IsA(entry->expr, FuncExpr))
			break;
		cost += plan_call_cost((FuncExpr *) entry->expr);
	}
	return cost;
}

static double
rows_of_table(const BatchRewrite *rewrite, const Plan *plan)
{
	Index number = ((const Scan *) plan)->scanrelid;
	const RangeTblEntry *entry = list_nth_node(RangeTblEntry, rewrite->range_table, number - 1);
	/* The planner holds a lock. */
	Relation table = table_open(entry->relid, NoLock);
	BlockNumber pages;
	double tuples, all_visible;

	estimate_rel_size(table, NULL, &pages, &tuples, &all_visible);
	table_close(table, NoLock);
	return clamp_row_est(tuples);
}

static double
own_cost(const Plan *plan)
{
	double children = 0;

	if (outerPlan(plan) != NULL)
		children += outerPlan(plan)->total_cost;
	if (innerPlan(plan) != NULL)
		children += innerPlan(plan)->total_cost;
	return Max(plan->total_cost - Max(plan->startup_cost, children), 0);
}

typedef struct Shares
{
	double condition, output; /* calls for a row that is checked, and for one that is put out */
	int n_conditions;
} Shares;

/* Rows that conditions were charged for. The whole is a node of this kind as it was, without what its kind adds to a node. */
static double
rows_checked(const BatchRewrite *rewrite, const Plan *node, const Plan *whole, const Shares *shares)
{
	double paid = own_cost(whole) - whole->plan_rows * shares->output;

	if (IsA(whole, SeqScan) && !whole->parallel_aware)
		paid = Min(paid, rows_of_table(rewrite, node) * shares->condition);
	/* The part of a row is what the node does itself. */
	return Max(floor(paid / shares->condition + 1e-6), whole->plan_rows);
}

/* Adds up what levels cost from the top down to a node; those above the last condition see only rows that are put out. */
static Shares
add_up(const Plan *top, const Plan *node)
{
	Shares shares = {0, 0, 0};

	for (const Plan *level = top; level != node; level = outerPlan(level))
	{
		shares.n_conditions += level->qual != NIL;
		if (shares.n_conditions > 0)
			shares.condition += cost_of_calls(level);
		else
			shares.output += cost_of_calls(level);
	}
	return shares;
}

/* From the bottom up. Conditions, those that stay in the node as one, are thought to let the same part through each. */
static void
estimate_levels(Plan *level, const Plan *node, double part)
{
	Plan *below = outerPlan(level);

	if (below != node)
		estimate_levels(below, node, part);
	level->startup_cost = below->startup_cost;
	level->total_cost = below->total_cost + below->plan_rows * cost_of_calls(level);
	level->plan_rows = level->qual != NIL ? clamp_row_est(below->plan_rows * part) : below->plan_rows;
}

void
batch_estimate_moved(BatchRewrite *rewrite, Plan *top, Plan *node, const Plan *whole)
{
	Shares shares = add_up(top, node);
	double rows = whole->plan_rows, checked = rows, part = 1;

	if (shares.condition > 0)
	{
		checked = rows_checked(rewrite, node, whole, &shares);
		part = pow(rows / checked, 1.0 / (shares.n_conditions + (node->qual != NIL)));
	}
	/* Of a Result nothing is left; the node is its child. */
	if (outerPlan(whole) != node)
	{
		double calls = checked * shares.condition + rows * shares.output;

		node->total_cost = whole->total_cost - Min(calls, own_cost(whole));
		node->plan_rows = node->qual != NIL ? clamp_row_est(checked * part) : checked;
	}
	estimate_levels(top, node, part);
	top->startup_cost = whole->startup_cost;
	top->total_cost = whole->total_cost;
	top->plan_rows = rows;
}

void
batch_estimate_added(Plan *top, Plan *node, double most)
{
	estimate_levels(top, node, 1);
	/* A join is charged for fewer evaluations of its keys than there are rows. */
	for (Plan *level = top; level != node; level = outerPlan(level))
		level->total_cost = Max(Min(level->total_cost, most), node->total_cost);
}
