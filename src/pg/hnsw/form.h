/*
 * What an expression makes of the distance that an index orders by: itself, or a number times it plus a number, as in
 *
 *   a <=> b    cosine_distance(a, b)    1 - (a <=> b)    (a <#> b) * -1    inner_product(a, b)
 *
 * Such a form rises or falls with the distance whatever is rounded on the way, so that an order by it is one by the distance,
 * and a bound of it a radius.
 */
#ifndef MASKGEN_PG_HNSW_FORM_H
#define MASKGEN_PG_HNSW_FORM_H

#include "postgres.h"
#include "nodes/pathnodes.h"

typedef struct HnswForm
{
	OpExpr *distance; /* of the index's class, its column on the left */
	Expr *center;	  /* the other side: no column of the index's table, nothing volatile */
	double scale, offset;
	double size;	  /* what numbers on the way may add up to, beside the distance */
	int n_steps;	  /* operations that round */
} HnswForm;

/* Whether an index is of this access method, under whatever name. */
bool hnsw_form_is_index(const IndexOptInfo *index);

/* Whether an expression is a form of the distance of an index's column. */
bool hnsw_form_of(PlannerInfo *root, const IndexOptInfo *index, Node *node, HnswForm *form);

/* How a comparison bounds a form. */
typedef enum HnswBound
{
	HNSW_BOUND_NONE,	/* it is no comparison of a form with something without columns of the table */
	HNSW_BOUND_UNKNOWN, /* what it is compared with is no number yet, or NaN */
	HNSW_BOUND_BEYOND,	/* from below: what is farther */
	HNSW_BOUND_WITHIN
} HnswBound;

/*
 * Reads `form < number` and its kin, either side first. Within: rows for which it holds are no farther than the radius, which is
 * none too small for what was rounded. nan: it also holds where the distance is NaN.
 */
HnswBound hnsw_form_bound(PlannerInfo *root, const IndexOptInfo *index, Node *node, HnswForm *form, double *radius, bool *nan);

#endif
