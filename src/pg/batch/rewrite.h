/*
 * Transparent batching: calls of tasks that a finished plan makes row by row
 * are moved into nodes of our own, which gather rows and hand all their inputs
 * to task_call() at once. README.md has the design; the parts are
 *
 *   batch/rewrite.c   the hooks, and the walk over a plan
 *   batch/values.c    before it: rows of VALUES
 *   batch/calls.c     expressions: which calls can be batched, and what they are made of
 *   batch/levels.c    plan nodes: moving calls out of them, up
 *   batch/columns.c   and down
 *   batch/inner.c     and off the inner side of a nested loop
 *   batch/merge.c     and out of the actions of a MERGE
 *   batch/estimates.c what the planner would think of them
 *   batch/scan.c      our node and its executor
 *   batch/window.c    the rows that it computes together
 *   batch/merge_look.c  which calls of a MERGE's actions a row needs
 *   batch/usage.c     what it tells EXPLAIN, workers included
 */
#ifndef MASKGEN_PG_BATCH_REWRITE_H
#define MASKGEN_PG_BATCH_REWRITE_H

#include "postgres.h"
#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"

/* For _PG_init: registers the node and sets the hooks. */
void plan_batch_install(void);

/*
 * How many rows of a node its parents will ask for. Without a limit and not
 * all: unknown, so the node begins with few.
 */
typedef struct BatchDemand
{
	bool all;	   /* every row, whatever comes */
	List *limit;   /* as of a LIMIT above: its count and, if it has one, its offset; rows beyond are rarely wanted */
	bool is_bound; /* they never are: what is below may be told, too */
} BatchDemand;

/* Rewriting one statement. */
typedef struct BatchRewrite
{
	int next_id;	   /* a plan_node_id that is free */
	List *range_table; /* of the statement */
	bool in_worker;	   /* the node at hand may run in parallel workers */
	double n_processes; /* of which each has a part of its rows, as the planner counts the leader */
	const Plan *model; /* of a new node: where its estimates and parameters are copied from */
} BatchRewrite;

/* Makes calls in rows of VALUES calls on a column of them, in a statement that is not planned yet. */
void batch_values_unfold(Query *query);

/* ------------------------------------------------------------ expressions */

/* An expression of a plan node, and the column of the node below (varno OUTER_VAR) or of our own (INDEX_VAR) with its value. */
typedef struct BatchPlace
{
	Expr *expr;
	int varno, column;
} BatchPlace;

/* Whether a task is called anywhere in an expression or a list of them. */
bool batch_calls_any(Node *node);

/*
 * Adds to a list, each once, the calls in an expression that can be batched:
 * evaluated whenever the expression is, not volatile, with an input that
 * differs from row to row and a model that does not. Inner calls come
 * before those around them.
 */
List *batch_calls_find(List *calls, Node *node);

/* Adds the expressions that only the node itself can evaluate: columns, aggregates, window functions. */
List *batch_calls_leaves(List *leaves, Node *node);

/* Adds those of places (a list of BatchPlace) that an expression needs the values of. */
List *batch_calls_needed(List *needed, Node *node, List *places);

/* A copy with all that has a place read from there. */
Node *batch_calls_replace(Node *node, List *places);

/* ------------------------------------------------------------------ plans */

/*
 * Moves calls in the target list and in the last conditions of a projecting
 * node into nodes above it, and returns the topmost, which puts out what the
 * node did; or the node if there is nothing to move.
 */
Plan *batch_pull_up(BatchRewrite *rewrite, Plan *plan, const BatchDemand *demand);

/*
 * Moves calls in arguments of a node's aggregates, or in its hash keys, into nodes below it. The demand is that on its outer
 * child.
 */
void batch_push_down(BatchRewrite *rewrite, Plan *plan, const BatchDemand *demand);

/* Moves conditions with calls from the inner side of a nested loop, where each round has few rows, to the join. */
void batch_lift_inner(NestLoop *join);

/* Puts nodes below a MERGE that make the calls of its actions ahead. */
void batch_merge(BatchRewrite *rewrite, ModifyTable *modify);

/* Whether it is one, and an action calls a task. */
bool batch_merge_calls_any(const Plan *plan);

/* Puts nodes on a child that compute calls as further columns of it for a node above, which costs so much; returns their places. */
List *batch_add_columns(BatchRewrite *rewrite, Plan **child, List *calls, const BatchDemand *demand, double most);

/*
 * Our node above child: computes calls, which become its own columns (INDEX_VAR), then drops rows that fail qual, then puts
 * out targets. All are in terms of child's columns (OUTER_VAR) and of the results.
 */
Plan *batch_scan_make(BatchRewrite *rewrite, Plan *child, List *calls, List *qual, List *targets,
					  const BatchDemand *demand);

/*
 * Shares out what the planner thinks of a whole node, as it was, among it and the levels that its calls were moved to, up to the
 * top. The node may be the child of a Result that is no longer there.
 */
void batch_estimate_moved(BatchRewrite *rewrite, Plan *top, Plan *node, const Plan *whole);

/* Of levels that compute columns for what is above the top, which was charged for them and costs the most that they can. */
void batch_estimate_added(Plan *top, Plan *node, double most);

void batch_scan_register(void);

#endif
