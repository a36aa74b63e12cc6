/*
 * Products of one block of rows, for whoever cuts work into blocks himself:
 * mg_linears and mg_feed_forward. They allocate and poll nothing.
 */
#ifndef MG_TENSOR_BLOCK_H
#define MG_TENSOR_BLOCK_H

#include "tensor/kernels.h"

/* Rows that keep a block of x, MG_BLOCK_DEPTH deep, in a second-level cache; a multiple of the tiles of 14, 6, 3 and 2. */
#define MG_BLOCK_ROWS 126

/* Columns of x that keep one tile's rows in the first-level cache. */
#define MG_BLOCK_DEPTH 384

/* Floats of the copy of a block that mg_block_product makes. */
#define MG_COPY_STRIDE (MG_BLOCK_DEPTH + 16)
#define MG_COPY_FLOATS ((size_t) MG_BLOCK_ROWS * MG_COPY_STRIDE)

/* At most MG_BLOCK_ROWS rows against panels of floats, through copy [MG_COPY_FLOATS] unless it is NULL. */
void mg_block_product(const MgKernels *kernels, const MgProduct *product, float *copy);

/* Codes between rows of x that was quantised: room for whole vectors, and lines of a cache that differ from row to row. */
size_t mg_code_stride(size_t cols);

/* Rows that codes of so many need room for: MG_INT8_ROWS of kernels.h. */
size_t mg_code_rows(size_t rows);

/* Quantises x [n, cols] to codes, mg_code_stride(cols) apart, and scales [n]. */
void mg_quantize_rows(const MgKernels *kernels, const float *x, size_t x_stride, size_t n, size_t cols, void *codes,
					  MgRowScale *scales);

#endif
