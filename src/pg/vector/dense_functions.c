/* Distances, parts and lengths of vectors and half vectors. */
#include "pg/vector/dense.h"

#include <math.h>

#include "core/half.h"
#include "pg/guc.h"
#include "utils/varbit.h"

/* The distance of an index's order. */
static double
distance_of(FunctionCallInfo fcinfo, const DenseType *type, MgMetric metric)
{
	static MgDistance chosen[2][MG_N_METRICS];
	MgDistance *distance = &chosen[type->element == MG_ELEMENT_F16][metric];
	MgCpuLevel level = guc_cpu_level();
	const Dense *a, *b;

	dense_pair(type, fcinfo, &a, &b);
	if (distance->pair == NULL || distance->level != level)
		mg_distance_find(type->element, metric, level, distance);
	return distance->pair(a->x, b->x, (size_t) a->dim);
}

static Datum
dense_l2_distance(FunctionCallInfo fcinfo, const DenseType *type)
{
	PG_RETURN_FLOAT8(sqrt(distance_of(fcinfo, type, MG_METRIC_L2)));
}

DENSE_FUNCTIONS(l2_distance);

static Datum
dense_l2_squared_distance(FunctionCallInfo fcinfo, const DenseType *type)
{
	PG_RETURN_FLOAT8(distance_of(fcinfo, type, MG_METRIC_L2));
}

DENSE_FUNCTIONS(l2_squared_distance);

static Datum
dense_inner_product(FunctionCallInfo fcinfo, const DenseType *type)
{
	PG_RETURN_FLOAT8(-distance_of(fcinfo, type, MG_METRIC_INNER_PRODUCT));
}

DENSE_FUNCTIONS(inner_product);

static Datum
dense_negative_inner_product(FunctionCallInfo fcinfo, const DenseType *type)
{
	PG_RETURN_FLOAT8(distance_of(fcinfo, type, MG_METRIC_INNER_PRODUCT));
}

DENSE_FUNCTIONS(negative_inner_product);

static Datum
dense_l1_distance(FunctionCallInfo fcinfo, const DenseType *type)
{
	PG_RETURN_FLOAT8(distance_of(fcinfo, type, MG_METRIC_L1));
}

DENSE_FUNCTIONS(l1_distance);

static Datum
dense_cosine_distance(FunctionCallInfo fcinfo, const DenseType *type)
{
	PG_RETURN_FLOAT8(distance_of(fcinfo, type, MG_METRIC_COSINE));
}

DENSE_FUNCTIONS(cosine_distance);

/* The angle between two vectors of length 1, as a part of half a turn. */
static Datum
dense_spherical_distance(FunctionCallInfo fcinfo, const DenseType *type)
{
	double product = -distance_of(fcinfo, type, MG_METRIC_INNER_PRODUCT);

	PG_RETURN_FLOAT8(acos(Max(-1.0, Min(1.0, product))) / M_PI);
}

DENSE_FUNCTIONS(spherical_distance);

static Datum
dense_dims(FunctionCallInfo fcinfo, const DenseType *type)
{
	PG_RETURN_INT32(PG_GETARG_DENSE_P(0)->dim);
}

DENSE_FUNCTIONS(dims);

static double
norm_of(const DenseType *type, const Dense *dense)
{
	return type->element == MG_ELEMENT_F32 ? mg_norm((const float4 *) dense->x, (size_t) dense->dim)
										   : mg_norm_f16(dense->x, (size_t) dense->dim);
}

static Datum
dense_norm(FunctionCallInfo fcinfo, const DenseType *type)
{
	PG_RETURN_FLOAT8(norm_of(type, PG_GETARG_DENSE_P(0)));
}

DENSE_FUNCTIONS(norm);

static Datum
dense_l2_normalize(FunctionCallInfo fcinfo, const DenseType *type)
{
	const Dense *dense = PG_GETARG_DENSE_P(0);
	const float4 *values = dense_floats(type, dense);
	double length = norm_of(type, dense);
	Dense *result = dense_new(type, dense->dim);

	for (int i = 0; i < dense->dim && length > 0; i++)
		dense_set_result(type, result, i, values[i] / length);
	PG_RETURN_POINTER(result);
}

DENSE_FUNCTIONS(l2_normalize);

/* Elements start .. start + count - 1, from 1; what lies outside of the vector is left out, as in substr(). */
static Datum
dense_subvector(FunctionCallInfo fcinfo, const DenseType *type)
{
	const Dense *dense = PG_GETARG_DENSE_P(0);
	int64 start = PG_GETARG_INT32(1), end = start + PG_GETARG_INT32(2);
	Size size = mg_row_size(type->element, 1);
	Dense *result;

	start = Max(start, 1);
	end = Min(end, (int64) dense->dim + 1);
	result = dense_new(type, (int) Max(end - start, 0));
	memcpy(result->x, dense->x + (start - 1) * size, (Size) (end - start) * size);
	PG_RETURN_POINTER(result);
}

DENSE_FUNCTIONS(subvector);

static Datum
dense_concat(FunctionCallInfo fcinfo, const DenseType *type)
{
	const Dense *a = PG_GETARG_DENSE_P(0), *b = PG_GETARG_DENSE_P(1);
	Size size_a = mg_row_size(type->element, (size_t) a->dim), size_b = mg_row_size(type->element, (size_t) b->dim);
	Dense *result = dense_new(type, a->dim + b->dim);

	memcpy(result->x, a->x, size_a);
	memcpy(result->x + size_a, b->x, size_b);
	PG_RETURN_POINTER(result);
}

DENSE_FUNCTIONS(concat);

/* A bit for each element: whether it is above zero. */
static Datum
dense_binary_quantize(FunctionCallInfo fcinfo, const DenseType *type)
{
	const Dense *dense = PG_GETARG_DENSE_P(0);
	const float4 *values = dense_floats(type, dense);
	Size size = VARBITTOTALLEN(dense->dim);
	VarBit *result = palloc0(size);

	SET_VARSIZE(result, size);
	VARBITLEN(result) = dense->dim;
	for (int i = 0; i < dense->dim; i++)
		if (values[i] > 0)
			VARBITS(result)[i / 8] |= (bits8) (0x80 >> i % 8);
	PG_RETURN_VARBIT_P(result);
}

DENSE_FUNCTIONS(binary_quantize);
