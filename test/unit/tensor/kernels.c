/* What the table of a level holds and no function of compute.h shows by itself: activations and softmax. */
#include "unit/tensor/numbers.h"

static double
exact(double x, MgActivation activation)
{
	switch (activation)
	{
		case MG_ACT_GELU:
			return x / 2.0 * erfc(-x / sqrt(2.0));
		case MG_ACT_GELU_TANH:
			return x / 2.0 * (1.0 + tanh(sqrt(2.0 / M_PI) * (x + 0.044715 * x * x * x)));
		case MG_ACT_SILU:
			return x / (1.0 + exp(-x));
		case MG_ACT_RELU:
			return x > 0.0 ? x : 0.0;
		case MG_ACT_TANH:
			return tanh(x);
		default:
			return x;
	}
}

/* 200001 points from -20 to 20, in rows of 47 with a gap, so that partial vectors come along. */
static double
activation_error(const MgKernels *kernels, MgActivation activation)
{
	enum { N = 200001, COLUMNS = 47, STRIDE = 50 };
	size_t rows = N / COLUMNS;
	float *x = malloc(rows * STRIDE * sizeof *x);
	double worst = 0.0;

	for (size_t i = 0; i < rows * STRIDE; i++)
		x[i] = (float) ((double) i / (double) (rows * STRIDE) * 40.0 - 20.0);
	kernels->epilogue(x, STRIDE, rows, COLUMNS, NULL, activation);
	for (size_t i = 0; i < rows * STRIDE; i++)
	{
		float was = (float) ((double) i / (double) (rows * STRIDE) * 40.0 - 20.0);
		double want = i % STRIDE < COLUMNS ? exact(was, activation) : was;
		double error = fabs(want - x[i]) / fmax(1.0, fabs(want));

		worst = error <= worst ? worst : error;
	}
	free(x);
	return worst;
}

static void
test_activations(const MgKernels *kernels, const char *who)
{
	/* Relative above 1, absolute below; compute.h wants gelu better than 1e-6. */
	static const struct
	{
		const char *name;
		MgActivation activation;
		double tolerance;
	} all[] = {{"none", MG_ACT_NONE, 0.0},
			   {"gelu", MG_ACT_GELU, 4.5e-7},
			   {"gelu_tanh", MG_ACT_GELU_TANH, 4e-7},
			   {"relu", MG_ACT_RELU, 0.0},
			   {"tanh", MG_ACT_TANH, 2e-7},
			   {"silu", MG_ACT_SILU, 4e-7}};
	static const float extremes[] = {-3e38f, 3e38f, -INFINITY, INFINITY, NAN, 0.0f, 1e-40f, -1e-20f};

	for (size_t a = 0; a < sizeof all / sizeof all[0]; a++)
	{
		float x[8];

		is_near(activation_error(kernels, all[a].activation), 0.0, all[a].tolerance, "%s: %s", who, all[a].name);
		memcpy(x, extremes, sizeof x);
		kernels->epilogue(x, 8, 1, 8, NULL, all[a].activation);
		ok(isnan(x[4]) && x[5] == 0.0f && fabsf(x[6]) < 1e-38f && fabsf(x[7]) <= 1e-20f, "%s: %s of NaN, zero and tiny",
		   who, all[a].name);
		if (all[a].activation != MG_ACT_NONE)
			ok(all[a].activation == MG_ACT_TANH ? x[0] == -1 && x[1] == 1 && x[2] == -1 && x[3] == 1
												: x[0] == 0 && x[1] == 3e38f && x[2] == 0 && x[3] == INFINITY,
			   "%s: %s of huge and infinite", who, all[a].name);
	}
}

static void
test_finish_bias(const MgKernels *kernels, const char *who)
{
	size_t bad = 0;

	for (size_t columns = 1; columns < 70; columns++)
	{
		float *x = numbers(3 * columns), *bias = numbers(columns);
		float *was = malloc(3 * columns * sizeof *was);

		memcpy(was, x, 3 * columns * sizeof *was);
		kernels->epilogue(x, columns, 3, columns, bias, MG_ACT_RELU);
		for (size_t i = 0; i < 3 * columns; i++)
			bad += x[i] != fmaxf(was[i] + bias[i % columns], 0.0f);
		free(x);
		free(bias);
		free(was);
	}
	ok(bad == 0, "%s: bias and activation of rows of 1 to 69", who);
}

/* Units in the last place between two positive floats. */
static double
units(float got, double want)
{
	int exponent;

	frexp(want, &exponent);
	return fabs(got - want) / ldexp(1.0, exponent - 24);
}

/* A row whose maximum is 0 comes back as e^x. */
static void
test_exponential(const MgKernels *kernels, const char *who)
{
	enum { N = 100003 };
	float *x = malloc(N * sizeof *x), *was = malloc(N * sizeof *was);
	double worst = 0.0, sum = 0.0;
	float got;

	for (size_t i = 0; i < N; i++)
		x[i] = was[i] = (float) (-86.99 * (double) i / N);
	got = kernels->softmax(x, N, 1.0f);
	for (size_t i = 0; i < N; i++)
	{
		double want = exp(was[i]);

		worst = fmax(worst, units(x[i], want));
		sum += want;
	}
	is_near(worst, 0.0, 2.0, "%s: the exponential, in units in the last place", who);
	/* 25000 additions in one lane round that much at worst, 2e-5 in practice. */
	is_near(got / sum, 1.0, 1e-4, "%s: its sum", who);
	free(x);
	free(was);
}

static void
test_softmax(const MgKernels *kernels, const char *who)
{
	size_t bad = 0;
	float x[3] = {0.0f, -100.0f, -INFINITY}, one = 5.0f, nans[2] = {NAN, 1.0f};

	for (size_t n = 1; n < 150; n++)
	{
		float *row = numbers(n);
		double *want = malloc(n * sizeof *want);
		double largest = -INFINITY, sum = 0.0;
		float scale = n % 2 == 0 ? 7.0f : -3.0f;
		float got;

		for (size_t i = 0; i < n; i++)
			largest = fmax(largest, (double) row[i] * scale);
		for (size_t i = 0; i < n; i++)
			sum += want[i] = exp((double) row[i] * scale - largest);
		got = kernels->softmax(row, n, scale);
		bad += distance(row, want, n) > 1e-6 || fabs(got / sum - 1.0) > 1e-6;
		free(row);
		free(want);
	}
	ok(bad == 0, "%s: softmax of rows of 1 to 149", who);
	ok(kernels->softmax(x, 3, 1.0f) == 1.0f && x[0] == 1.0f && x[1] == 0.0f && x[2] == 0.0f,
	   "%s: what is far below the maximum vanishes", who);
	ok(kernels->softmax(&one, 1, 2.0f) == 1.0f && one == 1.0f, "%s: one number", who);
	ok(isnan(kernels->softmax(nans, 2, 1.0f)), "%s: NaN is not hidden", who);
}

static void
test_scale(const MgKernels *kernels, const char *who)
{
	size_t bad = 0;

	for (size_t n = 0; n < 70; n++)
	{
		float *x = numbers(n), *was = malloc(n * sizeof *was + 1);

		memcpy(was, x, n * sizeof *was);
		kernels->scale(x, n, 3.0f);
		for (size_t i = 0; i < n; i++)
			bad += x[i] != was[i] * 3.0f;
		free(x);
		free(was);
	}
	ok(bad == 0, "%s: rows of 0 to 69 are scaled", who);
}

int
main(void)
{
	FOR_EACH_LEVEL(level)
	{
		const MgKernels *kernels = mg_kernels(level);
		const char *who = mg_cpu_level_name(level);

		test_activations(kernels, who);
		test_finish_bias(kernels, who);
		test_exponential(kernels, who);
		test_softmax(kernels, who);
		test_scale(kernels, who);
	}
	return done();
}
