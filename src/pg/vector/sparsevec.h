/*
 * The type sparsevec as PostgreSQL sees it: a varlena header, then MgSparse
 * (vector/sparse.h). Its form on disk is pgvector's.
 */
#ifndef MASKGEN_PG_VECTOR_SPARSEVEC_H
#define MASKGEN_PG_VECTOR_SPARSEVEC_H

#include "postgres.h"
#include "fmgr.h"
#include "pg/compat.h"
#include "vector/sparse.h"

typedef struct Sparsevec
{
	int32 vl_len_; /* varlena header (do not touch directly) */
	int32 dim;
	int32 nnz;
	int32 unused;
	int32 indices[FLEXIBLE_ARRAY_MEMBER]; /* nnz of them, then nnz values of float4 */
} Sparsevec;

static inline const MgSparse *
sparsevec_row(const Sparsevec *sparsevec)
{
	return (const MgSparse *) &sparsevec->dim;
}

static inline float4 *
sparsevec_values(Sparsevec *sparsevec)
{
	return (float4 *) (sparsevec->indices + sparsevec->nnz);
}

/*
 * Detoasted; throws when the datum is no well-formed value. Indices of a damaged one may still be out of order or
 * bounds: who follows them checks them.
 */
Sparsevec *sparsevec_of_datum(Datum datum);
#define PG_GETARG_SPARSEVEC_P(n) sparsevec_of_datum(PG_GETARG_DATUM(n))

/* Zeros, in the current memory context; throws unless both are within bounds. */
Sparsevec *sparsevec_new(int64 dim, int64 nnz);

/* The elements of n numbers that are not zero. */
Sparsevec *sparsevec_of_floats(const float4 *values, int n);

/* Throw unless: index i of indices fits dim and the one before; the value is finite; the modifier is the dimensions. */
void sparsevec_check_index(const int32 *indices, int i, int dim);
void sparsevec_check_value(float4 value);
void sparsevec_check_typmod(int dim, int32 typmod);
void sparsevec_check_dim(int64 dim);

#endif
