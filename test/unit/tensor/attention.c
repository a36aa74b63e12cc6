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

static double
error_of(const MgAttention *a)
{
	double most = 0.0;
	double *p = malloc(a->n_keys * sizeof *p);

	for (size_t h = 0; h < a->heads; h++)
		for (size_t i = 0; i < a->n_queries; i++)
		{
			double largest = -INFINITY, sum = 0.0;

			for (size_t j = 0; j < a->n_keys; j++)
			{
				p[j] = 0.0;
				for (size_t k = 0; k < a->head_size; k++)
					p[j] += (double) a->q[i * a->q_stride + h * a->head_size + k] *
							a->k[j * a->k_stride + h * a->head_size + k];
				p[j] *= a->scale;
				largest = fmax(largest, p[j]);
			}
			for (size_t j = 0; j < a->n_keys; j++)
				sum += p[j] = exp(p[j] - largest);
			for (size_t k = 0; k < a->head_size; k++)
			{
				double want = 0.0, d;

				for (size_t j = 0; j < a->n_keys; j++)
					want += p[j] / sum * a->v[j * a->v_stride + h * a->head_size + k];
				d = fabs(want - a->out[i * a->out_stride + h * a->head_size + k]);
				if (!(d <= most))
					most = isnan(d) ? INFINITY : d;
			}
		}
	free(p);
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

/* A query's result does not depend on the other queries, nor on the threads. */
static void
test_invariance(MgCtx *cx, const MgCompute *compute, MgPool *pool, const char *who)
{
	static const Case cases[] = {{100, 100, 12, 32, 0}, {300, 300, 3, 64, 0}, {600, 600, 2, 20, 1}};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
	{
		MgCompute threads = *compute;
		Data data = make(&cases[i]);
		size_t n = data.a.n_queries * data.a.out_stride;
		size_t d = data.a.heads * data.a.head_size;
		float *whole = malloc(n * sizeof *whole);
		size_t bad = 0;

		threads.pool = pool;
		mg_attention(cx, compute, &data.a);
		memcpy(whole, data.out, n * sizeof *whole);
		mg_attention(cx, &threads, &data.a);
		ok(memcmp(whole, data.out, n * sizeof *whole) == 0, "%s, case %zu: the same bits on three threads", who, i);
		for (size_t first = 0; first < cases[i].n_queries; first += 17)
			for (size_t count = 1; count <= 16 && first + count <= cases[i].n_queries; count += 5)
			{
				MgAttention part = data.a;

				part.q += first * part.q_stride;
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
