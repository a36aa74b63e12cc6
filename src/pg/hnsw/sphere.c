/* Spheres, and what is within. */
#include "pg/hnsw/sphere.h"

#include <math.h>

#include "access/htup_details.h"
#include "executor/executor.h"
#include "pg/hnsw/kind.h"
#include "utils/lsyscache.h"

bool
hnsw_sphere_of(Datum composite, HnswSphere *sphere)
{
	HeapTupleHeader tuple = DatumGetHeapTupleHeader(composite);
	bool no_center, no_radius;

	sphere->center = GetAttributeByNum(tuple, 1, &no_center);
	sphere->radius = DatumGetFloat8(GetAttributeByNum(tuple, 2, &no_radius));
	return !no_center && !no_radius && !isnan(sphere->radius);
}

void
hnsw_sphere_distance(Relation index, FmgrInfo *distance, MemoryContext memory)
{
	Oid family = index->rd_opfamily[0], type = index->rd_opcintype[0];
	Oid operator = get_opfamily_member(family, type, type, HNSW_ORDER_STRATEGY);

	if (!OidIsValid(operator))
		elog(ERROR, "operator family %u has no distance of type %u", family, type);
	fmgr_info_cxt(get_opcode(operator), distance, memory);
}

/*
 * Whether a value is within a sphere, without an index. In C, since a function in SQL would be inlined before the planner
 * looks for indexes. What is no number is not within.
 */
static Datum
within(FunctionCallInfo fcinfo, PGFunction distance)
{
	HnswSphere sphere;

	if (!hnsw_sphere_of(PG_GETARG_DATUM(1), &sphere))
		PG_RETURN_NULL();
	PG_RETURN_BOOL(DatumGetFloat8(DirectFunctionCall2(distance, PG_GETARG_DATUM(0), sphere.center)) <= sphere.radius);
}

#define WITHIN(class, distance) \
	PG_FUNCTION_INFO_V1(maskgen_##class##_within); \
	extern Datum distance(PG_FUNCTION_ARGS); \
	Datum maskgen_##class##_within(PG_FUNCTION_ARGS) \
	{ \
		return within(fcinfo, distance); \
	} \
	extern int no_such_variable /* takes the semicolon, as in PG_FUNCTION_INFO_V1 */

WITHIN(vector_l2, maskgen_vector_l2_distance);
WITHIN(vector_ip, maskgen_vector_negative_inner_product);
WITHIN(vector_cosine, maskgen_vector_cosine_distance);
WITHIN(vector_l1, maskgen_vector_l1_distance);
WITHIN(halfvec_l2, maskgen_halfvec_l2_distance);
WITHIN(halfvec_ip, maskgen_halfvec_negative_inner_product);
WITHIN(halfvec_cosine, maskgen_halfvec_cosine_distance);
WITHIN(halfvec_l1, maskgen_halfvec_l1_distance);
WITHIN(sparsevec_l2, maskgen_sparsevec_l2_distance);
WITHIN(sparsevec_ip, maskgen_sparsevec_negative_inner_product);
WITHIN(sparsevec_cosine, maskgen_sparsevec_cosine_distance);
WITHIN(sparsevec_l1, maskgen_sparsevec_l1_distance);
WITHIN(bit_hamming, maskgen_hamming_distance);
WITHIN(bit_jaccard, maskgen_jaccard_distance);
