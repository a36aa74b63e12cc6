/*
 * The type vector as PostgreSQL sees it. Its form on disk is pgvector's, so
 * that values can be cast between the two without a copy.
 */
#ifndef MASKGEN_PG_VECTOR_H
#define MASKGEN_PG_VECTOR_H

#include "postgres.h"
#include "fmgr.h"
#include "pg/compat.h"

#define VECTOR_MAX_DIM 16000

typedef struct Vector
{
	int32 vl_len_; /* varlena header (do not touch directly) */
	int16 dim;	   /* 1 .. VECTOR_MAX_DIM */
	int16 unused;  /* 0 */
	float4 x[FLEXIBLE_ARRAY_MEMBER];
} Vector;

#define VECTOR_SIZE(dim) (offsetof(Vector, x) + sizeof(float4) * (Size) (dim))

/* Detoasted; throws when the datum is no well-formed vector. */
Vector *vector_of_datum(Datum datum);
#define PG_GETARG_VECTOR_P(n) vector_of_datum(PG_GETARG_DATUM(n))
#define PG_RETURN_VECTOR_P(v) PG_RETURN_POINTER(v)

/* Zeros, in the current memory context. */
Vector *vector_new(int dim);

/* Throw unless it is within bounds; finite; equal to the other. */
void vector_check_dim(int dim);
void vector_check_element(float4 value);
void vector_check_same_dims(const Vector *a, const Vector *b);

#endif
