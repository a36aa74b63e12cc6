#include "tensor/blas.h"
#include "unit/tensor/numbers.h"

static double
activated(double x, MgActivation activation)
{
	switch (activation)
	{
		case MG_ACT_GELU:
			return x / 2.0 * erfc(-x / sqrt(2.0));
		case MG_ACT_GELU_TANH:
			return x / 2.0 * (1.0 + tanh(sqrt(2.0 / M_PI) * (x + 0.044715 * x * x * x)));
		case MG_ACT_RELU:
			return x > 0.0 ? x : 0.0;
		case MG_ACT_TANH:
			return tanh(x);
		default:
			return x;
	}
}

typedef struct Case
{
	size_t n, rows, cols;
	size_t x_gap, out_gap; /* strides beyond the row */
	bool bias;
	MgActivation activation;
} Case;

#define SENTINEL 12345.0f

/* The largest error of one product against a double loop; infinite when a gap of out was written. */
static double
error_of(MgCtx *cx, const MgCompute *compute, MgLayout layout, const Case *c)
{
	size_t xs = c->cols + c->x_gap;
	size_t os = c->rows + c->out_gap;
	float *x = numbers((c->n - 1) * xs + c->cols);
	float *w = numbers(c->rows * c->cols);
	float *bias = c->bias ? numbers(c->rows) : NULL;
	float *out = numbers(c->n * os);
	float *memory;
	MgMatrix m = matrix(layout, w, c->rows, c->cols, &memory);
	double most = 0.0;

	for (size_t i = 0; i < c->n * os; i++)
		out[i] = SENTINEL;
	if (!mg_linear(cx, compute, (MgRows){x, xs, c->n}, (MgLinear){&m, bias, c->activation, out, os}))
		most = INFINITY;
	for (size_t i = 0; i < c->n; i++)
	{
		for (size_t j = 0; j < c->rows; j++)
		{
			double sum = bias != NULL ? bias[j] : 0.0;
			double d;

			for (size_t k = 0; k < c->cols; k++)
				sum += (double) x[i * xs + k] * w[j * c->cols + k];
			d = fabs(activated(sum, c->activation) - out[i * os + j]);
			if (!(d <= most))
				most = isnan(d) ? INFINITY : d;
		}
		for (size_t j = c->rows; j < os; j++)
			if (out[i * os + j] != SENTINEL)
				most = INFINITY;
	}
	free(x);
	free(w);
	free(bias);
	free(out);
	free(memory);
	return most;
}

/* Numbers in [-1, 1): a sum of n products has errors near sqrt(n) half units of its size, which is near sqrt(n) / 3. */
static double
tolerance(MgLayout layout, size_t cols)
{
	/* Of bf16x2, each product is 1.3e-6 away (root mean square of numbers up to 1), of either sign: six times that. */
	if (layout == MG_BF16X2)
		return 2e-5 + 8e-6 * sqrt((double) cols);
	return 1e-6 + 1e-7 * (double) cols;
}

static void
test_shapes(MgCtx *cx, const MgCompute *compute, MgLayout layout, const char *who)
{
	static const size_t sizes[] = {1, 2, 3, 4, 5, 13, 31, 32, 33, 47, 64, 97, 130};
	const size_t n_sizes = sizeof sizes / sizeof sizes[0];
	size_t tried = 0, bad = 0;

	for (size_t a = 0; a < n_sizes; a++)
		for (size_t b = 0; b < n_sizes; b++)
			for (size_t k = 0; k < n_sizes; k += 2)
			{
				Case c = {sizes[a], sizes[b], sizes[k], (a + b) % 3 * 5, (b + k) % 3 * 7, (a + k) % 2 == 0,
						  (MgActivation) ((a + b + k) % 5)};
				double e = error_of(cx, compute, layout, &c);

				tried++;
				if (e > tolerance(layout, c.cols) && bad++ < 5)
					printf("# %zu x %zu x %zu, activation %d: error %g\n", c.n, c.rows, c.cols, (int) c.activation, e);
			}
	ok(bad == 0, "%s: %zu small shapes", who, tried);
}

static void
test_large(MgCtx *cx, const MgCompute *compute, MgLayout layout, const char *who)
{
	static const Case cases[] = {
		{253, 100, 770, 3, 1, true, MG_ACT_GELU},		{45, 384, 1536, 0, 0, true, MG_ACT_NONE},
		{7, 1000, 385, 0, 40, false, MG_ACT_TANH},		{1, 2050, 384, 0, 0, true, MG_ACT_NONE},
		{128, 33, 383, 1, 0, false, MG_ACT_GELU_TANH},	{3, 65, 2000, 0, 3, true, MG_ACT_RELU},
		{14, 96, 768, 2304 - 768, 2304 - 96, true, MG_ACT_NONE},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
	{
		double e = error_of(cx, compute, layout, &cases[i]);

		ok(e <= tolerance(layout, cases[i].cols), "%s: %zu x %zu x %zu, error %.1e", who, cases[i].n, cases[i].rows,
		   cases[i].cols, e);
	}
}

/* Weights of bf16 give what the same numbers in float32 give, bit for bit. */
static void
test_narrow(MgCtx *cx, const MgCompute *compute, MgLayout narrow_layout, MgLayout wide_layout, const char *who)
{
	static const size_t sizes[] = {1, 2, 3, 4, 5, 6, 7, 13, 14, 15, 31, 33, 64, 65, 130, 400};
	const size_t n_sizes = sizeof sizes / sizeof sizes[0];
	size_t tried = 0, bad = 0;

	for (size_t a = 0; a < n_sizes; a++)
		for (size_t b = 0; b < n_sizes; b++)
		{
			size_t n = sizes[a], rows = sizes[b], cols = sizes[(a + b) % n_sizes];
			float *x = numbers(n * cols), *w = numbers(rows * cols), *bias = (a + b) % 2 == 0 ? numbers(rows) : NULL;
			float *wide_out = numbers(n * rows), *out = numbers(n * rows), *wide_memory, *memory;
			uint16_t *rounded = malloc(rows * cols * sizeof *rounded);
			MgMatrix wide, narrow = matrix(narrow_layout, w, rows, cols, &memory);

			mg_from_f32(MG_BF16, w, rows * cols, rounded);
			mg_to_f32(compute->kernels, MG_BF16, rounded, rows * cols, w);
			wide = matrix(wide_layout, w, rows, cols, &wide_memory);
			bad += !mg_linear(cx, compute, (MgRows){x, cols, n}, (MgLinear){&wide, bias, MG_ACT_GELU, wide_out, rows}) ||
				!mg_linear(cx, compute, (MgRows){x, cols, n}, (MgLinear){&narrow, bias, MG_ACT_GELU, out, rows}) ||
				memcmp(out, wide_out, n * rows * sizeof *out) != 0;
			tried++;
			free(x);
			free(w);
			free(bias);
			free(wide_out);
			free(out);
			free(rounded);
			free(wide_memory);
			free(memory);
		}
	ok(bad == 0, "%s, layout %d: %zu products with weights of bf16 have the bits of wide ones", who, (int) narrow_layout, tried);
}

/* Bf16x2 gives the bits of the plain sums of compute.h on each level. */
static void
test_pairs(MgCtx *cx, const MgCompute *compute)
{
	static const size_t sizes[][3] = {{1, 32, 32},	 {1, 1, 1},		{17, 33, 65},	{32, 64, 384}, {33, 31, 770},
									  {70, 96, 800}, {16, 32, 768}, {45, 40, 1600}, {5, 100, 31},  {650, 64, 40}};
	const char *level = mg_cpu_level_name(compute->kernels->level);
	size_t bad = 0;

	for (size_t c = 0; c < sizeof sizes / sizeof sizes[0]; c++)
	{
		size_t n = sizes[c][0], rows = sizes[c][1], cols = sizes[c][2], planes = c % 3 == 2 ? 1 : 2;
		size_t stride = 2 * mg_bf16x2_cols(cols) + 2;
		float *x = numbers(n * cols), *w = numbers(rows * cols), *bias = c % 2 == 0 ? numbers(rows) : NULL;
		float *out = numbers(n * rows), *plain = numbers(n * rows), *memory;
		uint16_t *split = malloc(n * stride * sizeof *split);
		MgMatrix m = matrix(planes == 2 ? MG_BF16X2 : MG_BF16X1, w, rows, cols, &memory);

		for (size_t i = 0; i < n; i++)
			mg_kernels_scalar.split(x + i * cols, cols, split + i * stride);
		mg_kernels_scalar.bf16x2_product(&(MgBf16x2Product){
			.x = split, .x_stride = stride, .rows = n, .depth = cols, .w = m.panels16, .planes = planes, .columns = rows,
			.bias = bias, .activation = MG_ACT_RELU, .out = plain, .out_stride = rows});
		bad += !mg_linear(cx, compute, (MgRows){x, cols, n}, (MgLinear){&m, bias, MG_ACT_RELU, out, rows}) ||
			memcmp(out, plain, n * rows * sizeof *out) != 0;
		free(x);
		free(w);
		free(bias);
		free(out);
		free(plain);
		free(split);
		free(memory);
	}
	ok(bad == 0, "%s: sums of bf16x2 have the bits of the plain ones", level);
}

/* What no model should give: NaN before the activation, whatever its bits are; and next to nothing counts as nothing. */
static void
test_strange_pairs(MgCtx *cx, const MgCompute *compute)
{
	enum { N = 5, COLS = 40 };
	static const uint32_t strange[N] = {0x7FFFFFFF, 0xFF800001, 0x7F800000, 0x7F7FFFFF, 0x00000001};
	const char *level = mg_cpu_level_name(compute->kernels->level);
	float *x = numbers(N * COLS), *w = numbers(COLS), out[N], *memory;
	MgMatrix m = matrix(MG_BF16X2, w, 1, COLS, &memory);
	bool nan = true;

	for (size_t i = 0; i < N; i++)
		memcpy(&x[i * COLS + 7 * i], &strange[i], sizeof *x);
	ok(mg_linear(cx, compute, (MgRows){x, COLS, N}, (MgLinear){&m, NULL, MG_ACT_NONE, out, 1}), "%s: strange rows", level);
	for (size_t i = 0; i + 1 < N; i++)
		nan = nan && isnan(out[i]);
	ok(nan && isfinite(out[N - 1]), "%s: what is not finite, or too large, gives NaN; the smallest number does not", level);
	free(x);
	free(w);
	free(memory);
}

/* Each row alone, in each batch of 1 to 100, on one thread and on several: the same bits. */
static void
test_invariance(MgCtx *cx, const MgCompute *one, MgPool *pool, MgLayout layout, size_t rows, size_t cols)
{
	enum { MOST = 260 };
	MgCompute many = *one;
	float *x = numbers(MOST * cols), *w = numbers(rows * cols), *bias = numbers(rows);
	float *alone = numbers(MOST * rows), *out = numbers(MOST * rows);
	float *memory;
	MgMatrix m = matrix(layout, w, rows, cols, &memory);
	size_t bad = 0, bad_threads = 0;
	const char *level = mg_cpu_level_name(one->kernels->level);

	many.pool = pool;
	for (size_t i = 0; i < MOST; i++)
		mg_linear(cx, one, (MgRows){x + i * cols, cols, 1}, (MgLinear){&m, bias, MG_ACT_GELU, alone + i * rows, rows});
	for (size_t n = 1; n <= MOST; n += n < 100 ? 1 : 40)
	{
		size_t first = n % 7 < MOST - n ? n % 7 : 0;

		mg_linear(cx, one, (MgRows){x + first * cols, cols, n}, (MgLinear){&m, bias, MG_ACT_GELU, out, rows});
		bad += memcmp(out, alone + first * rows, n * rows * sizeof *out) != 0;
		mg_linear(cx, &many, (MgRows){x + first * cols, cols, n}, (MgLinear){&m, bias, MG_ACT_GELU, out, rows});
		bad_threads += memcmp(out, alone + first * rows, n * rows * sizeof *out) != 0;
	}
	ok(bad == 0, "%s, layout %d, %zu x %zu: a row has the same bits in any batch", level, layout, rows, cols);
	ok(bad_threads == 0, "%s, layout %d, %zu x %zu: and on any number of threads", level, layout, rows, cols);
	free(x);
	free(w);
	free(bias);
	free(alone);
	free(out);
	free(memory);
}

static void
test_edges(MgCtx *cx, const MgCompute *compute)
{
	float x[4] = {1, 2, 3, 4}, w[32] = {0}, bias[2] = {-3, 5}, out[4] = {9, 9, 9, 9};
	MgMatrix m = {MG_PANELS, 2, 0, {w}};

	ok(mg_linear(cx, compute, (MgRows){x, 2, 0}, (MgLinear){&m, bias, MG_ACT_NONE, out, 2}) && out[0] == 9, "no rows: nothing is written");
	ok(mg_linear(cx, compute, (MgRows){x, 0, 2}, (MgLinear){&m, bias, MG_ACT_RELU, out, 2}), "an inner dimension of 0 is fine");
	ok(out[0] == 0 && out[1] == 5 && out[2] == 0 && out[3] == 5, "and gives act(bias)");
	m.layout = MG_ROWS;
	out[0] = 9;
	ok(mg_linear(cx, compute, (MgRows){x, 0, 2}, (MgLinear){&m, bias, MG_ACT_NONE, out, 2}) && out[0] == -3 && out[3] == 5,
	   "in rows as well");
}

typedef struct Sweep
{
	MgCompute compute;
	MgMatrix m;
	size_t n;
	const float *x, *expected;
	float *out;
} Sweep;

static bool
sweep_body(MgCtx *cx, void *user)
{
	Sweep *s = user;

	return mg_linear(cx, &s->compute, (MgRows){s->x, s->m.cols, s->n}, (MgLinear){&s->m, NULL, MG_ACT_NONE, s->out, s->m.rows});
}

/* A slow level cuts a product in many pieces, so there are many points to stop at. */
static void
test_sweep(const MgCompute *compute, MgLayout layout, const char *who)
{
	size_t rows = 1200, cols = 400, n = 300;
	float *x = numbers(n * cols), *w = numbers(rows * cols), *out = numbers(n * rows);
	float *memory;
	Sweep s = {*compute, matrix(layout, w, rows, cols, &memory), n, x, NULL, out};
	TestHost test;
	MgCtx cx;
	MgMark mark, after;
	double flops = 2.0 * (double) n * (double) rows * (double) cols;
	bool bf16x2 = mg_bf16x2_planes(layout) > 0;
	double piece = bf16x2 ? compute->kernels->bf16x2_flops : compute->kernels->piece_flops;

	test_host_init(&test);
	mg_ctx_init(&cx, &test.host);
	ok(mg_alloc(&cx, 1) != NULL, "%s: an arena", who);
	mark = mg_mark(&cx);
	ok(sweep_body(&cx, &s), "%s: undisturbed", who);
	after = mg_mark(&cx);
	ok(after.block == mark.block && after.used == mark.used, "%s: scratch is rewound", who);
	ok((double) test.n_polls * piece * (double) mg_pool_threads(compute->pool) >= flops,
	   "%s: %ld polls bound the work between two", who, test.n_polls);
	mg_ctx_free(&cx);
	sweep(who, sweep_body, &s, 1);
	free(x);
	free(w);
	free(out);
	free(memory);
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
	ok(pool != NULL, "a pool of three");
	FOR_EACH_LEVEL(level)
	{
		static const MgLayout layouts[] = {MG_ROWS, MG_PANELS, MG_BF16X2, MG_INT8, MG_PANELS16, MG_BF16X1};
		static const char *const names[] = {"rows", "panels", "bf16x2", "int8", "panels of bf16", "bf16x1"};
		MgCompute compute = {.kernels = mg_kernels(level), .provider = MG_NATIVE, .pool = NULL};
		MgCompute threads = {.kernels = mg_kernels(level), .provider = MG_NATIVE, .pool = pool};
		char who[64];

		for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++)
		{
			/* Where no tiles are, they are slow, and computed row by row: test_pairs is enough. */
			if (mg_bf16x2_planes(layouts[i]) > 0 && !compute.kernels->prefers_bf16x2)
				continue;
			snprintf(who, sizeof who, "%s, %s", mg_cpu_level_name(level), names[i]);
			if (layouts[i] <= MG_PANELS || layouts[i] == MG_BF16X2) /* int8.c compares the third with its own formula */
			{
				test_shapes(&cx, &compute, layouts[i], who);
				test_large(&cx, &compute, layouts[i], who);
				test_large(&cx, &threads, layouts[i], who);
			}
			test_invariance(&cx, &compute, pool, layouts[i], 77, 50);
			test_invariance(&cx, &compute, pool, layouts[i], 160, 400);
			test_sweep(&compute, layouts[i], who);
			snprintf(who, sizeof who, "%s, %s, threads", mg_cpu_level_name(level), names[i]);
			test_sweep(&threads, layouts[i], who);
		}
		test_narrow(&cx, &compute, MG_PANELS16, MG_PANELS, mg_cpu_level_name(level));
		test_narrow(&cx, &threads, MG_PANELS16, MG_PANELS, mg_cpu_level_name(level));
		if (compute.kernels->prefers_bf16x2)
		{
			test_narrow(&cx, &compute, MG_BF16X1, MG_BF16X2, mg_cpu_level_name(level));
			test_narrow(&cx, &threads, MG_BF16X1, MG_BF16X2, mg_cpu_level_name(level));
		}
		else
			test_large(&cx, &threads, MG_BF16X2, mg_cpu_level_name(level));
		test_pairs(&cx, &compute);
		test_pairs(&cx, &threads);
		test_strange_pairs(&cx, &compute);
		test_edges(&cx, &compute);
	}
	mg_pool_destroy(pool);
	mg_ctx_free(&cx);
	is_int(test.live, 0, "nothing is left");
	return done();
}
