/*
 * Moving calls out of expressions that a node evaluates for each row of a
 * child, to a node of ours on that child: arguments of aggregates, and keys of
 * hash joins.
 */
#include "postgres.h"

#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "pg/batch/rewrite.h"

/* ------------------------------------------------------------- aggregates */

typedef struct Arguments
{
	List *calls, *places;
} Arguments;

/* What an aggregate, or one over a window, evaluates for each row: the filter if there is one, or else the arguments. */
static Node *
evaluated_always(Node *node)
{
	if (IsA(node, Aggref))
	{
		Aggref *aggregate = (Aggref *) node;

		return aggregate->aggfilter != NULL ? (Node *) aggregate->aggfilter : (Node *) aggregate->args;
	}
	if (IsA(node, WindowFunc) && ((WindowFunc *) node)->winagg)
	{
		WindowFunc *function = (WindowFunc *) node;

		return function->aggfilter != NULL ? (Node *) function->aggfilter : (Node *) function->args;
	}
	return NULL;
}

static bool
find_in_arguments(Node *node, void *context)
{
	Arguments *arguments = context;

	if (node == NULL)
		return false;
	if (!IsA(node, Aggref) && !IsA(node, WindowFunc))
		return expression_tree_walker(node, find_in_arguments, arguments);
	arguments->calls = batch_calls_find(arguments->calls, evaluated_always(node));
	return false;
}

/* Outside of aggregates, grouping sets may make a column NULL. */
static Node *
replace_in_arguments(Node *node, void *context)
{
	Arguments *arguments = context;

	if (node == NULL)
		return NULL;
	if (IsA(node, Aggref) || IsA(node, WindowFunc))
		return batch_calls_replace(node, arguments->places);
	return expression_tree_mutator(node, replace_in_arguments, arguments);
}

static void
push_below_aggregates(BatchRewrite *rewrite, Plan *plan, const BatchDemand *demand)
{
	Arguments arguments = {NIL, NIL};

	find_in_arguments((Node *) plan->targetlist, &arguments);
	find_in_arguments((Node *) plan->qual, &arguments);
	if (arguments.calls == NIL)
		return;
	arguments.places = batch_add_columns(rewrite, &outerPlan(plan), arguments.calls, demand, plan->total_cost);
	plan->targetlist = (List *) replace_in_arguments((Node *) plan->targetlist, &arguments);
	plan->qual = (List *) replace_in_arguments((Node *) plan->qual, &arguments);
}

/* -------------------------------------------------------------- hash keys */

/* An expression over a Hash's child as the join has it. */
static Node *
seen_from_join(Node *node, void *unused)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Var))
	{
		Var *column = copyObject((Var *) node);

		column->varno = INNER_VAR;
		return (Node *) column;
	}
	return expression_tree_mutator(node, seen_from_join, NULL);
}

/*
 * In clauses that compare rows which are there. What an outer join puts out may have NULLs for columns, but a call need not be
 * NULL then.
 */
static void
replace_in_join(HashJoin *join, List *places)
{
	Plan *plan = &join->join.plan;

	join->hashclauses = (List *) batch_calls_replace((Node *) join->hashclauses, places);
	join->join.joinqual = (List *) batch_calls_replace((Node *) join->join.joinqual, places);
	if (join->join.jointype != JOIN_INNER)
		return;
	plan->qual = (List *) batch_calls_replace((Node *) plan->qual, places);
	plan->targetlist = (List *) batch_calls_replace((Node *) plan->targetlist, places);
}

static void
push_below_join(BatchRewrite *rewrite, HashJoin *join, const BatchDemand *demand)
{
	List *calls = batch_calls_find(NIL, (Node *) join->hashkeys);
	List *places;

	if (calls == NIL)
		return;
	places = batch_add_columns(rewrite, &outerPlan(join), calls, demand, join->join.plan.total_cost);
	join->hashkeys = (List *) batch_calls_replace((Node *) join->hashkeys, places);
	replace_in_join(join, places);
}

static void
push_below_hash(BatchRewrite *rewrite, HashJoin *join)
{
	Hash *hash = castNode(Hash, innerPlan(join));
	List *calls = batch_calls_find(NIL, (Node *) hash->hashkeys);
	List *places, *in_join = NIL;
	BatchDemand all = {.all = true};
	ListCell *cell;

	if (calls == NIL)
		return;
	places = batch_add_columns(rewrite, &outerPlan(hash), calls, &all, join->join.plan.total_cost);
	hash->plan.startup_cost = hash->plan.total_cost = outerPlan(hash)->total_cost;
	hash->hashkeys = (List *) batch_calls_replace((Node *) hash->hashkeys, places);
	foreach(cell, places)
	{
		BatchPlace *place = lfirst(cell), *above = palloc(sizeof *above);
		Node *value = batch_calls_replace((Node *) place->expr, list_make1(place));

		/* A Hash puts out the columns of its child. */
		hash->plan.targetlist = lappend(hash->plan.targetlist, makeTargetEntry((Expr *) value, place->column, NULL, false));
		*above = (BatchPlace){(Expr *) seen_from_join((Node *) place->expr, NULL), INNER_VAR, place->column};
		in_join = lappend(in_join, above);
	}
	replace_in_join(join, in_join);
}

void
batch_push_down(BatchRewrite *rewrite, Plan *plan, const BatchDemand *demand)
{
	if (IsA(plan, Agg) || IsA(plan, WindowAgg))
		push_below_aggregates(rewrite, plan, demand);
	else if (IsA(plan, HashJoin))
	{
		push_below_join(rewrite, (HashJoin *) plan, demand);
		push_below_hash(rewrite, (HashJoin *) plan);
	}
}
