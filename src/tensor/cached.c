#include "tensor/cached.h"

#include "tensor/pair_keys.h"
#include "tensor/pool.h"
#include "tensor/weigh.h"

/* Scores of a unit: with their weights 384 kB, of a second-level cache of 1 MiB. */
#define SCORES ((size_t) 64 * 1024)

/* Queries of a unit, where they share keys and where they do not. */
#define MOST_QUERIES 64
#define MOST_APART 16

/* Below piece_flops / 100, waking a thread costs more than it brings. */
#define POOL_THRESHOLD 0.01

/* Queries that are computed at once in one head of keys. */
typedef struct Unit
{
	size_t first, n;
	size_t start; /* the first key of all that they see, of a whole panel */
	size_t depth; /* keys from there on, up to a whole panel: scores of a row */
} Unit;

/* Where a thread computes. */
typedef struct Scratch
{
	uint16_t *x;	   /* [rows, even head_size] queries */
	float *scores;	   /* [rows, depth] */
	uint16_t *weights; /* [rows, depth] */
	float *out;		   /* [rows, padded head_size] */
	float *sums;	   /* [rows] */
} Scratch;

typedef struct Work
{
	const MgCachedAttention *a;
	MgWeighing weighing;
	size_t group;			/* heads of queries for one of keys */
	size_t x_stride, out_stride;
	Unit *units;
	size_t n_units;
	size_t first_piece;
	Scratch *scratch; /* [threads] */
} Work;

typedef struct Range
{
	size_t first, last;
} Range;

static size_t
up_to_panel(size_t n)
{
	return (n + MG_PANEL - 1) / MG_PANEL * MG_PANEL;
}

static Range
range_of(const MgCachedAttention *a, size_t query)
{
	size_t p = a->queries[query].position, n = a->queries[query].keys->n, end = n;
	size_t before = a->window != NULL ? a->window->before : MG_UNBOUNDED;

	if (a->window != NULL && a->window->after != MG_UNBOUNDED && n - p > a->window->after)
		end = p + a->window->after + 1;
	return (Range){before != MG_UNBOUNDED && p > before ? p - before : 0, end};
}

/* The unit that begins with a query: all that fits, while keys have the same beginning. */
static Unit
unit_at(const Work *work, size_t first)
{
	const MgCachedAttention *a = work->a;
	const MgKeys *keys = a->queries[first].keys;
	size_t most = keys->base != NULL ? MOST_QUERIES : MOST_APART, last = 0;
	Unit unit = {first, 0, SIZE_MAX, 0};

	for (size_t i = first; i < a->n && unit.n < most; i++)
	{
		const MgKeys *other = a->queries[i].keys;
		Range range = range_of(a, i);
		size_t start = range.first / MG_PANEL * MG_PANEL < unit.start ? range.first / MG_PANEL * MG_PANEL : unit.start;
		size_t depth;

		last = range.last > last ? range.last : last;
		depth = up_to_panel(last - start);
		/* Where a value is not finite, even times zero it would reach other rows. */
		if (unit.n > 0 && ((unit.n + 1) * work->group * depth > SCORES || !keys->finite || !other->finite ||
						   other->base != keys->base || other->n_base != keys->n_base))
			break;
		unit = (Unit){first, unit.n + 1, start, depth};
	}
	return unit;
}

/* Neighbours of a unit with the same keys, from the query at on: those beyond its base. */
typedef struct Own
{
	const MgKeys *keys;
	size_t n;			/* queries */
	size_t first, last; /* keys, from a whole panel on */
} Own;

static Own
own_at(const MgCachedAttention *a, const Unit *unit, size_t at)
{
	const MgKeys *keys = a->queries[at].keys;
	Own own = {keys, 0, keys->n_base > unit->start ? keys->n_base : unit->start, 0};

	for (size_t i = at; i < unit->first + unit->n && a->queries[i].keys == keys; i++)
	{
		Range range = range_of(a, i);

		own.last = range.last > own.last ? range.last : own.last;
		own.n++;
	}
	if (own.last < own.first)
		own.last = own.first;
	return own;
}

/* scores [rows] of a store's keys [first, last), which it counts from its own first one. */
static void
multiply_keys(const Work *work, const Scratch *s, const MgKeys *store, size_t head, Range keys, size_t row, size_t rows, size_t column, size_t depth)
{
	size_t stride = mg_pair_keys_stride(store);

	work->weighing.kernels->pair_product(&(MgPairProduct){
		.x = s->x + row * work->x_stride, .x_stride = work->x_stride, .rows = rows, .depth = work->x_stride,
		.w = mg_pair_keys_panels(store, head) + keys.first / MG_PANEL * stride, .w_stride = stride,
		.columns = up_to_panel(keys.last - keys.first), .out = s->scores + row * depth + column, .out_stride = depth,
	});
}

/* The last of an odd number of values, whose pair has a stranger that may not be finite, by itself. */
static void
multiply_last(const MgKernels *kernels, MgPairProduct p)
{
	uint16_t pairs[2 * MG_PANEL];

	for (size_t columns = p.columns; columns > 0; columns -= MG_PANEL, p.w += p.w_stride, p.out += MG_PANEL)
	{
		MgPairProduct one = p;

		for (size_t i = 0; i < 2 * MG_PANEL; i++)
			pairs[i] = i % 2 == 0 ? p.w[i] : 0;
		one.w = pairs;
		one.columns = MG_PANEL;
		kernels->pair_product(&one);
	}
}

static void
multiply_values(const Work *work, const Scratch *s, const MgKeys *store, size_t head, Range keys, size_t row, size_t rows, size_t column, size_t depth)
{
	size_t n = keys.last - keys.first;
	bool apart = n % 2 == 1 && !store->finite;
	MgPairProduct p = {
		.x = s->weights + row * depth + column, .x_stride = depth, .rows = rows, .depth = apart ? n - 1 : n + n % 2,
		.w = mg_pair_keys_values(store, head) + keys.first * MG_PANEL, .w_stride = mg_pair_values_stride(store),
		.columns = work->out_stride, .chained = column > 0, .out = s->out + row * work->out_stride, .out_stride = work->out_stride,
	};

	work->weighing.kernels->pair_product(&p);
	if (!apart)
		return;
	p.x += p.depth;
	p.w += p.depth * MG_PANEL;
	p.depth = 2;
	p.chained = true;
	multiply_last(work->weighing.kernels, p);
}

/* The rows of a unit's queries in a head of keys, as bfloat16. */
static void
gather(const Work *work, const Unit *unit, size_t head, const Scratch *s)
{
	const MgCachedAttention *a = work->a;
	size_t d = a->head_size;
	uint16_t *to = s->x;

	for (size_t i = unit->first; i < unit->first + unit->n; i++)
		for (size_t h = 0; h < work->group; h++, to += work->x_stride)
		{
			to[work->x_stride - 1] = 0;
			work->weighing.kernels->to_bf16(a->q + i * a->q_stride + (head * work->group + h) * d, d, to);
		}
}

/* Scores to weights, of the rows of a query. */
static void
weigh(const Work *work, const Unit *unit, size_t head, size_t query, size_t last, const Scratch *s)
{
	const MgCachedAttention *a = work->a;
	Range range = range_of(a, query);
	size_t depth = up_to_panel(last - unit->start), before = range.first - unit->start;

	for (size_t h = 0; h < work->group; h++)
	{
		size_t row = (query - unit->first) * work->group + h;
		float *scores = s->scores + row * unit->depth;

		s->sums[row] = mg_weigh(&work->weighing, &(MgScores){head * work->group + h, a->queries[query].position, NULL, range.first,
															 range.last - range.first, scores + before},
								before, depth - before - (range.last - range.first));
		work->weighing.kernels->to_bf16(scores, depth, s->weights + row * unit->depth);
	}
}

static void
scatter(const Work *work, const Unit *unit, size_t head, const Scratch *s)
{
	const MgCachedAttention *a = work->a;
	size_t d = a->head_size;

	for (size_t row = 0; row < unit->n * work->group; row++)
	{
		float *out = a->out + (unit->first + row / work->group) * a->out_stride + (head * work->group + row % work->group) * d;
		float factor = 1.0f / s->sums[row];

		for (size_t c = 0; c < d; c++)
			out[c] = s->out[row * work->out_stride + c] * factor + 0.0f; /* -0 becomes 0 */
	}
}

static void
attend(void *arg, size_t piece, size_t worker)
{
	const Work *work = arg;
	const MgCachedAttention *a = work->a;
	const Scratch *s = &work->scratch[worker];
	size_t head = (work->first_piece + piece) % a->kv_heads;
	const Unit *unit = &work->units[(work->first_piece + piece) / a->kv_heads];
	const MgKeys *keys = a->queries[unit->first].keys;
	size_t end = unit->first + unit->n, rows = unit->n * work->group, shared = keys->n_base > unit->start ? keys->n_base - unit->start : 0;
	Range base = {unit->start, keys->n_base};
	Own own;

	gather(work, unit, head, s);
	if (shared > 0)
		multiply_keys(work, s, keys->base, head, base, 0, rows, 0, unit->depth);
	for (size_t i = unit->first; i < end; i += own.n)
	{
		size_t row = (i - unit->first) * work->group;
		Range kept;

		own = own_at(a, unit, i);
		kept = (Range){own.first - own.keys->n_base, own.last - own.keys->n_base};
		multiply_keys(work, s, own.keys, head, kept, row, own.n * work->group, shared, unit->depth);
		for (size_t k = i; k < i + own.n; k++)
			weigh(work, unit, head, k, own.last, s);
	}
	if (shared > 0)
		multiply_values(work, s, keys->base, head, base, 0, rows, 0, unit->depth);
	for (size_t i = unit->first; i < end; i += own.n)
	{
		size_t row = (i - unit->first) * work->group;

		own = own_at(a, unit, i);
		multiply_values(work, s, own.keys, head, (Range){own.first - own.keys->n_base, own.last - own.keys->n_base}, row,
						own.n * work->group, shared, unit->depth);
	}
	scatter(work, unit, head, s);
}

/* Units, and scratch for the largest; false when memory ends. */
static bool
prepare(MgCtx *cx, Work *work, size_t threads)
{
	const MgCachedAttention *a = work->a;
	size_t rows = 0, scores = 0;

	work->units = mg_alloc_array(cx, a->n, sizeof *work->units);
	work->scratch = mg_alloc_array(cx, threads, sizeof *work->scratch);
	if (work->units == NULL || work->scratch == NULL)
		return false;
	for (size_t at = 0; at < a->n; work->n_units++)
	{
		Unit unit = unit_at(work, at);

		work->units[work->n_units] = unit;
		at += unit.n;
		rows = unit.n * work->group > rows ? unit.n * work->group : rows;
		scores = unit.n * work->group * unit.depth > scores ? unit.n * work->group * unit.depth : scores;
	}
	for (size_t t = 0; t < threads; t++)
	{
		Scratch *s = &work->scratch[t];

		s->x = mg_alloc_array(cx, rows, work->x_stride * sizeof *s->x);
		s->scores = mg_alloc_array(cx, scores, sizeof *s->scores);
		s->weights = mg_alloc_array(cx, scores, sizeof *s->weights);
		s->out = mg_alloc_array(cx, rows, work->out_stride * sizeof *s->out);
		s->sums = mg_alloc_array(cx, rows, sizeof *s->sums);
		if (s->x == NULL || s->scores == NULL || s->weights == NULL || s->out == NULL || s->sums == NULL)
			return false;
	}
	return true;
}

static double
flops_of(const Work *work, const Unit *unit)
{
	return 4.0 * (double) (unit->n * work->group) * (double) unit->depth * (double) work->out_stride;
}

bool
mg_cached_attention(MgCtx *cx, const MgCompute *compute, const MgCachedAttention *attention)
{
	const MgCachedAttention *a = attention;
	Work work = {.a = a, .weighing = {compute->kernels, a->scale, a->soft_cap, a->bias, a->bias_user}, .group = a->heads / a->kv_heads,
				 .x_stride = a->head_size + a->head_size % 2, .out_stride = up_to_panel(a->head_size)};
	double most = compute->kernels->piece_flops, all = 0;
	MgMark mark = mg_mark(cx);
	MgPool *pool;

	if (a->n == 0 || a->head_size == 0)
		return true;
	if (!prepare(cx, &work, mg_pool_threads(compute->pool)))
		return false;
	for (size_t i = 0; i < work.n_units; i++)
		all += flops_of(&work, &work.units[i]) * (double) a->kv_heads;
	pool = all > POOL_THRESHOLD * most ? compute->pool : NULL;
	/* Regions of some 10 ms, a poll before each. */
	for (size_t n; work.first_piece < work.n_units * a->kv_heads; work.first_piece += n)
	{
		double spent = 0;

		for (n = 0; work.first_piece + n < work.n_units * a->kv_heads && (n == 0 || spent < most * (double) mg_pool_threads(pool)); n++)
			spent += flops_of(&work, &work.units[(work.first_piece + n) / a->kv_heads]);
		if (!mg_poll(cx))
			return false;
		mg_pool_run(pool, n, attend, &work);
	}
	mg_rewind(cx, mark);
	return true;
}
