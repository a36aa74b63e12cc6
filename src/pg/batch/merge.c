/*
 * Calls in the actions of a MERGE, for many rows of its join together.
 *
 *   Merge on t                     ->    Merge on t                 actions: SET v = coalesce(column, embed('m', s.x))
 *     ... Join                             Custom Scan (MaskgenBatch)
 *                                            Call: embed('m', s.x)
 *                                            ... Join
 *
 * The node looks ahead (batch/merge_look.c): it checks the conditions of the actions for each row as the server will, and makes the calls of
 * that action alone which comes first. Their results are further columns of the row. The server decides by itself what it does: where no result
 * is at hand, because another session has changed the row meanwhile or the library refused the text, an action makes its call as it always did.
 *
 * A call that reads columns of the target, which the join's row does not have, holds for the version of the target's row that was read ahead,
 * and that is asked for.
 *
 * For the node, an expression names the child's columns (OUTER_VAR), results of calls (INNER_VAR), and the target's (its own number).
 */
#include "postgres.h"

#include <math.h>

#include "access/sysattr.h"
#include "catalog/pg_operator_d.h"
#include "catalog/pg_type_d.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "pg/batch/rewrite.h"
#include "pg/compat.h"
#include "utils/fmgroids.h"

/* A relation that rows are merged into, and what is done there, in terms of the child's columns. */
typedef struct Target
{
	int number;	   /* in the range table */
	List *join;	   /* of ON, where it decides between two kinds of actions */
	List *actions; /* MergeAction */
} Target;

typedef struct Merge
{
	List *targets;
	AttrNumber row_id, table_id; /* columns of the child; 0: none */
	int n_columns;				 /* of the child */
	List *calls;				 /* that the node makes; those in another's argument come before it */
	List *places;				 /* of their results, for the node */
} Merge;

/* ------------------------------------------------------------- expressions */

/* In place. */
static Node *
renumber(Node *node, int from, int to)
{
	ListCell *cell;

	foreach(cell, pull_var_clause(node, PVC_INCLUDE_AGGREGATES | PVC_INCLUDE_WINDOWFUNCS | PVC_INCLUDE_PLACEHOLDERS))
		if (lfirst_node(Var, cell)->varno == from)
			lfirst_node(Var, cell)->varno = to;
	return node;
}

static bool
reads_relation(Node *node, void *number)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var))
		return ((Var *) node)->varno == *(int *) number;
	return expression_tree_walker(node, reads_relation, number);
}

static bool
reads_target(const Target *target, Node *node)
{
	int number = target->number;

	return reads_relation(node, &number);
}

/* Each partition has columns of its own, so calls on them would be different ones. */
static bool
is_taken(const Merge *merge, const Target *target, FuncExpr *call)
{
	return !contain_subplans((Node *) call) && (list_length(merge->targets) == 1 || !reads_target(target, (Node *) call));
}

/* Whether a condition may be checked once more than the server does, and before. */
static bool
is_harmless(Node *condition)
{
	return !contain_volatile_functions(condition) && !contain_subplans(condition) && !batch_calls_any(condition);
}

/* The position of a call among those that the node makes; -1: not there. */
static int
position_of(const Merge *merge, Node *call)
{
	ListCell *cell;

	foreach(cell, merge->calls)
		if (equal(lfirst(cell), call))
			return foreach_current_index(cell);
	return -1;
}

/* Takes the calls in what is evaluated in any case. */
static void
take_calls(Merge *merge, const Target *target, Node *node)
{
	ListCell *cell;

	foreach(cell, batch_calls_find(NIL, node))
	{
		BatchPlace *place;

		if (!is_taken(merge, target, lfirst(cell)) || position_of(merge, lfirst(cell)) >= 0)
			continue;
		place = palloc(sizeof *place);
		merge->calls = lappend(merge->calls, lfirst(cell));
		*place = (BatchPlace){lfirst(cell), INNER_VAR, list_length(merge->calls)};
		merge->places = lappend(merge->places, place);
	}
}

/* --------------------------------------------------------- for the node to read */

/* The positions of the calls in what is evaluated in any case. */
static List *
calls_of(const Merge *merge, Node *node)
{
	List *positions = NIL;
	ListCell *cell;

	foreach(cell, batch_calls_find(NIL, node))
		if (position_of(merge, lfirst(cell)) >= 0)
			positions = lappend_int(positions, position_of(merge, lfirst(cell)));
	return positions;
}

/* A call: as the node computes it, and those in its arguments. */
static List *
describe_call(const Merge *merge, FuncExpr *call)
{
	FuncExpr *reduced = copyObject(call);

	reduced->args = (List *) batch_calls_replace((Node *) call->args, merge->places);
	return list_make2(reduced, calls_of(merge, (Node *) call->args));
}

/* A condition: whether the node may check it, it, and the calls that have to be made before. */
static List *
describe_condition(const Merge *merge, Node *condition)
{
	Node *reduced = batch_calls_replace(condition, merge->places);

	return list_make3(makeInteger(is_harmless(reduced)), reduced, calls_of(merge, condition));
}

/* An action: its kind, its conditions, the calls that it makes. */
static List *
describe_action(const Merge *merge, const MergeAction *action)
{
	List *conditions = NIL;
	ListCell *cell;

	foreach(cell, (List *) action->qual)
		conditions = lappend(conditions, describe_condition(merge, lfirst(cell)));
	return list_make3(makeInteger(compat_match_kind(action)), conditions, calls_of(merge, (Node *) action->targetList));
}

/* A target: its number, whether its rows are read, the join condition, the actions. */
static List *
describe_target(const Merge *merge, const Target *target)
{
	bool is_read = reads_target(target, (Node *) target->join);
	List *actions = NIL;
	ListCell *cell;

	foreach(cell, target->actions)
	{
		actions = lappend(actions, describe_action(merge, lfirst(cell)));
		is_read = is_read || reads_target(target, lfirst_node(MergeAction, cell)->qual);
	}
	return list_make4(makeInteger(target->number), makeInteger(is_read || reads_target(target, (Node *) merge->calls)),
					  copyObject(target->join), actions);
}

static List *
describe(const Merge *merge)
{
	List *calls = NIL, *targets = NIL;
	ListCell *cell;

	foreach(cell, merge->calls)
		calls = lappend(calls, describe_call(merge, lfirst(cell)));
	foreach(cell, merge->targets)
		targets = lappend(targets, describe_target(merge, lfirst(cell)));
	return list_make3(list_make2_int(merge->row_id, merge->table_id), calls, targets);
}

/* ---------------------------------------------------------------- the actions */

/* Whether the target's row is the version that was read ahead. */
static Expr *
same_version(const Merge *merge, const Target *target)
{
	Var *now = makeVar(target->number, SelfItemPointerAttributeNumber, TIDOID, -1, InvalidOid, 0);
	Var *then = makeVar(INNER_VAR, merge->row_id, TIDOID, -1, InvalidOid, 0);
	OpExpr *same = castNode(OpExpr, make_opclause(TIDEqualOperator, BOOLOID, false, (Expr *) now, (Expr *) then, InvalidOid, InvalidOid));

	same->opfuncid = F_TIDEQ;
	return (Expr *) same;
}

/* NULL where it is not. */
static Expr *
for_same_version(const Merge *merge, const Target *target, Var *result)
{
	CaseExpr *choice = makeNode(CaseExpr);
	CaseWhen *when = makeNode(CaseWhen);

	when->expr = same_version(merge, target);
	when->result = (Expr *) result;
	when->location = -1;
	choice->casetype = result->vartype;
	choice->casecollid = result->varcollid;
	choice->args = list_make1(when);
	choice->defresult = (Expr *) makeNullConst(result->vartype, result->vartypmod, result->varcollid);
	choice->location = -1;
	return (Expr *) choice;
}

typedef struct Writing
{
	const Merge *merge;
	const Target *target;
} Writing;

static Node *write_back(Node *node, void *context);

/* The result of a call if there is one, or else the call, which never gives NULL but for a NULL. */
static Node *
result_or_call(FuncExpr *call, int position, Writing *writing)
{
	Oid type = exprType((Node *) call), collation = exprCollation((Node *) call);
	Var *result = makeVar(INNER_VAR, (AttrNumber) (writing->merge->n_columns + position + 1), type, exprTypmod((Node *) call), collation, 0);
	CoalesceExpr *either = makeNode(CoalesceExpr);
	Expr *first = (Expr *) result;

	if (reads_target(writing->target, (Node *) call))
		first = for_same_version(writing->merge, writing->target, result);
	either->coalescetype = type;
	either->coalescecollid = collation;
	either->args = list_make2(first, expression_tree_mutator((Node *) call, write_back, writing));
	either->location = -1;
	return (Node *) either;
}

/* An expression as the server evaluates it. */
static Node *
write_back(Node *node, void *context)
{
	Writing *writing = context;
	int position;

	if (node == NULL)
		return NULL;
	if (IsA(node, Var))
	{
		Var *var = copyObject((Var *) node);

		if (var->varno == OUTER_VAR)
			var->varno = INNER_VAR;
		return (Node *) var;
	}
	position = IsA(node, FuncExpr) ? position_of(writing->merge, node) : -1;
	if (position >= 0)
		return result_or_call((FuncExpr *) node, position, writing);
	return expression_tree_mutator(node, write_back, context);
}

static List *
actions_written(const Merge *merge, const Target *target)
{
	Writing writing = {merge, target};
	ListCell *cell;

	foreach(cell, target->actions)
	{
		MergeAction *action = lfirst(cell);

		action->qual = write_back(action->qual, &writing);
		action->targetList = (List *) write_back((Node *) action->targetList, &writing);
	}
	return target->actions;
}

/* ----------------------------------------------------------------- the plan */

static bool
action_calls(const MergeAction *action)
{
	return batch_calls_any(action->qual) || batch_calls_any((Node *) action->targetList);
}

bool
batch_merge_calls_any(const Plan *plan)
{
	ListCell *list, *cell;

	if (!IsA(plan, ModifyTable) || ((const ModifyTable *) plan)->operation != CMD_MERGE)
		return false;
	foreach(list, ((const ModifyTable *) plan)->mergeActionLists)
		foreach(cell, lfirst_node(List, list))
			if (action_calls(lfirst(cell)))
				return true;
	return false;
}

/* A column that the executor finds by its name. */
static AttrNumber
junk_column(const Plan *child, const char *name)
{
	ListCell *cell;

	foreach(cell, child->targetlist)
	{
		const TargetEntry *entry = lfirst(cell);

		if (entry->resjunk && entry->resname != NULL && strcmp(entry->resname, name) == 0)
			return entry->resno;
	}
	return 0;
}

static Target *
read_target(ModifyTable *modify, int n)
{
	Target *target = palloc0(sizeof *target);
	ListCell *cell;

	target->number = list_nth_int(modify->resultRelations, n);
	target->join = (List *) renumber((Node *) copyObject(compat_join_condition(modify, n)), INNER_VAR, OUTER_VAR);
	target->actions = copyObject(list_nth(modify->mergeActionLists, n));
	foreach(cell, target->actions)
	{
		renumber(lfirst_node(MergeAction, cell)->qual, INNER_VAR, OUTER_VAR);
		renumber((Node *) lfirst_node(MergeAction, cell)->targetList, INNER_VAR, OUTER_VAR);
	}
	return target;
}

static void
read_merge(Merge *merge, ModifyTable *modify)
{
	ListCell *cell, *other;

	for (int n = 0; n < list_length(modify->resultRelations); n++)
		merge->targets = lappend(merge->targets, read_target(modify, n));
	foreach(cell, merge->targets)
		foreach(other, ((Target *) lfirst(cell))->actions)
		{
			const MergeAction *action = lfirst(other);

			take_calls(merge, lfirst(cell), action->qual);
			take_calls(merge, lfirst(cell), (Node *) action->targetList);
		}
}

/* Rows of a view have no identity; and a join condition with calls would be one more stage. */
static bool
is_readable(const Merge *merge)
{
	ListCell *cell;

	if (merge->calls == NIL || merge->row_id == 0 || (list_length(merge->targets) > 1 && merge->table_id == 0))
		return false;
	foreach(cell, merge->targets)
		if (!is_harmless((Node *) ((Target *) lfirst(cell))->join))
			return false;
	return true;
}

/* The child's columns, and then the results. */
static List *
columns_of(const Merge *merge, const Plan *child)
{
	List *targets = NIL;
	ListCell *cell;

	foreach(cell, child->targetlist)
	{
		TargetEntry *entry = flatCopyTargetEntry(lfirst(cell));

		entry->expr = (Expr *) makeVarFromTargetEntry(OUTER_VAR, lfirst(cell));
		targets = lappend(targets, entry);
	}
	foreach(cell, merge->calls)
	{
		Node *call = lfirst(cell);
		Var *result = makeVar(INDEX_VAR, (AttrNumber) (foreach_current_index(cell) + 1), exprType(call), exprTypmod(call), exprCollation(call), 0);

		targets = lappend(targets, makeTargetEntry((Expr *) result, (AttrNumber) (list_length(targets) + 1), NULL, true));
	}
	return targets;
}

void
batch_merge(BatchRewrite *rewrite, ModifyTable *modify)
{
	static const BatchDemand all = {.all = true};
	Plan *child = outerPlan(modify);
	Merge merge = {.row_id = junk_column(child, "ctid"), .table_id = junk_column(child, "tableoid"), .n_columns = list_length(child->targetlist)};
	List *actions = NIL;
	CustomScan *scan;
	ListCell *cell;

	read_merge(&merge, modify);
	if (!is_readable(&merge))
		return;
	rewrite->model = child;
	scan = (CustomScan *) batch_scan_make(rewrite, child, copyObject(merge.calls), NIL, columns_of(&merge, child), &all);
	scan->custom_private = lappend(scan->custom_private, describe(&merge));
	outerPlan(modify) = &scan->scan.plan;
	/* The planner charges nothing for actions. */
	batch_estimate_added(outerPlan(modify), child, HUGE_VAL);
	modify->plan.total_cost = Max(modify->plan.total_cost, scan->scan.plan.total_cost);
	foreach(cell, merge.targets)
		actions = lappend(actions, actions_written(&merge, lfirst(cell)));
	modify->mergeActionLists = actions;
}
