/*
 * A sparse row: the dimensions that are not zero, in ascending order. In
 * memory the header, indices[nnz] from 0, then values[nnz] of float32, none
 * of them zero. Whoever takes such bytes from outside checks them.
 */
#ifndef MG_VECTOR_SPARSE_H
#define MG_VECTOR_SPARSE_H

#include <stddef.h>
#include <stdint.h>

typedef struct MgSparse
{
	int32_t dim; /* 1 .. MG_SPARSE_MAX_DIM */
	int32_t nnz; /* 0 .. MG_SPARSE_MAX_NNZ */
	int32_t unused; /* 0 */
	int32_t indices[];
} MgSparse;

#define MG_SPARSE_MAX_DIM 1000000000
#define MG_SPARSE_MAX_NNZ 16000

static inline const float *
mg_sparse_values(const MgSparse *sparse)
{
	return (const float *) (sparse->indices + sparse->nnz);
}

static inline size_t
mg_sparse_size(size_t nnz)
{
	return sizeof(MgSparse) + nnz * (sizeof(int32_t) + sizeof(float));
}

/* What MgDistance.pair calls: MgSparse in 4-byte alignment, n ignored. */
double mg_sparse_l2(const void *a, const void *b, size_t n);
double mg_sparse_inner_product(const void *a, const void *b, size_t n);
double mg_sparse_cosine(const void *a, const void *b, size_t n);
double mg_sparse_l1(const void *a, const void *b, size_t n);

#endif
