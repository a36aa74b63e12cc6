/* Scores by distance: against the definition in double, whatever is computed at once, and places beside the reference's. */
#include "tensor/relative.h"
#include "unit/tensor/numbers.h"

#define N_PLACES 12
#define REACH 9
#define HEADS 6
#define SIZE 20
#define WIDTH (HEADS * SIZE)
#define MOST 300

typedef struct Terms
{
	float *bias, *keys, *queries;
	uint32_t places[2 * REACH + 1];
} Terms;

static float *
scaled(size_t n, float by)
{
	float *x = numbers(n);

	for (size_t i = 0; i < n; i++)
		x[i] *= by;
	return x;
}

static uint32_t
position_of_key(const MgAttention *a, size_t key)
{
	return a->key_positions != NULL ? a->key_positions[key] : (uint32_t) key;
}

static double
product(const float *a, const float *b)
{
	double sum = 0;

	for (size_t k = 0; k < SIZE; k++)
		sum += (double) a[k] * b[k];
	return sum;
}

/* The largest distance of out from the definition. */
static double
error_of(const MgAttention *a)
{
	static double p[MOST];
	const MgRelative *r = a->relative;
	double most = 0;

	for (size_t h = 0; h < HEADS; h++)
		for (size_t i = 0; i < a->n_queries; i++)
		{
			size_t g = h / (HEADS / a->kv_heads);
			int64_t at = a->query_positions != NULL ? a->query_positions[i] : position_of_key(a, a->n_keys - a->n_queries + i);
			const float *q = a->q + i * a->q_stride + h * SIZE;
			double sum = 0, largest = -INFINITY;

			for (size_t j = 0; j < a->n_keys; j++)
			{
				int64_t d = position_of_key(a, j) - at;
				size_t place = r->places[(d < -REACH ? -REACH : d > REACH ? REACH : d) + REACH];
				const float *k = a->k + j * a->k_stride + g * SIZE;

				p[j] = product(q, k);
				p[j] += r->keys != NULL ? product(q, r->keys + place * r->stride + h * SIZE) : 0;
				p[j] += r->queries != NULL ? product(k, r->queries + place * r->stride + h * SIZE) : 0;
				p[j] = p[j] * a->scale + (r->bias != NULL ? r->bias[place * HEADS + h] : 0);
				if (a->window != NULL && (d < -(int64_t) a->window->before || d > (int64_t) a->window->after))
					p[j] = -INFINITY;
				largest = fmax(largest, p[j]);
			}
			for (size_t j = 0; j < a->n_keys; j++)
				sum += p[j] = exp(p[j] - largest);
			for (size_t k = 0; k < SIZE; k++)
			{
				double want = 0;

				for (size_t j = 0; j < a->n_keys; j++)
					want += p[j] / sum * a->v[j * a->v_stride + g * SIZE + k];
				most = fmax(most, fabs(want - (double) a->out[i * a->out_stride + h * SIZE + k]));
			}
		}
	return most;
}

/* Each mix of terms over sequences of several lengths, in a window or not, with positions in order, with gaps, and anywhere. */
static void
test_terms(MgCtx *cx, const MgCompute *compute, const char *who, const Terms *terms)
{
	static const MgWindow local = {15, 12};
	static const size_t lengths[] = {1, 7, 40, MOST};
	static uint32_t keys[MOST], queries[MOST];
	float *x = numbers(MOST * 3 * WIDTH), *out = numbers(MOST * WIDTH);

	for (uint32_t j = 0; j < MOST; j++)
	{
		keys[j] = j / 3 * 5 + j % 3;
		queries[j] = j * 7919 % MOST;
	}
	for (size_t l = 0; l < 4; l++)
		for (int how = 1; how < 16; how++)
			for (size_t kv_heads = 2; kv_heads <= HEADS; kv_heads *= 3)
			{
				MgRelative r = {N_PLACES, REACH, terms->places, how & 1 ? terms->bias : NULL, how & 2 ? terms->keys : NULL,
								how & 4 ? terms->queries : NULL, WIDTH};
				MgAttention a = {.q = x, .k = x + WIDTH, .v = x + 2 * WIDTH, .q_stride = 3 * WIDTH, .k_stride = 3 * WIDTH,
								 .v_stride = 3 * WIDTH, .n_queries = lengths[l], .n_keys = lengths[l], .heads = HEADS, .kv_heads = kv_heads,
								 .head_size = SIZE, .scale = 0.3f, .relative = &r, .window = how & 8 ? &local : NULL, .out = out,
								 .out_stride = WIDTH};
				double error[3];

				error[0] = mg_attention(cx, compute, &a) ? error_of(&a) : INFINITY;
				a.key_positions = keys;
				error[1] = mg_attention(cx, compute, &a) ? error_of(&a) : INFINITY;
				a.key_positions = NULL;
				a.query_positions = queries;
				a.window = NULL;
				for (size_t j = 0; j < lengths[l]; j++)
					queries[j] = (uint32_t) (j * 7919 % lengths[l]);
				error[2] = mg_attention(cx, compute, &a) ? error_of(&a) : INFINITY;
				ok(error[0] < 3e-6 && error[1] < 3e-6 && error[2] < 3e-6, "%s: %zu keys, %zu heads of them%s%s%s%s: %.1e, with gaps %.1e, anywhere %.1e",
				   who, lengths[l], kv_heads, how & 1 ? ", bias" : "", how & 2 ? ", to keys" : "", how & 4 ? ", to queries" : "",
				   how & 8 ? ", window" : "", error[0], error[1], error[2]);
			}
	free(x);
	free(out);
}

/* The same bits of some queries, by threads, and of a part of the places that has all that occur. */
static void
test_bits(MgCtx *cx, const MgCompute *compute, MgPool *pool, const char *who, const Terms *terms)
{
	float *x = numbers(MOST * 3 * WIDTH), *out = numbers(MOST * WIDTH), *whole = malloc(MOST * WIDTH * sizeof *whole);
	MgRelative r = {N_PLACES, REACH, terms->places, terms->bias, terms->keys, terms->queries, WIDTH};
	MgAttention a = {.q = x, .k = x + WIDTH, .v = x + 2 * WIDTH, .q_stride = 3 * WIDTH, .k_stride = 3 * WIDTH, .v_stride = 3 * WIDTH,
					 .n_queries = MOST, .n_keys = MOST, .heads = HEADS, .kv_heads = HEADS, .head_size = SIZE, .scale = 0.3f, .relative = &r,
					 .out = whole, .out_stride = WIDTH};
	MgCompute threads = *compute;
	uint32_t positions[MOST];
	size_t differ = 0;

	threads.pool = pool;
	mg_attention(cx, compute, &a);
	a.out = out;
	mg_attention(cx, &threads, &a);
	ok(memcmp(whole, out, MOST * WIDTH * sizeof *out) == 0, "%s: the same bits on three threads", who);
	for (uint32_t i = 0; i < MOST; i++)
		positions[i] = i;
	for (size_t first = 0; first < MOST; first += 41)
		for (size_t n = 1; first + n <= MOST && n < 60; n += 19)
		{
			MgAttention part = a;

			part.q += first * part.q_stride;
			part.query_positions = positions + first;
			part.n_queries = n;
			differ += !mg_attention(cx, compute, &part) || memcmp(out, whole + first * WIDTH, n * WIDTH * sizeof *out) != 0;
		}
	is_int(differ, 0, "%s: the same bits for some of the queries", who);
	free(x);
	free(out);
	free(whole);
}

static void
test_places(void)
{
	/* relative_position_bucket of transformers' T5, by distance of the key */
	static const int distances[] = {-600, -200, -128, -100, -64, -50, -33, -17, -9, -8, -7, -1, 0, 1, 7, 8, 9, 15, 16, 40, 90, 127, 300};
	static const uint32_t t5[] = {15, 15, 15, 15, 14, 13, 12, 10, 8, 8, 7, 1, 0, 17, 23, 24, 24, 25, 26, 28, 30, 31, 31};
	static const uint32_t small[] = {4, 4, 4, 4, 4, 4, 4, 4, 3, 3, 3, 1, 0, 6, 8, 8, 8, 9, 9, 9, 9, 9, 9};
	/* make_log_bucket_position of its DeBERTa, by distance of the query */
	static const int others[] = {0, 1, 2, 100, 127, 128, 129, 130, 150, 200, 255, 256, 300, 400, 500, 511, 512, 600};
	static const int logs[] = {0, 1, 2, 100, 127, 128, 129, 130, 143, 169, 192, 192, 207, 233, 254, 255, 256, 270};
	static uint32_t places[2 * 600 + 1];
	size_t wrong = 0;

	mg_relative_buckets(32, 128, 600, places);
	for (size_t i = 0; i < sizeof t5 / sizeof *t5; i++)
		wrong += places[600 + distances[i]] != t5[i];
	mg_relative_buckets(10, 20, 600, places);
	for (size_t i = 0; i < sizeof t5 / sizeof *t5; i++)
		wrong += places[600 + distances[i]] != small[i];
	is_int(wrong, 0, "buckets are T5's");
	mg_relative_log_buckets(256, 512, 600, places);
	for (size_t i = 0; i < sizeof logs / sizeof *logs; i++)
	{
		wrong += places[600 - others[i]] != (uint32_t) (logs[i] < 256 ? 256 + logs[i] : 511);
		wrong += places[600 + others[i]] != (uint32_t) (logs[i] < 256 ? 256 - logs[i] : 0);
	}
	mg_relative_log_buckets(20, 0, 600, places);
	wrong += places[600 - 19] != 39 || places[600 - 20] != 39 || places[600] != 20 || places[600 + 20] != 0 || places[600 + 21] != 0;
	is_int(wrong, 0, "buckets are DeBERTa's");
}

/* Memory that ends and polls that say stop or never return, at each point. */
typedef struct Swept
{
	const MgCompute *compute;
	const MgAttention *attention;
} Swept;

static bool
attend(MgCtx *cx, void *user)
{
	const Swept *swept = user;

	return mg_attention(cx, swept->compute, swept->attention);
}

static void
test_sweep(const MgCompute *compute, const char *who, const Terms *terms)
{
	float *x = numbers(40 * 3 * WIDTH), *out = numbers(40 * WIDTH);
	MgRelative r = {N_PLACES, REACH, terms->places, terms->bias, terms->keys, terms->queries, WIDTH};
	MgAttention a = {.q = x, .k = x + WIDTH, .v = x + 2 * WIDTH, .q_stride = 3 * WIDTH, .k_stride = 3 * WIDTH, .v_stride = 3 * WIDTH,
					 .n_queries = 40, .n_keys = 40, .heads = HEADS, .kv_heads = HEADS, .head_size = SIZE, .scale = 0.3f, .relative = &r,
					 .out = out, .out_stride = WIDTH};
	Swept swept = {compute, &a};

	sweep(who, attend, &swept, 1);
	free(x);
	free(out);
}

int
main(void)
{
	Terms terms = {scaled(N_PLACES * HEADS, 3), scaled(N_PLACES * WIDTH, 2), scaled(N_PLACES * WIDTH, 2), {0}};
	TestHost test;
	MgCtx cx;
	MgPool *pool;

	for (uint32_t i = 0; i <= 2 * REACH; i++)
		terms.places[i] = i * 7 % N_PLACES;
	test_host_init(&test);
	mg_ctx_init(&cx, &test.host);
	pool = mg_pool_create(&cx, 3);
	FOR_EACH_LEVEL(level)
	{
		const char *who = mg_cpu_level_name(level);
		MgCompute compute = {.kernels = mg_kernels(level)}, threads = {.kernels = mg_kernels(level), .pool = pool};

		test_terms(&cx, &compute, who, &terms);
		test_bits(&cx, &compute, pool, who, &terms);
		test_sweep(&compute, who, &terms);
		test_sweep(&threads, who, &terms);
	}
	test_places();
	mg_pool_destroy(pool);
	mg_ctx_free(&cx);
	is_int(test.live, 0, "nothing is left");
	free(terms.bias);
	free(terms.keys);
	free(terms.queries);
	return done();
}
