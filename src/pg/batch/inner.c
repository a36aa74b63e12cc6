/*
 * Conditions with calls on the inner side of a nested loop, above it: there a round gives a row or a few, which were a batch each.
 *
 *   Nested Loop                          Nested Loop
 *     Seq Scan a                  ->       Join Filter: classify(b.x, ...) = 'y'     which levels.c moves on, up
 *     Index Scan b                         Seq Scan a
 *       Index Cond: id = a.b               Index Scan b
 *       Filter: classify(x, ...) = 'y'       Index Cond: id = a.b
 *
 * The first condition with a call and all after it, in their order. What the join checks itself then comes before them: it must tell nothing, for
 * one of them may be row security's. A Memoize between the two stays, and its conditions below it, for it saves the calls of equal rounds.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "pg/batch/rewrite.h"

static bool
is_movable(const NestLoop *join, const Plan *inner)
{
	/* Without parameters a round reads all rows, in batches. */
	if (join->join.jointype != JOIN_INNER || join->nestParams == NIL || join->join.plan.qual != NIL || contain_leaked_vars((Node *) join->join.joinqual))
		return false;
	return (IsA(inner, SeqScan) || IsA(inner, IndexScan) || IsA(inner, BitmapHeapScan)) && !contain_subplans((Node *) inner->qual);
}

typedef struct Move
{
	const NestLoop *join;
	Plan *inner;
} Move;

/* A column of the inner scan as the join sees it; it is put out if it was not. */
static Var *
column_of(Plan *inner, Var *var)
{
	TargetEntry *entry = NULL;
	ListCell *cell;

	foreach(cell, inner->targetlist)
		if (equal(lfirst_node(TargetEntry, cell)->expr, var))
			entry = lfirst(cell);
	if (entry == NULL)
	{
		entry = makeTargetEntry((Expr *) copyObject(var), (AttrNumber) (list_length(inner->targetlist) + 1), NULL, false);
		inner->targetlist = lappend(list_copy(inner->targetlist), entry);
	}
	return makeVarFromTargetEntry(INNER_VAR, entry);
}

/* An expression of the inner scan as one of the join: columns of both sides, the outer ones of which were parameters. */
static Node *
seen_from_join(Node *node, void *context)
{
	Move *move = context;
	ListCell *cell;

	if (node == NULL)
		return NULL;
	if (IsA(node, Var))
		return (Node *) column_of(move->inner, (Var *) node);
	if (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXEC)
		foreach(cell, move->join->nestParams)
			if (lfirst_node(NestLoopParam, cell)->paramno == ((Param *) node)->paramid)
				return (Node *) copyObject(lfirst_node(NestLoopParam, cell)->paramval);
	return expression_tree_mutator(node, seen_from_join, context);
}

void
batch_lift_inner(NestLoop *join)
{
	Plan *inner = innerPlan(join);
	Move move = {join, inner};
	List *moved;
	int kept = 0;

	if (!is_movable(join, inner))
		return;
	while (kept < list_length(inner->qual) && batch_calls_find(NIL, list_nth(inner->qual, kept)) == NIL)
		kept++;
	if (kept == list_length(inner->qual))
		return;
	moved = (List *) seen_from_join((Node *) list_copy_tail(inner->qual, kept), &move);
	inner->qual = list_truncate(list_copy(inner->qual), kept);
	join->join.joinqual = list_concat_copy(join->join.joinqual, moved);
	/* That may rest on what was moved. */
	join->join.inner_unique = false;
}
