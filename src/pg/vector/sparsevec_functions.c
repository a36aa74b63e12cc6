/* Distances, lengths and comparison of sparse vectors. */
#include "pg/vector/sparsevec.h"

#include <math.h>

#include "vector/distance.h"

PG_FUNCTION_INFO_V1(maskgen_sparsevec_l2_distance);
PG_FUNCTION_INFO_V1(maskgen_sparsevec_l2_squared_distance);
PG_FUNCTION_INFO_V1(maskgen_sparsevec_inner_product);
PG_FUNCTION_INFO_V1(maskgen_sparsevec_negative_inner_product);
PG_FUNCTION_INFO_V1(maskgen_sparsevec_cosine_distance);
PG_FUNCTION_INFO_V1(maskgen_sparsevec_l1_distance);
PG_FUNCTION_INFO_V1(maskgen_sparsevec_norm);
PG_FUNCTION_INFO_V1(maskgen_sparsevec_l2_normalize);
PG_FUNCTION_INFO_V1(maskgen_sparsevec_lt);
PG_FUNCTION_INFO_V1(maskgen_sparsevec_le);
PG_FUNCTION_INFO_V1(maskgen_sparsevec_eq);
PG_FUNCTION_INFO_V1(maskgen_sparsevec_ne);
PG_FUNCTION_INFO_V1(maskgen_sparsevec_ge);
PG_FUNCTION_INFO_V1(maskgen_sparsevec_gt);
PG_FUNCTION_INFO_V1(maskgen_sparsevec_cmp);

static double
distance_of(FunctionCallInfo fcinfo, MgPairDistance pair)
{
	const Sparsevec *a = PG_GETARG_SPARSEVEC_P(0), *b = PG_GETARG_SPARSEVEC_P(1);

	if (a->dim != b->dim)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("different sparsevec dimensions %d and %d", a->dim, b->dim)));
	return pair(sparsevec_row(a), sparsevec_row(b), (size_t) a->dim);
}

Datum
maskgen_sparsevec_l2_distance(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(sqrt(distance_of(fcinfo, mg_sparse_l2)));
}

Datum
maskgen_sparsevec_l2_squared_distance(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(distance_of(fcinfo, mg_sparse_l2));
}

Datum
maskgen_sparsevec_inner_product(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(-distance_of(fcinfo, mg_sparse_inner_product));
}

Datum
maskgen_sparsevec_negative_inner_product(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(distance_of(fcinfo, mg_sparse_inner_product));
}

Datum
maskgen_sparsevec_cosine_distance(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(distance_of(fcinfo, mg_sparse_cosine));
}

Datum
maskgen_sparsevec_l1_distance(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(distance_of(fcinfo, mg_sparse_l1));
}

static double
norm_of(Sparsevec *sparsevec)
{
	return mg_norm(sparsevec_values(sparsevec), (size_t) sparsevec->nnz);
}

Datum
maskgen_sparsevec_norm(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(norm_of(PG_GETARG_SPARSEVEC_P(0)));
}

/* What becomes zero on the way is left out, so the result may have fewer elements. */
Datum
maskgen_sparsevec_l2_normalize(PG_FUNCTION_ARGS)
{
	Sparsevec *sparsevec = PG_GETARG_SPARSEVEC_P(0), *result;
	const float4 *values = sparsevec_values(sparsevec);
	double length = norm_of(sparsevec);
	float4 *scaled = palloc(sizeof *scaled * Max(sparsevec->nnz, 1));
	int nnz = 0;

	for (int i = 0; i < sparsevec->nnz; i++)
	{
		scaled[i] = (float4) (values[i] / length);
		if (isinf(scaled[i]))
			ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("value out of range: overflow")));
		nnz += scaled[i] != 0;
	}
	result = sparsevec_new(sparsevec->dim, nnz);
	for (int i = 0, to = 0; i < sparsevec->nnz; i++)
		if (scaled[i] != 0)
		{
			result->indices[to] = sparsevec->indices[i];
			sparsevec_values(result)[to++] = scaled[i];
		}
	PG_RETURN_POINTER(result);
}

/* As if both were written out: element by element; one that begins the other is the smaller one. */
static int
compare_sparsevecs(const Sparsevec *a, const Sparsevec *b)
{
	const float4 *x = mg_sparse_values(sparsevec_row(a)), *y = mg_sparse_values(sparsevec_row(b));
	int common = Min(a->dim, b->dim);

	for (int i = 0, j = 0;;)
	{
		int at = i < a->nnz ? a->indices[i] : common, other = j < b->nnz ? b->indices[j] : common;
		float4 of_a, of_b;

		if (Min(at, other) >= common)
			break;
		of_a = at <= other ? x[i++] : 0;
		of_b = other <= at ? y[j++] : 0;
		if (of_a != of_b)
			return of_a < of_b ? -1 : 1;
	}
	return (a->dim > b->dim) - (a->dim < b->dim);
}

/* A sort calls this many times in one memory context: what was fetched from a TOAST table must not pile up. */
static int
compare(FunctionCallInfo fcinfo)
{
	Sparsevec *a = PG_GETARG_SPARSEVEC_P(0), *b = PG_GETARG_SPARSEVEC_P(1);
	int result = compare_sparsevecs(a, b);

	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return result;
}

Datum
maskgen_sparsevec_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) < 0);
}

Datum
maskgen_sparsevec_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) <= 0);
}

Datum
maskgen_sparsevec_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) == 0);
}

Datum
maskgen_sparsevec_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) != 0);
}

Datum
maskgen_sparsevec_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) >= 0);
}

Datum
maskgen_sparsevec_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) > 0);
}

Datum
maskgen_sparsevec_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare(fcinfo));
}
