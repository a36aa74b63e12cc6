/* Attention over narrow keys: near that in float64, and the same bits in pieces, beside other sequences and behind a lent beginning. */
#include "tensor/cached.h"
#include "unit/tensor/numbers.h"

#define MOST 75
#define HEADS 6
#define KV_HEADS 2
#define MOST_SIZE 40
#define SLOTS 3

static const MgWindow windows[] = {{MG_UNBOUNDED, 0}, {5, 0}, {40, 0}};

#define N_WINDOWS (sizeof windows / sizeof *windows)

typedef struct Run
{
	MgCtx *cx;
	const MgCompute *compute;
	size_t size;
	const float *q, *k, *v; /* [MOST, heads * size], [MOST, kv_heads * size] */
	MgCachedAttention a;
	MgKeys keys[SLOTS];
} Run;

static void
slope(const void *user, const MgScores *scores)
{
	(void) user;
	for (size_t j = 0; j < scores->n; j++)
		scores->scores[j] += 0.01f * (float) (scores->head + 1) * (float) (scores->first + j);
}

static float
rounded(float x)
{
	uint16_t half;
	uint32_t bits;

	mg_kernels(MG_CPU_SCALAR)->to_bf16(&x, 1, &half);
	bits = (uint32_t) half << 16;
	memcpy(&x, &bits, sizeof x);
	return x;
}

/* Tokens [first, end) of one sequence behind each of n slots at once, and what they give in the last of these. */
static bool
attend(Run *run, size_t first, size_t end, size_t n_slots, float *out)
{
	size_t width = HEADS * run->size, kv_width = KV_HEADS * run->size, n = end - first;
	MgCachedAttention a = run->a;
	MgCachedQuery *queries = malloc(n_slots * n * sizeof *queries);
	float *q = malloc(n_slots * n * width * sizeof *q), *all = malloc(n_slots * n * width * sizeof *all);
	bool fine;

	for (size_t s = 0; s < n_slots; s++)
	{
		mg_keys_append(&run->keys[s], run->k + first * kv_width, kv_width, run->v + first * kv_width, kv_width, n);
		memcpy(q + s * n * width, run->q + first * width, n * width * sizeof *q);
		for (size_t i = 0; i < n; i++)
			queries[s * n + i] = (MgCachedQuery){&run->keys[s], (uint32_t) (first + i)};
	}
	a.q = q;
	a.queries = queries;
	a.n = n_slots * n;
	a.heads = HEADS;
	a.kv_heads = KV_HEADS;
	a.head_size = run->size;
	a.q_stride = a.out_stride = width;
	a.scale = 1.0f / sqrtf((float) run->size);
	a.out = all;
	fine = mg_cached_attention(run->cx, run->compute, &a);
	memcpy(out + first * width, all + (n_slots - 1) * n * width, n * width * sizeof *out);
	free(queries);
	free(q);
	free(all);
	return fine;
}

static void
forget(Run *run)
{
	for (size_t s = 0; s < SLOTS; s++)
		mg_keys_truncate(&run->keys[s], 0);
}

static bool
in_pieces(Run *run, size_t n, size_t piece, float *out)
{
	bool fine = true;

	forget(run);
	for (size_t at = 0; at < n && fine; at += piece)
		fine = attend(run, at, n - at < piece ? n : at + piece, 1, out);
	return fine;
}

/* A beginning in slot 2, which both others have; then the rest in all slots but that. */
static bool
behind_lent(Run *run, size_t n, size_t lent, float *out)
{
	size_t kv_width = KV_HEADS * run->size;

	forget(run);
	mg_keys_append(&run->keys[2], run->k, kv_width, run->v, kv_width, lent);
	mg_keys_share(&run->keys[2], lent, &run->keys[0]);
	mg_keys_share(&run->keys[2], lent, &run->keys[1]);
	return attend(run, lent, n, 2, out);
}

static size_t
count_differences(Run *run, size_t spoilt)
{
	static const size_t lengths[] = {1, 2, 31, 32, 33, 64, 65, 74, MOST}, pieces[] = {1, 3, 16, 33}, lents[] = {5, 32, 33, 64};
	size_t width = HEADS * run->size, bad = 0;
	float *whole = numbers(MOST * width), *parts = numbers(MOST * width), *v = (float *) run->v, kept = v[spoilt];

	for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++)
	{
		size_t n = lengths[l];

		if (spoilt > 0)
			v[spoilt] = l % 2 == 0 ? INFINITY : NAN;
		bad += !in_pieces(run, n, n, whole);
		for (size_t i = 0; i < 4; i++)
			bad += !in_pieces(run, n, pieces[i], parts) || memcmp(whole, parts, n * width * sizeof *whole) != 0;
		for (size_t i = 0; i < 4; i++)
			if (lents[i] < n)
				bad += !behind_lent(run, n, lents[i], parts) ||
					memcmp(whole + lents[i] * width, parts + lents[i] * width, (n - lents[i]) * width * sizeof *whole) != 0;
		v[spoilt] = kept;
	}
	free(whole);
	free(parts);
	return bad;
}

/* The largest distance from attention in float64 over the same rounded numbers. */
static double
worst(Run *run, const MgWindow *window, const float *out)
{
	size_t d = run->size, width = HEADS * d, kv_width = KV_HEADS * d;
	double most = 0;

	for (size_t i = 0; i < MOST; i++)
		for (size_t h = 0; h < HEADS; h++)
		{
			size_t g = h / (HEADS / KV_HEADS), first = window->before < i ? i - window->before : 0;
			double weights[MOST], sum = 0;

			for (size_t j = first; j <= i; j++)
			{
				double score = 0;

				for (size_t c = 0; c < d; c++)
					score += (double) rounded(run->q[i * width + h * d + c]) * (double) rounded(run->k[j * kv_width + g * d + c]);
				sum += weights[j] = exp(score / sqrt((double) d));
			}
			for (size_t c = 0; c < d; c++)
			{
				double want = 0;

				for (size_t j = first; j <= i; j++)
					want += weights[j] / sum * (double) rounded(run->v[j * kv_width + g * d + c]);
				most = fmax(most, fabs(want - (double) out[i * width + h * d + c]));
			}
		}
	return most;
}

static void
test_windows(Run *run, const char *who)
{
	static const size_t sizes[] = {8, 32, MOST_SIZE};
	float *out = numbers(MOST * HEADS * MOST_SIZE);

	for (size_t s = 0; s < 3; s++)
		for (size_t w = 0; w < N_WINDOWS; w++)
		{
			double off;

			run->size = sizes[s];
			for (size_t i = 0; i < SLOTS; i++)
				run->keys[i].head_size = run->size;
			run->a = (MgCachedAttention){.window = &windows[w]};
			off = in_pieces(run, MOST, MOST, out) ? worst(run, &windows[w], out) : INFINITY;
			ok(off < 4e-3, "%s, %zu a head, window %zu: near float64 (%.2g)", who, run->size, w, off);
			is_int(count_differences(run, 0), 0, "%s, %zu a head, window %zu: one result", who, run->size, w);
			is_int(count_differences(run, 41 * KV_HEADS * run->size + 3), 0, "%s, %zu a head, window %zu: with a value that is not finite, too",
				   who, run->size, w);
			run->a.bias = slope;
			run->a.soft_cap = 2.0f;
			is_int(count_differences(run, 0), 0, "%s, %zu a head, window %zu: with caps and a bias, too", who, run->size, w);
		}
	free(out);
}

/* What was taken back leaves no trace, lent or own, and an odd one neither. */
static void
test_truncated(Run *run, const char *who)
{
	static const size_t kept[] = {70, 65, 64, 37, 33, 32, 7, 1};
	size_t kv_width = KV_HEADS * run->size, width = HEADS * run->size, bad = 0;
	float *want = numbers(MOST * width), *got = numbers(MOST * width);

	run->a = (MgCachedAttention){.window = &windows[0]};
	in_pieces(run, MOST, MOST, want);
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
	{
		forget(run);
		mg_keys_append(&run->keys[2], run->k, kv_width, run->v, kv_width, 66);
		mg_keys_share(&run->keys[2], 66, &run->keys[0]);
		mg_keys_append(&run->keys[0], run->v, kv_width, run->k, kv_width, 7);
		mg_keys_truncate(&run->keys[0], kept[i]);
		if (kept[i] > 66)
		{
			mg_keys_truncate(&run->keys[0], 66);
			attend(run, 66, kept[i], 1, got);
		}
		bad += !attend(run, kept[i], MOST, 1, got) || run->keys[0].n != MOST ||
			memcmp(want + kept[i] * width, got + kept[i] * width, (MOST - kept[i]) * width * sizeof *got) != 0;
	}
	is_int(bad, 0, "%s: keys are taken back", who);
	free(want);
	free(got);
}

static void
test_sizes(void)
{
	size_t keys, values;

	ok(mg_pair_keys_size(2, 40, 33, &keys, &values) && keys == 2 * 64 * 40 && values == 2 * 64 * 34, "sizes are padded");
	ok(!mg_pair_keys_size(2, 40, SIZE_MAX, &keys, &values) && !mg_pair_keys_size(SIZE_MAX, 40, 33, &keys, &values) &&
		   !mg_pair_keys_size(2, SIZE_MAX / 2, 33, &keys, &values),
	   "sizes that overflow are refused");
}

/* The same products at all levels, and chained ones. */
static void
test_products(MgCpuLevel level)
{
	size_t depth = 66, rows = 7, columns = 3 * MG_PANEL, bad = 0;
	float *numbers_x = numbers(rows * depth), *numbers_w = numbers(columns * depth);
	float *want = numbers(rows * columns), *got = numbers(rows * columns);
	uint16_t *x = malloc(rows * depth * sizeof *x), *w = malloc(columns * depth * sizeof *w);
	MgPairProduct p = {.x = x, .x_stride = depth, .depth = depth, .w = w, .w_stride = depth * MG_PANEL, .columns = columns, .out_stride = columns};

	mg_kernels(level)->to_bf16(numbers_x, rows * depth, x);
	mg_kernels(level)->to_bf16(numbers_w, columns * depth, w);
	for (p.rows = 1; p.rows <= rows; p.rows++)
	{
		MgPairProduct first = p, second = p;

		p.out = want;
		mg_kernels(MG_CPU_SCALAR)->pair_product(&p);
		first.out = second.out = got;
		first.depth = 40;
		second.depth -= 40;
		second.x += 40;
		second.w += 40 * MG_PANEL;
		second.chained = true;
		mg_kernels(level)->pair_product(&first);
		mg_kernels(level)->pair_product(&second);
		bad += memcmp(want, got, p.rows * columns * sizeof *got) != 0;
	}
	is_int(bad, 0, "%s: products have the bits of plain ones", mg_cpu_level_name(level));
	free(numbers_x);
	free(numbers_w);
	free(want);
	free(got);
	free(x);
	free(w);
}

int
main(void)
{
	TestHost test;
	MgCtx cx;
	MgPool *pool;
	size_t n_keys, n_values;
	Run run = {.cx = &cx, .q = numbers(MOST * HEADS * MOST_SIZE), .k = numbers(MOST * KV_HEADS * MOST_SIZE),
			   .v = numbers(MOST * KV_HEADS * MOST_SIZE)};

	test_host_init(&test);
	mg_ctx_init(&cx, &test.host);
	pool = mg_pool_create(&cx, 3);
	test_sizes();
	mg_pair_keys_size(KV_HEADS, MOST_SIZE, MOST, &n_keys, &n_values);
	for (size_t i = 0; i < SLOTS; i++)
		run.keys[i] = (MgKeys){.heads = KV_HEADS, .head_size = MOST_SIZE, .room = MOST, .narrow_keys = calloc(n_keys, sizeof(uint16_t)),
							   .narrow_values = calloc(n_values, sizeof(uint16_t))};
	FOR_EACH_LEVEL(level)
	{
		MgCompute compute = {.kernels = mg_kernels(level), .provider = MG_NATIVE, .pool = level % 2 == 1 ? pool : NULL};

		run.compute = &compute;
		test_products(level);
		test_windows(&run, mg_cpu_level_name(level));
		test_truncated(&run, mg_cpu_level_name(level));
	}
	free((float *) run.q);
	free((float *) run.k);
	free((float *) run.v);
	for (size_t i = 0; i < SLOTS; i++)
	{
		free(run.keys[i].narrow_keys);
		free(run.keys[i].narrow_values);
	}
	mg_pool_destroy(pool);
	mg_ctx_free(&cx);
	is_int(test.live, 0, "nothing is left");
	return done();
}
