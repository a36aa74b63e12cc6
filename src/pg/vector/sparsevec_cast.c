/* Casts between sparse vectors, vectors, half vectors and arrays of numbers. */
#include "pg/vector/dense.h"
#include "pg/vector/number_array.h"
#include "pg/vector/sparsevec.h"

PG_FUNCTION_INFO_V1(maskgen_array_to_sparsevec);

static Datum
of_floats(const float4 *values, int n, int32 typmod)
{
	sparsevec_check_typmod(n, typmod);
	PG_RETURN_POINTER(sparsevec_of_floats(values, n));
}

static Datum
dense_to_sparsevec(FunctionCallInfo fcinfo, const DenseType *type)
{
	const Dense *dense = PG_GETARG_DENSE_P(0);

	return of_floats(dense_floats(type, dense), dense->dim, PG_GETARG_INT32(1));
}

DENSE_FUNCTIONS(to_sparsevec);

/* The target may be shorter than an index of a damaged value. */
static Datum
dense_of_sparsevec(FunctionCallInfo fcinfo, const DenseType *type)
{
	Sparsevec *sparsevec = PG_GETARG_SPARSEVEC_P(0);
	const float4 *values = sparsevec_values(sparsevec);
	Dense *result;

	dense_check_dim(type, sparsevec->dim);
	dense_check_typmod(sparsevec->dim, PG_GETARG_INT32(1));
	result = dense_new(type, sparsevec->dim);
	for (int i = 0; i < sparsevec->nnz; i++)
	{
		sparsevec_check_index(sparsevec->indices, i, sparsevec->dim);
		dense_set(type, result, sparsevec->indices[i], values[i]);
	}
	PG_RETURN_POINTER(result);
}

DENSE_FUNCTIONS(of_sparsevec);

static void
check_n(int64 n, const void *arg)
{
	sparsevec_check_dim(n);
}

Datum
maskgen_array_to_sparsevec(PG_FUNCTION_ARGS)
{
	int n;
	float4 *values = floats_of_array(PG_GETARG_ARRAYTYPE_P(0), check_n, NULL, &n);

	return of_floats(values, n, PG_GETARG_INT32(1));
}
