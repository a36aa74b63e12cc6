/* Arithmetic by element, and comparison, of vectors and half vectors. */
#include "pg/vector/dense.h"

#include "core/half.h"

typedef enum Operation
{
	ADD,
	SUBTRACT,
	MULTIPLY
} Operation;

/* In double, where each of the three is exact or rounded once more than the type would: never twice in its last digit. */
static Datum
each_pair(FunctionCallInfo fcinfo, const DenseType *type, Operation operation)
{
	const Dense *a, *b;
	const float4 *x, *y;
	Dense *result;

	dense_pair(type, fcinfo, &a, &b);
	x = dense_floats(type, a);
	y = dense_floats(type, b);
	result = dense_new(type, a->dim);
	for (int i = 0; i < a->dim; i++)
		dense_set_result(type, result, i,
						 operation == ADD ? (double) x[i] + y[i] : operation == SUBTRACT ? (double) x[i] - y[i]
																						: (double) x[i] * y[i]);
	PG_RETURN_POINTER(result);
}

static Datum
dense_add(FunctionCallInfo fcinfo, const DenseType *type)
{
	return each_pair(fcinfo, type, ADD);
}

DENSE_FUNCTIONS(add);

static Datum
dense_sub(FunctionCallInfo fcinfo, const DenseType *type)
{
	return each_pair(fcinfo, type, SUBTRACT);
}

DENSE_FUNCTIONS(sub);

/* A product of numbers that are not zero may not become zero either. */
static Datum
dense_mul(FunctionCallInfo fcinfo, const DenseType *type)
{
	Datum product = each_pair(fcinfo, type, MULTIPLY);
	const Dense *result = (const Dense *) DatumGetPointer(product);
	const float4 *z = dense_floats(type, result), *x = dense_floats(type, PG_GETARG_DENSE_P(0)),
				 *y = dense_floats(type, PG_GETARG_DENSE_P(1));

	for (int i = 0; i < result->dim; i++)
		if (z[i] == 0 && x[i] != 0 && y[i] != 0)
			ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("value out of range: underflow")));
	return product;
}

DENSE_FUNCTIONS(mul);

static float4
element_of(const DenseType *type, const Dense *dense, int i)
{
	return type->element == MG_ELEMENT_F32 ? ((const float4 *) dense->x)[i]
										   : mg_half_to_float(((const uint16 *) dense->x)[i]);
}

/* Element by element; a vector that begins another is the smaller one. */
static int
compare_dense(const DenseType *type, const Dense *a, const Dense *b)
{
	for (int i = 0; i < Min(a->dim, b->dim); i++)
	{
		float4 x = element_of(type, a, i), y = element_of(type, b, i);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return (a->dim > b->dim) - (a->dim < b->dim);
}

/* A sort calls this many times in one memory context: what was fetched from a TOAST table must not pile up. */
static int
compare(FunctionCallInfo fcinfo, const DenseType *type)
{
	Dense *a = PG_GETARG_DENSE_P(0), *b = PG_GETARG_DENSE_P(1);
	int result = compare_dense(type, a, b);

	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return result;
}

static Datum
dense_lt(FunctionCallInfo fcinfo, const DenseType *type)
{
	PG_RETURN_BOOL(compare(fcinfo, type) < 0);
}

DENSE_FUNCTIONS(lt);

static Datum
dense_le(FunctionCallInfo fcinfo, const DenseType *type)
{
	PG_RETURN_BOOL(compare(fcinfo, type) <= 0);
}

DENSE_FUNCTIONS(le);

static Datum
dense_eq(FunctionCallInfo fcinfo, const DenseType *type)
{
	PG_RETURN_BOOL(compare(fcinfo, type) == 0);
}

DENSE_FUNCTIONS(eq);

static Datum
dense_ne(FunctionCallInfo fcinfo, const DenseType *type)
{
	PG_RETURN_BOOL(compare(fcinfo, type) != 0);
}

DENSE_FUNCTIONS(ne);

static Datum
dense_ge(FunctionCallInfo fcinfo, const DenseType *type)
{
	PG_RETURN_BOOL(compare(fcinfo, type) >= 0);
}

DENSE_FUNCTIONS(ge);

static Datum
dense_gt(FunctionCallInfo fcinfo, const DenseType *type)
{
	PG_RETURN_BOOL(compare(fcinfo, type) > 0);
}

DENSE_FUNCTIONS(gt);

static Datum
dense_cmp(FunctionCallInfo fcinfo, const DenseType *type)
{
	PG_RETURN_INT32(compare(fcinfo, type));
}

DENSE_FUNCTIONS(cmp);
