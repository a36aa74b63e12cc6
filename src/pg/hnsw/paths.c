/*
 * Paths for what the planner does not see.
 *
 *   WHERE a <=> b < 0.3          a radius, derived and lossy: the comparison itself is tested on each row that the scan gives, so that the
 *                                radius may be wider than it, never narrower
 *   ORDER BY 1 - (a <=> b) DESC  an order by the distance
 *   ORDER BY a <=> b, id         the same, sorted further where distances are equal (the planner sees it since 17)
 *
 * A sequential scan must give the same. What an index has not is a row without a value, and one of length 0 under cosine: a comparison
 * from above holds for neither, NaN being above all numbers; one that is turned round holds for NaN, and an order that is turned round begins with both.
 * Then the index has to know that it has left out none (meta.h).
 *
 * All of this is a matter of paths: a plan that takes another one is what it was.
 */
#include "pg/hnsw/paths.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_amop.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "pg/compat.h"
#include "pg/hnsw/explain.h"
#include "pg/hnsw/meta.h"
#include "pg/hnsw/options.h"
#include "pg/hnsw/order.h"
#include "pg/hnsw/why.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

static set_rel_pathlist_hook_type next_rel_pathlist;

/* -------------------------------------------------------------- what serves */

static bool
is_complete(const HnswPlanned *planned, int needs)
{
	return needs == 0 || (hnsw_meta_complete(planned->index->indexoid) & needs) == needs;
}

/* Whether an expression is NULL wherever the index's column is. */
static bool
is_strict(const HnswPlanned *planned, Node *node)
{
	List *args = NIL;
	ListCell *cell;

	check_stack_depth();
	if (node == NULL)
		return false;
	if (match_index_to_operand(node, 0, planned->index))
		return true;
	if (IsA(node, OpExpr) && op_strict(((OpExpr *) node)->opno))
		args = ((OpExpr *) node)->args;
	else if (IsA(node, FuncExpr) && func_strict(((FuncExpr *) node)->funcid))
		args = ((FuncExpr *) node)->args;
	else if (IsA(node, NullTest) && ((NullTest *) node)->nulltesttype == IS_NOT_NULL && !((NullTest *) node)->argisrow)
		return is_strict(planned, (Node *) ((NullTest *) node)->arg);
	foreach(cell, args)
		if (is_strict(planned, lfirst(cell)))
			return true;
	return false;
}

/* Whether no row of the relation is without a value: by its column, or by a condition. */
static bool
is_never_null(const HnswPlanned *planned)
{
	int column = planned->index->indexkeys[0];
	ListCell *cell;

	if (column > 0 && compat_is_not_null(planned->rel, planned->table, (AttrNumber) column))
		return true;
	foreach(cell, planned->rel->baserestrictinfo)
		if (is_strict(planned, (Node *) lfirst_node(RestrictInfo, cell)->clause))
			return true;
	return false;
}

/* Whether a condition leaves out distances of NaN. */
static bool
is_never_nan(const HnswPlanned *planned)
{
	ListCell *cell;

	foreach(cell, planned->rel->baserestrictinfo)
	{
		HnswForm form;
		double radius;
		bool nan;

		if (hnsw_form_bound(planned->root, planned->index, (Node *) lfirst_node(RestrictInfo, cell)->clause, &form, &radius, &nan) ==
				HNSW_BOUND_WITHIN && !nan)
			return true;
	}
	return false;
}

/* Whether a distance from this can be NaN though the row's value is an ordinary one. */
static bool
is_ordinary(const HnswPlanned *planned, const Expr *center)
{
	const Const *constant = (const Const *) center;

	if (planned->kind->metric != MG_METRIC_COSINE && planned->kind->metric != MG_METRIC_INNER_PRODUCT)
		return true;
	return IsA(center, Const) && (constant->constisnull || hnsw_kind_is_ordinary(planned->kind, hnsw_kind_detoast(planned->kind, constant->constvalue)));
}

static bool
has_nan(const HnswPlanned *planned)
{
	return planned->kind->metric == MG_METRIC_COSINE || planned->kind->metric == MG_METRIC_INNER_PRODUCT;
}

HnswReason
hnsw_paths_order(const HnswPlanned *planned, const PathKey *key, Node *expr, HnswForm *form, int *needs)
{
	if (!hnsw_form_of(planned->root, planned->index, expr, form))
		return "ORDER BY does not begin with the distance that the index orders by, or with a number times it plus a number";
	if (compat_is_ascending(key) != (form->scale > 0))
		return "ORDER BY asks for the farthest first, and the index has the nearest";
	if (form->scale > 0)
		return key->pk_nulls_first ? "ORDER BY puts rows without a vector first, which the index has not: leave out NULLS FIRST" : NULL;
	if (key->pk_nulls_first && !is_never_null(planned))
	{
		if (!is_complete(planned, HNSW_NEEDS_NULLS))
			return "DESC puts rows without a vector first, which the index has not: add NULLS LAST, or WHERE with IS NOT NULL";
		*needs |= HNSW_NEEDS_NULLS;
	}
	if (has_nan(planned) && !is_never_nan(planned))
	{
		if (!is_complete(planned, HNSW_NEEDS_NUMBERS))
			return "DESC puts vectors of zeros first, which the index has not: order by the distance itself";
		*needs |= HNSW_NEEDS_NUMBERS;
	}
	return NULL;
}

HnswReason
hnsw_paths_radius(const HnswPlanned *planned, RestrictInfo *condition, HnswForm *form, double *radius, int *needs)
{
	bool nan;

	if (condition->pseudoconstant)
		return "it has no condition on the distance";
	switch (hnsw_form_bound(planned->root, planned->index, (Node *) condition->clause, form, radius, &nan))
	{
		case HNSW_BOUND_NONE:
			return "the condition compares no distance that the index orders by, nor a number times it plus a number, with a number";
		case HNSW_BOUND_UNKNOWN:
			return "the number that the distance is compared with is not known before the statement runs, or NaN";
		case HNSW_BOUND_BEYOND:
			return "the condition asks for what is farther than a distance";
		case HNSW_BOUND_WITHIN:
			break;
	}
	if (!maskgen_distance_filter)
		return "maskgen.distance_filter is off";
	if (!restriction_is_securely_promotable(condition, planned->rel))
		return "conditions of row security or of a security barrier come first";
	if (nan && has_nan(planned))
	{
		if (!is_ordinary(planned, form->center))
			return "the distance may be NaN, which is above any number: compare the distance itself, from above";
		if (!is_complete(planned, HNSW_NEEDS_NUMBERS))
			return "vectors of zeros have the distance NaN, which is above any number, and the index has left out some: compare the distance itself, from above";
		*needs |= HNSW_NEEDS_NUMBERS;
	}
	return NULL;
}

/* --------------------------------------------------------------- conditions */

/* A sphere, as a constant where it is one. */
static Expr *
make_sphere(const HnswPlanned *planned, Expr *center, double radius)
{
	TupleDesc descriptor = lookup_rowtype_tupdesc(planned->sphere, -1);
	Oid type = TupleDescAttr(descriptor, 0)->atttypid;
	Datum values[2] = {0, Float8GetDatum(radius)};
	bool nulls[2] = {false, false};
	RowExpr *row;
	Expr *result;

	if (IsA(center, Const))
	{
		values[0] = ((Const *) center)->constvalue;
		nulls[0] = ((Const *) center)->constisnull;
		result = (Expr *) makeConst(planned->sphere, -1, InvalidOid, -1, HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls)), false, false);
		ReleaseTupleDesc(descriptor);
		return result;
	}
	ReleaseTupleDesc(descriptor);
	row = makeNode(RowExpr);
	if (exprType((Node *) center) != type)
		center = (Expr *) makeRelabelType(center, type, -1, InvalidOid, COERCE_IMPLICIT_CAST);
	row->args = list_make2(center, makeConst(FLOAT8OID, -1, InvalidOid, sizeof(float8), values[1], false, FLOAT8PASSBYVAL));
	row->row_typeid = planned->sphere;
	row->row_format = COERCE_IMPLICIT_CAST;
	row->location = -1;
	return (Expr *) row;
}

/* A comparison as a condition of the index. */
static IndexClause *
make_clause(const HnswPlanned *planned, RestrictInfo *condition, const HnswForm *form, double radius, int needs)
{
	IndexClause *clause = makeNode(IndexClause);
	OpExpr *within = (OpExpr *) make_opclause(planned->within, BOOLOID, false, linitial(form->distance->args),
											  make_sphere(planned, form->center, radius), InvalidOid, HNSW_EXACT | needs);

	set_opfuncid(within);
	clause->rinfo = condition;
	clause->indexquals = list_make1(make_simple_restrictinfo(planned->root, (Expr *) within));
	clause->lossy = true;
	clause->indexcol = 0;
	return clause;
}

/* As the planner counts the scans of a parameterised path: as many as the smallest of the relations has rows. */
static double
count_loops(PlannerInfo *root, Relids outer)
{
	double count = -1;
	int relid = -1;

	while ((relid = bms_next_member(outer, relid)) >= 0)
	{
		const RelOptInfo *rel = relid < root->simple_rel_array_size ? root->simple_rel_array[relid] : NULL;

		if (rel != NULL && rel->rows > 0 && (count < 0 || rel->rows < count))
			count = rel->rows;
	}
	return Max(count, 1);
}

/* -------------------------------------------------------------------- paths */

static void
add(const HnswPlanned *planned, IndexClause *clause, const HnswForm *order, int needs, Relids outer)
{
	List *clauses = clause != NULL ? list_make1(clause) : NIL, *orders = NIL, *columns = NIL, *keys = NIL;

	outer = bms_union(outer, planned->rel->lateral_relids);
	if (order != NULL)
	{
		OpExpr *distance = copyObject(order->distance);

		distance->inputcollid = (Oid) needs;
		orders = list_make1(distance);
		columns = list_make1_int(0);
		keys = list_make1(linitial(planned->root->query_pathkeys));
	}
	add_path(planned->rel, (Path *) create_index_path(planned->root, planned->index, clauses, orders, columns, keys, ForwardScanDirection, false,
													  bms_is_empty(outer) ? NULL : outer, count_loops(planned->root, outer), false));
}

/* The order, if the planner has not seen itself that the index can do it. */
static bool
find_order(const HnswPlanned *planned, HnswForm *form, int *needs)
{
	const PathKey *key;
	ListCell *cell;

	if (planned->root->query_pathkeys == NIL || !bms_is_empty(planned->rel->lateral_relids))
		return false;
	key = linitial_node(PathKey, planned->root->query_pathkeys);
	if (key->pk_eclass->ec_has_volatile)
		return false;
	foreach(cell, compat_members(key->pk_eclass, planned->rel->relids))
	{
		const EquivalenceMember *member = lfirst_node(EquivalenceMember, cell);

		*needs = 0;
		if (bms_equal(member->em_relids, planned->rel->relids) && hnsw_paths_order(planned, key, (Node *) member->em_expr, form, needs) == NULL)
			return true;
	}
	return false;
}

static void
add_joins(const HnswPlanned *planned)
{
	ListCell *cell;

	foreach(cell, planned->rel->joininfo)
	{
		RestrictInfo *condition = lfirst_node(RestrictInfo, cell);
		Relids outer = bms_del_member(bms_copy(condition->clause_relids), (int) planned->rel->relid);
		HnswForm form;
		double radius;
		int needs = 0;

		if (bms_is_empty(outer) || !join_clause_is_movable_to(condition, planned->rel) ||
			hnsw_paths_radius(planned, condition, &form, &radius, &needs) != NULL)
			continue;
		add(planned, make_clause(planned, condition, &form, radius, needs), NULL, 0, outer);
	}
}

static void
add_paths(const HnswPlanned *planned)
{
	HnswForm order, form;
	int order_needs = 0;
	bool ordered = find_order(planned, &order, &order_needs);
	ListCell *cell;

	if (ordered)
		add(planned, NULL, &order, order_needs, NULL);
	foreach(cell, planned->rel->baserestrictinfo)
	{
		RestrictInfo *condition = lfirst_node(RestrictInfo, cell);
		double radius;
		int needs = 0;

		if (hnsw_paths_radius(planned, condition, &form, &radius, &needs) != NULL)
			continue;
		add(planned, make_clause(planned, condition, &form, radius, needs), NULL, 0, NULL);
		if (ordered && equal(order.center, form.center))
			add(planned, make_clause(planned, condition, &form, radius, needs), &order, order_needs, NULL);
	}
	add_joins(planned);
}

/* The operator with a radius of the index's class; false: it has none. */
static bool
find_operators(HnswPlanned *planned)
{
	const IndexOptInfo *index = planned->index;
	CatCList *list = SearchSysCacheList2(AMOPSTRATEGY, ObjectIdGetDatum(index->opfamily[0]), ObjectIdGetDatum(index->opcintype[0]));
	Oid kind = get_opfamily_proc(index->opfamily[0], index->opcintype[0], index->opcintype[0], HNSW_KIND_PROC);

	for (int i = 0; i < list->n_members; i++)
	{
		Form_pg_amop member = (Form_pg_amop) GETSTRUCT(&list->members[i]->tuple);

		if (member->amopstrategy != HNSW_RADIUS_STRATEGY || member->amoppurpose != AMOP_SEARCH)
			continue;
		planned->within = member->amopopr;
		planned->sphere = member->amoprighttype;
	}
	ReleaseSysCacheList(list);
	if (!OidIsValid(planned->within) || !OidIsValid(kind))
		return false;
	planned->kind = (const HnswKind *) DatumGetPointer(OidFunctionCall1(kind, PointerGetDatum(NULL)));
	return true;
}

static void
rel_pathlist(PlannerInfo *root, RelOptInfo *rel, Index relid, RangeTblEntry *rte)
{
	ListCell *cell;

	if (next_rel_pathlist != NULL)
		next_rel_pathlist(root, rel, relid, rte);
	/* What is named as a whole is planned by its parts. */
	if (rte->rtekind != RTE_RELATION || rte->inh || rte->tablesample != NULL || IS_DUMMY_REL(rel))
		return;
	foreach(cell, rel->indexlist)
	{
		HnswPlanned planned = {.root = root, .rel = rel, .table = rte->relid, .index = lfirst_node(IndexOptInfo, cell)};

		if (!hnsw_form_is_index(planned.index) || planned.index->hypothetical || !find_operators(&planned))
			continue;
		if (planned.index->indpred == NIL || planned.index->predOK)
			add_paths(&planned);
		if (hnsw_explain_is_wanted())
			hnsw_why(&planned);
	}
}

void
hnsw_paths_install(void)
{
	next_rel_pathlist = set_rel_pathlist_hook;
	set_rel_pathlist_hook = rel_pathlist;
}
