/*
 * How fast the kernels are: build/bench/kernels [native|bf16|bf16x2|bf16x1|int8|onednn|openblas|rows|elements|attention|batch|layer ...]
 *
 * Each figure is the best of several rounds, on one thread (and in CPU time)
 * unless THREADS says otherwise. The shapes are those of MiniLM (hidden 384, intermediate 1536)
 * and BERT base (768, 3072). "batch" adds up what one layer of each model costs
 * for 1000 tokens in texts of 45, and says which share is not a product.
 * "layer" is the time of one layer's products and GELU as a model calls them,
 * from a short query's few tokens up, with weights of both kinds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/host.h"
#include "tensor/attention.h"
#include "tensor/blas.h"
#include "tensor/kernels.h"
#include "tensor/pool.h"

/* The clock: of the process with one thread, so that a busy machine disturbs less, else of the wall. */
static clockid_t clock_used = CLOCK_PROCESS_CPUTIME_ID;

static double
now(void)
{
	struct timespec t;

	clock_gettime(clock_used, &t);
	return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

/* n numbers in [-0.5, 0.5), on a cache line. */
static float *
numbers(size_t n)
{
	float *x = aligned_alloc(64, (n * sizeof *x + 63) / 64 * 64 + 64);

	if (x == NULL)
	{
		fprintf(stderr, "out of memory\n");
		exit(1);
	}
	for (size_t i = 0; i < n; i++)
		x[i] = (float) (rand() % 1000) / 1000.0f - 0.5f;
	return x;
}

typedef void (*Body)(void *arg);

/* Seconds of one call: the best of ten rounds of about 15 ms. */
static double
seconds(Body body, void *arg)
{
	double best = 1e9, once, start = now();
	int n;

	body(arg);
	once = now() - start;
	n = once > 0.015 ? 1 : (int) (0.015 / (once + 1e-9)) + 1;
	for (int round = 0; round < 10; round++)
	{
		start = now();
		for (int i = 0; i < n; i++)
			body(arg);
		once = (now() - start) / n;
		best = once < best ? once : best;
	}
	return best;
}

typedef struct Linear
{
	MgCtx *cx;
	MgCompute compute;
	MgMatrix w;
	size_t n;
	const float *x, *bias;
	float *out;
	MgActivation activation;
} Linear;

static void
linear_body(void *arg)
{
	Linear *l = arg;

	if (!mg_linear(l->cx, &l->compute, (MgRows){l->x, l->w.cols, l->n}, (MgLinear){&l->w, l->bias, l->activation, l->out, l->w.rows}))
	{
		fprintf(stderr, "%s\n", l->cx->error.message);
		exit(1);
	}
}

/* A random weight [rows, cols]; its data is the caller's to free. */
static MgMatrix
random_matrix(MgLayout layout, size_t rows, size_t cols)
{
	float *w = numbers((rows + MG_PANEL) * cols + 2 * MG_PANEL * (rows / MG_PANEL + 1)), scales[MG_PANEL];
	size_t planes = mg_bf16x2_planes(layout);
	int8_t *codes = layout == MG_INT8 ? malloc(MG_PANEL * cols + 1) : NULL;

	for (size_t i = 0; codes != NULL && i < rows; i += MG_PANEL)
	{
		size_t n = rows - i < MG_PANEL ? rows - i : MG_PANEL;

		for (size_t j = 0; j < n; j++)
		{
			for (size_t k = 0; k < cols; k++)
				codes[j * cols + k] = (int8_t) (rand() % 255 - 127);
			scales[j] = 0.5f / 127.0f;
		}
		mg_int8_pack_panel(codes, scales, n, cols, (uint8_t *) w + i / MG_PANEL * mg_int8_panel_size(cols));
	}
	free(codes);
	/* In place: a panel takes as much as the rows that it is made of, or half. */
	for (size_t i = 0; planes > 0 && i + MG_PANEL <= rows; i += MG_PANEL)
	{
		uint16_t *panel = malloc(mg_bf16x2_panel(cols, planes) * sizeof *panel);

		mg_pack_bf16x2(w + i * cols, MG_PANEL, cols, planes, panel);
		memcpy((uint16_t *) (void *) w + i / MG_PANEL * mg_bf16x2_panel(cols, planes), panel,
			   mg_bf16x2_panel(cols, planes) * sizeof *panel);
		free(panel);
	}
	if (layout == MG_PANELS16) /* in place: nothing is written before it was read */
		mg_from_f32(MG_BF16, w, (rows + MG_PANEL - 1) / MG_PANEL * MG_PANEL * cols, w);
	return (MgMatrix){layout, rows, cols, {w}};
}

/* Seconds of one product with a random weight. */
static double
linear_seconds(MgCtx *cx, MgCompute compute, MgLayout layout, size_t n, size_t rows, size_t cols,
			   MgActivation activation)
{
	MgMatrix w = random_matrix(layout, rows, cols);
	float *x = numbers(n * cols), *bias = numbers(rows), *out = numbers(n * rows);
	Linear l = {cx, compute, w, n, x, bias, out, activation};
	double s = seconds(linear_body, &l);

	free((void *) w.data);
	free(x);
	free(bias);
	free(out);
	return s;
}

static const size_t shapes[][2] = {{384, 384}, {1536, 384}, {384, 1536}, {768, 768}, {3072, 768}, {768, 3072}};
static const size_t counts[] = {1, 6, 12, 45, 128, 512};

static void
show_products(MgCtx *cx, MgCompute compute, MgLayout layout, const char *title)
{
	printf("\n%-38s", title);
	for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++)
		printf("  M=%-5zu", counts[c]);
	printf("  %s\n", layout == MG_INT8 ? "GOP/s" : "GFLOP/s");
	for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
	{
		printf("  N=%-5zu K=%-25zu", shapes[s][0], shapes[s][1]);
		for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++)
		{
			double flops = 2.0 * (double) (counts[c] * shapes[s][0] * shapes[s][1]);

			printf("  %7.1f", flops / 1e9 /
					   linear_seconds(cx, compute, layout, counts[c], shapes[s][0], shapes[s][1], MG_ACT_NONE));
			fflush(stdout);
		}
		printf("\n");
	}
}

static void
show_provider(MgCtx *cx, MgProvider provider, int threads)
{
	MgCompute compute = {.kernels = mg_kernels(mg_cpu_level()), .provider = provider, .pool = NULL};
	MgVariable v[MG_BLAS_MAX_VARIABLES];
	size_t n = mg_blas_environment(provider, mg_cpu_level(), threads, v);

	for (size_t i = 0; i < n; i++)
		setenv(v[i].name, v[i].value, 0);
	if (!mg_blas_open(cx, provider, threads))
	{
		printf("\n%s: %s\n", mg_provider_name(provider), cx->error.message);
		mg_ctx_reset(cx);
		return;
	}
	show_products(cx, compute, MG_ROWS, mg_provider_name(provider));
}

/* The vocabulary matrix: its bytes are what counts. */
static void
show_rows(MgCtx *cx, MgCompute compute)
{
	printf("\nvocabulary [30522, 768] in rows, %s\n", mg_cpu_level_name(compute.kernels->level));
	for (size_t n = 1; n <= 64; n *= 2)
	{
		double s = linear_seconds(cx, compute, MG_ROWS, n, 30522, 768, MG_ACT_NONE);

		printf("  M=%-3zu %7.2f ms  %6.1f GFLOP/s  %5.1f GB/s of W\n", n, s * 1e3, 2e-9 * (double) n * 30522 * 768 / s,
			   4e-9 * 30522 * 768 / s);
	}
}

typedef struct Elements
{
	const MgCompute *compute;
	int what;
	size_t n, d;
	float *x, *y, *gain;
} Elements;

static const char *const element_names[] = {"add", "layer norm with residual", "gelu", "gelu_tanh", "tanh", "softmax",
											"from f16", "from bf16", "dot", "quantise"};

static void
elements_body(void *arg)
{
	Elements *e = arg;
	const MgKernels *kernels = e->compute->kernels;

	switch (e->what)
	{
		case 0:
			mg_add(e->compute, e->x, e->y, e->n * e->d);
			break;
		case 1:
			mg_add_norm(e->compute, &(MgNorm){MG_NORM_LAYER, e->d, e->gain, e->gain, 1e-12f}, e->x, e->y, e->n, e->x);
			break;
		case 2:
		case 3:
		case 4:
			memcpy(e->x, e->y, e->n * e->d * sizeof(float));
			kernels->epilogue(e->x, e->d, e->n, e->d, NULL,
							e->what == 2 ? MG_ACT_GELU : e->what == 3 ? MG_ACT_GELU_TANH : MG_ACT_TANH);
			break;
		case 5:
			for (size_t i = 0; i < e->n; i++)
				kernels->softmax(e->x + i * e->d, e->d, 0.1f);
			break;
		case 6:
		case 7:
			mg_to_f32(kernels, e->what == 6 ? MG_F16 : MG_BF16, e->y, e->n * e->d, e->x);
			break;
		case 8:
			mg_dot(e->compute, e->x, e->y, e->n * e->d);
			break;
		default:
			for (size_t i = 0; i < e->n; i++)
			{
				MgRowScale scale;

				kernels->quantize(e->y + i * e->d, e->d, e->x + i * e->d, &scale);
			}
	}
}

static void
show_elements(const MgCompute *compute)
{
	Elements e = {compute, 0, 128, 384, numbers(128 * 384), numbers(128 * 384), numbers(384)};
	size_t n = e.n * e.d;

	printf("\n[128, 384], %-26s  Mnumbers/s   GB/s read and written\n", mg_cpu_level_name(compute->kernels->level));
	for (e.what = 0; e.what < (int) (sizeof element_names / sizeof element_names[0]); e.what++)
	{
		const double bytes[] = {12, 12, 8, 8, 8, 8, 6, 6, 8, 4.0 + (double) compute->kernels->int8_code_size};
		double s = seconds(elements_body, &e);

		printf("  %-36s  %10.0f  %7.1f\n", element_names[e.what], (double) n / s / 1e6,
			   bytes[e.what] * (double) n / s / 1e9);
	}
	free(e.x);
	free(e.y);
	free(e.gain);
}

typedef struct Heads
{
	MgCtx *cx;
	const MgCompute *compute;
	MgAttention a;
} Heads;

static void
attention_body(void *arg)
{
	Heads *h = arg;

	mg_attention(h->cx, h->compute, &h->a);
}

static double
attention_seconds(MgCtx *cx, const MgCompute *compute, size_t n, size_t heads, size_t head_size)
{
	size_t d = heads * head_size;
	float *qkv = numbers(n * 3 * d), *out = numbers(n * d);
	Heads h = {cx, compute, {.q = qkv, .k = qkv + d, .v = qkv + 2 * d, .q_stride = 3 * d, .k_stride = 3 * d,
							 .v_stride = 3 * d, .n_queries = n, .n_keys = n, .heads = heads, .head_size = head_size,
							 .scale = 0.2f, .out = out, .out_stride = d}};
	double s = seconds(attention_body, &h);

	free(qkv);
	free(out);
	return s;
}

static void
show_attention(MgCtx *cx, const MgCompute *compute)
{
	static const size_t lengths[] = {10, 20, 45, 128, 256, 512};

	printf("\nattention of 12 heads, %s\n", mg_cpu_level_name(compute->kernels->level));
	for (size_t size = 32; size <= 64; size += 32)
		for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
		{
			size_t n = lengths[i];
			double s = attention_seconds(cx, compute, n, 12, size);

			printf("  head size %zu, %3zu tokens  %8.1f us  %6.1f GFLOP/s\n", size, n, s * 1e6,
				   48e-9 * (double) (n * n * size) / s);
		}
}

/* One layer for 1000 tokens in texts of 45: what the products cost, and what all else. */
static void
show_batch(MgCtx *cx, const MgCompute *compute)
{
	for (size_t hidden = 384; hidden <= 768; hidden += 384)
	{
		size_t n = 1000, wide = 4 * hidden;
		double square = 4 * linear_seconds(cx, *compute, MG_PANELS, n, hidden, hidden, MG_ACT_NONE);
		double up = linear_seconds(cx, *compute, MG_PANELS, n, wide, hidden, MG_ACT_NONE);
		double gelu = linear_seconds(cx, *compute, MG_PANELS, n, wide, hidden, MG_ACT_GELU) - up;
		double down = linear_seconds(cx, *compute, MG_PANELS, n, hidden, wide, MG_ACT_NONE);
		double heads = attention_seconds(cx, compute, 45, 12, hidden / 12) * (double) n / 45.0;
		Elements e = {compute, 1, n, hidden, numbers(n * hidden), numbers(n * hidden), numbers(hidden)};
		double norms = 2 * seconds(elements_body, &e);
		double products = square + up + down;
		double all = products + gelu + heads + norms;

		free(e.x);
		free(e.y);
		free(e.gain);
		printf("\none layer, hidden %zu, 1000 tokens: %.2f ms, %.1f GFLOP/s\n", hidden, all * 1e3,
			   24e-9 * (double) (n * hidden * hidden) / all);
		printf("  products %.2f ms (%.1f GFLOP/s)  gelu %.2f  attention %.2f  norms %.2f  outside products %.1f %%\n",
			   products * 1e3, 24e-9 * (double) (n * hidden * hidden) / products, gelu * 1e3, heads * 1e3, norms * 1e3,
			   100.0 * (all - products) / all);
	}
}

typedef struct Layer
{
	MgCtx *cx;
	const MgCompute *compute;
	MgMatrix qkv[3], out, up, down;
	size_t n;
	float *x, *y, *z, *bias;
} Layer;

static void
layer_body(void *arg)
{
	Layer *l = arg;
	size_t d = l->out.rows;
	MgLinear linears[3];

	for (size_t i = 0; i < 3; i++)
		linears[i] = (MgLinear){&l->qkv[i], l->bias, MG_ACT_NONE, l->y + i * d, 3 * d};
	if (!mg_linears(l->cx, l->compute, (MgRows){l->x, d, l->n}, linears, 3) ||
		!mg_linear(l->cx, l->compute, (MgRows){l->x, d, l->n}, (MgLinear){&l->out, l->bias, MG_ACT_NONE, l->z, d}) ||
		!mg_feed_forward(l->cx, l->compute, &(MgFeedForward){.up = &l->up, .down = &l->down, .up_bias = l->bias, .down_bias = l->bias, .activation = MG_ACT_GELU}, l->x,
						 l->n, l->z))
	{
		fprintf(stderr, "%s\n", l->cx->error.message);
		exit(1);
	}
}

static void
show_layer(MgCtx *cx, const MgCompute *compute)
{
	static const size_t lengths[] = {6, 12, 45, 128, 512, 2048};

	printf("\none layer's products and GELU, %s: us as floats and as int8\n", mg_cpu_level_name(compute->kernels->level));
	for (size_t d = 384; d <= 768; d += 384)
		for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
		{
			size_t n = lengths[i];
			double s[2];

			for (int k = 0; k < 2; k++)
			{
				MgLayout layout = k == 0 ? MG_PANELS : MG_INT8;
				Layer l = {.cx = cx, .compute = compute, .out = random_matrix(layout, d, d),
						   .up = random_matrix(layout, 4 * d, d), .down = random_matrix(layout, d, 4 * d), .n = n,
						   .x = numbers(n * d), .y = numbers(n * 3 * d), .z = numbers(n * d), .bias = numbers(4 * d)};
				MgMatrix *all[] = {&l.qkv[0], &l.qkv[1], &l.qkv[2], &l.out, &l.up, &l.down};

				for (size_t j = 0; j < 3; j++)
					l.qkv[j] = random_matrix(layout, d, d);
				s[k] = seconds(layer_body, &l);
				for (size_t j = 0; j < sizeof all / sizeof all[0]; j++)
					free((void *) all[j]->data);
				free(l.x);
				free(l.y);
				free(l.z);
				free(l.bias);
			}
			printf("  hidden %zu, %4zu tokens  %10.1f %10.1f  %5.2f times  %6.1f GOP/s\n", d, n, s[0] * 1e6, s[1] * 1e6,
				   s[0] / s[1], 24e-9 * (double) (n * d * d) / s[1]);
		}
}

static bool
wanted(int argc, char **argv, const char *what)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], what) == 0)
			return true;
	return argc == 1;
}

/* Panels of own products. */
static const struct
{
	const char *name;
	MgLayout layout;
} kinds[] = {{"native", MG_PANELS}, {"bf16", MG_PANELS16}, {"bf16x2", MG_BF16X2}, {"bf16x1", MG_BF16X1}, {"int8", MG_INT8}};

int
main(int argc, char **argv)
{
	int threads = getenv("THREADS") != NULL ? atoi(getenv("THREADS")) : 1;
	MgCtx cx;
	MgCompute best = {.kernels = mg_kernels(mg_cpu_level()), .provider = MG_NATIVE, .pool = NULL};

	if (threads > 1)
		clock_used = CLOCK_MONOTONIC;
	mg_ctx_init(&cx, &cli_host);
	best.pool = mg_pool_create(&cx, threads);
	if (best.pool == NULL)
	{
		fprintf(stderr, "%s\n", cx.error.message);
		return 1;
	}
	printf("level %s, %d thread%s\n", mg_cpu_level_name(mg_cpu_level()), threads, threads == 1 ? "" : "s");
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		for (int level = (int) mg_cpu_level(); level >= 0 && wanted(argc, argv, kinds[i].name); level--)
		{
			MgCompute compute = {.kernels = mg_kernels((MgCpuLevel) level), .provider = MG_NATIVE, .pool = best.pool};
			char title[64];

			snprintf(title, sizeof title, "%s, %s", kinds[i].name, mg_cpu_level_name((MgCpuLevel) level));
			show_products(&cx, compute, kinds[i].layout, title);
		}
	if (wanted(argc, argv, "onednn"))
		show_provider(&cx, MG_ONEDNN, threads);
	if (wanted(argc, argv, "openblas"))
		show_provider(&cx, MG_OPENBLAS, threads);
	for (int level = (int) mg_cpu_level(); level >= 0; level--)
	{
		MgCompute compute = {.kernels = mg_kernels((MgCpuLevel) level), .provider = MG_NATIVE, .pool = best.pool};

		if (wanted(argc, argv, "rows"))
			show_rows(&cx, compute);
		if (wanted(argc, argv, "elements"))
			show_elements(&compute);
		if (wanted(argc, argv, "attention"))
			show_attention(&cx, &compute);
		if (wanted(argc, argv, "batch"))
			show_batch(&cx, &compute);
		if (wanted(argc, argv, "layer"))
			show_layer(&cx, &compute);
	}
	mg_pool_destroy(best.pool);
	mg_ctx_free(&cx);
	return 0;
}
