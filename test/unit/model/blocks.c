/* Attention over a packed batch: its sequences apart, over positions, for some rows, and after a past that a cache holds. */
#include "model/blocks.h"

#include "unit/tensor/numbers.h"

#define HEADS 4
#define KV_HEADS 2
#define SIZE 16
#define WIDTH (HEADS * SIZE)
#define KV_WIDTH (KV_HEADS * SIZE)
#define N 60

static const uint32_t offsets[] = {0, 7, 7, 8, N}; /* one of them is empty */
static const MgWindow local = {3, 3}, causal = {MG_UNBOUNDED, 0};

static void
slope(const void *user, const MgScores *scores)
{
	(void) user;
	for (size_t j = 0; j < scores->n; j++)
	{
		size_t key = scores->first + j;
		float at = (float) (scores->key_positions != NULL ? scores->key_positions[key] : key);

		scores->scores[j] -= 0.1f * (float) (scores->head + 1) * fabsf(at - (float) scores->position);
	}
}

/* The same by mg_attention, sequence by sequence. */
static void
each_alone(MgCtx *cx, const MgCompute *compute, const MgBatch *batch, const MgAttendBatch *attend, float *out)
{
	for (size_t s = 0; s < batch->n_sequences; s++)
	{
		size_t first = batch->offsets[s], n = batch->offsets[s + 1] - first;
		MgAttention a = {.q = attend->q + first * WIDTH, .k = attend->k + first * KV_WIDTH, .v = attend->v + first * KV_WIDTH,
						 .q_stride = WIDTH, .k_stride = KV_WIDTH, .v_stride = KV_WIDTH, .n_queries = n, .n_keys = n,
						 .heads = HEADS, .kv_heads = KV_HEADS, .head_size = SIZE, .scale = 0.25f,
						 .window = attend->window, .bias = attend->bias, .out = out + first * WIDTH, .out_stride = WIDTH};

		if (batch->positions != NULL)
			a.key_positions = batch->positions + first;
		if (!mg_attention(cx, compute, &a))
			exit(1);
	}
}

static size_t
rows_that_differ(const float *a, const float *b, size_t n)
{
	size_t bad = 0;

	for (size_t i = 0; i < n; i++)
		bad += memcmp(a + i * WIDTH, b + i * WIDTH, WIDTH * sizeof *a) != 0;
	return bad;
}

/* Rows, with whatever attend and batch say, against the sequences alone. */
static void
test_rows(const MgRun *run, MgBatch batch, MgAttendBatch attend, const char *what)
{
	static const uint32_t rows[] = {0, 6, 7, 9, 30, 31, 59};
	const size_t n_rows = sizeof rows / sizeof *rows;
	float *want = numbers(N * WIDTH), *got = numbers(N * WIDTH), *some = numbers(N * WIDTH), *q = numbers(n_rows * WIDTH);
	MgMark mark = mg_mark(run->cx), after;

	each_alone(run->cx, run->compute, &batch, &attend, want);
	attend.out = got;
	ok(mg_attend_batch(run, &batch, NULL, &attend) && rows_that_differ(got, want, N) == 0, "%s", what);
	for (size_t i = 0; i < n_rows; i++)
	{
		memcpy(q + i * WIDTH, attend.q + rows[i] * WIDTH, WIDTH * sizeof *q);
		memcpy(want + i * WIDTH, want + rows[i] * WIDTH, WIDTH * sizeof *q);
	}
	batch.rows = rows;
	batch.n_rows = n_rows;
	attend.q = q;
	attend.out = some;
	ok(mg_attend_batch(run, &batch, rows, &attend) && rows_that_differ(some, want, n_rows) == 0, "%s: some rows", what);
	after = mg_mark(run->cx);
	ok(after.block == mark.block && after.used == mark.used, "%s: scratch is rewound", what);
	free(want);
	free(got);
	free(some);
	free(q);
}

/* Token by token in slots of a cache, the sequences together, against each as a whole. */
static void
test_cache(const MgRun *run, const MgBatch *whole, MgAttendBatch attend)
{
	static const uint32_t slots[] = {2, 0, 1};
	float *want = numbers(N * WIDTH), *got = numbers(N * WIDTH), *q = numbers(3 * WIDTH), *k = numbers(3 * KV_WIDTH),
		  *v = numbers(3 * KV_WIDTH), *out = numbers(3 * WIDTH);
	static const uint32_t firsts[] = {0, 7, 8}, lengths[] = {7, 1, 52};
	MgKeys keys[3];
	size_t n_keys, n_values;
	bool fine = mg_keys_size(KV_HEADS, SIZE, N, &n_keys, &n_values);

	for (size_t i = 0; i < 3; i++)
		keys[i] = (MgKeys){.heads = KV_HEADS, .head_size = SIZE, .room = N, .keys = numbers(n_keys), .values = numbers(n_values)};
	each_alone(run->cx, run->compute, whole, &attend, want);
	for (uint32_t step = 0; step < 52; step++)
	{
		uint32_t ends[4] = {0}, past[3], in[3];
		MgBatch batch = {.offsets = ends, .past = past, .slots = in};
		MgAttendBatch now = attend;

		for (size_t s = 0; s < 3; s++)
			if (step < lengths[s])
			{
				size_t token = firsts[s] + step, at = batch.n_sequences++;

				memcpy(q + at * WIDTH, attend.q + token * WIDTH, WIDTH * sizeof *q);
				memcpy(k + at * KV_WIDTH, attend.k + token * KV_WIDTH, KV_WIDTH * sizeof *k);
				memcpy(v + at * KV_WIDTH, attend.v + token * KV_WIDTH, KV_WIDTH * sizeof *v);
				past[at] = step;
				in[at] = slots[s];
				ends[at + 1] = (uint32_t) at + 1;
			}
		batch.n_tokens = batch.n_rows = batch.n_sequences;
		now.q = q;
		now.k = k;
		now.v = v;
		now.out = out;
		now.keys = keys;
		for (int again = 0; again < 1 + (step % 5 == 4); again++) /* what is computed again takes its keys' place */
			fine &= mg_attend_batch(run, &batch, NULL, &now);
		for (size_t s = 0, at = 0; s < 3; s++)
			if (step < lengths[s])
				memcpy(got + (firsts[s] + step) * WIDTH, out + at++ * WIDTH, WIDTH * sizeof *got);
	}
	ok(fine && rows_that_differ(got, want, N) == 0, "three sequences step by step, in slots of a cache");
	for (size_t i = 0; i < 3; i++)
	{
		free(keys[i].keys);
		free(keys[i].values);
	}
	free(want);
	free(got);
	free(q);
	free(k);
	free(v);
	free(out);
}

int
main(void)
{
	TestHost test;
	MgCtx cx;
	uint32_t positions[N];
	MgCompute compute = {.kernels = mg_kernels(mg_cpu_level())};
	MgRun run = {.cx = &cx, .compute = &compute};
	MgBatch batch = {.n_sequences = 4, .n_tokens = N, .n_rows = N, .offsets = offsets};
	float *q = numbers(N * WIDTH), *k = numbers(N * KV_WIDTH), *v = numbers(N * KV_WIDTH);
	MgAttendBatch attend = {.q = q, .q_stride = WIDTH, .k = k, .v = v, .kv_stride = KV_WIDTH, .heads = HEADS,
							.kv_heads = KV_HEADS, .head_size = SIZE};

	test_host_init(&test);
	mg_ctx_init(&cx, &test.host);
	ok(mg_alloc(&cx, 1) != NULL, "an arena");
	for (uint32_t i = 0; i < N; i++)
		positions[i] = i / 2 * 3;
	test_rows(&run, batch, attend, "all of each sequence");
	attend.window = &local;
	test_rows(&run, batch, attend, "a window");
	attend.bias = slope;
	test_rows(&run, batch, attend, "a window and a bias");
	batch.positions = positions;
	test_rows(&run, batch, attend, "positions of the batch");
	attend.window = NULL;
	test_rows(&run, batch, attend, "positions for a bias alone");
	batch.positions = NULL;
	attend.window = &causal;
	test_cache(&run, &batch, attend);
	free(q);
	free(k);
	free(v);
	mg_ctx_free(&cx);
	is_int(test.live, 0, "nothing is left");
	return done();
}
