#include "unit/tensor/numbers.h"

static const size_t sizes[] = {1, 2, 3, 7, 13, 16, 31, 32, 33, 47, 64, 100, 384, 768, 1001};
#define N_SIZES (sizeof sizes / sizeof sizes[0])

/* One row of x + residual, normalised in double. */
static void
norm_row(const float *x, const float *residual, size_t d, const float *gain, const float *bias, double *want)
{
	double mean = 0.0, variance = 0.0;

	for (size_t i = 0; i < d; i++)
		mean += want[i] = x[i] + (residual != NULL ? residual[i] : 0.0);
	mean /= (double) d;
	for (size_t i = 0; i < d; i++)
		variance += (want[i] - mean) * (want[i] - mean);
	variance /= (double) d;
	for (size_t i = 0; i < d; i++)
		want[i] = (want[i] - mean) / sqrt(variance + 1e-12) * gain[i] + (bias != NULL ? bias[i] : 0.0);
}

/*
 * offset moves the numbers away from zero: half a unit in the last place of it,
 * divided by the deviation of 0.6, is what the input itself has lost.
 */
static double
norm_error(const MgCompute *compute, size_t n, size_t d, float offset, bool with_residual, bool with_bias)
{
	float *x = numbers(n * d), *residual = with_residual ? numbers(n * d) : NULL;
	float *gain = numbers(d), *bias = with_bias ? numbers(d) : NULL;
	double *want = malloc(n * d * sizeof *want);
	double error;

	for (size_t i = 0; i < n * d; i++)
		x[i] += offset;
	for (size_t i = 0; i < n; i++)
		norm_row(x + i * d, with_residual ? residual + i * d : NULL, d, gain, bias, want + i * d);
	mg_add_norm(compute, &(MgNorm){MG_NORM_LAYER, d, gain, bias, 1e-12f}, x, residual, n, x);
	error = distance(x, want, n * d);
	free(x);
	free(residual);
	free(gain);
	free(bias);
	free(want);
	return error;
}

static void
test_norm(const MgCompute *compute, const char *who)
{
	size_t bad = 0;

	/* Two numbers that happen to be close amplify rounding without bound, so that sizes start at 7. */
	for (size_t s = 3; s < N_SIZES; s++)
		for (int kind = 0; kind < 4; kind++)
		{
			double e = norm_error(compute, 1 + s % 4, sizes[s], 0.0f, kind & 1, kind & 2);

			if (e > 3e-6 && bad++ < 5)
				printf("# d %zu, kind %d: %g\n", sizes[s], kind, e);
		}
	ok(bad == 0, "%s: layer norm of all sizes, with and without residual and bias", who);
	is_near(norm_error(compute, 300, 384, 0.0f, true, true), 0.0, 3e-6, "%s: many rows", who);
	/* Its sum is rounded to 1/32: the most where lanes are four, 3.2e-4 on AArch64. */
	is_near(norm_error(compute, 3, 768, 1000.0f, false, true), 0.0, 5e-4, "%s: a mean far from zero", who);
	{
		float x[3] = {5, 5, 5}, gain[3] = {1, 2, 3}, bias[3] = {7, 8, 9};

		mg_add_norm(compute, &(MgNorm){MG_NORM_LAYER, 3, gain, bias, 1e-5f}, x, NULL, 1, x);
		ok(x[0] == 7 && x[1] == 8 && x[2] == 9, "%s: equal numbers have no variance and give the bias", who);
		mg_add_norm(compute, &(MgNorm){MG_NORM_LAYER, 3, gain, bias, 1e-5f}, x, NULL, 0, x);
		ok(x[0] == 7, "%s: no rows", who);
	}
}

static void
rms_row(const float *x, const float *residual, const MgNorm *norm, double *want)
{
	double square = 0.0;

	for (size_t i = 0; i < norm->d; i++)
	{
		want[i] = x[i] + (residual != NULL ? residual[i] : 0.0);
		square += want[i] * want[i];
	}
	for (size_t i = 0; i < norm->d; i++)
		want[i] = want[i] / sqrt(square / (double) norm->d + norm->eps) * norm->weight[i] +
			(norm->bias != NULL ? norm->bias[i] : 0.0);
}

/* RMS norm, and both kinds into another place, which leaves the sum where it was. */
static void
test_kinds(const MgCompute *compute, const char *who)
{
	enum { N = 5 };
	double worst = 0.0;
	size_t bad = 0;

	for (size_t s = 0; s < N_SIZES; s++)
		for (int kind = 0; kind < 8; kind++)
		{
			size_t d = sizes[s];
			float *x = numbers(N * d), *residual = kind & 1 ? numbers(N * d) : NULL, *weight = numbers(d), *bias = numbers(d);
			float *out = numbers(N * d), *same = malloc(N * d * sizeof *same), *sum = malloc(N * d * sizeof *sum);
			double *want = malloc(N * d * sizeof *want);
			MgNorm norm = {kind & 4 ? MG_NORM_RMS : MG_NORM_LAYER, d, weight, kind & 2 ? bias : NULL, 1e-5f};

			memcpy(same, x, N * d * sizeof *x);
			for (size_t i = 0; i < N * d; i++)
				sum[i] = x[i] + (residual != NULL ? residual[i] : 0.0f);
			for (size_t i = 0; i < N; i++)
				rms_row(x + i * d, residual != NULL ? residual + i * d : NULL, &norm, want + i * d);
			mg_add_norm(compute, &norm, x, residual, N, out);
			if (norm.kind == MG_NORM_RMS)
				worst = fmax(worst, distance(out, want, N * d));
			bad += memcmp(x, sum, N * d * sizeof *x) != 0;
			mg_add_norm(compute, &norm, same, residual, N, same);
			bad += memcmp(same, out, N * d * sizeof *out) != 0;
			free(x);
			free(residual);
			free(weight);
			free(bias);
			free(out);
			free(same);
			free(sum);
			free(want);
		}
	is_near(worst, 0.0, 3e-6, "%s: RMS norm of all sizes, with and without residual and bias", who);
	is_int((long) bad, 0, "%s: norms of both kinds are the same in place and out of place, and leave the sum", who);
}

/* A row alone and among others, on one thread and on three. */
static void
test_invariance(const MgCompute *compute, MgPool *pool, const char *who)
{
	enum { N = 400, D = 390 };
	MgCompute threads = *compute;
	float *x = numbers((size_t) N * D), *gain = numbers(D);
	float *batch = malloc((size_t) N * D * sizeof *batch), *pooled = malloc((size_t) N * D * sizeof *batch);

	threads.pool = pool;
	memcpy(batch, x, (size_t) N * D * sizeof *x);
	memcpy(pooled, x, (size_t) N * D * sizeof *x);
	mg_add_norm(compute, &(MgNorm){MG_NORM_LAYER, D, gain, NULL, 1e-5f}, batch, NULL, N, batch);
	mg_add_norm(&threads, &(MgNorm){MG_NORM_LAYER, D, gain, NULL, 1e-5f}, pooled, NULL, N, pooled);
	for (size_t i = 0; i < N; i++)
		mg_add_norm(compute, &(MgNorm){MG_NORM_LAYER, D, gain, NULL, 1e-5f}, x + i * D, NULL, 1, x + i * D);
	ok(memcmp(x, batch, (size_t) N * D * sizeof *x) == 0, "%s: a row alone has the same bits", who);
	ok(memcmp(x, pooled, (size_t) N * D * sizeof *x) == 0, "%s: and on three threads", who);
	free(x);
	free(gain);
	free(batch);
	free(pooled);
}

static void
test_dot_and_add(const MgCompute *compute, const char *who)
{
	double worst = 0.0;
	size_t bad = 0;

	for (size_t s = 0; s < N_SIZES; s++)
	{
		size_t n = sizes[s];
		float *a = numbers(n), *b = numbers(n), *sum;
		double want = 0.0;

		for (size_t i = 0; i < n; i++)
			want += (double) a[i] * b[i];
		worst = fmax(worst, fabs(want - mg_dot(compute, a, b, n)) / sqrt((double) n));
		sum = numbers(n);
		for (size_t i = 0; i < n; i++)
			sum[i] = b[i] + a[i];
		mg_add(compute, b, a, n);
		bad += memcmp(b, sum, n * sizeof *sum) != 0;
		free(sum);
		free(a);
		free(b);
	}
	is_near(worst, 0.0, 3e-7, "%s: dot of all sizes", who);
	ok(mg_dot(compute, NULL, NULL, 0) == 0.0f, "%s: dot of nothing", who);
	ok(bad == 0, "%s: add of all sizes", who);
}

/* A binary16 from its definition. */
static double
half_value(uint16_t half)
{
	int exponent = half >> 10 & 31;
	int fraction = half & 1023;
	double size = exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25);

	if (exponent == 31)
		size = fraction == 0 ? INFINITY : NAN;
	return half & 0x8000 ? -size : size;
}

/* All 65536 halves, in one go from an odd address. */
static void
test_halves(const MgKernels *kernels, MgDtype dtype, const char *who)
{
	const size_t n = 65536;
	uint8_t *bytes = malloc(2 * n + 1);
	float *to = malloc(n * sizeof *to);
	size_t bad = 0;

	for (size_t i = 0; i < n; i++)
	{
		bytes[1 + 2 * i] = (uint8_t) i;
		bytes[2 + 2 * i] = (uint8_t) (i >> 8);
	}
	mg_to_f32(kernels, dtype, bytes + 1, n, to);
	for (size_t i = 0; i < n; i++)
	{
		uint32_t bits = (uint32_t) i << 16, got;
		float bf16;
		double want;

		memcpy(&bf16, &bits, sizeof bf16);
		memcpy(&got, &to[i], sizeof got);
		want = dtype == MG_F16 ? half_value((uint16_t) i) : (double) bf16;
		if (isnan(want) ? !isnan(to[i]) || got >> 31 != i >> 15 : want != to[i] || !signbit(want) != !signbit(to[i]))
			bad++;
	}
	ok(bad == 0, "%s: all %s numbers, subnormal, infinite and NaN among them", who, mg_dtype_name(dtype));
	free(bytes);
	free(to);
}

/* NaNs keep their payload and become quiet on each level: an image built on one CPU is the image built on another. */
static void
test_levels_agree(const MgKernels *kernels, const char *who)
{
	const size_t n = 65536;
	uint16_t *half = malloc(n * sizeof *half);
	float *a = malloc(n * sizeof *a), *b = malloc(n * sizeof *b);

	for (size_t i = 0; i < n; i++)
		half[i] = (uint16_t) i;
	for (MgDtype dtype = MG_F16; dtype <= MG_BF16; dtype++)
	{
		mg_to_f32(kernels, dtype, half, n, a);
		mg_to_f32(mg_kernels(MG_CPU_SCALAR), dtype, half, n, b);
		ok(memcmp(a, b, n * sizeof *a) == 0, "%s: the bits of %s are those of scalar", who, mg_dtype_name(dtype));
	}
	free(half);
	free(a);
	free(b);
}

/* Short pieces, in memory that ends with them. */
static void
test_short_conversions(const MgKernels *kernels, const char *who)
{
	size_t bad = 0;

	for (size_t n = 0; n < 40; n++)
		for (MgDtype dtype = MG_F32; dtype <= MG_BF16; dtype++)
		{
			static const uint8_t one[MG_N_FLOAT_DTYPES][4] = {{0, 0, 0x80, 0x3F}, {0, 0x3C}, {0x80, 0x3F}};
			size_t size = mg_dtype_size(dtype);
			uint8_t *from = malloc(n * size + 1);
			float *to = numbers(n);

			for (size_t i = 0; i < n; i++)
				memcpy(from + 1 + i * size, one[dtype], size);
			mg_to_f32(kernels, dtype, from + 1, n, to);
			for (size_t i = 0; i < n; i++)
				bad += to[i] != 1.0f;
			free(from);
			free(to);
		}
	ok(bad == 0, "%s: conversions of 0 to 39 numbers", who);
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

		test_norm(&compute, who);
		test_kinds(&compute, who);
		test_invariance(&compute, pool, who);
		test_dot_and_add(&compute, who);
		test_halves(compute.kernels, MG_F16, who);
		test_halves(compute.kernels, MG_BF16, who);
		test_levels_agree(compute.kernels, who);
		test_short_conversions(compute.kernels, who);
	}
	mg_pool_destroy(pool);
	mg_ctx_free(&cx);
	return done();
}
