/* Distances, arithmetic and comparison of vectors. */
#include <math.h>

#include "pg/vector.h"
#include "vector/distance.h"

PG_FUNCTION_INFO_V1(maskgen_l2_distance);
PG_FUNCTION_INFO_V1(maskgen_vector_l2_squared_distance);
PG_FUNCTION_INFO_V1(maskgen_inner_product);
PG_FUNCTION_INFO_V1(maskgen_vector_negative_inner_product);
PG_FUNCTION_INFO_V1(maskgen_cosine_distance);
PG_FUNCTION_INFO_V1(maskgen_l1_distance);
PG_FUNCTION_INFO_V1(maskgen_vector_dims);
PG_FUNCTION_INFO_V1(maskgen_vector_norm);
PG_FUNCTION_INFO_V1(maskgen_l2_normalize);
PG_FUNCTION_INFO_V1(maskgen_subvector);
PG_FUNCTION_INFO_V1(maskgen_vector_add);
PG_FUNCTION_INFO_V1(maskgen_vector_sub);
PG_FUNCTION_INFO_V1(maskgen_vector_mul);
PG_FUNCTION_INFO_V1(maskgen_vector_lt);
PG_FUNCTION_INFO_V1(maskgen_vector_le);
PG_FUNCTION_INFO_V1(maskgen_vector_eq);
PG_FUNCTION_INFO_V1(maskgen_vector_ne);
PG_FUNCTION_INFO_V1(maskgen_vector_ge);
PG_FUNCTION_INFO_V1(maskgen_vector_gt);
PG_FUNCTION_INFO_V1(maskgen_vector_cmp);

/* The distance of an index's order; of the arguments. */
static double
distance_of(FunctionCallInfo fcinfo, MgMetric metric)
{
	static MgDistance chosen[MG_N_METRICS];
	const Vector *a = PG_GETARG_VECTOR_P(0), *b = PG_GETARG_VECTOR_P(1);

	vector_check_same_dims(a, b);
	if (chosen[metric].pair == NULL)
		mg_distance_find(MG_ELEMENT_F32, metric, mg_distance_level(), &chosen[metric]);
	return chosen[metric].pair(a->x, b->x, (size_t) a->dim);
}

Datum
maskgen_l2_distance(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(sqrt(distance_of(fcinfo, MG_METRIC_L2)));
}

Datum
maskgen_vector_l2_squared_distance(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(distance_of(fcinfo, MG_METRIC_L2));
}

Datum
maskgen_inner_product(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(-distance_of(fcinfo, MG_METRIC_INNER_PRODUCT));
}

Datum
maskgen_vector_negative_inner_product(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(distance_of(fcinfo, MG_METRIC_INNER_PRODUCT));
}

Datum
maskgen_l1_distance(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(distance_of(fcinfo, MG_METRIC_L1));
}

Datum
maskgen_cosine_distance(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(distance_of(fcinfo, MG_METRIC_COSINE));
}

Datum
maskgen_vector_dims(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(PG_GETARG_VECTOR_P(0)->dim);
}

static double
norm(const Vector *vector)
{
	return mg_norm(vector->x, (size_t) vector->dim);
}

Datum
maskgen_vector_norm(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(norm(PG_GETARG_VECTOR_P(0)));
}

/* A result must be storable: overflow is an error, as in float4 arithmetic. */
static float4
checked(double value)
{
	float4 narrow = (float4) value;

	if (isinf(narrow))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("value out of range: overflow")));
	return narrow;
}

Datum
maskgen_l2_normalize(PG_FUNCTION_ARGS)
{
	const Vector *vector = PG_GETARG_VECTOR_P(0);
	double length = norm(vector);
	Vector *result = vector_new(vector->dim);

	for (int i = 0; i < vector->dim && length > 0; i++)
		result->x[i] = checked(vector->x[i] / length);
	PG_RETURN_VECTOR_P(result);
}

/* Elements start .. start + count - 1, from 1; what lies outside of the vector is left out, as in substr(). */
Datum
maskgen_subvector(PG_FUNCTION_ARGS)
{
	const Vector *vector = PG_GETARG_VECTOR_P(0);
	int64 start = PG_GETARG_INT32(1), end = start + PG_GETARG_INT32(2);
	Vector *result;

	start = Max(start, 1);
	end = Min(end, (int64) vector->dim + 1);
	vector_check_dim((int) Max(end - start, 0));
	result = vector_new((int) (end - start));
	memcpy(result->x, vector->x + start - 1, (Size) (end - start) * sizeof *result->x);
	PG_RETURN_VECTOR_P(result);
}

/* A product of numbers that are not zero may not become zero either. */
static void
check_underflow(float4 product, float4 a, float4 b)
{
	if (product == 0 && a != 0 && b != 0)
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("value out of range: underflow")));
}

static double
add(double a, double b)
{
	return a + b;
}

static double
subtract(double a, double b)
{
	return a - b;
}

static double
multiply(double a, double b)
{
	return a * b;
}

static Datum
each_pair(FunctionCallInfo fcinfo, double (*operation)(double, double))
{
	const Vector *a = PG_GETARG_VECTOR_P(0), *b = PG_GETARG_VECTOR_P(1);
	Vector *result;

	vector_check_same_dims(a, b);
	result = vector_new(a->dim);
	for (int i = 0; i < a->dim; i++)
		result->x[i] = checked(operation(a->x[i], b->x[i]));
	PG_RETURN_VECTOR_P(result);
}

Datum
maskgen_vector_add(PG_FUNCTION_ARGS)
{
	return each_pair(fcinfo, add);
}

Datum
maskgen_vector_sub(PG_FUNCTION_ARGS)
{
	return each_pair(fcinfo, subtract);
}

Datum
maskgen_vector_mul(PG_FUNCTION_ARGS)
{
	const Vector *a = PG_GETARG_VECTOR_P(0), *b = PG_GETARG_VECTOR_P(1);
	Datum product = each_pair(fcinfo, multiply);

	for (int i = 0; i < a->dim; i++)
		check_underflow(((const Vector *) DatumGetPointer(product))->x[i], a->x[i], b->x[i]);
	return product;
}

/* Element by element; a vector that begins another is the smaller one. */
static int
compare_vectors(const Vector *a, const Vector *b)
{
	for (int i = 0; i < Min(a->dim, b->dim); i++)
		if (a->x[i] != b->x[i])
			return a->x[i] < b->x[i] ? -1 : 1;
	return (a->dim > b->dim) - (a->dim < b->dim);
}

/* A sort calls this many times in one memory context: what was fetched from a TOAST table must not pile up. */
static int
compare(FunctionCallInfo fcinfo)
{
	Vector *a = PG_GETARG_VECTOR_P(0), *b = PG_GETARG_VECTOR_P(1);
	int result = compare_vectors(a, b);

	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return result;
}

Datum
maskgen_vector_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) < 0);
}

Datum
maskgen_vector_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) <= 0);
}

Datum
maskgen_vector_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) == 0);
}

Datum
maskgen_vector_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) != 0);
}

Datum
maskgen_vector_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) >= 0);
}

Datum
maskgen_vector_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) > 0);
}

Datum
maskgen_vector_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare(fcinfo));
}
