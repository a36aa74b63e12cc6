/* Rotary positions: against the formula in double, and against transformers. */
#include "tensor/rope.h"
#include "unit/tensor/numbers.h"

/* a cos - b sin and b cos + a sin, by the definition. */
static double
error_of(const float *x, const float *before, size_t size, const MgRope *rope, const float *frequencies, uint32_t position)
{
	size_t half = rope->width / 2;
	double most = 0;

	for (size_t i = 0; i < half; i++)
	{
		size_t a = rope->interleaved ? 2 * i : i, b = rope->interleaved ? 2 * i + 1 : i + half;
		double angle = (double) position * frequencies[i], c = cos(angle), s = sin(angle);

		most = fmax(most, fabs(x[a] - (before[a] * c - before[b] * s)));
		most = fmax(most, fabs(x[b] - (before[b] * c + before[a] * s)));
	}
	for (size_t i = rope->width; i < size; i++)
		most = fmax(most, x[i] == before[i] ? 0 : INFINITY);
	return most;
}

static void
test_formula(MgCtx *cx, const MgCompute *compute, const char *who)
{
	static const struct
	{
		size_t heads, size, width;
		bool interleaved;
	} cases[] = {{1, 2, 2, false}, {3, 64, 64, false}, {2, 80, 32, false}, {2, 22, 22, false}, {3, 64, 64, true}, {2, 40, 10, true}};
	static const uint32_t positions[] = {0, 1, 2, 7, 3, 511, 0};
	const size_t n = sizeof positions / sizeof *positions;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		size_t stride = cases[i].heads * cases[i].size + 3;
		float *x = numbers(n * stride), *before = malloc(n * stride * sizeof *x), frequencies[32];
		MgRope rope = {.width = cases[i].width, .interleaved = cases[i].interleaved};
		MgMark mark = mg_mark(cx);
		double most = 0;

		memcpy(before, x, n * stride * sizeof *x);
		mg_rope_frequencies(10000.0f, rope.width, frequencies);
		if (!mg_rope_init(cx, &rope, frequencies, positions, n))
			exit(1);
		mg_rope(compute, &rope, x, stride, n, cases[i].heads, cases[i].size);
		for (size_t row = 0; row < n; row++)
			for (size_t h = 0; h < cases[i].heads; h++)
				most = fmax(most, error_of(x + row * stride + h * cases[i].size, before + row * stride + h * cases[i].size,
										   cases[i].size, &rope, frequencies, positions[row]));
		ok(most < 4e-5, "%s: %zu heads of %zu, %zu turn%s: %.1e", who, cases[i].heads, cases[i].size, rope.width,
		   rope.interleaved ? ", interleaved" : "", most);
		mg_rewind(cx, mark);
		free(x);
		free(before);
	}
}

/* A table without positions counts from 0; all levels and any number of threads give the same bits. */
static void
test_same(MgCtx *cx, MgPool *pool)
{
	const size_t n = 90, stride = 12 * 64;
	float *x = numbers(n * stride), *first = malloc(n * stride * sizeof *x), *y = malloc(n * stride * sizeof *x), frequencies[32];
	MgCompute plain = {.kernels = mg_kernels(MG_CPU_SCALAR)};
	MgRope rope = {.width = 64}, other = {.width = 64};
	uint32_t positions[90];

	for (uint32_t i = 0; i < n; i++)
		positions[i] = i;
	mg_rope_frequencies(160000.0f, 64, frequencies);
	if (!mg_rope_init(cx, &rope, frequencies, NULL, n) || !mg_rope_init(cx, &other, frequencies, positions, n))
		exit(1);
	ok(memcmp(rope.cosines, other.cosines, n * 32 * sizeof(float)) == 0 && memcmp(rope.sines, other.sines, n * 32 * sizeof(float)) == 0,
	   "positions count from 0 unless they are given");
	memcpy(first, x, n * stride * sizeof *x);
	mg_rope(&plain, &rope, first, stride, n, 12, 64);
	FOR_EACH_LEVEL(level)
	{
		MgCompute threads = {.kernels = mg_kernels(level), .pool = pool};

		memcpy(y, x, n * stride * sizeof *x);
		mg_rope(&threads, &rope, y, stride, n, 12, 64);
		ok(memcmp(first, y, n * stride * sizeof *x) == 0, "%s: the same bits, on three threads", mg_cpu_level_name(level));
	}
	free(x);
	free(first);
	free(y);
}

static bool
sweep_body(MgCtx *cx, void *user)
{
	static const float frequencies[2] = {1.0f, 0.5f};
	MgRope *rope = user;

	return mg_rope_init(cx, rope, frequencies, NULL, 20000);
}

int
main(void)
{
	TestHost test;
	MgCtx cx;
	MgPool *pool;
	MgRope rope = {.width = 4};

	test_host_init(&test);
	mg_ctx_init(&cx, &test.host);
	pool = mg_pool_create(&cx, 3);
	FOR_EACH_LEVEL(level)
	{
		MgCompute compute = {.kernels = mg_kernels(level)};

		test_formula(&cx, &compute, mg_cpu_level_name(level));
	}
	test_same(&cx, pool);
	sweep("angles", sweep_body, &rope, 1);
	mg_pool_destroy(pool);
	mg_ctx_free(&cx);
	is_int(test.live, 0, "nothing is left");
	return done();
}
