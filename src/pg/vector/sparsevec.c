/* Values of sparsevec: made, looked at, checked. */
#include "pg/vector/sparsevec.h"

#include <math.h>

#include "miscadmin.h"

void
sparsevec_check_dim(int64 dim)
{
	if (dim < 1)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("sparsevec must have at least 1 dimension")));
	if (dim > MG_SPARSE_MAX_DIM)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("sparsevec cannot have more than %d dimensions", MG_SPARSE_MAX_DIM)));
}

static void
check_nnz(int64 nnz, int64 dim)
{
	if (nnz < 0)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("sparsevec cannot have negative number of elements")));
	if (nnz > MG_SPARSE_MAX_NNZ)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("sparsevec cannot have more than %d non-zero elements", MG_SPARSE_MAX_NNZ)));
	if (nnz > dim)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("sparsevec cannot have more elements than dimensions")));
}

void
sparsevec_check_index(const int32 *indices, int i, int dim)
{
	if (indices[i] < 0 || indices[i] >= dim)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("sparsevec index out of bounds")));
	if (i > 0 && indices[i] < indices[i - 1])
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("sparsevec indices must be in ascending order")));
	if (i > 0 && indices[i] == indices[i - 1])
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("sparsevec indices must not contain duplicates")));
}

void
sparsevec_check_value(float4 value)
{
	if (isnan(value))
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("NaN not allowed in sparsevec")));
	if (isinf(value))
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("infinite value not allowed in sparsevec")));
}

void
sparsevec_check_typmod(int dim, int32 typmod)
{
	if (typmod != -1 && dim != typmod)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("expected %d dimensions, not %d", typmod, dim)));
}

static Size
sparsevec_size(int nnz)
{
	return offsetof(Sparsevec, dim) + mg_sparse_size((size_t) nnz);
}

Sparsevec *
sparsevec_new(int64 dim, int64 nnz)
{
	Sparsevec *sparsevec;

	sparsevec_check_dim(dim);
	check_nnz(nnz, dim);
	sparsevec = palloc0(sparsevec_size((int) nnz));
	SET_VARSIZE(sparsevec, sparsevec_size((int) nnz));
	sparsevec->dim = (int32) dim;
	sparsevec->nnz = (int32) nnz;
	return sparsevec;
}

/* A value cast without function from a foreign type, or a damaged page, may lie about what it has. */
Sparsevec *
sparsevec_of_datum(Datum datum)
{
	Sparsevec *sparsevec = (Sparsevec *) PG_DETOAST_DATUM(datum);

	if (VARSIZE(sparsevec) < sparsevec_size(0) || sparsevec->dim < 1 || sparsevec->dim > MG_SPARSE_MAX_DIM ||
		sparsevec->nnz < 0 || sparsevec->nnz > sparsevec->dim ||
		VARSIZE(sparsevec) != sparsevec_size(sparsevec->nnz))
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("sparsevec value is damaged")));
	return sparsevec;
}

Sparsevec *
sparsevec_of_floats(const float4 *values, int n)
{
	Sparsevec *sparsevec;
	int nnz = 0;

	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		sparsevec_check_value(values[i]);
		nnz += values[i] != 0;
	}
	sparsevec = sparsevec_new(n, nnz);
	nnz = 0;
	for (int i = 0; i < n; i++)
		if (values[i] != 0)
		{
			sparsevec->indices[nnz] = i;
			sparsevec_values(sparsevec)[nnz++] = values[i];
		}
	return sparsevec;
}
