/* Keys that stay packed: a sequence as a whole, in pieces or token by token has the same bits. */
#include "tensor/attention.h"
#include "unit/tensor/numbers.h"

#define MOST 70
#define HEADS 4
#define KV_HEADS 2
#define MOST_SIZE 40

static const MgWindow windows[] = {{MG_UNBOUNDED, 0}, {5, 0}, {40, 0}};

#define N_WINDOWS (sizeof windows / sizeof *windows)

typedef struct Run
{
	MgCtx *cx;
	const MgCompute *compute;
	size_t n, size;
	const float *q, *k, *v; /* [n, heads * size], [n, kv_heads * size] */
	MgAttention a;			/* window, bias and cap */
	MgKeys keys;
} Run;

static void
slope(const void *user, const MgScores *scores)
{
	(void) user;
	for (size_t j = 0; j < scores->n; j++)
		scores->scores[j] += 0.01f * (float) (scores->head + 1) * (float) (scores->first + j);
}

/* The sequence in pieces, each over the keys so far; piece 0: all at once, over keys packed on the way. */
static bool
attend(Run *run, size_t piece, float *out)
{
	size_t width = HEADS * run->size, kv_width = KV_HEADS * run->size;
	MgAttention a = run->a;
	bool fine = true;

	a.heads = HEADS;
	a.kv_heads = KV_HEADS;
	a.head_size = run->size;
	a.q_stride = a.out_stride = width;
	a.k_stride = a.v_stride = kv_width;
	a.scale = 1.0f / sqrtf((float) run->size);
	if (piece == 0)
	{
		a.q = run->q;
		a.k = run->k;
		a.v = run->v;
		a.n_queries = a.n_keys = run->n;
		a.out = out;
		return mg_attention(run->cx, run->compute, &a);
	}
	a.keys = &run->keys;
	mg_keys_truncate(&run->keys, 0);
	for (size_t at = 0; at < run->n && fine; at += piece)
	{
		size_t n = run->n - at < piece ? run->n - at : piece;

		mg_keys_append(&run->keys, run->k + at * kv_width, kv_width, run->v + at * kv_width, kv_width, n);
		a.n_keys = at + n;
		a.n_queries = n;
		a.q = run->q + at * width;
		a.out = out + at * width;
		fine = mg_attention(run->cx, run->compute, &a);
	}
	return fine;
}

static size_t
rows_that_differ(const Run *run, const float *a, const float *b)
{
	size_t width = HEADS * run->size, n = 0;

	for (size_t i = 0; i < run->n; i++)
		n += memcmp(a + i * width, b + i * width, width * sizeof *a) != 0;
	return n;
}

/* Each length up to MOST, in pieces of 1, 3, 16 and 33. */
static size_t
count_differences(Run *run, size_t spoilt)
{
	static const size_t pieces[] = {1, 3, 16, 33};
	float *whole = numbers(MOST * HEADS * run->size), *parts = numbers(MOST * HEADS * run->size);
	float *v = (float *) run->v, kept = v[spoilt];
	size_t bad = 0;

	for (run->n = 1; run->n <= MOST; run->n++)
	{
		if (spoilt > 0)
			v[spoilt] = run->n % 2 == 0 ? INFINITY : NAN;
		bad += !attend(run, 0, whole);
		for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
			bad += !attend(run, pieces[i], parts) || rows_that_differ(run, whole, parts) > 0;
		v[spoilt] = kept;
	}
	free(whole);
	free(parts);
	return bad;
}

static void
test_pieces(Run *run, const char *who)
{
	static const size_t sizes[] = {8, 32, MOST_SIZE};

	for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
		for (size_t w = 0; w < N_WINDOWS; w++)
		{
			size_t plain, biased, spoilt;

			run->size = sizes[s];
			run->keys.head_size = run->size;
			run->a = (MgAttention){.window = &windows[w]};
			plain = count_differences(run, 0);
			run->a.bias = slope;
			run->a.soft_cap = 2.0f;
			biased = count_differences(run, 0);
			run->a = (MgAttention){.window = &windows[w]};
			spoilt = count_differences(run, 41 * KV_HEADS * run->size + 3);
			is_int(plain, 0, "%s, %zu a head, window %zu: pieces have the bits of the whole", who, run->size, w);
			is_int(biased, 0, "%s, %zu a head, window %zu: with caps and a bias, too", who, run->size, w);
			is_int(spoilt, 0, "%s, %zu a head, window %zu: and with a value that is not finite", who, run->size, w);
		}
}

/* Values so small that a sum is zero, of the last value's sign: what is outside of a range must not change it. */
static void
test_zeros(Run *run, const char *who)
{
	size_t n = MOST * KV_HEADS * MOST_SIZE;
	float *tiny = numbers(n), *whole = numbers(MOST * HEADS * 8), *parts = numbers(MOST * HEADS * 8);
	const float *kept = run->v;

	run->size = run->keys.head_size = 8;
	run->n = MOST;
	for (size_t i = 0; i < n; i++)
		tiny[i] = i / (KV_HEADS * 8) % 2 == 0 ? -0x1p-149f : 0x1p-149f;
	run->v = tiny;
	run->a = (MgAttention){.window = &windows[0]};
	ok(attend(run, 0, whole) && attend(run, 1, parts) && rows_that_differ(run, whole, parts) == 0,
	   "%s: zeros have one sign", who);
	run->v = kept;
	free(tiny);
	free(whole);
	free(parts);
}

/* What was appended to more keys than are still there. */
static void
test_truncated(Run *run, const char *who)
{
	size_t kv_width = KV_HEADS * MOST_SIZE;
	float *want = numbers(MOST * HEADS * MOST_SIZE), *got = numbers(MOST * HEADS * MOST_SIZE);
	MgAttention a = {.keys = &run->keys, .q = run->q, .heads = HEADS, .kv_heads = KV_HEADS, .head_size = MOST_SIZE, .scale = 0.3f,
					 .q_stride = HEADS * MOST_SIZE, .out_stride = HEADS * MOST_SIZE, .n_queries = 5, .n_keys = MOST};

	run->keys.head_size = MOST_SIZE;
	mg_keys_truncate(&run->keys, 0);
	mg_keys_append(&run->keys, run->k, kv_width, run->v, kv_width, MOST);
	a.out = want;
	mg_attention(run->cx, run->compute, &a);
	mg_keys_truncate(&run->keys, 37);
	mg_keys_append(&run->keys, run->v, kv_width, run->k, kv_width, 20);
	mg_keys_truncate(&run->keys, 37);
	mg_keys_append(&run->keys, run->k + 37 * kv_width, kv_width, run->v + 37 * kv_width, kv_width, MOST - 37);
	a.out = got;
	mg_attention(run->cx, run->compute, &a);
	is_int(run->keys.n, MOST, "%s: keys are taken back and appended", who);
	ok(memcmp(want, got, 5 * HEADS * MOST_SIZE * sizeof *got) == 0, "%s: and leave no trace", who);
	mg_keys_truncate(&run->keys, MOST + 1);
	is_int(run->keys.n, MOST, "%s: truncation adds nothing", who);
	free(want);
	free(got);
}

static void
test_sizes(void)
{
	size_t keys, values;

	ok(mg_keys_size(2, 40, 33, &keys, &values) && keys == 2 * 64 * 40 && values == 2 * 64 * 33, "sizes are padded");
	ok(!mg_keys_size(2, 40, SIZE_MAX, &keys, &values) && !mg_keys_size(SIZE_MAX, 40, 33, &keys, &values) &&
		   !mg_keys_size(2, SIZE_MAX / 2, 33, &keys, &values),
	   "sizes that overflow are refused");
}

int
main(void)
{
	TestHost test;
	MgCtx cx;
	MgPool *pool;
	size_t n_keys, n_values;
	Run run = {.cx = &cx, .q = numbers(MOST * HEADS * MOST_SIZE), .k = numbers(MOST * KV_HEADS * MOST_SIZE),
			   .v = numbers(MOST * KV_HEADS * MOST_SIZE), .keys = {.heads = KV_HEADS, .head_size = MOST_SIZE, .room = MOST}};

	test_host_init(&test);
	mg_ctx_init(&cx, &test.host);
	pool = mg_pool_create(&cx, 3);
	test_sizes();
	mg_keys_size(KV_HEADS, MOST_SIZE, MOST, &n_keys, &n_values);
	run.keys.keys = numbers(n_keys);
	run.keys.values = numbers(n_values);
	FOR_EACH_LEVEL(level)
	{
		MgCompute compute = {.kernels = mg_kernels(level), .provider = MG_NATIVE, .pool = level % 2 == 1 ? pool : NULL};

		run.compute = &compute;
		test_pieces(&run, mg_cpu_level_name(level));
		test_zeros(&run, mg_cpu_level_name(level));
		test_truncated(&run, mg_cpu_level_name(level));
	}
	free((float *) run.q);
	free((float *) run.k);
	free((float *) run.v);
	free(run.keys.keys);
	free(run.keys.values);
	mg_pool_destroy(pool);
	mg_ctx_free(&cx);
	is_int(test.live, 0, "nothing is left");
	return done();
}
