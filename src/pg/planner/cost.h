/*
 * What the planner is told about the functions of tasks: their support
 * functions (planner/cost.c), statistics of what classify() gives (planner/labels.c),
 * costs of functions in FROM (planner/lateral.c), parallel scans of small tables
 * (planner/parallel.c), no JIT (planner/jit.c), and dimensions of columns that a query makes (planner/dims.c). README.md has the essay.
 */
#ifndef MASKGEN_PG_PLANNER_COST_H
#define MASKGEN_PG_PLANNER_COST_H

#include "postgres.h"
#include "nodes/pathnodes.h"
#include "utils/array.h"

/* Width of an expression's values in bytes, from statistics; nothing fails for the lack of them. */
double plan_width(PlannerInfo *root, Node *node);

/* Whether a node is a call of a function that runs a model. */
bool plan_is_task(Node *node);

/*
 * The labels that a call of classify() or classify_as() chooses from, of n > 0: an array of text, or NULL for those of
 * an enum. False when they are not known, or the node is another.
 */
bool plan_find_labels(Node *node, ArrayType **labels, int *n);

/* Tokens of a call's texts for a row: those that are read, and those that are drawn. */
typedef struct PlanTokens
{
	double read, drawn;
} PlanTokens;

/* What the planner is told that a call costs, for a row; and what it was told last. Calls are told apart by their place in the text. */
void plan_tell(Node *node, double cost, PlanTokens tokens);
double plan_call_cost(FuncExpr *call);
PlanTokens plan_call_tokens(FuncExpr *call);

/* Counts up with each call of a task that the planner asks the cost of. */
extern uint64 plan_n_costed;

/* For _PG_init: put their hooks in front of those that are there. */
void plan_labels_install(void);
void plan_lateral_install(void);
void plan_parallel_install(void);
void plan_jit_install(void);
void plan_dims_install(void);

#endif
