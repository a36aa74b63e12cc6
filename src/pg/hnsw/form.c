/* Expressions as forms of a distance, and comparisons as radii. */
#include "pg/hnsw/form.h"

#include <float.h>
#include <math.h>

#include "access/stratnum.h"
#include "catalog/pg_type_d.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "pg/hnsw/cost.h"
#include "pg/hnsw/kind.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/* Numbers beyond this, or nearer to 0, make no form: nothing on the way can then overflow, or underflow to 0. */
#define MOST_NUMBER 1e100

bool
hnsw_form_is_index(const IndexOptInfo *index)
{
	/* The planner has no other word of the access method than its functions; amcostestimate is there, ambuild is not. */
	return index->amcostestimate == (void *) hnsw_cost;
}

/* A number that is known. */
static bool
read_number(Node *node, double *number)
{
	const Const *constant = (const Const *) node;

	if (!IsA(node, Const) || constant->constisnull || (constant->consttype != FLOAT8OID && constant->consttype != FLOAT4OID))
		return false;
	*number = constant->consttype == FLOAT8OID ? DatumGetFloat8(constant->constvalue) : (double) DatumGetFloat4(constant->constvalue);
	return true;
}

/* The function behind a call, by operator or by name, and its arguments. */
static bool
read_call(Node *node, Oid *function, List **args)
{
	if (IsA(node, OpExpr))
	{
		*function = ((OpExpr *) node)->opfuncid;
		if (!OidIsValid(*function))
			*function = get_opcode(((OpExpr *) node)->opno);
		*args = ((OpExpr *) node)->args;
	}
	else if (IsA(node, FuncExpr))
	{
		*function = ((FuncExpr *) node)->funcid;
		*args = ((FuncExpr *) node)->args;
	}
	else
		return false;
	return true;
}

/* inner_product() is the distance of its class, negated; with no operator of its own. */
extern Datum maskgen_vector_inner_product(PG_FUNCTION_ARGS);
extern Datum maskgen_halfvec_inner_product(PG_FUNCTION_ARGS);
extern Datum maskgen_sparsevec_inner_product(PG_FUNCTION_ARGS);
extern Datum maskgen_vector_negative_inner_product(PG_FUNCTION_ARGS);
extern Datum maskgen_halfvec_negative_inner_product(PG_FUNCTION_ARGS);
extern Datum maskgen_sparsevec_negative_inner_product(PG_FUNCTION_ARGS);

static bool
is_negated(Oid function, Oid distance)
{
	static const PGFunction pairs[][2] = {{maskgen_vector_inner_product, maskgen_vector_negative_inner_product},
										  {maskgen_halfvec_inner_product, maskgen_halfvec_negative_inner_product},
										  {maskgen_sparsevec_inner_product, maskgen_sparsevec_negative_inner_product}};
	FmgrInfo one, other;

	/* Built-in functions, of which most queries have some, are looked up for nothing else. */
	if (function < FirstNormalObjectId)
		return false;
	fmgr_info(function, &one);
	for (int i = 0; i < lengthof(pairs); i++)
		if (one.fn_addr == pairs[i][0])
		{
			fmgr_info(distance, &other);
			return other.fn_addr == pairs[i][1];
		}
	return false;
}

/* The distance of the index's column from something that is the same for all rows of its table. */
static bool
read_distance(PlannerInfo *root, const IndexOptInfo *index, Oid function, List *args, HnswForm *form)
{
	Oid type = index->opcintype[0];
	Oid operator = get_opfamily_member(index->opfamily[0], type, type, HNSW_ORDER_STRATEGY);
	bool negated;

	if (!OidIsValid(operator) || list_length(args) != 2)
		return false;
	negated = function != get_opcode(operator);
	if (negated && !is_negated(function, get_opcode(operator)))
		return false;
	for (int left = 0; left < 2; left++)
	{
		Node *column = list_nth(args, left), *center = list_nth(args, 1 - left);

		if (!match_index_to_operand(column, 0, (IndexOptInfo *) index) || bms_is_member((int) index->rel->relid, pull_varnos(root, center)) ||
			contain_volatile_functions(center))
			continue;
		form->distance = (OpExpr *) make_opclause(operator, FLOAT8OID, false, (Expr *) column, (Expr *) center, InvalidOid, InvalidOid);
		set_opfuncid(form->distance);
		form->center = (Expr *) center;
		form->scale = negated ? -1 : 1;
		form->offset = form->size = 0;
		form->n_steps = 0;
		return true;
	}
	return false;
}

/* form = scale * form + offset, the number being on either side of an operator. */
static bool
apply(HnswForm *form, double scale, double offset)
{
	form->scale *= scale;
	form->offset = form->offset * scale + offset;
	form->size = form->size * fabs(scale) + fabs(offset);
	form->n_steps++;
	return fabs(form->scale) <= MOST_NUMBER && fabs(form->scale) >= 1 / MOST_NUMBER && form->size <= MOST_NUMBER;
}

bool
hnsw_form_of(PlannerInfo *root, const IndexOptInfo *index, Node *node, HnswForm *form)
{
	double number;
	Oid function;
	List *args;
	bool number_first;

	check_stack_depth();
	if (node == NULL || !read_call(node, &function, &args))
		return false;
	if (read_distance(root, index, function, args, form))
		return true;
	if (function == F_FLOAT8UM)
		return hnsw_form_of(root, index, linitial(args), form) && apply(form, -1, 0);
	if (list_length(args) != 2)
		return false;
	number_first = read_number(linitial(args), &number);
	if (!number_first && !read_number(lsecond(args), &number))
		return false;
	if (!(fabs(number) <= MOST_NUMBER) || !hnsw_form_of(root, index, list_nth(args, number_first), form))
		return false;
	switch (function)
	{
		case F_FLOAT8PL:
		case F_FLOAT48PL:
		case F_FLOAT84PL:
			return apply(form, 1, number);
		case F_FLOAT8MI:
		case F_FLOAT48MI:
		case F_FLOAT84MI:
			return number_first ? apply(form, -1, number) : apply(form, 1, -number);
		case F_FLOAT8MUL:
		case F_FLOAT48MUL:
		case F_FLOAT84MUL:
			return number != 0 && apply(form, number, 0);
		case F_FLOAT8DIV:
		case F_FLOAT84DIV:
			return !number_first && number != 0 && apply(form, 1 / number, 0);
		default:
			return false;
	}
}

/* A comparison of float8 with float8 or float4: its strategy among those of a btree; 0: it is none. */
static int
strategy_of(const OpExpr *comparison)
{
	Oid family = lookup_type_cache(FLOAT8OID, TYPECACHE_BTREE_OPFAMILY)->btree_opf;

	return OidIsValid(family) ? get_op_opfamily_strategy(comparison->opno, family) : 0;
}

HnswBound
hnsw_form_bound(PlannerInfo *root, const IndexOptInfo *index, Node *node, HnswForm *form, double *radius, bool *nan)
{
	const OpExpr *comparison = (const OpExpr *) node;
	bool number_first, upper;
	double number;
	Node *other;
	int strategy;

	if (!IsA(node, OpExpr) || list_length(comparison->args) != 2 || (strategy = strategy_of(comparison)) == 0)
		return HNSW_BOUND_NONE;
	number_first = !hnsw_form_of(root, index, linitial(comparison->args), form);
	if (number_first && !hnsw_form_of(root, index, lsecond(comparison->args), form))
		return HNSW_BOUND_NONE;
	other = list_nth(comparison->args, number_first ? 0 : 1);
	if (bms_is_member((int) index->rel->relid, pull_varnos(root, other)))
		return HNSW_BOUND_NONE;
	if (!read_number(other, &number) || isnan(number) || (isinf(number) && form->n_steps > 0))
		return HNSW_BOUND_UNKNOWN;
	if (strategy != BTEqualStrategyNumber)
	{
		upper = (strategy == BTLessStrategyNumber || strategy == BTLessEqualStrategyNumber) != number_first;
		if (upper != (form->scale > 0))
			return HNSW_BOUND_BEYOND;
	}
	/* PostgreSQL has NaN above all numbers. */
	*nan = strategy != BTEqualStrategyNumber && form->scale < 0;
	*radius = (number - form->offset) / form->scale;
	if (form->n_steps > 0)
		*radius += 4 * (form->n_steps + 1) * DBL_EPSILON * ((fabs(number) + form->size) / fabs(form->scale) + fabs(*radius));
	return HNSW_BOUND_WITHIN;
}
