/*
 * Softmax attention of one sequence, head by head, on the product kernels.
 *
 *   keys, values  of a head, packed (attention.h); here the sequence's own, or a cache's
 *   scores = q keys^T      [block of queries, keys that any of them sees]
 *   scores = softmax(scale scores) in each query's range, zero outside, not yet divided by its sum
 *   out    = scores values / sum
 *
 * A block of queries is as many rows as keep its scores in a second-level
 * cache. With one thread, one head is packed at a time; with a pool, all heads
 * are, and then heads and blocks of queries are shared out.
 *
 * Every row is computed by itself, so none of these choices changes a bit of
 * the result. For ranges that takes three things. Scores begin at a whole
 * panel, so that key j stands in lane j mod MG_PANEL of the softmax, whatever
 * the block is. What lies outside a range is multiplied by zero, which changes
 * no sum of finite numbers but the sign of a zero; so zeros get their sign
 * taken away. And where a value is not finite, each row is computed over its
 * own keys alone.
 */
#include "tensor/attention.h"

#include "tensor/kernels.h"
#include "tensor/keys.h"
#include "tensor/pool.h"
#include "tensor/relative.h"
#include "tensor/weigh.h"

/* 128 KiB of scores, a quarter of a small second-level cache. */
#define SCORES ((size_t) 32 * 1024)

#define MOST_QUERIES 126

/* Queries at once when each sees but a part of the keys: the more, the more scores are outside of their ranges. */
#define WINDOW_QUERIES 64

/* The widest vector of any level: half a panel is enough where its other half would be padding. */
#define SCORES_AT_ONCE 16

/* Below piece_flops / 100, waking a thread costs more than it brings. */
#define POOL_THRESHOLD 0.01

/* Keys [first, last); empty when first >= last. */
typedef struct Range
{
	size_t first, last;
} Range;

typedef struct Work
{
	const MgAttention *a;
	const MgKernels *kernels;
	size_t kv_heads;
	size_t group;	   /* heads of queries for one of keys */
	MgKeys packed;	   /* the caller's, or scratch for n_heads heads */
	size_t first_head; /* of keys, of those that are packed */
	size_t n_heads;
	size_t n_scores;   /* of a query: a multiple of SCORES_AT_ONCE */
	size_t block;	   /* queries at once */
	size_t n_blocks;
	size_t first_piece; /* of the region at work */
	bool alone;		   /* rows are computed one by one */
	bool plain;		   /* all see all keys, and scores are but scaled */
	float *scores;	   /* [threads, block * n_scores] */
	MgRelativeWork relative; /* of scores by distance, if there are any */
} Work;

/* The first key whose position is not below p. */
static size_t
lower_bound(const uint32_t *positions, size_t n, uint64_t p)
{
	size_t low = 0;

	while (low < n)
	{
		size_t middle = low + (n - low) / 2;

		if (positions[middle] < p)
			low = middle + 1;
		else
			n = middle;
	}
	return low;
}

static size_t
key_from(const MgAttention *a, uint64_t p)
{
	if (a->key_positions != NULL)
		return lower_bound(a->key_positions, a->n_keys, p);
	return p < a->n_keys ? (size_t) p : a->n_keys;
}

static uint32_t
position_of(const MgAttention *a, size_t query)
{
	size_t key = a->n_keys - a->n_queries + query;

	return a->query_positions != NULL ? a->query_positions[query]
		: a->key_positions != NULL	  ? a->key_positions[key]
									  : (uint32_t) key;
}

static Range
range_of(const MgAttention *a, size_t query)
{
	uint64_t p, first, end;

	if (a->window == NULL)
		return (Range){0, a->n_keys};
	p = position_of(a, query);
	first = a->window->before < p ? p - a->window->before : 0;
	end = a->window->after == MG_UNBOUNDED ? UINT64_MAX : p + a->window->after + 1;
	if (a->window->before == MG_UNBOUNDED)
		first = 0;
	return (Range){key_from(a, first), key_from(a, end)};
}

/* What n queries see together, from a whole panel on. */
static Range
range_of_block(const MgAttention *a, size_t query, size_t n)
{
	Range all = {a->n_keys, 0};

	if (a->window == NULL)
		return range_of(a, query);
	for (size_t i = query; i < query + n; i++)
	{
		Range one = range_of(a, i);

		if (one.first >= one.last)
			continue;
		all.first = one.first < all.first ? one.first : all.first;
		all.last = one.last > all.last ? one.last : all.last;
	}
	all.first -= all.first % MG_PANEL;
	return all;
}

static void
pack_head(void *arg, size_t head, size_t worker)
{
	const Work *work = arg;
	const MgAttention *a = work->a;
	size_t column = (work->first_head + head) * a->head_size;

	(void) worker;
	mg_keys_put(&work->packed, head, a->k + column, a->k_stride, a->v + column, a->v_stride, a->n_keys);
	if (a->relative != NULL)
		mg_relative_pack(&work->relative, head, work->first_head + head);
}

static void
add_bias(const void *user, const MgScores *scores)
{
	const Work *work = user;

	if (work->a->bias != NULL)
		work->a->bias(work->a->bias_user, scores);
	if (work->a->relative != NULL)
		mg_relative_bias(&work->relative, scores);
}

/* What a query sees of scores that begin with key start. */
static MgScores
seen_by(const Work *work, size_t head, size_t query, size_t start, float *scores)
{
	const MgAttention *a = work->a;
	Range range = range_of(a, query);

	if (range.first >= range.last)
		return (MgScores){.scores = scores};
	return (MgScores){head, position_of(a, query), a->key_positions, range.first, range.last - range.first, scores + range.first - start};
}

/* scores of the keys from start on become weights of those in range, and zeros up to depth; returns the weights' sum. */
static float
weigh(const Work *work, size_t head, size_t query, size_t start, size_t depth, float *scores)
{
	const MgAttention *a = work->a;
	bool biased = a->bias != NULL || (a->relative != NULL && a->relative->bias != NULL);
	const MgWeighing weighing = {work->kernels, a->scale, a->soft_cap, biased ? add_bias : NULL, work};
	MgScores seen = seen_by(work, head, query, start, scores);

	return mg_weigh(&weighing, &seen, (size_t) (seen.scores - scores), depth - (size_t) (seen.scores - scores) - seen.n);
}

static void
attend_rows(const Work *work, size_t head, size_t query, size_t n, size_t worker)
{
	const MgAttention *a = work->a;
	const MgKernels *kernels = work->kernels;
	size_t packed = head / work->group - work->first_head, d = a->head_size;
	Range all = range_of_block(a, query, n);
	size_t depth = all.last > all.first ? all.last - all.first : 0;
	float *out = a->out + query * a->out_stride + head * d;
	float *scores = work->scores + worker * work->block * work->n_scores;
	float sums[MOST_QUERIES];

	kernels->panel_product(&(MgProduct){
		.x = a->q + query * a->q_stride + head * d, .x_stride = a->q_stride, .rows = n, .depth = d,
		.w = mg_keys_panels(&work->packed, packed) + all.first * d, .w_stride = d * MG_PANEL,
		.columns = (depth + SCORES_AT_ONCE - 1) / SCORES_AT_ONCE * SCORES_AT_ONCE,
		.out = scores, .out_stride = work->n_scores,
	});
	if (a->relative != NULL)
		mg_relative_ask(&work->relative, head - work->first_head * work->group, head, query, n, worker);
	for (size_t i = 0; i < n && a->relative != NULL; i++)
	{
		MgScores seen = seen_by(work, head, query + i, all.first, scores + i * work->n_scores);

		mg_relative_add(&work->relative, head - work->first_head * work->group, i, worker, &seen);
	}
	for (size_t i = 0; i < n && work->plain; i++)
		sums[i] = kernels->softmax(scores + i * work->n_scores, depth, a->scale);
	for (size_t i = 0; i < n && !work->plain; i++)
		sums[i] = weigh(work, head, query + i, all.first, depth, scores + i * work->n_scores);
	kernels->panel_product(&(MgProduct){
		.x = scores, .x_stride = work->n_scores, .rows = n, .depth = depth,
		.w = mg_keys_values(&work->packed, packed) + all.first * MG_PANEL, .w_stride = work->packed.room * MG_PANEL,
		.columns = d, .out = out, .out_stride = a->out_stride,
	});
	for (size_t i = 0; i < n; i++, out += a->out_stride)
	{
		kernels->scale(out, d, 1.0f / sums[i]);
		for (size_t c = 0; a->window != NULL && c < d; c++)
			out[c] += 0.0f; /* -0 becomes 0 */
	}
}

static void
attend_block(void *arg, size_t piece, size_t worker)
{
	const Work *work = arg;
	const MgAttention *a = work->a;
	size_t head = work->first_head * work->group + (work->first_piece + piece) / work->n_blocks;
	size_t query = (work->first_piece + piece) % work->n_blocks * work->block;
	size_t n = a->n_queries - query < work->block ? a->n_queries - query : work->block;

	if (!work->alone)
		attend_rows(work, head, query, n, worker);
	for (size_t i = 0; work->alone && i < n; i++)
		attend_rows(work, head, query + i, 1, worker);
}

/* The most keys that a block of queries sees, up to a multiple of SCORES_AT_ONCE; at least one such. */
static size_t
widest_block(const Work *work)
{
	const MgAttention *a = work->a;
	size_t most = 1;

	for (size_t query = 0; query < a->n_queries; query += work->block)
	{
		size_t n = a->n_queries - query < work->block ? a->n_queries - query : work->block;
		Range all = range_of_block(a, query, n);

		if (all.last > all.first && all.last - all.first > most)
			most = all.last - all.first;
		if (a->window == NULL)
			break;
	}
	return (most + SCORES_AT_ONCE - 1) / SCORES_AT_ONCE * SCORES_AT_ONCE;
}

/* As many queries as SCORES allows, in whole tiles if it can be. */
static void
choose_block(Work *work)
{
	size_t tile = work->kernels->tile_rows, fitting;

	work->block = work->a->window != NULL ? WINDOW_QUERIES / tile * tile : MOST_QUERIES;
	for (;;)
	{
		if (work->block > work->a->n_queries)
			work->block = work->a->n_queries;
		work->n_scores = widest_block(work);
		fitting = SCORES / work->n_scores / tile * tile;
		if (fitting < tile)
			fitting = tile;
		if (work->block <= fitting)
			break;
		work->block = fitting;
	}
	work->n_blocks = (work->a->n_queries - 1) / work->block + 1;
}

static bool
prepare_relative(MgCtx *cx, Work *work, size_t threads)
{
	const MgAttention *a = work->a;
	uint32_t positions[2] = {UINT32_MAX, 0};

	for (size_t i = 0; i < a->n_queries; i++)
	{
		uint32_t p = position_of(a, i);

		positions[0] = p < positions[0] ? p : positions[0];
		positions[1] = p > positions[1] ? p : positions[1];
	}
	work->relative = (MgRelativeWork){.a = a, .kernels = work->kernels, .group = work->group, .block = work->block};
	return mg_relative_prepare(cx, &work->relative, work->n_heads, threads, positions);
}

/* Sizes and scratch; false when memory or the range of size_t ends. */
static bool
prepare(MgCtx *cx, Work *work, size_t threads)
{
	const MgAttention *a = work->a;
	size_t keys = 0, values = 0, scores;

	if (a->n_keys > SIZE_MAX - MG_PANEL || a->head_size > SIZE_MAX - MG_PANEL)
		return mg_fail(cx, MG_TOO_LARGE, "attention over %zu keys of %zu numbers is too large", a->n_keys,
					   a->head_size);
	choose_block(work);
	if (a->keys != NULL)
	{
		work->packed = *a->keys;
		work->alone = a->window != NULL && !a->keys->finite;
	}
	else
	{
		work->packed = (MgKeys){.heads = work->n_heads, .head_size = a->head_size, .room = a->n_keys};
		work->alone = a->window != NULL && !mg_is_finite(a->v, a->v_stride, a->n_keys, work->kv_heads * a->head_size);
		if (!mg_keys_size(work->n_heads, a->head_size, a->n_keys, &keys, &values))
			keys = values = SIZE_MAX;
		work->packed.keys = mg_alloc_array(cx, keys, sizeof(float));
		work->packed.values = work->packed.keys != NULL ? mg_alloc_array(cx, values, sizeof(float)) : NULL;
		if (work->packed.values == NULL)
			return false;
	}
	if (a->relative != NULL && !prepare_relative(cx, work, threads))
		return false;
	if (!mg_multiply(work->n_scores, work->block * sizeof(float), &scores))
		scores = SIZE_MAX;
	work->scores = mg_alloc_array(cx, threads, scores);
	return work->scores != NULL;
}

/* All heads of keys in groups of n_heads, in regions of about 10 ms, a poll before each. */
static bool
run_groups(MgCtx *cx, MgPool *pool, Work *work)
{
	size_t padded_size = (work->a->head_size + MG_PANEL - 1) / MG_PANEL * MG_PANEL;
	double flops = 4.0 * (double) work->block * (double) work->n_scores * (double) padded_size;
	double share = flops / work->kernels->piece_flops;
	size_t threads = mg_pool_threads(pool);
	double spent = 1.0; /* of a region's time, since the last poll */

	for (work->first_head = 0; work->first_head < work->kv_heads; work->first_head += work->n_heads)
	{
		size_t n_pieces = work->n_heads * work->group * work->n_blocks;
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
			if (work->first_piece == 0 && work->a->keys == NULL)
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
	size_t kv_heads = a->kv_heads > 0 ? a->kv_heads : a->heads;
	double flops = 4.0 * (double) a->n_queries * (double) a->n_keys * (double) a->head_size * (double) a->heads;
	MgPool *pool = flops > POOL_THRESHOLD * compute->kernels->piece_flops ? compute->pool : NULL;
	Work work = {.a = a, .kernels = compute->kernels, .kv_heads = kv_heads};
	MgMark mark = mg_mark(cx);
	bool fine;

	if (a->n_queries == 0 || a->heads == 0 || a->head_size == 0)
		return true;
	if (a->n_keys == 0)
	{
		write_zeros(a);
		return true;
	}
	work.group = a->heads / kv_heads;
	work.plain = a->window == NULL && a->soft_cap <= 0 && a->bias == NULL && a->relative == NULL && a->scale != 0;
	work.n_heads = a->keys != NULL || mg_pool_threads(pool) > 1 ? kv_heads : 1;
	fine = prepare(cx, &work, mg_pool_threads(pool)) && run_groups(cx, pool, &work);
	mg_rewind(cx, mark);
	return fine;
}
