/* Reasons, out of the first distance of the index's column that ORDER BY has, and of the conditions with one. */
#include "pg/hnsw/why.h"

#include "catalog/pg_type_d.h"
#include "commands/defrem.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "pg/compat.h"
#include "pg/hnsw/explain.h"
#include "pg/hnsw/options.h"
#include "rewrite/rewriteManip.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"

/* -------------------------------------------------------- distances in a statement */

/* A function of two values, one of which is made of the index's column: a distance, or an operator with a radius. */
typedef struct Distance
{
	const HnswPlanned *planned;
	Node *node;
	Oid function;
	List *args;
} Distance;

/* Whether an expression reads a column that the index is on. */
static bool
reads_column(const HnswPlanned *planned, Node *node)
{
	Bitmapset *wanted = NULL, *read = NULL;

	for (int i = 0; i < planned->index->nkeycolumns; i++)
		if (planned->index->indexkeys[i] != 0)
			wanted = bms_add_member(wanted, planned->index->indexkeys[i] - FirstLowInvalidHeapAttributeNumber);
	pull_varattnos((Node *) planned->index->indexprs, planned->rel->relid, &wanted);
	pull_varattnos(node, planned->rel->relid, &read);
	return bms_overlap(wanted, read);
}

static bool
find_distance(Node *node, void *context)
{
	Distance *distance = context;
	List *args = NIL;

	if (node == NULL)
		return false;
	if (IsA(node, OpExpr))
	{
		args = ((OpExpr *) node)->args;
		distance->function = get_opcode(((OpExpr *) node)->opno);
	}
	else if (IsA(node, FuncExpr))
	{
		args = ((FuncExpr *) node)->args;
		distance->function = ((FuncExpr *) node)->funcid;
	}
	if (list_length(args) == 2 && OidIsValid(GetDefaultOpClass(exprType(linitial(args)), distance->planned->index->relam)) &&
		(exprType(node) == FLOAT8OID || exprType(node) == BOOLOID) && reads_column(distance->planned, (Node *) args))
	{
		distance->node = node;
		distance->args = args;
		return true;
	}
	return expression_tree_walker(node, find_distance, context);
}

static bool
has_distance(const HnswPlanned *planned, Node *node, Distance *distance)
{
	*distance = (Distance){.planned = planned};
	return find_distance(node, distance);
}

/* ------------------------------------------------------------------------ reasons */

/* An expression over the index's table alone, as the user has it; else a word for it. */
static const char *
text_of(const HnswPlanned *planned, Node *node)
{
	if (!bms_equal(pull_varnos(planned->root, node), planned->rel->relids))
		return "something else";
	node = copyObject(node);
	ChangeVarNodes(node, (int) planned->rel->relid, 1, 0);
	return deparse_expression(node, deparse_context_for(get_rel_name(planned->table), planned->table), false, false);
}

static const char *
column_of(const HnswPlanned *planned)
{
	int column = planned->index->indexkeys[0];

	return column > 0 ? quote_identifier(get_attname(planned->table, (AttrNumber) column, false))
					  : text_of(planned, linitial(planned->index->indexprs));
}

static const char *
name_of(const Distance *distance)
{
	return IsA(distance->node, OpExpr) ? get_opname(((OpExpr *) distance->node)->opno) : get_func_name(distance->function);
}

/* The argument made of the index's column: the first one of the two that reads it. */
static int
side_of_column(const Distance *distance)
{
	return reads_column(distance->planned, linitial(distance->args)) ? 0 : 1;
}

/* What keeps a distance from being the index's; NULL: nothing. */
static const char *
reason_of_distance(const char *where, const Distance *distance)
{
	const HnswPlanned *planned = distance->planned;
	const IndexOptInfo *index = planned->index;
	Oid type = index->opcintype[0], operator = get_opfamily_member(index->opfamily[0], type, type, HNSW_ORDER_STRATEGY);
	int side = side_of_column(distance);
	Node *column = list_nth(distance->args, side), *center = list_nth(distance->args, 1 - side);
	HnswForm form;

	if (!match_index_to_operand(column, 0, (IndexOptInfo *) index))
		return psprintf("%s has a distance of %s, and the index is on %s", where, text_of(planned, column), column_of(planned));
	if (exprType(distance->node) == BOOLOID)
		return planned->within == ((OpExpr *) distance->node)->opno
			? NULL
			: psprintf("%s has %s, and the index is made for %s and %s", where, name_of(distance), get_opname(operator), get_opname(planned->within));
	if (bms_is_member((int) planned->rel->relid, pull_varnos(planned->root, center)))
		return psprintf("%s has a distance between two columns of one row", where);
	if (contain_volatile_functions(center))
		return psprintf("%s has a distance from something volatile", where);
	if (!hnsw_form_of(planned->root, index, distance->node, &form))
		return psprintf("%s has the distance of %s, and the index is made for %s", where, name_of(distance), get_opname(operator));
	return NULL;
}

/* Of ORDER BY. */
static void
why_order(const HnswPlanned *planned)
{
	PlannerInfo *root = planned->root;
	List *keys = root->sort_pathkeys != NIL ? root->sort_pathkeys : root->query_pathkeys;
	ListCell *cell, *each;

	foreach(cell, keys)
	{
		const PathKey *key = lfirst_node(PathKey, cell);

		foreach(each, compat_members(key->pk_eclass, planned->rel->relids))
		{
			Node *expr = (Node *) lfirst_node(EquivalenceMember, each)->em_expr;
			Distance distance;
			HnswForm form;
			int needs = 0;
			const char *reason;

			if (!has_distance(planned, expr, &distance))
				continue;
			reason = reason_of_distance("ORDER BY", &distance);
			if (reason == NULL && foreach_current_index(cell) > 0)
				reason = "ORDER BY does not begin with the distance";
			if (reason == NULL && (root->query_pathkeys == NIL || linitial(root->query_pathkeys) != key))
				reason = "rows are grouped, made distinct or numbered before they are ordered";
			if (reason == NULL)
				reason = hnsw_paths_order(planned, key, expr, &form, &needs);
			hnsw_explain_add(planned->index->indexoid, reason);
			return;
		}
	}
}

/* Of conditions; the first that serves, or else the first that does not. */
static void
why_conditions(const HnswPlanned *planned)
{
	List *conditions = list_concat_copy(planned->rel->baserestrictinfo, planned->rel->joininfo);
	const char *first = NULL;
	ListCell *cell;

	foreach(cell, conditions)
	{
		RestrictInfo *condition = lfirst_node(RestrictInfo, cell);
		Distance distance;
		HnswForm form;
		double radius;
		int needs = 0;
		const char *reason;

		if (!has_distance(planned, (Node *) condition->clause, &distance))
			continue;
		reason = reason_of_distance("the condition", &distance);
		if (reason == NULL && exprType(distance.node) != BOOLOID)
			reason = hnsw_paths_radius(planned, condition, &form, &radius, &needs);
		else if (reason == NULL && (void *) distance.node != (void *) condition->clause)
			reason = "the condition on the distance is part of another one";
		if (reason == NULL)
		{
			hnsw_explain_add(planned->index->indexoid, NULL);
			return;
		}
		if (first == NULL)
			first = reason;
	}
	if (first != NULL)
		hnsw_explain_add(planned->index->indexoid, first);
}

void
hnsw_why(const HnswPlanned *planned)
{
	Distance distance;

	if (planned->index->indpred != NIL && !planned->index->predOK)
	{
		if (has_distance(planned, (Node *) planned->root->processed_tlist, &distance) ||
			has_distance(planned, planned->root->parse->jointree->quals, &distance))
			hnsw_explain_add(planned->index->indexoid, "its predicate does not follow from the conditions of the statement");
		return;
	}
	why_order(planned);
	why_conditions(planned);
}
