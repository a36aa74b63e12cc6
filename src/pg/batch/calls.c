/* Expressions of finished plans: finding calls of tasks, taking expressions apart, putting columns in their place. */
#include "postgres.h"

#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "pg/batch/rewrite.h"
#include "pg/task/call.h"

/* In a plan all Vars are of its own level; what comes from outside is a Param. */
static bool
is_leaf(Node *node)
{
	return IsA(node, Var) || IsA(node, Aggref) || IsA(node, WindowFunc) || IsA(node, GroupingFunc);
}

static bool
has_leaf(Node *node, void *unused)
{
	return node != NULL && (is_leaf(node) || expression_tree_walker(node, has_leaf, NULL));
}

static bool
has_call(Node *node, void *unused)
{
	if (node == NULL)
		return false;
	if (IsA(node, FuncExpr) && task_function_of(((FuncExpr *) node)->funcid) != NULL)
		return true;
	return expression_tree_walker(node, has_call, NULL);
}

bool
batch_calls_any(Node *node)
{
	return has_call(node, NULL);
}

static bool
is_batchable(FuncExpr *call)
{
	const TaskFunction *task = task_function_of(call->funcid);
	ListCell *cell;

	if (task == NULL || list_length(call->args) != task->n_args)
		return false;
	/* Options may differ from row to row (window.c), the model may not. */
	foreach(cell, call->args)
	{
		int i = foreach_current_index(cell);

		if (i == task_input(task) ? !has_leaf(lfirst(cell), NULL) : i == task_arg(task, "model") && has_leaf(lfirst(cell), NULL))
			return false;
	}
	return !contain_volatile_functions((Node *) call);
}

/*
 * Goes where evaluation always goes. Not so the later arms of CASE, COALESCE,
 * AND and OR, and whatever is not known here: calls in them are left to the
 * expression, which makes them row by row if at all.
 */
static bool
find_calls(Node *node, void *context)
{
	List **calls = context;

	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_FuncExpr:
			expression_tree_walker(node, find_calls, calls);
			if (is_batchable((FuncExpr *) node))
				*calls = list_append_unique(*calls, node);
			return false;
		case T_List:
		case T_TargetEntry:
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
		case T_ScalarArrayOpExpr:
		case T_FieldSelect:
		case T_RelabelType:
		case T_CoerceViaIO:
		case T_ConvertRowtypeExpr:
		case T_CollateExpr:
		case T_CoerceToDomain:
		case T_ArrayExpr:
		case T_RowExpr:
		case T_MinMaxExpr:
		case T_NullTest:
		case T_BooleanTest:
			return expression_tree_walker(node, find_calls, calls);
		case T_ArrayCoerceExpr:
			return find_calls((Node *) ((ArrayCoerceExpr *) node)->arg, calls);
		case T_SubscriptingRef:
			return find_calls((Node *) ((SubscriptingRef *) node)->refexpr, calls);
		case T_BoolExpr:
			return find_calls(linitial(((BoolExpr *) node)->args), calls);
		case T_CoalesceExpr:
			return find_calls(linitial(((CoalesceExpr *) node)->args), calls);
		case T_CaseExpr:
		{
			CaseExpr *choice = (CaseExpr *) node;

			if (choice->arg != NULL)
				return find_calls((Node *) choice->arg, calls);
			return find_calls((Node *) linitial_node(CaseWhen, choice->args)->expr, calls);
		}
		default:
			return false;
	}
}

List *
batch_calls_find(List *calls, Node *node)
{
	find_calls(node, &calls);
	return calls;
}

static bool
find_leaves(Node *node, void *context)
{
	List **leaves = context;

	if (node == NULL)
		return false;
	if (!is_leaf(node))
		return expression_tree_walker(node, find_leaves, leaves);
	*leaves = list_append_unique(*leaves, node);
	return false;
}

List *
batch_calls_leaves(List *leaves, Node *node)
{
	find_leaves(node, &leaves);
	return leaves;
}

static BatchPlace *
place_of(List *places, Node *node)
{
	ListCell *cell;

	foreach(cell, places)
	{
		BatchPlace *place = lfirst(cell);

		if (equal(place->expr, node))
			return place;
	}
	return NULL;
}

typedef struct Need
{
	List *places, *needed;
} Need;

static bool
find_needed(Node *node, void *context)
{
	Need *need = context;
	BatchPlace *place;

	if (node == NULL)
		return false;
	place = place_of(need->places, node);
	if (place == NULL)
		return expression_tree_walker(node, find_needed, need);
	need->needed = list_append_unique_ptr(need->needed, place);
	return false;
}

List *
batch_calls_needed(List *needed, Node *node, List *places)
{
	Need need = {places, needed};

	find_needed(node, &need);
	return need.needed;
}

static Node *
replace(Node *node, void *context)
{
	List *places = context;
	BatchPlace *place;

	if (node == NULL)
		return NULL;
	place = place_of(places, node);
	if (place != NULL)
		return (Node *) makeVar(place->varno, place->column, exprType(node), exprTypmod(node), exprCollation(node), 0);
	return expression_tree_mutator(node, replace, places);
}

Node *
batch_calls_replace(Node *node, List *places)
{
	return replace(node, places);
}
