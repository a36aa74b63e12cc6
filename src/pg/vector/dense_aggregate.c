/*
 * avg and sum of vectors and of half vectors. The state is float8[]: the count, then the sum
 * of each element, in double precision; an empty state is {0}.
 */
#include "pg/vector/dense.h"

#include "catalog/pg_type.h"
#include "utils/array.h"

PG_FUNCTION_INFO_V1(maskgen_dense_combine);

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

static Datum
dense_accum(FunctionCallInfo fcinfo, const DenseType *type)
{
	ArrayType *state = PG_GETARG_ARRAYTYPE_P(0);
	const Dense *dense = PG_GETARG_DENSE_P(1);
	const float4 *elements = dense_floats(type, dense);
	double *values = state_values(state), *sums;

	if (state_dims(state) != 0 && state_dims(state) != dense->dim)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("expected %d dimensions, not %d", state_dims(state), dense->dim)));
	/* The state of an aggregate is its own: it is added to in place. */
	if (state_dims(state) == 0 || !AggCheckCallContext(fcinfo, NULL))
	{
		ArrayType *next = state_new(dense->dim);

		memcpy(ARR_DATA_PTR(next), values, ((Size) state_dims(state) + 1) * sizeof *values);
		state = next;
	}
	sums = state_values(state);
	sums[0] += 1;
	for (int i = 0; i < dense->dim; i++)
		sums[i + 1] += elements[i];
	PG_RETURN_ARRAYTYPE_P(state);
}

DENSE_FUNCTIONS(accum);

Datum
maskgen_dense_combine(PG_FUNCTION_ARGS)
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
finish(FunctionCallInfo fcinfo, const DenseType *type, bool average)
{
	ArrayType *state = PG_GETARG_ARRAYTYPE_P(0);
	const double *values = state_values(state);
	Dense *result;

	if (values[0] == 0 || state_dims(state) == 0)
		PG_RETURN_NULL();
	result = dense_new(type, state_dims(state));
	for (int i = 0; i < result->dim; i++)
		dense_set_result(type, result, i, average ? values[i + 1] / values[0] : values[i + 1]);
	PG_RETURN_POINTER(result);
}

static Datum
dense_avg(FunctionCallInfo fcinfo, const DenseType *type)
{
	return finish(fcinfo, type, true);
}

DENSE_FUNCTIONS(avg);

static Datum
dense_sum(FunctionCallInfo fcinfo, const DenseType *type)
{
	return finish(fcinfo, type, false);
}

DENSE_FUNCTIONS(sum);
