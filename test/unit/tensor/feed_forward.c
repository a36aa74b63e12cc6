/* Feed-forward blocks: plain, gated and fused, against the formula and against their products one after the other. */
#include "unit/tensor/numbers.h"

#define D 64

typedef struct Data
{
	size_t wide;
	float *w_up, *w_gate, *w_both, *w_down;			 /* [wide, D], [wide, D], gate above up, [D, wide] */
	float *up_bias, *gate_bias, *both_bias, *down_bias;
	float *memory[4];
	MgMatrix up, gate, both, down;
} Data;

static Data
make(MgLayout layout, size_t wide)
{
	Data data = {.wide = wide, .w_up = numbers(wide * D), .w_gate = numbers(wide * D), .w_both = numbers(2 * wide * D),
				 .w_down = numbers(D * wide), .up_bias = numbers(wide), .gate_bias = numbers(wide),
				 .both_bias = numbers(2 * wide), .down_bias = numbers(D)};

	memcpy(data.w_both, data.w_gate, wide * D * sizeof(float));
	memcpy(data.w_both + wide * D, data.w_up, wide * D * sizeof(float));
	memcpy(data.both_bias, data.gate_bias, wide * sizeof(float));
	memcpy(data.both_bias + wide, data.up_bias, wide * sizeof(float));
	data.up = matrix(layout, data.w_up, wide, D, &data.memory[0]);
	data.gate = matrix(layout, data.w_gate, wide, D, &data.memory[1]);
	data.both = matrix(layout, data.w_both, 2 * wide, D, &data.memory[2]);
	data.down = matrix(layout, data.w_down, D, wide, &data.memory[3]);
	return data;
}

static void
drop(Data *data)
{
	float *all[] = {data->w_up, data->w_gate, data->w_both, data->w_down, data->up_bias, data->gate_bias, data->both_bias, data->down_bias,
					data->memory[0], data->memory[1], data->memory[2], data->memory[3]};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		free(all[i]);
}

static double
activated(double x, MgActivation activation)
{
	switch (activation)
	{
		case MG_ACT_SILU:
			return x / (1 + exp(-x));
		case MG_ACT_GELU:
			return x / 2 * (1 + erf(x / sqrt(2)));
		default:
			return x > 0 ? x : 0;
	}
}

static double
product(const float *x, const float *w, size_t n, const float *bias)
{
	double sum = bias != NULL ? *bias : 0;

	for (size_t i = 0; i < n; i++)
		sum += (double) x[i] * w[i];
	return sum;
}

/* One row by the formula. */
static void
plain_row(const Data *data, const float *x, bool gated, MgActivation activation, double *out)
{
	double *states = malloc(data->wide * sizeof *states);

	for (size_t i = 0; i < data->wide; i++)
	{
		double up = product(x, data->w_up + i * D, D, &data->up_bias[i]);
		double gate = gated ? product(x, data->w_gate + i * D, D, &data->gate_bias[i]) : 0;

		states[i] = gated ? activated(gate, activation) * up : activated(up, activation);
	}
	for (size_t j = 0; j < D; j++)
	{
		out[j] = data->down_bias[j];
		for (size_t i = 0; i < data->wide; i++)
			out[j] += states[i] * data->w_down[j * data->wide + i];
	}
	free(states);
}

static void
test_formula(MgCtx *cx, const MgCompute *compute, const char *who)
{
	static const MgActivation activations[] = {MG_ACT_SILU, MG_ACT_GELU, MG_ACT_RELU};
	static const size_t sizes[] = {33, 160};
	enum { N = 9 };

	for (size_t s = 0; s < 2; s++)
	{
		Data data = make(MG_PANELS, sizes[s]);
		float *x = numbers(N * D), *out = numbers(N * D);
		double *want = malloc(N * D * sizeof *want), worst = 0;

		for (size_t a = 0; a < 3; a++)
			for (int gated = 0; gated < 2; gated++)
			{
				MgFeedForward block = {.up = &data.up, .gate = gated ? &data.gate : NULL, .down = &data.down, .up_bias = data.up_bias,
									   .gate_bias = data.gate_bias, .down_bias = data.down_bias, .activation = activations[a]};

				for (size_t i = 0; i < N; i++)
					plain_row(&data, x + i * D, gated, activations[a], want + i * D);
				if (!mg_feed_forward(cx, compute, &block, x, N, out))
					exit(1);
				worst = fmax(worst, distance(out, want, N * D));
			}
		/* Sums of 160 terms of size 10 or so. */
		is_near(worst, 0.0, 3e-4, "%s: plain and gated, %zu wide", who, sizes[s]);
		free(x);
		free(out);
		free(want);
		drop(&data);
	}
}

typedef struct Run
{
	MgCompute compute;
	MgFeedForward block;
	size_t n;
	float *x, *out;
} Run;

static bool
run_body(MgCtx *cx, void *user)
{
	Run *r = user;

	return mg_feed_forward(cx, &r->compute, &r->block, r->x, r->n, r->out);
}

/* Rows alone and many at once, from one matrix and from two: the same bits. */
static void
test_same(MgCtx *cx, const MgCompute *compute, MgLayout layout, size_t wide)
{
	enum { MOST = 300 };
	Data data = make(layout, wide);
	float *x = numbers(MOST * D), *alone = numbers(MOST * D), *out = numbers(MOST * D);
	MgFeedForward gated = {.up = &data.up, .gate = &data.gate, .down = &data.down, .up_bias = data.up_bias, .gate_bias = data.gate_bias,
						   .down_bias = data.down_bias, .activation = MG_ACT_GELU};
	MgFeedForward fused = {.up = &data.both, .down = &data.down, .up_bias = data.both_bias, .down_bias = data.down_bias,
						   .activation = MG_ACT_GELU, .fused = true};
	Run run = {*compute, fused, MOST, x, out};
	size_t bad = 0;
	char who[100];

	snprintf(who, sizeof who, "%s, layout %d, %zu threads, %zu wide", mg_cpu_level_name(compute->kernels->level), (int) layout,
			 mg_pool_threads(compute->pool), wide);
	for (size_t i = 0; i < MOST; i++)
		bad += !mg_feed_forward(cx, compute, &gated, x + i * D, 1, alone + i * D);
	for (size_t n = 1; n <= MOST; n += n < 20 ? 6 : 70)
	{
		bad += !mg_feed_forward(cx, compute, &gated, x, n, out) || memcmp(out, alone, n * D * sizeof *out) != 0;
		bad += !mg_feed_forward(cx, compute, &fused, x, n, out) || memcmp(out, alone, n * D * sizeof *out) != 0;
	}
	is_int((long) bad, 0, "%s: a row's bits do not depend on the others, nor on how weights are stored", who);
	sweep(who, run_body, &run, 1);
	free(x);
	free(alone);
	free(out);
	drop(&data);
}

/* A part of a matrix gives the columns that the whole gives. */
static void
test_parts(MgCtx *cx, const MgCompute *compute, MgLayout layout)
{
	enum { ROWS = 150, N = 5 };
	float *w = numbers(ROWS * D), *x = numbers(N * D), *whole = numbers(N * ROWS), *memory, out[N * ROWS];
	MgMatrix m = matrix(layout, w, ROWS, D, &memory), part;
	size_t bad = 0, refused = 0;

	mg_linear(cx, compute, (MgRows){x, D, N}, (MgLinear){&m, NULL, MG_ACT_NONE, whole, ROWS});
	for (size_t first = 0; first < ROWS; first += 16)
	{
		size_t n = ROWS - first < 70 ? ROWS - first : 70;

		if (!mg_matrix_rows(&m, first, n, &part))
		{
			refused++;
			continue;
		}
		mg_linear(cx, compute, (MgRows){x, D, N}, (MgLinear){&part, NULL, MG_ACT_NONE, out, n});
		for (size_t i = 0; i < N; i++)
			bad += memcmp(out + i * n, whole + i * ROWS + first, n * sizeof *out) != 0;
	}
	is_int((long) bad, 0, "layout %d: parts of a matrix", (int) layout);
	is_int((long) refused, layout == MG_ROWS ? 0 : 5, "layout %d: panels are not cut", (int) layout);
	free(w);
	free(x);
	free(whole);
	free(memory);
}

int
main(void)
{
	static const MgLayout layouts[] = {MG_ROWS, MG_PANELS, MG_INT8, MG_PANELS16, MG_BF16X2, MG_BF16X1};
	const size_t n_layouts = sizeof layouts / sizeof *layouts;
	TestHost test;
	MgCtx cx;
	MgPool *pool;
	MgCompute best = {.kernels = mg_kernels(mg_cpu_level())};

	test_host_init(&test);
	mg_ctx_init(&cx, &test.host);
	pool = mg_pool_create(&cx, 3);
	FOR_EACH_LEVEL(level)
	{
		MgCompute compute = {.kernels = mg_kernels(level)}, threads = {.kernels = mg_kernels(level), .pool = pool};

		test_formula(&cx, &compute, mg_cpu_level_name(level));
		for (size_t i = 0; i < n_layouts; i++)
		{
			if (mg_bf16x2_planes(layouts[i]) > 0 && !compute.kernels->prefers_bf16x2 && level != MG_CPU_SCALAR)
				continue;
			test_same(&cx, &compute, layouts[i], 96);
			test_same(&cx, &threads, layouts[i], 33);
		}
	}
	for (size_t i = 0; i < n_layouts; i++)
		test_parts(&cx, &best, layouts[i]);
	mg_pool_destroy(pool);
	mg_ctx_free(&cx);
	is_int(test.live, 0, "nothing is left");
	return done();
}
