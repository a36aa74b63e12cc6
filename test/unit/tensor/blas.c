#include "tensor/blas.h"
#include "unit/tensor/numbers.h"

static void
test_environment(void)
{
	MgVariable v[MG_BLAS_MAX_VARIABLES];
	size_t n = mg_blas_environment(MG_OPENBLAS, MG_CPU_AVX512, 3, v);

	is_int(n, 3, "OpenBLAS wants three variables");
	is_text(v[0].name, "OPENBLAS_NUM_THREADS", "the threads");
	is_text(v[0].value, "3", "as many as were asked for");
	is_text(v[2].name, "OPENBLAS_CORETYPE", "and the kernels");
	is_text(v[2].value, "SkylakeX", "for AVX-512");
	is_int(mg_blas_environment(MG_OPENBLAS, MG_CPU_SCALAR, 1, v), 2, "a CPU without AVX2 is left to OpenBLAS");
	is_int(mg_blas_environment(MG_OPENBLAS, MG_CPU_AVX2, 1, v), 3, "one with AVX2 is not");
	is_text(v[2].value, "Haswell", "it is taken as a Haswell");
	is_int(mg_blas_environment(MG_ONEDNN, MG_CPU_AVX512, 1, v), 2, "oneDNN wants two");
	is_int(mg_blas_environment(MG_NATIVE, MG_CPU_AVX512, 1, v), 0, "our kernels want none");
}

static void
test_refusals(MgCtx *cx)
{
	float x[4] = {0}, out[4];
	MgMatrix w = {MG_ROWS, 2, 2, {x}};
	MgCompute compute = {.kernels = mg_kernels(MG_CPU_SCALAR), .provider = MG_OPENBLAS, .pool = NULL};

	ok(!mg_linear(cx, &compute, (MgRows){x, 2, 1}, (MgLinear){&w, NULL, MG_ACT_NONE, out, 2}), "a library that is not open");
	is_text(cx->error.message, "matrix library \"openblas\" is not open", "is named");
	mg_ctx_reset(cx);
	ok(!mg_blas_open(cx, MG_NATIVE, 1) && cx->error.code == MG_BAD_ARGUMENT, "our kernels cannot be opened");
	mg_ctx_reset(cx);
	ok(!mg_blas_open(cx, MG_ONEDNN, 0) && cx->error.code == MG_BAD_ARGUMENT, "no threads are refused");
	mg_ctx_reset(cx);
}

typedef struct Case
{
	size_t n, rows, cols, gap;
} Case;

static void
test_against_native(MgCtx *cx, const MgCompute *compute, const char *who)
{
	static const Case cases[] = {{1, 1, 1, 0},	   {3, 47, 33, 2},	 {45, 100, 384, 0}, {600, 70, 64, 5},
								 {2, 5000, 96, 0}, {130, 1536, 384, 0}, {4, 6, 0, 0}};
	MgCompute native = *compute;

	native.provider = MG_NATIVE;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
	{
		const Case *c = &cases[i];
		size_t xs = c->cols + c->gap, os = c->rows + c->gap;
		float *x = numbers(c->n * xs), *w = numbers(c->rows * c->cols), *bias = numbers(c->rows);
		float *a = numbers(c->n * os), *b = malloc(c->n * os * sizeof *b);
		MgMatrix m = {MG_ROWS, c->rows, c->cols, {w}};
		double worst = 0.0;

		memcpy(b, a, c->n * os * sizeof *b);
		ok(mg_linear(cx, compute, (MgRows){x, xs, c->n}, (MgLinear){&m, bias, MG_ACT_GELU, a, os}), "%s: %zu x %zu x %zu", who, c->n, c->rows,
		   c->cols);
		mg_linear(cx, &native, (MgRows){x, xs, c->n}, (MgLinear){&m, bias, MG_ACT_GELU, b, os});
		for (size_t j = 0; j < c->n * os; j++)
			worst = fmax(worst, fabs(a[j] - b[j]));
		/* 200000 sums of 384 products, near 10 each: two orders of summation differ by 3e-5 somewhere. */
		is_near(worst, 0.0, 6e-5, "%s: as our kernels", who);
		free(x);
		free(w);
		free(bias);
		free(a);
		free(b);
	}
}

typedef struct Sweep
{
	MgCompute compute;
	MgMatrix m;
	const float *x;
	float *out;
} Sweep;

static bool
sweep_body(MgCtx *cx, void *user)
{
	Sweep *s = user;

	return mg_linear(cx, &s->compute, (MgRows){s->x, s->m.cols, 300}, (MgLinear){&s->m, NULL, MG_ACT_NONE, s->out, s->m.rows});
}

static void
test_sweep(const MgCompute *compute, const char *who)
{
	size_t rows = 600, cols = 400;
	float *x = numbers(300 * cols), *w = numbers(rows * cols), *out = numbers(300 * rows);
	/* A slow level's table, for the sake of many pieces. */
	Sweep s = {{.kernels = mg_kernels(MG_CPU_SCALAR), .provider = compute->provider, .pool = NULL}, {MG_ROWS, rows, cols, {w}}, x, out};
	TestHost test;
	MgCtx cx;

	test_host_init(&test);
	mg_ctx_init(&cx, &test.host);
	ok(sweep_body(&cx, &s), "%s: undisturbed", who);
	ok((double) test.n_polls * s.compute.kernels->piece_flops >= 2.0 * 300 * 600 * 400,
	   "%s: %ld polls bound the work between two", who, test.n_polls);
	mg_ctx_free(&cx);
	sweep(who, sweep_body, &s, 1);
	free(x);
	free(w);
	free(out);
}

int
main(void)
{
	TestHost test;
	MgCtx cx;

	test_host_init(&test);
	mg_ctx_init(&cx, &test.host);
	test_environment();
	test_refusals(&cx);
	for (MgProvider provider = MG_ONEDNN; provider <= MG_OPENBLAS; provider++)
	{
		const char *who = mg_provider_name(provider);
		MgCompute compute = {.kernels = mg_kernels(mg_cpu_level()), .provider = provider, .pool = NULL};
		MgVariable v[MG_BLAS_MAX_VARIABLES];
		size_t n = mg_blas_environment(provider, mg_cpu_level(), 2, v);

		for (size_t i = 0; i < n; i++)
			setenv(v[i].name, v[i].value, 0);
		if (!mg_blas_open(&cx, provider, 2))
		{
			ok(cx.error.code == MG_UNSUPPORTED && cx.error.detail[0] != '\0', "%s: refused with a reason", who);
			ok(true, "%s # SKIP the library is not installed", who);
			mg_ctx_reset(&cx);
			continue;
		}
		ok(mg_blas_open(&cx, provider, 1), "%s: opening twice only sets the threads", who);
		test_against_native(&cx, &compute, who);
		compute.kernels = mg_kernels(MG_CPU_SCALAR); /* cuts a product in more pieces */
		test_against_native(&cx, &compute, who);
		test_sweep(&compute, who);
	}
	mg_ctx_free(&cx);
	is_int(test.live, 0, "nothing is left");
	return done();
}
