/*
 * How wide the values of an expression are, from the statistics of the columns
 * in it. These say what a value takes in its row: the size after compression,
 * or of a pointer, if it is stored out of line. A column of pointers is as
 * wide as the table's TOAST table has room for; in between, long texts count
 * too little.
 */
#include "pg/planner/cost.h"

#include "access/detoast.h"
#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_statistic.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "pg/compat.h"
#include "utils/syscache.h"

/* Of a text that nothing is known of, as get_typavgwidth has it. */
#define UNKNOWN_WIDTH 32

/* To a value out of line. */
#define POINTER_WIDTH ((double) TOAST_POINTER_SIZE)

static double
const_width(const Const *constant)
{
	if (constant->constisnull || constant->constlen != -1)
		return 0;
	return (double) toast_raw_datum_size(constant->constvalue) - VARHDRSZ;
}

/* Bytes out of line for each row of a table. */
static double
toast_width(Oid relation)
{
	HeapTuple table = SearchSysCache1(RELOID, ObjectIdGetDatum(relation)), toast = NULL;
	double width = 0;

	if (!HeapTupleIsValid(table))
		return 0;
	toast = SearchSysCache1(RELOID, ObjectIdGetDatum(((Form_pg_class) GETSTRUCT(table))->reltoastrelid));
	if (HeapTupleIsValid(toast))
	{
		width = (double) ((Form_pg_class) GETSTRUCT(toast))->relpages * BLCKSZ /
			Max(((Form_pg_class) GETSTRUCT(table))->reltuples, 1);
		ReleaseSysCache(toast);
	}
	ReleaseSysCache(table);
	return width;
}

/* Statistics of a whole table include those of its children. */
static double
column_width(Oid relation, AttrNumber number, bool inherited)
{
	HeapTuple tuple = SearchSysCache3(STATRELATTINH, ObjectIdGetDatum(relation), Int16GetDatum(number),
									  BoolGetDatum(inherited));
	double width = UNKNOWN_WIDTH;

	if (HeapTupleIsValid(tuple))
	{
		width = ((Form_pg_statistic) GETSTRUCT(tuple))->stawidth;
		ReleaseSysCache(tuple);
		if (width >= POINTER_WIDTH - 1 && width <= POINTER_WIDTH + 1)
			width += toast_width(relation);
	}
	else if (inherited)
		return column_width(relation, number, false);
	return width;
}

/* The planner's arrays of relations do not exist yet when it looks at what stands in a subquery. */
static double
var_width(PlannerInfo *root, const Var *var)
{
	RangeTblEntry *rte;
	RelOptInfo *rel = NULL;

	if (var->varlevelsup != 0 || var->varno < 1 || var->varno > list_length(root->parse->rtable))
		return UNKNOWN_WIDTH;
	rte = rt_fetch(var->varno, root->parse->rtable);
	if (root->simple_rel_array != NULL && var->varno < root->simple_rel_array_size)
		rel = root->simple_rel_array[var->varno];
	if (rte->rtekind == RTE_RELATION)
		return column_width(rte->relid, var->varattno, rte->inh);
	if (rte->rtekind == RTE_SUBQUERY && rel != NULL && rel->subroot != NULL)
	{
		TargetEntry *entry = get_tle_by_resno(rel->subroot->parse->targetList, var->varattno);

		if (entry != NULL && rel->subroot->parse->setOperations == NULL)
			return plan_width(rel->subroot, (Node *) entry->expr);
	}
	return UNKNOWN_WIDTH;
}

typedef struct WidthWalk
{
	PlannerInfo *root;
	double width;
} WidthWalk;

/* A concatenation is as wide as its parts together, and so is most else; of alternatives the widest counts. */
static bool
add_width(Node *node, WidthWalk *walk)
{
	double widest = 0;
	ListCell *cell;

	if (node == NULL)
		return false;
	if (IsA(node, Const))
		walk->width += const_width((Const *) node);
	else if (IsA(node, Var))
		walk->width += walk->root == NULL ? UNKNOWN_WIDTH : var_width(walk->root, (Var *) node);
	else if (IsA(node, Param) || IsA(node, Query) || IsA(node, SubPlan))
		walk->width += UNKNOWN_WIDTH;
	else if (IsA(node, CoalesceExpr))
	{
		foreach(cell, ((CoalesceExpr *) node)->args)
			widest = Max(widest, plan_width(walk->root, lfirst(cell)));
		walk->width += widest;
	}
	else if (IsA(node, CaseExpr))
	{
		foreach(cell, ((CaseExpr *) node)->args)
			widest = Max(widest, plan_width(walk->root, (Node *) lfirst_node(CaseWhen, cell)->result));
		walk->width += Max(widest, plan_width(walk->root, (Node *) ((CaseExpr *) node)->defresult));
	}
	else
		return expression_tree_walker(node, add_width, walk);
	return false;
}

double
plan_width(PlannerInfo *root, Node *node)
{
	WidthWalk walk = {root, 0};

	check_stack_depth();
	add_width(node, &walk);
	return walk.width;
}
