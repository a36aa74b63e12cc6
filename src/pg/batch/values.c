/*
 * Rows of VALUES with one call each, as a call on a column:
 *
 *   VALUES (1, embed('m', 'a')), (2, embed('m', 'b'))   ->   SELECT x, embed('m', y) FROM (VALUES (1, 'a'), (2, 'b')) v (x, y)
 *
 * Otherwise the planner computes the calls one by one, for their arguments are constants; or they are made one by one, where they are parameters.
 * Done before a statement is planned: what comes of it is a scan with a target list, whose calls are moved as all are (levels.c).
 * A column is taken if its expressions are the same in all rows but for the input of a call that is evaluated whatever is around it.
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "pg/batch/rewrite.h"
#include "pg/task/function.h"
#include "rewrite/rewriteManip.h"

/* A column of a VALUES list: its expression with a hole, the place of the hole, and the relation. */
typedef struct Column
{
	Node *form;
	ListCell *hole; /* in form */
	int relation, number;
	Oid collation;
	bool whole_row; /* the relation is read as a row */
} Column;

/* The place of the input of a task's call in what is evaluated with an expression; NULL: there is none. */
static ListCell *
find_input(Node *node)
{
	const TaskFunction *task;
	FuncExpr *call = (FuncExpr *) node;
	ListCell *cell, *found = NULL;
	int input;

	check_stack_depth();
	if (IsA(node, RelabelType))
		return find_input((Node *) ((RelabelType *) node)->arg);
	if (!IsA(node, FuncExpr) || call->funcretset)
		return NULL;
	task = task_function_of(call->funcid);
	if (task != NULL)
	{
		input = task_arg(task, "input");
		if (input < 0 || input >= list_length(call->args))
			return NULL;
		cell = list_nth_cell(call->args, input);
		return IsA(lfirst(cell), NamedArgExpr) || exprType(lfirst(cell)) != TEXTOID ? NULL : cell;
	}
	foreach(cell, call->args)
	{
		ListCell *here = find_input(lfirst(cell));

		if (here != NULL && found != NULL)
			return NULL;
		found = here != NULL ? here : found;
	}
	return found;
}

/* Makes the hole; returns what was there. */
static Node *
make_hole(ListCell *place)
{
	Node *input = lfirst(place);

	lfirst(place) = makeNullConst(TEXTOID, -1, InvalidOid);
	return input;
}

/* The inputs of a column of VALUES, if it can be taken; else NIL. */
static List *
find_inputs(List *rows, Column *column)
{
	List *inputs = NIL;
	ListCell *cell;

	foreach(cell, rows)
	{
		Node *form = copyObject(list_nth(lfirst_node(List, cell), column->number - 1));
		ListCell *hole = find_input(form);
		Node *input;

		if (hole == NULL)
			return NIL;
		input = make_hole(hole);
		if (inputs == NIL)
		{
			column->form = form;
			column->hole = hole;
			column->collation = exprCollation(input);
		}
		else if (!equal(form, column->form) || exprCollation(input) != column->collation)
			return NIL;
		inputs = lappend(inputs, input);
	}
	if (contain_var_clause(column->form) || contain_volatile_functions(column->form) || contain_subplans(column->form))
		return NIL;
	return inputs;
}

static Node *
replace_column(Var *var, replace_rte_variables_context *context)
{
	Column *column = context->callback_arg;
	Node *expr;

	column->whole_row = column->whole_row || var->varattno == 0;
	if (var->varattno != column->number)
		return (Node *) var;
	lfirst(column->hole) = makeVar(var->varno, var->varattno, TEXTOID, -1, column->collation, var->varlevelsup);
	expr = copyObject(column->form);
	return expr;
}

static void
take_column(Query **query, int relation, int number)
{
	RangeTblEntry *entry = list_nth_node(RangeTblEntry, (*query)->rtable, relation - 1);
	Column column = {.relation = relation, .number = number};
	List *inputs = find_inputs(entry->values_lists, &column);
	Query *changed;
	ListCell *row, *input;

	if (inputs == NIL)
		return;
	changed = (Query *) replace_rte_variables((Node *) *query, relation, 0, replace_column, &column, NULL);
	if (column.whole_row)
		return;
	entry = list_nth_node(RangeTblEntry, changed->rtable, relation - 1);
	forboth(row, entry->values_lists, input, inputs)
		lfirst(list_nth_cell(lfirst_node(List, row), number - 1)) = lfirst(input);
	lfirst_oid(list_nth_cell(entry->coltypes, number - 1)) = TEXTOID;
	lfirst_int(list_nth_cell(entry->coltypmods, number - 1)) = -1;
	lfirst_oid(list_nth_cell(entry->colcollations, number - 1)) = column.collation;
	/* In place, for those who hold the statement. */
	**query = *changed;
}

static bool
look_at(Node *node, void *unused)
{
	Query *query = (Query *) node;

	if (node == NULL)
		return false;
	if (!IsA(node, Query))
		return expression_tree_walker(node, look_at, unused);
	for (int i = 1; i <= list_length(query->rtable); i++)
	{
		const RangeTblEntry *entry = list_nth_node(RangeTblEntry, query->rtable, i - 1);

		if (entry->rtekind != RTE_VALUES || list_length(entry->values_lists) < 2)
			continue;
		for (int column = 1; column <= list_length(linitial_node(List, entry->values_lists)); column++)
			take_column(&query, i, column);
	}
	return query_tree_walker(query, look_at, unused, 0);
}

void
batch_values_unfold(Query *query)
{
	look_at((Node *) query, NULL);
}
