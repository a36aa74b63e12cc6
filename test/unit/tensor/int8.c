#include <float.h>

#include "unit/tensor/numbers.h"

/* What compute.h says about a row of x, number by number: 16 bits of outliers, 8 of the others. */
typedef struct PlainRow
{
	float scale;
	int zero;
	int *codes;
} PlainRow;

/* The largest number's column, of those in its upper 16 bits alike the last one; without one column. */
static size_t
largest(const float *x, size_t n, size_t without)
{
	uint32_t most = 0;
	size_t at = 0;

	for (size_t k = 0; k < n; k++)
	{
		uint32_t bits;

		memcpy(&bits, &x[k], sizeof bits);
		bits = bits >> 16 & 0x7FFF;
		if (k == without || bits < most)
			continue;
		most = bits;
		at = k;
	}
	return at;
}

static PlainRow
plain_quantize(const float *x, size_t n)
{
	PlainRow row = {.codes = malloc(n * sizeof(int) + 1)};
	float low = 0, high = 0, range, factor;
	size_t first = largest(x, n, n), second = largest(x, n, first);

	for (size_t k = 0; k < n; k++)
		if (k != first && k != second)
		{
			low = x[k] < low ? x[k] : low;
			high = x[k] > high ? x[k] : high;
		}
	range = high - low;
	if (n > 0 && range < 0.008f * fabsf(x[first]))
		range = 0.008f * fabsf(x[first]);
	row.scale = range / 255.0f;
	factor = range > 0 ? 255.0f / range : 0.0f;
	row.zero = (int) rintf(-low * factor);
	for (size_t k = 0; k < n; k++)
	{
		bool outlier = k == first || k == second;
		int q = (int) rintf(x[k] * factor) + row.zero;

		row.codes[k] = outlier || q < 255 ? q : 255;
		if (outlier ? q < -32768 || q > 32767 : q < 0 || q > 256)
			row.scale = NAN; /* equals nothing */
	}
	return row;
}

/* The plain product of one row and one channel. */
static float
plain_product(const PlainRow *row, size_t cols, const int8_t *codes, float scale)
{
	int64_t sum = 0;

	for (size_t k = 0; k < cols; k++)
		sum += (int64_t) (row->codes[k] - row->zero) * codes[k];
	return (float) sum * row->scale * scale;
}

/* Numbers of out that differ from the plain product in any bit. */
static size_t
compare(const float *x, const float *w, const float *bias, const float *out, size_t n, size_t rows, size_t cols)
{
	int8_t *codes = malloc(cols + 1);
	size_t bad = 0;
	PlainRow *plain = malloc(n * sizeof *plain + 1);

	for (size_t i = 0; i < n; i++)
		plain[i] = plain_quantize(x + i * cols, cols);
	for (size_t j = 0; j < rows; j++)
	{
		float scale = mg_int8_quantize_row(w + j * cols, cols, codes);

		for (size_t i = 0; i < n; i++)
		{
			float expected = plain_product(&plain[i], cols, codes, scale);

			if (bias != NULL)
				expected += bias[j];
			bad += expected != out[i * rows + j];
		}
	}
	for (size_t i = 0; i < n; i++)
		free(plain[i].codes);
	free(plain);
	free(codes);
	return bad;
}

static size_t
bad_rows(MgCtx *cx, const MgCompute *compute, size_t n, size_t rows, size_t cols, size_t variant)
{
	float *x = numbers(n * cols), *w = numbers(rows * cols), *out = numbers(n * rows), *memory;
	float *bias = variant % 2 == 0 ? numbers(rows) : NULL;
	MgMatrix m = matrix(MG_INT8, w, rows, cols, &memory);
	size_t bad;

	for (size_t k = 0; variant % 3 == 0 && k < n * cols; k++)
		x[k] = x[k] * 10.0f + 7.0f; /* one-sided rows */
	for (size_t i = 0; variant % 5 == 0 && i < n; i++)
		x[i * cols + i * 7 % cols] *= i % 2 == 0 ? -40.0f : 3000.0f;
	bad = !mg_linear(cx, compute, (MgRows){x, cols, n}, (MgLinear){&m, bias, MG_ACT_NONE, out, rows}) ? n * rows
		: compare(x, w, bias, out, n, rows, cols);
	free(x);
	free(w);
	free(out);
	free(memory);
	free(bias);
	return bad;
}

static void
test_shapes(MgCtx *cx, const MgCompute *compute, MgPool *pool)
{
	static const size_t large[][3] = {{33, 40, 384}, {15, 384, 1536}, {127, 1536, 384}, {5, 97, 3071},
									 {15, 33, 511}, {16, 40, 512}, {3, 64, 513}, {29, 65, 1000}};
	static const size_t sizes[] = {1, 2, 3, 4, 5, 7, 15, 16, 17, 31, 32, 33, 40, 63, 64, 70};
	const size_t n_sizes = sizeof sizes / sizeof *sizes;
	size_t tried = 0, bad = 0;
	MgCompute both[] = {*compute, *compute};

	both[1].pool = pool;
	for (size_t n = 0; n < 31; n += n < 16 ? 1 : 7)
		for (size_t a = 0; a < n_sizes; a++)
			for (size_t b = n % 3; b < n_sizes; b += 3)
			{
				bad += bad_rows(cx, &both[tried % 2], n, sizes[a], sizes[b], a + b) > 0;
				tried++;
			}
	for (size_t i = 0; i < sizeof large / sizeof large[0]; i++, tried++)
		bad += bad_rows(cx, &both[i % 2], large[i][0], large[i][1], large[i][2], i) > 0;
	ok(bad == 0, "%s: %zu shapes as by the formula, bit for bit", mg_cpu_level_name(compute->kernels->level), tried);
}

/* The largest sums there are, of codes at their ends. */
static void
test_extremes(MgCtx *cx, const MgCompute *compute)
{
	size_t cols = MG_INT8_MOST_COLS, size;
	float *x = numbers(3 * cols), *w = numbers(2 * cols), out[6], *memory;
	MgMatrix m;
	const char *level = mg_cpu_level_name(compute->kernels->level);

	for (size_t k = 0; k < cols; k++)
	{
		x[k] = 1.0f;
		x[cols + k] = k % 2 == 0 ? 1.0f : -1.0f;
		x[2 * cols + k] = -1.0f;
		w[k] = 1.0f;
		w[cols + k] = k % 2 == 0 ? -1.0f : 1.0f;
	}
	m = matrix(MG_INT8, w, 2, cols, &memory);
	ok(mg_linear(cx, compute, (MgRows){x, cols, 3}, (MgLinear){&m, NULL, MG_ACT_NONE, out, 2}), "%s: 65536 columns", level);
	ok(compare(x, w, NULL, out, 3, 2, cols) == 0, "%s: no sum overflows", level);
	ok(!mg_int8_size(1, cols + 1, &size) && !mg_int8_size(SIZE_MAX, cols, &size), "%s: more is refused", level);
	free(x);
	free(w);
	free(memory);
}

/* What no model should give: the same bits on each level, and nothing undefined. */
static void
test_strange_rows(MgCtx *cx, const MgCompute *compute)
{
	enum { ROWS = 40, COLS = 37, N = 14 };
	static float first[N * ROWS];
	float *x = numbers(N * COLS), *w, out[N * ROWS], *memory;
	MgMatrix m;
	const char *level = mg_cpu_level_name(compute->kernels->level);
	bool zero = true, nan = true, usual = true;

	number_state = 12345;
	w = numbers(ROWS * COLS);
	for (size_t k = 0; k < N * COLS; k++)
		x[k] = number();
	memset(x, 0, COLS * sizeof *x);
	memset(w, 0, COLS * sizeof *w);
	x[COLS + 3] = INFINITY;
	x[2 * COLS + 36] = NAN;
	for (size_t k = 0; k < COLS; k++)
	{
		x[3 * COLS + k] *= 1e-38f;
		x[4 * COLS + k] *= FLT_MAX;
		x[5 * COLS + k] = NAN;
		x[6 * COLS + k] = -0.0f;
		x[8 * COLS + k] = 0.0f;
		x[11 * COLS + k] = k == 30 ? -3.5e30f : 1e-36f;
		x[12 * COLS + k] = k % 2 == 0 ? 0.75f : -0.75f;
		x[13 * COLS + k] = k == 36 ? 123.25f : 0.0f;
		w[COLS + k] = 1e-42f;
	}
	x[8 * COLS + 20] = NAN;
	x[9 * COLS + 1] = -INFINITY;
	x[10 * COLS + 9] = x[10 * COLS + 10] = -FLT_MAX;
	x[10 * COLS + 11] = x[10 * COLS + 12] = x[10 * COLS + 13] = FLT_MAX;
	m = matrix(MG_INT8, w, ROWS, COLS, &memory);
	ok(mg_linear(cx, compute, (MgRows){x, COLS, N}, (MgLinear){&m, NULL, MG_ACT_NONE, out, ROWS}), "%s: strange rows", level);
	for (size_t j = 0; j < ROWS; j++)
	{
		zero = zero && out[j] == 0 && out[3 * ROWS + j] == 0 && out[6 * ROWS + j] == 0;
		for (size_t i = 1; i < N; i++)
			if (i == 7 || i > 10)
				usual = usual && isfinite(out[i * ROWS + j]);
			else if (i != 3 && i != 6)
				nan = nan && isnan(out[i * ROWS + j]);
	}
	ok(compare(x + 11 * COLS, w, NULL, out + 11 * ROWS, 3, ROWS, COLS) == 0, "%s: outliers of great size, of one size, and alone", level);
	ok(zero, "%s: zeros and next to nothing give zeros", level);
	ok(nan, "%s: a number that is not finite, and numbers too far apart, give NaN", level);
	ok(usual && out[7 * ROWS] == 0 && out[7 * ROWS + 1] == 0, "%s: weights of nothing give zeros, a row beside them numbers",
	   level);
	for (size_t i = 0; i < N * ROWS; i++)
		if (isnan(out[i]))
			out[i] = 4711.0f;
	if (compute->kernels->level == MG_CPU_SCALAR)
		memcpy(first, out, sizeof first);
	ok(memcmp(first, out, sizeof first) == 0, "%s: the bits of the level scalar", level);
	free(x);
	free(w);
	free(memory);
}

static void
test_weights(void)
{
	float row[] = {0.5f, -1.0f, 0.0f, 0.25f, NAN}, again[4];
	int8_t codes[5], second[4];
	float scale = mg_int8_quantize_row(row, 4, codes);

	ok(scale == 1.0f / 127.0f && codes[0] == 64 && codes[1] == -127 && codes[2] == 0 && codes[3] == 32,
	   "a row of weights in steps of a 127th of its largest");
	for (size_t k = 0; k < 4; k++)
		again[k] = (float) codes[k] * scale;
	mg_int8_quantize_row(again, 4, second);
	ok(memcmp(codes, second, 4) == 0, "quantising what was quantised changes nothing");
	mg_int8_quantize_row(row, 5, codes);
	ok(codes[4] == -127, "a weight that is no number gets a code");
}

typedef struct Wide
{
	MgCompute compute;
	MgFeedForward block;
	size_t n;
	float *x, *out;
} Wide;

static bool
wide_body(MgCtx *cx, void *user)
{
	Wide *w = user;

	return mg_feed_forward(cx, &w->compute, &w->block, w->x, w->n, w->out);
}

/* The block against two products, and several products of one x against one by one. */
static void
test_fused(MgCtx *cx, const MgCompute *compute, MgLayout layout, size_t d, size_t wide)
{
	enum { MOST = 300 };
	float *x = numbers(MOST * d), *states = numbers(MOST * wide), *expected = numbers(MOST * d);
	float *w1 = numbers(wide * d), *w2 = numbers(d * wide), *memory1, *memory2, *out = numbers(MOST * d);
	float *both = numbers(MOST * (wide + d)), *bias1 = numbers(wide), *bias2 = numbers(d);
	MgMatrix up = matrix(layout, w1, wide, d, &memory1), down = matrix(layout, w2, d, wide, &memory2);
	MgMatrix square = {layout, d, d, {up.data}};
	MgLinear linears[] = {{&up, bias1, MG_ACT_GELU, both, wide + d}, {&square, bias2, MG_ACT_NONE, both + wide, wide + d}};
	Wide all = {*compute, {.up = &up, .down = &down, .up_bias = bias1, .down_bias = bias2, .activation = MG_ACT_GELU}, MOST, x, out};
	size_t bad = 0, bad_linears = 0;
	char who[100];

	snprintf(who, sizeof who, "%s, layout %d, %zu threads, %zu x %zu", mg_cpu_level_name(compute->kernels->level),
			 (int) layout, mg_pool_threads(compute->pool), d, wide);
	for (size_t n = 1; n <= MOST; n += n < 5 ? 1 : 59)
	{
		mg_linear(cx, compute, (MgRows){x, d, n}, (MgLinear){&up, bias1, MG_ACT_GELU, states, wide});
		mg_linear(cx, compute, (MgRows){states, wide, n}, (MgLinear){&down, bias2, MG_ACT_NONE, expected, d});
		memset(out, 0, MOST * d * sizeof *out);
		all.n = n;
		bad += !wide_body(cx, &all) || memcmp(out, expected, n * d * sizeof *out) != 0;
		mg_linear(cx, compute, (MgRows){x, d, n}, (MgLinear){&square, bias2, MG_ACT_NONE, expected, d});
		bad_linears += !mg_linears(cx, compute, (MgRows){x, d, n}, linears, 2);
		for (size_t i = 0; i < n; i++)
			bad_linears += memcmp(both + i * (wide + d), states + i * wide, wide * sizeof(float)) != 0 ||
				memcmp(both + i * (wide + d) + wide, expected + i * d, d * sizeof(float)) != 0;
	}
	ok(bad == 0, "%s: a feed-forward block is its two products", who);
	ok(bad_linears == 0, "%s: products of the same x are each product", who);
	all.n = MOST;
	sweep(who, wide_body, &all, 1);
	free(x);
	free(states);
	free(expected);
	free(w1);
	free(w2);
	free(memory1);
	free(memory2);
	free(out);
	free(both);
	free(bias1);
	free(bias2);
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
	test_weights();
	FOR_EACH_LEVEL(level)
	{
		static const MgLayout layouts[] = {MG_ROWS, MG_PANELS, MG_INT8, MG_PANELS16, MG_BF16X2, MG_BF16X1};
		MgCompute compute = {.kernels = mg_kernels(level), .provider = MG_NATIVE};
		MgCompute threads = compute;

		threads.pool = pool;
		test_shapes(&cx, &compute, pool);
		test_extremes(&cx, &compute);
		test_strange_rows(&cx, &compute);
		for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++)
		{
			/* Where no tiles are, they are slow, and linear.c shows that they are right. */
			if (mg_bf16x2_planes(layouts[i]) > 0 && !compute.kernels->prefers_bf16x2)
				continue;
			test_fused(&cx, &compute, layouts[i], 64, 160);
			test_fused(&cx, &threads, layouts[i], 96, 388);
		}
	}
	mg_pool_destroy(pool);
	mg_ctx_free(&cx);
	is_int(test.live, 0, "nothing is left");
	return done();
}
