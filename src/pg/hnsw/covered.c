/*
 * Conditions are tested by the executor's own means on a row that has the included columns alone. Expressions are made anew for it: those of the
 * node expect rows as the table has them, and may be compiled for these. A column that is compared with what does not depend on the row needs no
 * row: the comparison is called for it directly, in a third of the time.
 */
#include "pg/hnsw/covered.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "pg/hnsw/condition.h"
#include "utils/array.h"
#include "utils/lsyscache.h"

/* Equality by hashes. */
typedef struct Equality
{
	int column;
	bool is_null;		  /* IS NULL */
	bool tested;		  /* not among the conditions by value */
	ExprState *comparand; /* NULL: IS NULL */
	Oid type;			  /* of an element, if the comparand is an array, else InvalidOid */
	FmgrInfo hash;
	uint64 *hashes; /* [n], ascending, none twice */
	int n, room;
} Equality;

/* A comparison of a column by a strict function; both sides are passed by value. */
typedef struct Comparison
{
	int column;
	bool on_right; /* the column */
	Oid collation;
	FmgrInfo function;
	ExprState *comparand;
	Datum value; /* of comparand, until the next search begins */
	bool is_null;
} Comparison;

struct HnswCovered
{
	IndexScanState *node;
	HnswCover *cover;
	ExprState *by_value; /* NULL: none */
	TupleTableSlot *slot;
	HnswCoverRoom *rooms;
	Equality *equalities; /* [n] */
	int n;
	Comparison *comparisons; /* [n_comparisons] */
	int n_comparisons;
};

static void
add_equality(HnswCovered *covered, const HnswCondition *condition)
{
	Equality *equality = &covered->equalities[covered->n++];

	*equality = (Equality){.column = condition->column, .is_null = condition->comparand == NULL, .tested = !condition->by_value};
	equality->room = 1;
	equality->hashes = palloc(sizeof *equality->hashes);
	if (condition->comparand == NULL)
	{
		equality->hashes[equality->n++] = HNSW_NULL_KEY;
		return;
	}
	equality->comparand = ExecInitExpr(condition->comparand, NULL);
	fmgr_info(condition->hash, &equality->hash);
	if (condition->is_array)
		equality->type = get_base_element_type(exprType((Node *) condition->comparand));
}

/* The included column that a node is, if it is passed by value; -1: none. */
static int
column_by_value(const Node *node, Index relation, const HnswCover *cover)
{
	while (node != NULL && IsA(node, RelabelType))
		node = (const Node *) ((const RelabelType *) node)->arg;
	if (node == NULL || !IsA(node, Var) || ((const Var *) node)->varno != (int) relation || ((const Var *) node)->varlevelsup != 0)
		return -1;
	for (int i = 0; i < cover->n; i++)
		if (cover->columns[i].column == ((const Var *) node)->varattno && cover->columns[i].kept && cover->columns[i].by_value)
			return i;
	return -1;
}

static bool
add_comparison(HnswCovered *covered, Node *clause, Index relation)
{
	Comparison *comparison = &covered->comparisons[covered->n_comparisons];
	OpExpr *op = (OpExpr *) clause;
	int left, right;
	Node *other;

	if (!IsA(clause, OpExpr) || list_length(op->args) != 2 || !func_strict(op->opfuncid))
		return false;
	left = column_by_value(linitial(op->args), relation, covered->cover);
	right = column_by_value(lsecond(op->args), relation, covered->cover);
	other = left >= 0 ? lsecond(op->args) : linitial(op->args);
	if ((left < 0 && right < 0) || !get_typbyval(exprType(other)) || bms_is_member((int) relation, pull_varnos(NULL, other)))
		return false;
	*comparison = (Comparison){.column = left >= 0 ? left : right, .on_right = left < 0, .collation = op->inputcollid};
	fmgr_info(op->opfuncid, &comparison->function);
	fmgr_info_set_expr(clause, &comparison->function);
	comparison->comparand = ExecInitExpr((Expr *) other, NULL);
	covered->n_comparisons++;
	return true;
}

HnswCovered *
hnsw_covered_of(const HnswNode *node, HnswCover *cover, Relation heap)
{
	HnswCovered *covered;
	List *by_value = NIL;
	Scan *plan;
	ListCell *cell;

	if (node == NULL || cover == NULL)
		return NULL;
	plan = (Scan *) node->scan->ss.ps.plan;
	covered = palloc0(sizeof *covered);
	covered->node = node->scan;
	covered->cover = cover;
	covered->equalities = palloc0((Size) list_length(plan->plan.qual) * sizeof *covered->equalities);
	covered->comparisons = palloc0((Size) list_length(plan->plan.qual) * sizeof *covered->comparisons);
	foreach(cell, plan->plan.qual)
	{
		HnswCondition condition;

		if (!hnsw_condition_of(lfirst(cell), plan->scanrelid, cover, &condition))
			continue;
		if (condition.by_value && !add_comparison(covered, lfirst(cell), plan->scanrelid))
			by_value = lappend(by_value, lfirst(cell));
		if (condition.column >= 0)
			add_equality(covered, &condition);
	}
	if (by_value == NIL && covered->n == 0 && covered->n_comparisons == 0)
		return NULL;
	covered->by_value = ExecInitQual(by_value, NULL); /* NULL of none */
	covered->slot = MakeSingleTupleTableSlot(RelationGetDescr(heap), &TTSOpsVirtual);
	ExecStoreAllNullTuple(covered->slot);
	covered->rooms = palloc((Size) cover->n * sizeof *covered->rooms);
	return covered;
}

void
hnsw_covered_end(HnswCovered *covered)
{
	ExecDropSingleTupleTableSlot(covered->slot);
}

/* ---- what columns are compared with */

static int
by_hash(const void *a, const void *b)
{
	uint64 x = *(const uint64 *) a, y = *(const uint64 *) b;

	return (x > y) - (x < y);
}

static void
add_hash(HnswCovered *covered, Equality *equality, Datum value)
{
	Oid collation = covered->cover->columns[equality->column].collation;

	if (equality->n == equality->room)
	{
		equality->room *= 2;
		equality->hashes = repalloc_huge(equality->hashes, (Size) equality->room * sizeof *equality->hashes);
	}
	equality->hashes[equality->n++] = DatumGetUInt64(FunctionCall2Coll(&equality->hash, collation, value, UInt64GetDatum(0)));
}

static void
add_elements(HnswCovered *covered, Equality *equality, Datum array)
{
	Datum *values;
	bool *nulls;
	int n, kept = 0;
	int16 length;
	bool by_value;
	char alignment;

	get_typlenbyvalalign(equality->type, &length, &by_value, &alignment);
	deconstruct_array(DatumGetArrayTypeP(array), equality->type, length, by_value, alignment, &values, &nulls, &n);
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			add_hash(covered, equality, values[i]);
	qsort(equality->hashes, (size_t) equality->n, sizeof *equality->hashes, by_hash);
	for (int i = 0; i < equality->n; i++)
		if (i == 0 || equality->hashes[i] != equality->hashes[kept - 1])
			equality->hashes[kept++] = equality->hashes[i];
	equality->n = kept;
}

void
hnsw_covered_begin(HnswCovered *covered)
{
	ExprContext *context = covered->node->ss.ps.ps_ExprContext;
	MemoryContext before;

	for (int i = 0; i < covered->n; i++)
	{
		Equality *equality = &covered->equalities[i];
		bool is_null;
		Datum value;

		if (equality->is_null)
			continue;
		/* Nothing is equal to NULL. */
		equality->n = 0;
		before = MemoryContextSwitchTo(context->ecxt_per_tuple_memory);
		value = ExecEvalExpr(equality->comparand, context, &is_null);
		if (!is_null && OidIsValid(equality->type))
			add_elements(covered, equality, value);
		else if (!is_null)
			add_hash(covered, equality, value);
		MemoryContextSwitchTo(before);
	}
	before = MemoryContextSwitchTo(context->ecxt_per_tuple_memory);
	for (int i = 0; i < covered->n_comparisons; i++)
	{
		Comparison *comparison = &covered->comparisons[i];

		comparison->value = ExecEvalExpr(comparison->comparand, context, &comparison->is_null);
	}
	MemoryContextSwitchTo(before);
	ResetExprContext(context);
}

bool
hnsw_covered_keys(const HnswCovered *covered, const uint64 **keys, int *n)
{
	for (int i = 0; covered != NULL && i < covered->n; i++)
		if (covered->equalities[i].column == 0)
		{
			*keys = covered->equalities[i].hashes;
			*n = covered->equalities[i].n;
			return true;
		}
	return false;
}

/* ---- items */

static bool
is_equal(const HnswCovered *covered, const Equality *equality, const uint8 *item)
{
	bool is_null = hnsw_cover_is_null(covered->cover, item, equality->column);
	uint64 hash;

	if (is_null || equality->is_null)
		return is_null && equality->is_null;
	hash = hnsw_cover_hash(covered->cover, item, equality->column);
	return bsearch(&hash, equality->hashes, (size_t) equality->n, sizeof hash, by_hash) != NULL;
}

static bool
holds(const HnswCovered *covered, Comparison *comparison, const uint8 *item)
{
	LOCAL_FCINFO(call, 2);
	int own = comparison->on_right ? 1 : 0;
	Datum result;

	if (comparison->is_null || !hnsw_cover_value(covered->cover, item, comparison->column, &call->args[own].value))
		return false;
	InitFunctionCallInfoData(*call, &comparison->function, 2, comparison->collation, NULL, NULL);
	call->args[1 - own].value = comparison->value;
	call->args[0].isnull = call->args[1].isnull = false;
	result = FunctionCallInvoke(call);
	return !call->isnull && DatumGetBool(result);
}

static bool
passes_by_value(HnswCovered *covered, const uint8 *item)
{
	ExprContext *context = covered->node->ss.ps.ps_ExprContext;
	TupleTableSlot *before = context->ecxt_scantuple;
	bool passes;

	hnsw_cover_fill(covered->cover, item, covered->slot, covered->rooms);
	context->ecxt_scantuple = covered->slot;
	passes = ExecQual(covered->by_value, context);
	context->ecxt_scantuple = before;
	ResetExprContext(context);
	return passes;
}

bool
hnsw_covered_passes(HnswCovered *covered, const uint8 *item)
{
	bool passes = true;

	if (covered == NULL)
		return true;
	for (int i = 0; passes && i < covered->n_comparisons; i++)
		passes = holds(covered, &covered->comparisons[i], item);
	for (int i = 0; passes && i < covered->n; i++)
		passes = !covered->equalities[i].tested || is_equal(covered, &covered->equalities[i], item);
	passes = passes && (covered->by_value == NULL || passes_by_value(covered, item));
	if (!passes)
		InstrCountFiltered1(covered->node, 1);
	return passes;
}
