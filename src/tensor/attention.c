/*
 * Softmax attention of one sequence, head by head, on the product kernels.
 *
 *   keys    of a head, packed like a weight  [n_keys / 32 panels, head_size, 32]
 *   values  of a head, as panels of columns  [head_size / 32 panels, n_keys, 32]
 *   scores = q keys^T      [block of queries, n_keys rounded up to SCORES_AT_ONCE]
 *   scores = softmax(scale scores), not yet divided by its sum
 *   out    = scores values / sum
 *
 * A block of queries is as many rows as keep its scores in a second-level
 * cache. With one thread, one head is packed at a time; with a pool, all heads
 * are, and then heads and blocks of queries are shared out. Every row is
 * computed by itself, so neither choice changes a bit of the result.
 */
#include "tensor/kernels.h"
#include "tensor/pool.h"

/* 128 KiB of scores, a quarter of a small second-level cache. */
#define SCORES ((size_t) 32 * 1024)

#define MOST_QUERIES 126

/* The widest vector of any level: half a panel is enough where its other half would be padding. */
#define SCORES_AT_ONCE 16

/* Below piece_flops / 100, waking a thread costs more than it brings. */
#define POOL_THRESHOLD 0.01

typedef struct Work
{
	const MgAttention *a;
	const MgKernels *kernels;
	size_t padded_keys; /* multiples of MG_PANEL */
	size_t padded_size;
	size_t n_scores; /* of a query: a multiple of SCORES_AT_ONCE */
	size_t block; /* queries at once */
	size_t n_blocks;
	size_t first_head; /* of the heads that are packed */
	size_t n_heads;
	size_t first_piece; /* of the region at work */
	float *keys;		/* [n_heads, padded_keys * head_size] */
	float *values;		/* [n_heads, n_keys * padded_size] */
	float *scores;		/* [threads, block * n_scores] */
} Work;

static void
pack_head(void *arg, size_t head, size_t worker)
{
	const Work *work = arg;
	const MgAttention *a = work->a;
	size_t d = a->head_size;
	const float *k = a->k + (work->first_head + head) * d;
	const float *v = a->v + (work->first_head + head) * d;
	float *keys = work->keys + head * work->padded_keys * d;
	float *values = work->values + head * a->n_keys * work->padded_size;

	(void) worker;
	for (size_t j = 0; j < a->n_keys; j += MG_PANEL)
	{
		size_t n = a->n_keys - j < MG_PANEL ? a->n_keys - j : MG_PANEL;

		mg_pack_panel_strided(k + j * a->k_stride, a->k_stride, n, d, keys + j * d);
	}
	for (size_t at = 0; at < d; at += MG_PANEL, values += a->n_keys * MG_PANEL)
	{
		size_t n = d - at < MG_PANEL ? d - at : MG_PANEL;

		for (size_t j = 0; j < a->n_keys; j++)
		{
			memcpy(values + j * MG_PANEL, v + j * a->v_stride + at, n * sizeof(float));
			memset(values + j * MG_PANEL + n, 0, (MG_PANEL - n) * sizeof(float));
		}
	}
}

static void
attend_block(void *arg, size_t piece, size_t worker)
{
	const Work *work = arg;
	const MgAttention *a = work->a;
	size_t head = (work->first_piece + piece) / work->n_blocks;
	size_t query = (work->first_piece + piece) % work->n_blocks * work->block;
	size_t column = (work->first_head + head) * a->head_size;
	size_t n = a->n_queries - query < work->block ? a->n_queries - query : work->block;
	float *scores = work->scores + worker * work->block * work->n_scores;
	float *out = a->out + query * a->out_stride + column;
	float sums[MOST_QUERIES];
	MgProduct product = {
		.x = a->q + query * a->q_stride + column, .x_stride = a->q_stride, .rows = n, .depth = a->head_size,
		.w = work->keys + head * work->padded_keys * a->head_size, .w_stride = a->head_size * MG_PANEL,
		.columns = work->n_scores,
		.out = scores, .out_stride = work->n_scores,
	};

	work->kernels->panel_product(&product);
	for (size_t i = 0; i < n; i++)
		sums[i] = work->kernels->softmax(scores + i * work->n_scores, a->n_keys, a->scale);
	product = (MgProduct){
		.x = scores, .x_stride = work->n_scores, .rows = n, .depth = a->n_keys,
		.w = work->values + head * a->n_keys * work->padded_size, .w_stride = a->n_keys * MG_PANEL,
		.columns = a->head_size,
		.out = out, .out_stride = a->out_stride,
	};
	work->kernels->panel_product(&product);
	for (size_t i = 0; i < n; i++)
		work->kernels->scale(out + i * a->out_stride, a->head_size, 1.0f / sums[i]);
}

/* Sizes and scratch; false when memory or the range of size_t ends. */
static bool
prepare(MgCtx *cx, Work *work, size_t threads)
{
	const MgAttention *a = work->a;
	size_t tile = work->kernels->tile_rows;
	size_t keys, values, scores;

	if (__builtin_add_overflow(a->n_keys, (size_t) MG_PANEL - 1, &work->padded_keys) ||
		__builtin_add_overflow(a->head_size, (size_t) MG_PANEL - 1, &work->padded_size))
		return mg_fail(cx, MG_TOO_LARGE, "attention over %zu keys of %zu numbers is too large", a->n_keys,
					   a->head_size);
	work->padded_keys -= work->padded_keys % MG_PANEL;
	work->padded_size -= work->padded_size % MG_PANEL;
	work->n_scores = (a->n_keys + SCORES_AT_ONCE - 1) / SCORES_AT_ONCE * SCORES_AT_ONCE;

	work->block = SCORES / work->n_scores / tile * tile;
	if (work->block < tile)
		work->block = tile;
	if (work->block > MOST_QUERIES)
		work->block = MOST_QUERIES;
	if (work->block > a->n_queries)
		work->block = a->n_queries;
	work->n_blocks = (a->n_queries - 1) / work->block + 1;

	if (!mg_multiply(work->padded_keys, a->head_size, &keys) || !mg_multiply(keys, sizeof(float), &keys) ||
		!mg_multiply(a->n_keys, work->padded_size, &values) || !mg_multiply(values, sizeof(float), &values) ||
		!mg_multiply(work->n_scores, work->block * sizeof(float), &scores))
		keys = values = scores = SIZE_MAX;
	work->keys = mg_alloc_array(cx, work->n_heads, keys);
	work->values = work->keys != NULL ? mg_alloc_array(cx, work->n_heads, values) : NULL;
	work->scores = work->values != NULL ? mg_alloc_array(cx, threads, scores) : NULL;
	return work->scores != NULL;
}

/* All heads in groups of n_heads, in regions of about 10 ms, a poll before each. */
static bool
run_groups(MgCtx *cx, MgPool *pool, Work *work)
{
	const MgAttention *a = work->a;
	double flops = 4.0 * (double) work->block * (double) work->n_scores * (double) work->padded_size;
	double share = flops / work->kernels->piece_flops;
	size_t threads = mg_pool_threads(pool);
	double spent = 1.0; /* of a region's time, since the last poll */

	for (work->first_head = 0; work->first_head < a->heads; work->first_head += work->n_heads)
	{
		size_t n_pieces = work->n_heads * work->n_blocks;
		size_t step = share * (double) n_pieces < 1.0 ? n_pieces : (size_t) (1.0 / share);

		step = (step < 1 ? 1 : step) * threads;
		for (work->first_piece = 0; work->first_piece < n_pieces; work->first_piece += step)
		{
			size_t left = n_pieces - work->first_piece;
			size_t n = left < step ? left : step;

			if (spent >= 1.0)
			{
				spent = 0.0;
				if (!mg_poll(cx))
					return false;
			}
			if (work->first_piece == 0)
				mg_pool_run(pool, work->n_heads, pack_head, work);
			mg_pool_run(pool, n, attend_block, work);
			spent += (double) n * share / (double) threads;
		}
	}
	return true;
}

static void
write_zeros(const MgAttention *a)
{
	for (size_t i = 0; i < a->n_queries; i++)
		memset(a->out + i * a->out_stride, 0, a->heads * a->head_size * sizeof(float));
}

bool
mg_attention(MgCtx *cx, const MgCompute *compute, const MgAttention *attention)
{
	const MgAttention *a = attention;
	double flops = 4.0 * (double) a->n_queries * (double) a->n_keys * (double) a->head_size * (double) a->heads;
	MgPool *pool = flops > POOL_THRESHOLD * compute->kernels->piece_flops ? compute->pool : NULL;
	Work work = {.a = a, .kernels = compute->kernels, .n_heads = mg_pool_threads(pool) > 1 ? a->heads : 1};
	MgMark mark = mg_mark(cx);
	bool fine;

	if (a->n_queries == 0 || a->heads == 0 || a->head_size == 0)
		return true;
	if (a->n_keys == 0)
	{
		write_zeros(a);
		return true;
	}
	fine = prepare(cx, &work, mg_pool_threads(pool)) && run_groups(cx, pool, &work);
	mg_rewind(cx, mark);
	return fine;
}
