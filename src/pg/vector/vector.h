/* The type vector for those who make values of it; vector/dense.h has the rest. */
#ifndef MASKGEN_PG_VECTOR_VECTOR_H
#define MASKGEN_PG_VECTOR_VECTOR_H

#include "pg/vector/dense.h"

#define VECTOR_MAX_DIM DENSE_MAX_DIM

typedef struct Vector
{
	int32 vl_len_; /* varlena header (do not touch directly) */
	int16 dim;	   /* 1 .. VECTOR_MAX_DIM */
	int16 unused;  /* 0 */
	float4 x[FLEXIBLE_ARRAY_MEMBER];
} Vector;

/* Zeros, in the current memory context. */
static inline Vector *
vector_new(int dim)
{
	return (Vector *) dense_new(&vector_type, dim);
}

#endif
