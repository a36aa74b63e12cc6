/* What the index can test of a condition. */
#include "pg/hnsw/condition.h"

#include "access/hash.h"
#include "access/stratnum.h"
#include "access/sysattr.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"

/* The included column that an expression is, whatever its type is called; -1: none. */
static int
column_of(Node *node, Index relation, const HnswCover *cover)
{
	while (node != NULL && IsA(node, RelabelType))
		node = (Node *) ((RelabelType *) node)->arg;
	if (node == NULL || !IsA(node, Var) || ((Var *) node)->varno != (int) relation || ((Var *) node)->varlevelsup != 0)
		return -1;
	for (int i = 0; i < cover->n; i++)
		if (cover->columns[i].column == ((Var *) node)->varattno)
			return i;
	return -1;
}

/* An operator between a column and something else: on_right is the side of the column. */
static void
read_equality(Oid operator, Oid collation, int column, bool on_right, Expr *other, Index relation, const HnswCover *cover, bool is_array,
			  HnswCondition *condition)
{
	const HnswColumn *described = &cover->columns[column];
	Oid family = described->hash_family, left, right, type;
	int strategy;

	if (!OidIsValid(family) || (OidIsValid(described->collation) && collation != described->collation) ||
		bms_is_member((int) relation, pull_varnos(NULL, (Node *) other)) || !op_in_opfamily(operator, family))
		return;
	get_op_opfamily_properties(operator, family, false, &strategy, &left, &right);
	type = on_right ? left : right;
	if (strategy != HTEqualStrategyNumber)
		return;
	condition->hash = get_opfamily_proc(family, type, type, HASHEXTENDED_PROC);
	if (!OidIsValid(condition->hash))
		return;
	condition->column = column;
	condition->comparand = other;
	condition->is_array = is_array;
}

static void
read_clause(Node *clause, Index relation, const HnswCover *cover, HnswCondition *condition)
{
	if (IsA(clause, NullTest))
	{
		NullTest *test = (NullTest *) clause;

		if (test->nulltesttype == IS_NULL && !test->argisrow)
			condition->column = column_of((Node *) test->arg, relation, cover);
	}
	else if (IsA(clause, OpExpr) && list_length(((OpExpr *) clause)->args) == 2)
	{
		OpExpr *op = (OpExpr *) clause;
		int left = column_of(linitial(op->args), relation, cover), right = column_of(lsecond(op->args), relation, cover);

		if (left >= 0)
			read_equality(op->opno, op->inputcollid, left, false, lsecond(op->args), relation, cover, false, condition);
		else if (right >= 0)
			read_equality(op->opno, op->inputcollid, right, true, linitial(op->args), relation, cover, false, condition);
	}
	else if (IsA(clause, ScalarArrayOpExpr) && ((ScalarArrayOpExpr *) clause)->useOr)
	{
		ScalarArrayOpExpr *op = (ScalarArrayOpExpr *) clause;
		int left = column_of(linitial(op->args), relation, cover);

		if (left >= 0)
			read_equality(op->opno, op->inputcollid, left, false, lsecond(op->args), relation, cover, true, condition);
	}
}

/* Whether all columns of the table in a clause are kept as they are, and there is one. */
static bool
is_kept(Node *clause, Index relation, const HnswCover *cover)
{
	Bitmapset *columns = NULL;
	bool kept;

	pull_varattnos(clause, relation, &columns);
	kept = !bms_is_empty(columns);
	for (int i = 0; i < cover->n; i++)
		if (cover->columns[i].kept)
			columns = bms_del_member(columns, cover->columns[i].column - FirstLowInvalidHeapAttributeNumber);
	return kept && bms_is_empty(columns);
}

bool
hnsw_condition_of(Node *clause, Index relation, const HnswCover *cover, HnswCondition *condition)
{
	*condition = (HnswCondition){.column = -1};
	if (contain_volatile_functions(clause) || contain_leaked_vars(clause) || contain_subplans(clause))
		return false;
	condition->by_value = is_kept(clause, relation, cover);
	read_clause(clause, relation, cover, condition);
	return condition->by_value || condition->column >= 0;
}
