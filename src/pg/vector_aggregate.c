/*
 * avg(vector) and sum(vector). The state is float8[]: the count, then the sum
 * of each element, in double precision; an empty state is {0}.
 */
#include <math.h>

#include "pg/vector.h"

#include "catalog/pg_type.h"
#include "utils/array.h"

PG_FUNCTION_INFO_V1(maskgen_vector_accum);
PG_FUNCTION_INFO_V1(maskgen_vector_combine);
PG_FUNCTION_INFO_V1(maskgen_vector_avg);
PG_FUNCTION_INFO_V1(maskgen_vector_sum);

static double *
state_values(ArrayType *state)
{
	if (ARR_NDIM(state) != 1 || ARR_DIMS(state)[0] < 1 || ARR_HASNULL(state) || ARR_ELEMTYPE(state) != FLOAT8OID)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("state of a vector aggregate is malformed")));
	return (double *) ARR_DATA_PTR(state);
}

static int
state_dims(const ArrayType *state)
{
	return ARR_DIMS(state)[0] - 1;
}

/* {0, 0, ...} of that many dimensions. */
static ArrayType *
state_new(int dims)
{
	Size size = ARR_OVERHEAD_NONULLS(1) + (Size) (dims + 1) * sizeof(double);
	ArrayType *state = palloc0(size);

	SET_VARSIZE(state, size);
	state->ndim = 1;
	state->elemtype = FLOAT8OID;
	ARR_DIMS(state)[0] = dims + 1;
	ARR_LBOUND(state)[0] = 1;
	return state;
}

Datum
maskgen_vector_accum(PG_FUNCTION_ARGS)
{
	ArrayType *state = PG_GETARG_ARRAYTYPE_P(0);
	const Vector *vector = PG_GETARG_VECTOR_P(1);
	double *values = state_values(state), *sums;

	if (state_dims(state) != 0 && state_dims(state) != vector->dim)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("expected %d dimensions, not %d", state_dims(state), vector->dim)));
	/* The state of an aggregate is its own: it is added to in place. */
	if (state_dims(state) == 0 || !AggCheckCallContext(fcinfo, NULL))
	{
		ArrayType *next = state_new(vector->dim);

		memcpy(ARR_DATA_PTR(next), values, ((Size) state_dims(state) + 1) * sizeof *values);
		state = next;
	}
	sums = state_values(state);
	sums[0] += 1;
	for (int i = 0; i < vector->dim; i++)
		sums[i + 1] += vector->x[i];
	PG_RETURN_ARRAYTYPE_P(state);
}

Datum
maskgen_vector_combine(PG_FUNCTION_ARGS)
{
	ArrayType *a = PG_GETARG_ARRAYTYPE_P(0), *b = PG_GETARG_ARRAYTYPE_P(1), *result;
	const double *from_a = state_values(a), *from_b = state_values(b);
	double *to;

	if (state_dims(a) == 0)
		PG_RETURN_ARRAYTYPE_P(b);
	if (state_dims(b) == 0)
		PG_RETURN_ARRAYTYPE_P(a);
	if (state_dims(a) != state_dims(b))
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("expected %d dimensions, not %d", state_dims(a), state_dims(b))));
	result = state_new(state_dims(a));
	to = state_values(result);
	for (int i = 0; i <= state_dims(a); i++)
		to[i] = from_a[i] + from_b[i];
	PG_RETURN_ARRAYTYPE_P(result);
}

static Datum
finish(FunctionCallInfo fcinfo, bool average)
{
	ArrayType *state = PG_GETARG_ARRAYTYPE_P(0);
	const double *values = state_values(state);
	Vector *result;

	if (values[0] == 0 || state_dims(state) == 0)
		PG_RETURN_NULL();
	vector_check_dim(state_dims(state));
	result = vector_new(state_dims(state));
	for (int i = 0; i < result->dim; i++)
	{
		result->x[i] = (float4) (average ? values[i + 1] / values[0] : values[i + 1]);
		if (isinf(result->x[i]))
			ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("value out of range: overflow")));
		vector_check_element(result->x[i]);
	}
	PG_RETURN_VECTOR_P(result);
}

Datum
maskgen_vector_avg(PG_FUNCTION_ARGS)
{
	return finish(fcinfo, true);
}

Datum
maskgen_vector_sum(PG_FUNCTION_ARGS)
{
	return finish(fcinfo, false);
}
