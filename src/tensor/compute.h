/*
 * How numbers are computed: kernels for one CPU level, a matrix product
 * provider and a number of threads, chosen once by the caller and handed down.
 *
 * Every matrix is row-major float32 unless it says otherwise. `stride` is the
 * distance between rows in elements.
 *
 * Batch invariance: with the native provider each output element is a sum in
 * an order that depends only on the inner dimension, so a row's result is the
 * same bit for bit whatever rows stand beside it and however many threads run.
 *
 * int8. A weight matrix may be kept in 8 bits (MG_INT8): each of its rows
 * (output channels) is s_w w, w an integer in [-127, 127]. A row of x is
 * quantised on the way, with a scale and a zero point of its own. The two
 * numbers of largest magnitude, its outliers a and b, do not count for the
 * range of its codes, and get two bytes:
 *
 *   low = min(0, min x), high = max(0, max x), both without outliers
 *   range = max(high - low, 0.008 |a|), s = range / 255, f = 255 / range, z = rint(-low f)
 *   q = rint(x f) + z, at most 255 but for outliers      x ~ s (q - z)
 *   out[j] = act((float(sum_k (q[k] - z) w[j, k]) s) s_w[j] + bias[j])
 *
 * Magnitudes are compared by their upper 16 bits; of equal ones the later
 * column's is the larger. A row whose range is below 1e-35 counts as zeros. One
 * with a number that is not finite, or whose range is not, gives NaN before act.
 * The inner sum is exact in 32 bits for any matrix that passes mg_int8_size, and
 * what is around it rounds the same everywhere: an int8 product is, before act,
 * the same bit for bit on every CPU level.
 *
 * A zero point doubles the resolution of one-sided rows, as GELU gives: with it
 * MiniLM keeps a mean cosine of 0.9994 to float32 over 300 news texts; without
 * outliers it would be 0.9988, with neither 0.9973. BERT base has two columns
 * that are 10 to 30 times larger than the others and would coarsen the whole
 * row. Error that quantised activations alone add to the ten largest scores of
 * a [MASK] (root mean square, 300 masks): 0.100 as they are, 0.062 in groups of
 * 256 columns with scales of their own, 0.045 with one outlier, 0.035 with two,
 * 0.030 with four.
 * Source of keeping outliers apart: Dettmers et al., LLM.int8(), NeurIPS 2022.
 *
 * groups. Weights may be kept in groups of 32 numbers of a row, with codes u of 4 or 8 bits, a scale d and a least number m
 * each (core/dtype.h). Those of x are quantised on the way in the same groups, symmetrically:
 *
 *   s = max |x| / 127 of the group, q = rint(127 x / max |x|)      x ~ s q
 *   out[j] = sum over groups, in their order, of (float(sum_k q[k] u[j, k]) (d[j] s) + m[j] (s sum_k q[k]))
 *
 * then bias and activation. Inner sums are exact; what is around them is fused, so that a result is the same whatever is
 * computed beside it on one CPU level, and nearly the same on another. A row with a number that is not finite gives NaN. Groups keep
 * an outlier from making the whole row coarse, which is why none is treated by itself. Source: the scheme of ggml's Q4_1 and Q8_1.
 *
 * bf16x2. Tiles of bfloat16 multiply 16 times faster than vectors of float32,
 * so a float32 product can be made of several: with h(x) = x rounded to
 * bfloat16 and l(x) = x - h(x) rounded again, 16 bits of each factor,
 *
 *   x w ~ h(x) l(w) + h(x) h(w) + l(x) h(w), summed in float32
 *
 * What is left out is 2^-17 of a product at most, of either sign; a sum of
 * hundreds is 4e-6 of its size away from the exact one (root mean square),
 * where a chain of float32 is 4e-7 (a lower level gives that).
 * Weights are kept so (MG_BF16X2), in the same 32 bits, and x is split on the
 * way, once for all products of it. The sums are, step by step of 32 columns
 * and in each term by term, those that the instruction TDPBF16PS makes: even
 * and odd columns apart in chains from zero, these two added, then added to
 * the sum so far. All levels do that; only numbers near the smallest that
 * there are differ, which tiles take for zero. A number that is not finite, or
 * rounds to infinity, gives NaN before act.
 * Source: Henry, Tang, Heinecke, Leveraging the bfloat16 artificial intelligence
 * datatype for higher-precision computations, ARITH 2019.
 */
#ifndef MG_TENSOR_COMPUTE_H
#define MG_TENSOR_COMPUTE_H

#include "core/cpu.h"
#include "core/ctx.h"
#include "core/dtype.h"

/* Who multiplies matrices. */
typedef enum MgProvider
{
	MG_NATIVE = 0, /* own kernels over packed panels */
	MG_ONEDNN,	   /* dnnl_sgemm, opened at run time */
	MG_OPENBLAS	   /* cblas_sgemm, opened at run time */
} MgProvider;

typedef enum MgActivation
{
	MG_ACT_NONE = 0,
	MG_ACT_GELU,	  /* x/2 (1 + erf(x/sqrt 2)) */
	MG_ACT_GELU_TANH, /* x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) */
	MG_ACT_RELU,
	MG_ACT_TANH,
	MG_ACT_SILU, /* x / (1 + e^-x) */
	MG_N_ACTIVATIONS
} MgActivation;

typedef struct MgKernels MgKernels; /* tensor/kernels.h */
typedef struct MgPool MgPool;		/* tensor/pool.h */

/* Where the time of a run goes; for benchmarks. */
typedef enum MgPhase
{
	MG_PHASE_TOKENIZE,
	MG_PHASE_PRODUCT,	/* mg_linear and its kin, quantisation included */
	MG_PHASE_ATTENTION,
	MG_PHASE_ELEMENTS,	/* norms, residuals, embeddings, pooling */
	MG_N_PHASES
} MgPhase;

/* The library has no clock: who wants to know brings one. */
typedef struct MgProfile
{
	uint64_t (*clock)(void); /* nanoseconds */
	uint64_t spent[MG_N_PHASES];
} MgProfile;

typedef struct MgCompute
{
	const MgKernels *kernels; /* never NULL */
	MgProvider provider;	  /* for matrices laid out MG_ROWS */
	MgPool *pool;			  /* NULL: one thread */
	MgProfile *profile;		  /* NULL: nobody asks */
} MgCompute;

static inline uint64_t
mg_profile_begin(const MgCompute *compute)
{
	return compute->profile != NULL ? compute->profile->clock() : 0;
}

static inline void
mg_profile_end(const MgCompute *compute, MgPhase phase, uint64_t begin)
{
	if (compute->profile != NULL)
		compute->profile->spent[phase] += compute->profile->clock() - begin;
}

/* The kernels of a level, which must not exceed mg_cpu_level(). */
const MgKernels *mg_kernels(MgCpuLevel level);

/*
 * A weight matrix W [rows, cols] (out, in) in the form that products want:
 * MG_ROWS    row-major, for libraries and for row gathers;
 * MG_PANELS  panels of MG_PANEL rows, each stored [cols, MG_PANEL]; the last
 *            panel is filled up with zero rows. One layout serves all levels.
 * MG_INT8    panels of MG_PANEL rows, each stored as
 *              uint8 codes[padded cols / 4][MG_PANEL][4]   w + 128; cols padded to 4 by 128, rows by 128
 *              float scales[MG_PANEL]                      s_w; 0 for padding
 *              int32 sums[MG_PANEL]                        sum of w over the columns
 *            which is what instructions like vpdpbusd take; the other levels widen it as they go.
 * MG_ROWS8   rows of MG_Q8 (core/dtype.h), for row gathers: only the functions about tables take it.
 * MG_ROWS16  rows of MG_BF16; the same.
 * MG_PANELS16  as MG_PANELS, but of MG_BF16: products widen it as they go and give what MG_PANELS of the widened
 *            numbers would, bit for bit.
 * MG_BF16X2   bf16x2: panels of MG_PANEL rows, each stored
 *              bfloat16 [padded cols / 32][h, l][2][16 pairs of columns][16 rows][2]; padding is zero
 * MG_GROUPS4, MG_GROUPS8  groups: panels of MG_PANEL rows of MG_Q4G or MG_Q8G, each stored group by group
 *              uint8 codes[MG_GROUP / 4][MG_PANEL][4]      of 4 bits, a byte has those of an even step and above them those of the next
 *              half d[MG_PANEL], m[MG_PANEL]
 * MG_BF16X1 the same without l: all that there is of weights that are bfloat16. Products give what MG_BF16X2 would.
 */
typedef enum MgLayout
{
	MG_ROWS = 0, /* the numbers are part of the image format */
	MG_PANELS = 1,
	MG_INT8 = 2,
	MG_ROWS8 = 3,
	MG_ROWS16 = 4,
	MG_PANELS16 = 5,
	MG_BF16X2 = 6,
	MG_BF16X1 = 7,
	MG_GROUPS4 = 8,
	MG_GROUPS8 = 9
} MgLayout;

#define MG_LAST_LAYOUT MG_GROUPS8

static inline bool
mg_layout_is_grouped(MgLayout layout)
{
	return layout == MG_GROUPS4 || layout == MG_GROUPS8;
}

#define MG_PANEL 32

typedef struct MgMatrix
{
	MgLayout layout;
	size_t rows;
	size_t cols;
	union /* MG_ALIGNMENT-aligned */
	{
		const float *data;
		const uint8_t *panels;	  /* of MG_INT8, MG_GROUPS4, MG_GROUPS8 */
		const uint16_t *panels16; /* of MG_PANELS16, MG_BF16X2, MG_BF16X1 */
		const uint8_t *narrow; /* of MG_ROWS8 and MG_ROWS16 */
	};
} MgMatrix;

/* Numbers of a [rows, cols] matrix laid out in panels; false on overflow. */
bool mg_panels_size(size_t rows, size_t cols, size_t *n_numbers);

/*
 * Packs up to MG_PANEL rows of a row-major matrix [n_rows, cols] into one
 * panel [cols, MG_PANEL] of floats.
 */
void mg_pack_panel(const float *rows, size_t n_rows, size_t cols, float *panel);

/* The same for numbers of 16 bits. */
void mg_pack_panel16(const uint16_t *rows, size_t n_rows, size_t cols, uint16_t *panel);

/* Columns of a step of MG_BF16X2; and cols up to a multiple of it. */
#define MG_BF16X2_DEPTH 32
size_t mg_bf16x2_cols(size_t cols);

/* 2 for MG_BF16X2, 1 for MG_BF16X1, 0 for other layouts. */
size_t mg_bf16x2_planes(MgLayout layout);

/* Numbers of one panel of so many planes, and of a matrix [rows, cols]: false on overflow. */
size_t mg_bf16x2_panel(size_t cols, size_t planes);
bool mg_bf16x2_size(size_t rows, size_t cols, size_t planes, size_t *n_numbers);

/* Packs up to MG_PANEL rows of a row-major matrix [n_rows, cols] into one panel. */
void mg_pack_bf16x2(const float *rows, size_t n_rows, size_t cols, size_t planes, uint16_t *panel);

/* Bytes of a [rows, cols] matrix laid out MG_INT8; false on overflow, or when cols is more than MG_INT8_MOST_COLS. */
#define MG_INT8_MOST_COLS 65536
bool mg_int8_size(size_t rows, size_t cols, size_t *size);

/* Bytes of one panel of it. */
size_t mg_int8_panel_size(size_t cols);

/*
 * Quantises a row of weights [cols]: codes in [-127, 127], returns s_w = max |row| / 127. A row of zeros has scale 0.
 * Callers refuse numbers that are not finite; codes and scale of a row that has some mean nothing.
 * Quantising codes times scale again gives the same codes.
 */
float mg_int8_quantize_row(const float *row, size_t cols, int8_t *codes);

/* Packs up to MG_PANEL quantised rows, codes [n_rows, cols] with scales [n_rows], into one panel. */
void mg_int8_pack_panel(const int8_t *codes, const float *scales, size_t n_rows, size_t cols, uint8_t *panel);

/* Bytes of one group of a panel of that layout; and of a [rows, cols] matrix: false on overflow, or when cols are no whole groups. */
size_t mg_group_panel(MgLayout layout);
bool mg_groups_size(MgLayout layout, size_t rows, size_t cols, size_t *size);

/* Quantises a row of finite weights [cols] to groups of dtype, end to end. */
void mg_group_quantize_row(MgDtype dtype, const float *row, size_t cols, uint8_t *groups);

/* Packs up to MG_PANEL rows of groups into one panel. */
void mg_group_pack_panel(MgDtype dtype, const uint8_t *rows, size_t n_rows, size_t cols, uint8_t *panel);

/* A row of a matrix in groups as floats [cols]. */
void mg_group_widen_row(const MgMatrix *w, size_t row, float *to);

/* Converts n elements of dtype, one of the first MG_N_FLOAT_DTYPES, to float32; unaligned input is fine. */
void mg_to_f32(const MgKernels *kernels, MgDtype dtype, const void *from, size_t n, float *to);

/* The other way, to a 2-byte dtype, rounding to nearest even; overflow gives infinity. Only used when a model is created. */
void mg_from_f32(MgDtype dtype, const float *from, size_t n, void *to);

/* n rows of numbers, stride apart. */
typedef struct MgRows
{
	const float *x;
	size_t stride;
	size_t n;
} MgRows;

/* out [n, w.rows] = act(x [n, w.cols] w^T + bias) */
typedef struct MgLinear
{
	const MgMatrix *w;
	const float *bias; /* [w->rows], or NULL */
	MgActivation activation;
	float *out;
	size_t out_stride;
} MgLinear;

/* Polls between pieces of at most about 10 ms; false when stopped. */
bool mg_linear(MgCtx *cx, const MgCompute *compute, MgRows x, MgLinear linear);

/* The same for each of them, but x is quantised once. The matrices have the same cols and layout. */
bool mg_linears(MgCtx *cx, const MgCompute *compute, MgRows x, const MgLinear *linears, size_t n_linears);

/* Rows [first, first + n) of a matrix; false where the layout has no such part: panels cannot be cut. */
bool mg_matrix_rows(const MgMatrix *w, size_t first, size_t n, MgMatrix *part);

/*
 * Tables: matrices whose rows are looked up, MG_ROWS, MG_ROWS8, MG_ROWS16 or in groups.
 * A row that is not float32 is widened to scratch [cols], and scratch returned;
 * else the row itself, and scratch is not used.
 */
const float *mg_table_row(const MgMatrix *table, size_t row, float *scratch);

/* Sum of row[i] * x[i], x [cols]. */
float mg_table_dot(const MgCompute *compute, const MgMatrix *table, size_t row, const float *x);

/* mg_linear over a table, whose activation must be MG_ACT_NONE. Products are of float32 in all layouts but groups. */
bool mg_table_linear(MgCtx *cx, const MgCompute *compute, MgRows x, MgLinear linear);

/*
 * The feed-forward block of a transformer, all contiguous:
 *
 *   plain  out [n, d] = act(x up^T + up_bias) down^T + down_bias                            up [i, d], down [d, i]
 *   gated  out [n, d] = (act(x gate^T + gate_bias) * (x up^T + up_bias)) down^T + down_bias
 *   fused  the same with one matrix up [2 i, d]: the rows of gate, then those of up
 *
 * Goes block by block of rows where that pays, so that the wide states of a
 * block stay near the core. The result is that of one product after the other.
 */
typedef struct MgFeedForward
{
	const MgMatrix *up, *down;
	const MgMatrix *gate; /* NULL: plain or fused */
	const float *up_bias, *down_bias, *gate_bias; /* or NULL */
	MgActivation activation;
	bool fused;
} MgFeedForward;

bool mg_feed_forward(MgCtx *cx, const MgCompute *compute, const MgFeedForward *block, const float *x, size_t n,
					 float *out);

/*
 * How a row x [d] is normalised; eps is the checkpoint's.
 *   MG_NORM_LAYER  (x - mean) / sqrt(mean of (x - mean)^2 + eps) * weight + bias
 *   MG_NORM_RMS    x / sqrt(mean of x^2 + eps) * weight + bias
 */
typedef enum MgNormKind
{
	MG_NORM_LAYER = 0,
	MG_NORM_RMS
} MgNormKind;

typedef struct MgNorm
{
	MgNormKind kind;
	size_t d;
	const float *weight; /* [d] */
	const float *bias;	 /* [d], or NULL */
	float eps;
} MgNorm;

/* x [n, d] += residual [n, d], unless that is NULL; out [n, d] = norm(x). out may be x. Rows are contiguous. */
void mg_add_norm(const MgCompute *compute, const MgNorm *norm, float *x, const float *residual, size_t n, float *out);

/* Sum of a[i] * b[i]. */
float mg_dot(const MgCompute *compute, const float *a, const float *b, size_t n);

/* to[i] += from[i] */
void mg_add(const MgCompute *compute, float *to, const float *from, size_t n);

/* x = cap tanh(x / cap), of n numbers; cap is above 0. */
void mg_cap(const MgCompute *compute, float cap, float *x, size_t n);

#endif
