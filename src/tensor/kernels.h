/*
 * What one CPU level brings: a table of pure functions. They allocate nothing,
 * poll nothing and may run in any thread; whoever calls them bounds the work
 * of one call (see piece_flops).
 *
 * Inside a table, a result depends only on the inner dimension and on the
 * numbers of its own row: never on how many rows or columns are computed
 * together. That is where the batch invariance of compute.h comes from.
 */
#ifndef MG_TENSOR_KERNELS_H
#define MG_TENSOR_KERNELS_H

#include "core/half.h"
#include "tensor/compute.h"

/*
 * out [rows, columns] = act(x [rows, depth] B + start), where start is bias (zero
 * when NULL) or, when accumulate is set, what out holds already.
 *
 * B is seen as columns of W^T. For panel_product, w points to a panel
 * [depth, MG_PANEL] and w_stride is the distance to the next one; a last panel
 * that columns does not fill must be readable all the same. narrow, where it is
 * set, points to a panel of MG_BF16 instead. For row_product, w is
 * [columns, depth] with row distance w_stride.
 *
 * out may not overlap the inputs.
 */
typedef struct MgProduct
{
	const float *x;
	size_t x_stride;
	size_t rows;
	size_t depth;
	const float *w;
	const uint16_t *narrow;
	size_t w_stride; /* in numbers */
	size_t columns;
	const float *bias;
	bool accumulate;
	MgActivation activation;
	float *out;
	size_t out_stride;
} MgProduct;

/* Goes n numbers of the weights further. */
static inline void
mg_product_skip(MgProduct *product, size_t n)
{
	if (product->narrow != NULL)
		product->narrow += n;
	else
		product->w += n;
}

/* Numbers of a row of x whose codes have a second byte. */
#define MG_INT8_OUTLIERS 2

/* A second byte h, among zeros, for a product like that of the four columns of which it is one. */
typedef struct MgOutlier
{
	uint32_t column; /* of the four, the first */
	uint8_t codes[8]; /* four, as long as this level's codes are */
} MgOutlier;

/* How a row of x was quantised: x ~ scale (q + 256 h - z), h being zero but for outliers. */
typedef struct MgRowScale
{
	float scale;
	int32_t offset;		/* 128 - z */
	int32_t correction; /* -128 times the sum of q - 128 + 256 h */
	MgOutlier outliers[MG_INT8_OUTLIERS];
} MgRowScale;

/* Rows of codes that a kernel may read at once. */
#define MG_INT8_ROWS 16

/*
 * out [rows, columns] = act(x W^T + bias), x quantised. w points to the panel
 * (compute.h, MG_INT8) of the first column. out may not overlap the inputs.
 */
typedef struct MgInt8Product
{
	const void *x;	 /* codes by quantize; rows up to a multiple of MG_INT8_ROWS are readable */
	size_t x_stride; /* in codes */
	const MgRowScale *scales; /* [rows] */
	size_t rows;
	size_t depth;
	const uint8_t *w;
	size_t columns;
	const float *bias;
	MgActivation activation;
	float *out;
	size_t out_stride;
} MgInt8Product;

/* How a group of a row of x was quantised: x ~ scale q, q in [-127, 127]. */
typedef struct MgGroupScale
{
	float scale;
	float sum;	   /* scale times codes */
	int32_t codes; /* sum of q */
} MgGroupScale;

/* out [rows, columns] = x W^T, W in MG_GROUPS4 or MG_GROUPS8, x quantised. out may not overlap the inputs. */
typedef struct MgGroupProduct
{
	const void *x;	 /* codes by quantize_groups; rows up to a multiple of MG_INT8_ROWS are readable, as their scales are */
	size_t x_stride; /* in codes */
	const MgGroupScale *scales;
	size_t scales_stride; /* between rows */
	size_t rows;
	size_t depth; /* a multiple of MG_GROUP */
	const uint8_t *w; /* the panel of the first column */
	bool narrow;	  /* MG_GROUPS4 */
	size_t columns;
	uint8_t *scratch; /* [depth, MG_PANEL], aligned: of this thread alone */
	float *out;
	size_t out_stride;
} MgGroupProduct;

/* Columns of split numbers that a kernel multiplies before the next ones (linear.c); a multiple of MG_BF16X2_DEPTH. */
#define MG_BF16X2_BLOCK_DEPTH 768

/* Rows of split numbers that a kernel may read at once. */
#define MG_BF16X2_ROWS 16

/* out [rows, columns] = act(x W^T + bias), W in MG_BF16X2 or MG_BF16X1. out may not overlap the inputs. */
typedef struct MgBf16x2Product
{
	const uint16_t *x; /* by split, x_stride apart; rows up to a multiple of MG_BF16X2_ROWS are readable */
	size_t x_stride;
	size_t rows;
	size_t depth;
	const uint16_t *w; /* the panel of the first column */
	size_t planes;	   /* 2, or 1 of MG_BF16X1 */
	size_t columns;
	const float *bias;
	MgActivation activation;
	float *out;
	size_t out_stride;
} MgBf16x2Product;

/*
 * out [rows, columns] = x [rows, depth] B of bfloat16, behind what out holds already where it is chained.
 *
 * B stands in panels of MG_PANEL columns, each [depth / 2][MG_PANEL][2], and w_stride between two. Each output is one chain, of which
 * the odd number of a pair comes before the even one: so a product and one that is chained to it give what one of both depths does, bit
 * for bit, on every CPU level; only numbers near the smallest that there are differ, which some CPUs take for zero.
 */
typedef struct MgPairProduct
{
	const uint16_t *x;
	size_t x_stride;
	size_t rows;
	size_t depth; /* even */
	const uint16_t *w;
	size_t w_stride; /* in numbers */
	size_t columns;	 /* a multiple of MG_PANEL */
	bool chained;
	float *out;
	size_t out_stride;
} MgPairProduct;

struct MgKernels
{
	MgCpuLevel level;
	size_t tile_rows; /* rows of x that panel_product takes at once; multiples of it run best */

	/* Operations on floats that even a slow CPU of this level does in about 10 ms. */
	double piece_flops;

	size_t int8_tile_rows; /* as tile_rows, of int8_product */
	size_t int8_code_size; /* bytes of a quantised number: 1 or 2, as this level's instructions want it */

	/* Whether float32 weights are best kept in MG_BF16X2; operations on them in about 10 ms; rows of x at once. */
	bool prefers_bf16x2;
	double bf16x2_flops;
	size_t bf16x2_tile_rows;

	void (*panel_product)(const MgProduct *product);
	void (*row_product)(const MgProduct *product);

	void (*int8_product)(const MgInt8Product *product);

	/*
	 * Quantises a row [n] as compute.h says, n at most MG_INT8_MOST_COLS. codes has room for n rounded up to 16; what
	 * stands between n and the next multiple of 4 is zero afterwards.
	 */
	void (*quantize)(const float *row, size_t n, void *codes, MgRowScale *scale);

	size_t group_tile_rows; /* as tile_rows, of group_product */
	void (*group_product)(const MgGroupProduct *product);

	/* Quantises a row [n] by groups; scales [n / MG_GROUP]. */
	void (*quantize_groups)(const float *row, size_t n, void *codes, MgGroupScale *scales);

	void (*bf16x2_product)(const MgBf16x2Product *product);

	/* h and l of a row [n], each mg_bf16x2_cols(n) long, filled up with zeros; l follows h. */
	void (*split)(const float *row, size_t n, uint16_t *to);

	void (*pair_product)(const MgPairProduct *product);

	/* A row [n] to bfloat16, rounded to the nearest, ties to even. */
	void (*to_bf16)(const float *from, size_t n, uint16_t *to);

	/* rows [n, columns] = act(rows + bias); bias may be NULL. */
	void (*epilogue)(float *rows, size_t stride, size_t n, size_t columns, const float *bias, MgActivation activation);

	/* row[i] = exp(scale row[i] - max_j scale row[j]); returns the sum. n > 0. */
	float (*softmax)(float *row, size_t n, float scale);

	/* One row of mg_add_norm. */
	void (*norm)(float *row, const float *residual, float *out, const MgNorm *norm);

	float (*dot)(const float *a, const float *b, size_t n);
	void (*add)(float *to, const float *from, size_t n);
	void (*multiply)(float *x, const float *by, size_t n); /* x[i] *= by[i] */
	void (*scale)(float *row, size_t n, float factor);

	/* Rotary positions in one head: a = x[i] and b = x[half + i] become a cos - b sin and b cos + a sin. */
	void (*turn)(float *x, size_t half, const float *cosines, const float *sines);

	void (*from_f16)(const void *from, size_t n, float *to);
	void (*from_bf16)(const void *from, size_t n, float *to);
};

extern const MgKernels mg_kernels_scalar;
#if defined(__x86_64__)
extern const MgKernels mg_kernels_avx2;
extern const MgKernels mg_kernels_avx512;
extern const MgKernels mg_kernels_avx512vnni;
extern const MgKernels mg_kernels_avx512bf16; /* of the same level */
extern const MgKernels mg_kernels_amx;
#elif defined(__aarch64__)
extern const MgKernels mg_kernels_neon;
#if defined(MG_HAS_NEONDOT)
extern const MgKernels mg_kernels_neondot;
#endif
#endif

/* mg_pack_panel for rows that lie stride floats apart. */
void mg_pack_panel_strided(const float *rows, size_t stride, size_t n_rows, size_t cols, float *panel);

#endif
