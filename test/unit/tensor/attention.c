#include "tensor/attention.h"
#include "unit/tensor/numbers.h"

typedef struct Case
{
	size_t n_queries, n_keys, heads, head_size, gap;
} Case;

/* q, k, v as three slices of one buffer, as an encoder lays them out, and an out of its own. */
typedef struct Data
{
	float *qkv, *out;
	MgAttention a;
} Data;

static Data
make(const Case *c)
{
	size_t d = c->heads * c->head_size;
	size_t n = c->n_queries > c->n_keys ? c->n_queries : c->n_keys;
	size_t stride = 3 * d + c->gap;
	Data data = {numbers(n * stride), numbers(c->n_queries * (d + c->gap)), {0}};

	data.a = (MgAttention){
		.q = data.qkv, .k = data.qkv + d, .v = data.qkv + 2 * d,
		.q_stride = stride, .k_stride = stride, .v_stride = stride,
		.n_queries = c->n_queries, .n_keys = c->n_keys, .heads = c->heads, .head_size = c->head_size,
		.scale = 3.0f / sqrtf((float) c->head_size), /* sharper than a model's, so that the maximum matters */
		.out = data.out, .out_stride = d + c->gap,
	};
	return data;
}

static void
drop(Data *data)
{
	free(data->qkv);
	free(data->out);
}

static uint32_t
position_of_key(const MgAttention *a, size_t key)
{
	return a->key_positions != NULL ? a->key_positions[key] : (uint32_t) key;
}

/* Whether a query sees a key, by the definition. */
static bool
sees(const MgAttention *a, size_t query, size_t key)
{
	int64_t p, at = position_of_key(a, key);

	if (a->window == NULL)
		return true;
	p = a->query_positions != NULL ? a->query_positions[query] : position_of_key(a, a->n_keys - a->n_queries + query);
	return (a->window->before == MG_UNBOUNDED || at >= p - (int64_t) a->window->before) &&
		(a->window->after == MG_UNBOUNDED || at <= p + (int64_t) a->window->after);
}

/* What one query makes of the keys, in double. */
static void
plain_row(const MgAttention *a, size_t h, size_t i, double *p, double *out)
{
	size_t g = a->kv_heads > 0 ? h / (a->heads / a->kv_heads) : h;
	double largest = -INFINITY, sum = 0.0;

	for (size_t j = 0; j < a->n_keys; j++)
	{
		float bias = 0.0f;

		p[j] = 0.0;
		for (size_t k = 0; k < a->head_size; k++)
			p[j] += (double) a->q[i * a->q_stride + h * a->head_size + k] * a->k[j * a->k_stride + g * a->head_size + k];
		p[j] *= a->scale;
		if (a->soft_cap > 0)
			p[j] = a->soft_cap * tanh(p[j] / a->soft_cap);
		if (a->bias != NULL)
			a->bias(a->bias_user, &(MgScores){h, 0, NULL, j, 1, &bias});
		p[j] = sees(a, i, j) ? p[j] + bias : -INFINITY;
		largest = fmax(largest, p[j]);
	}
	for (size_t j = 0; j < a->n_keys; j++)
		sum += p[j] = largest > -INFINITY ? exp(p[j] - largest) : 0.0;
	for (size_t k = 0; k < a->head_size; k++)
	{
		out[k] = 0.0;
		for (size_t j = 0; j < a->n_keys; j++)
			out[k] += p[j] * a->v[j * a->v_stride + g * a->head_size + k];
		if (sum > 0)
			out[k] /= sum;
	}
}

static double
error_of(const MgAttention *a)
{
	double most = 0.0;
	double *p = malloc(a->n_keys * sizeof *p), *want = malloc(a->head_size * sizeof *want);

	for (size_t h = 0; h < a->heads; h++)
		for (size_t i = 0; i < a->n_queries; i++)
		{
			plain_row(a, h, i, p, want);
			for (size_t k = 0; k < a->head_size; k++)
			{
				double d = fabs(want[k] - a->out[i * a->out_stride + h * a->head_size + k]);

				if (!(d <= most))
					most = isnan(d) ? INFINITY : d;
			}
		}
	free(p);
	free(want);
	return most;
}

static void
test_shapes(MgCtx *cx, const MgCompute *compute, const char *who)
{
	static const Case cases[] = {
		{1, 1, 1, 1, 0},	{2, 2, 1, 2, 0},	{13, 13, 3, 7, 5},	{31, 31, 2, 32, 0},	  {33, 33, 2, 33, 1},
		{47, 47, 12, 32, 0}, {45, 45, 3, 64, 0}, {130, 130, 2, 64, 0}, {300, 300, 1, 40, 2}, {512, 512, 2, 32, 0},
		{1, 97, 4, 64, 0},	{5, 200, 2, 16, 3},	{20, 3, 2, 96, 0},	{2, 1500, 1, 8, 0},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
	{
		Data data = make(&cases[i]);
		bool fine = mg_attention(cx, compute, &data.a);

		ok(fine && error_of(&data.a) < 2e-6, "%s: %zu queries, %zu keys, %zu heads of %zu", who, cases[i].n_queries,
		   cases[i].n_keys, cases[i].heads, cases[i].head_size);
		drop(&data);
	}
}

/* Of each head its own slope, as ALiBi has it. */
static void
slope(const void *user, const MgScores *scores)
{
	const float *slopes = user;

	for (size_t j = 0; j < scores->n; j++)
		scores->scores[j] += slopes[scores->head] * (float) (scores->first + j);
}

/* Windows over keys in order, over positions with gaps and repetitions, and over queries that stand anywhere. */
static void
test_windows(MgCtx *cx, const MgCompute *compute, const char *who)
{
	static const MgWindow windows[] = {{MG_UNBOUNDED, 0}, {8, 8}, {10, 0}, {0, 3}, {MG_UNBOUNDED, MG_UNBOUNDED}, {0, 0}, {64, 64}};
	static const Case cases[] = {{1, 1, 1, 4, 0}, {40, 40, 2, 16, 0}, {7, 90, 2, 33, 1}, {300, 300, 1, 64, 0}};
	static uint32_t keys[300], queries[300];

	for (size_t j = 0; j < 300; j++)
	{
		keys[j] = (uint32_t) (j / 3 * 5 + j % 3);
		queries[j] = (uint32_t) (j * 7919 % 500);
	}
	for (size_t w = 0; w < sizeof windows / sizeof *windows; w++)
		for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		{
			Data data = make(&cases[i]);
			double error[3];

			data.a.window = &windows[w];
			error[0] = mg_attention(cx, compute, &data.a) ? error_of(&data.a) : INFINITY;
			data.a.key_positions = keys;
			error[1] = mg_attention(cx, compute, &data.a) ? error_of(&data.a) : INFINITY;
			data.a.query_positions = queries;
			error[2] = mg_attention(cx, compute, &data.a) ? error_of(&data.a) : INFINITY;
			ok(error[0] < 2e-6 && error[1] < 2e-6 && error[2] < 2e-6,
			   "%s: window %zu, %zu queries, %zu keys: %.1e in order, %.1e with gaps, %.1e anywhere", who, w,
			   cases[i].n_queries, cases[i].n_keys, error[0], error[1], error[2]);
			drop(&data);
		}
}

/* Heads that share keys; caps and biases, which go to the softmax in this order. */
static void
test_scores(MgCtx *cx, const MgCompute *compute, const char *who)
{
	static const MgWindow causal = {MG_UNBOUNDED, 0};
	static const Case c = {45, 45, 6, 24, 0};
	static const float slopes[6] = {0.5f, -0.25f, 0.125f, 1.0f, -1.0f, 0.0f};

	for (size_t kv_heads = 1; kv_heads <= 6; kv_heads += kv_heads < 3 ? 1 : 3)
		for (int how = 0; how < 8; how++)
		{
			Data data = make(&c);

			data.a.kv_heads = kv_heads;
			data.a.window = how & 1 ? &causal : NULL;
			data.a.soft_cap = how & 2 ? 1.5f : 0;
			data.a.bias = how & 4 ? slope : NULL;
			data.a.bias_user = slopes;
			ok(mg_attention(cx, compute, &data.a) && error_of(&data.a) < 3e-6,
			   "%s: 6 heads over %zu of keys%s%s%s", who, kv_heads, how & 1 ? ", causal" : "", how & 2 ? ", capped" : "",
			   how & 4 ? ", biased" : "");
			drop(&data);
		}
}

/* A query's result does not depend on the other queries, nor on the threads. */
static void
test_invariance(MgCtx *cx, const MgCompute *compute, MgPool *pool, const char *who)
{
	static const Case cases[] = {{100, 100, 12, 32, 0}, {300, 300, 3, 64, 0}, {600, 600, 2, 20, 1}, {600, 600, 2, 20, 1}};
	static const MgWindow local = {20, 20};
	static uint32_t positions[600];

	for (uint32_t j = 0; j < 600; j++)
		positions[j] = j;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
	{
		MgCompute threads = *compute;
		Data data = make(&cases[i]);
		size_t n = data.a.n_queries * data.a.out_stride;
		size_t d = data.a.heads * data.a.head_size;
		float *whole = malloc(n * sizeof *whole);
		size_t bad = 0;

		threads.pool = pool;
		if (i == 3)
		{
			data.a.window = &local;
			data.a.query_positions = positions;
		}
		mg_attention(cx, compute, &data.a);
		memcpy(whole, data.out, n * sizeof *whole);
		mg_attention(cx, &threads, &data.a);
		ok(memcmp(whole, data.out, n * sizeof *whole) == 0, "%s, case %zu: the same bits on three threads", who, i);
		for (size_t first = 0; first < cases[i].n_queries; first += 17)
			for (size_t count = 1; count <= 16 && first + count <= cases[i].n_queries; count += 5)
			{
				MgAttention part = data.a;

				part.q += first * part.q_stride;
				part.query_positions = i == 3 ? positions + first : NULL;
				part.n_queries = count;
				mg_attention(cx, compute, &part);
				for (size_t j = 0; j < count; j++)
					bad += memcmp(data.out + j * part.out_stride, whole + (first + j) * part.out_stride,
								  d * sizeof *whole) != 0;
			}
		ok(bad == 0, "%s, case %zu: the same bits for some of the queries", who, i);
		free(whole);
		drop(&data);
	}
}

/* Scores of 1e4 overflow an exponential that does not subtract the maximum; equal ones share alike. */
static void
test_extremes(MgCtx *cx, const MgCompute *compute, const char *who)
{
	float q[2] = {100.0f, 100.0f}, k[6] = {100, 0, 0, 0, 99, 0}, v[6] = {1, 2, 3, 4, 5, 6}, out[2] = {7, 7};
	float same[6] = {1, 1, 1, 1, 1, 1};
	MgAttention a = {.q = q, .k = k, .v = v, .q_stride = 2, .k_stride = 2, .v_stride = 2, .n_queries = 1, .n_keys = 3,
					 .heads = 1, .head_size = 2, .scale = 1.0f, .out = out, .out_stride = 2};

	ok(mg_attention(cx, compute, &a) && out[0] == 1.0f && out[1] == 2.0f, "%s: large scores do not overflow", who);
	a.scale = -1.0f;
	ok(mg_attention(cx, compute, &a) && out[0] == 3.0f, "%s: a negative scale turns the order round", who);
	a.k = same;
	ok(mg_attention(cx, compute, &a), "%s: equal scores", who);
	is_near(out[0], 3.0, 1e-6, "%s: give the mean", who);
	a.n_keys = 0;
	ok(mg_attention(cx, compute, &a) && out[0] == 0.0f && out[1] == 0.0f, "%s: no keys give zeros", who);
	a.n_queries = 0;
	out[0] = 7;
	ok(mg_attention(cx, compute, &a) && out[0] == 7.0f, "%s: no queries write nothing", who);
}

typedef struct Sweep
{
	MgCompute compute;
	MgAttention a;
} Sweep;

static bool
sweep_body(MgCtx *cx, void *user)
{
	Sweep *s = user;

	return mg_attention(cx, &s->compute, &s->a);
}

static void
test_sweep(const MgCompute *compute, const char *who)
{
	static const Case c = {1000, 1000, 4, 64, 0};
	Data data = make(&c);
	Sweep s = {*compute, data.a};
	double flops = 4.0 * 1000 * 1000 * 4 * 64;
	TestHost test;
	MgCtx cx;
	MgMark mark, after;

	test_host_init(&test);
	mg_ctx_init(&cx, &test.host);
	ok(mg_alloc(&cx, 1) != NULL, "%s: an arena", who);
	mark = mg_mark(&cx);
	ok(sweep_body(&cx, &s), "%s: undisturbed", who);
	after = mg_mark(&cx);
	ok(after.block == mark.block && after.used == mark.used, "%s: scratch is rewound", who);
	ok((double) test.n_polls * 2.0 * compute->kernels->piece_flops * (double) mg_pool_threads(compute->pool) >= flops,
	   "%s: %ld polls bound the work between two", who, test.n_polls);
	mg_ctx_free(&cx);
	sweep(who, sweep_body, &s, 1);
	drop(&data);
}

int
main(void)
{
	TestHost test;
	MgCtx cx;
	MgPool *pool;

	test_host_init(&test);
	mg_ctx_init(&cx, &test.host);
	pool = mg_pool_create(&cx, 3);
	FOR_EACH_LEVEL(level)
	{
		const char *who = mg_cpu_level_name(level);
		MgCompute compute = {.kernels = mg_kernels(level), .provider = MG_NATIVE, .pool = NULL};
		MgCompute threads = {.kernels = mg_kernels(level), .provider = MG_NATIVE, .pool = pool};

		test_shapes(&cx, &compute, who);
		test_windows(&cx, &compute, who);
		test_scores(&cx, &compute, who);
		test_invariance(&cx, &compute, pool, who);
		test_extremes(&cx, &compute, who);
		test_sweep(&compute, who);
		test_sweep(&threads, who);
	}
	mg_pool_destroy(pool);
	mg_ctx_free(&cx);
	is_int(test.live, 0, "nothing is left");
	return done();
}
