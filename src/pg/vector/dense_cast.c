/* Casts between vectors, half vectors and arrays of numbers. */
#include "pg/vector/dense.h"
#include "pg/vector/number_array.h"

PG_FUNCTION_INFO_V1(maskgen_vector_to_halfvec);
PG_FUNCTION_INFO_V1(maskgen_halfvec_to_vector);

static void
check_n(int64 n, const void *type)
{
	dense_check_dim(type, n);
}

static Datum
of_floats(const DenseType *type, const float4 *values, int n, int32 typmod)
{
	Dense *result;

	dense_check_typmod(n, typmod);
	result = dense_new(type, n);
	for (int i = 0; i < n; i++)
		dense_set(type, result, i, values[i]);
	PG_RETURN_POINTER(result);
}

static Datum
dense_of_array(FunctionCallInfo fcinfo, const DenseType *type)
{
	int n;
	float4 *values = floats_of_array(PG_GETARG_ARRAYTYPE_P(0), check_n, type, &n);

	return of_floats(type, values, n, PG_GETARG_INT32(1));
}

DENSE_FUNCTIONS(of_array);

static Datum
dense_to_float4(FunctionCallInfo fcinfo, const DenseType *type)
{
	const Dense *dense = PG_GETARG_DENSE_P(0);

	PG_RETURN_ARRAYTYPE_P(array_of_floats(dense_floats(type, dense), dense->dim));
}

DENSE_FUNCTIONS(to_float4);

static Datum
convert(FunctionCallInfo fcinfo, const DenseType *from, const DenseType *to)
{
	const Dense *dense = dense_of_datum(from, PG_GETARG_DATUM(0));

	return of_floats(to, dense_floats(from, dense), dense->dim, PG_GETARG_INT32(1));
}

Datum
maskgen_vector_to_halfvec(PG_FUNCTION_ARGS)
{
	return convert(fcinfo, &vector_type, &halfvec_type);
}

Datum
maskgen_halfvec_to_vector(PG_FUNCTION_ARGS)
{
	return convert(fcinfo, &halfvec_type, &vector_type);
}
