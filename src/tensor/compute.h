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
 */
#ifndef MG_TENSOR_COMPUTE_H
#define MG_TENSOR_COMPUTE_H

#include "core/ctx.h"
#include "core/dtype.h"

typedef enum MgCpuLevel
{
	MG_CPU_SCALAR = 0,
	MG_CPU_AVX2,  /* AVX2, FMA, F16C */
	MG_CPU_AVX512 /* AVX-512 F, BW, DQ, VL */
} MgCpuLevel;

#define MG_N_CPU_LEVELS 3

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
	MG_ACT_TANH
} MgActivation;

typedef struct MgKernels MgKernels; /* tensor/kernels.h */
typedef struct MgPool MgPool;		/* tensor/pool.h */

typedef struct MgCompute
{
	const MgKernels *kernels; /* never NULL */
	MgProvider provider;	  /* for matrices laid out MG_ROWS */
	MgPool *pool;			  /* NULL: one thread */
} MgCompute;

/* The highest level that this CPU has. */
MgCpuLevel mg_cpu_level(void);

/* "scalar", "avx2", "avx512". */
const char *mg_cpu_level_name(MgCpuLevel level);

/* The kernels of a level, which must not exceed mg_cpu_level(). */
const MgKernels *mg_kernels(MgCpuLevel level);

/*
 * A weight matrix W [rows, cols] (out, in) in the form that products want:
 * MG_ROWS    row-major, for libraries and for row gathers;
 * MG_PANELS  panels of MG_PANEL rows, each stored [cols, MG_PANEL]; the last
 *            panel is filled up with zero rows. One layout serves all levels.
 */
typedef enum MgLayout
{
	MG_ROWS = 0, /* the numbers are part of the image format */
	MG_PANELS = 1
} MgLayout;

#define MG_PANEL 32

typedef struct MgMatrix
{
	MgLayout layout;
	size_t rows;
	size_t cols;
	const float *data; /* MG_ALIGNMENT-aligned */
} MgMatrix;

/* Floats of a [rows, cols] matrix laid out in panels; false on overflow. */
bool mg_panels_size(size_t rows, size_t cols, size_t *n_floats);

/*
 * Packs up to MG_PANEL rows of a row-major matrix [n_rows, cols] into one
 * panel [cols, MG_PANEL] of floats.
 */
void mg_pack_panel(const float *rows, size_t n_rows, size_t cols, float *panel);

/* Converts n elements of dtype to float32; unaligned input is fine. */
void mg_to_f32(const MgKernels *kernels, MgDtype dtype, const void *from, size_t n, float *to);

/* The other way, to a 2-byte dtype, rounding to nearest even; overflow gives infinity. Only used when a model is created. */
void mg_from_f32(MgDtype dtype, const float *from, size_t n, void *to);

/*
 * out [n, W.rows] = act(x [n, W.cols] W^T + bias). bias [W.rows] may be NULL.
 * Polls between pieces of at most about 10 ms; false when stopped.
 */
bool mg_linear(MgCtx *cx, const MgCompute *compute, const float *x, size_t x_stride, size_t n, const MgMatrix *w,
			   const float *bias, MgActivation activation, float *out, size_t out_stride);

/*
 * Softmax attention inside one sequence, all heads:
 *   out[i, h] = sum_j softmax_j(scale q[i, h] . k[j, h]) v[j, h]
 * q [n_queries, heads * head_size], k and v [n_keys, heads * head_size], each
 * with its stride; out may not overlap them. Scratch comes from cx and is
 * rewound. Polls; false when stopped or out of memory.
 */
typedef struct MgAttention
{
	const float *q, *k, *v;
	size_t q_stride, k_stride, v_stride;
	size_t n_queries, n_keys;
	size_t heads, head_size;
	float scale;
	float *out;
	size_t out_stride;
} MgAttention;

bool mg_attention(MgCtx *cx, const MgCompute *compute, const MgAttention *attention);

/*
 * x [n, d] = layer_norm(x + residual), with mean and variance over d in one
 * row, gain [d], bias [d] (may be NULL), eps from the checkpoint. residual
 * [n, d] may be NULL. Rows are contiguous.
 */
void mg_add_layer_norm(const MgCompute *compute, float *x, const float *residual, size_t n, size_t d,
					   const float *gain, const float *bias, float eps);

/* Sum of a[i] * b[i]. */
float mg_dot(const MgCompute *compute, const float *a, const float *b, size_t n);

/* to[i] += from[i] */
void mg_add(const MgCompute *compute, float *to, const float *from, size_t n);

#endif
