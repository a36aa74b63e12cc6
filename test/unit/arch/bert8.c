/*
 * BERT in 8 bits beside float32, on tiny checkpoints: how far the final states
 * go apart on every CPU level, and what changes no bit: the batch, threads,
 * the form for libraries, and which of the AVX-512 levels computes.
 */
#include <math.h>
#include <stdlib.h>

#include "cli/host.h"
#include "task/input.h"
#include "tensor/pool.h"
#include "unit/run.h"
#include "unit/tap.h"

/*
 * Of |states - float32| / |float32|. A code is off by up to half of 1/127 of a row's largest weight, and activations
 * likewise: the six products of each of two layers give 0.02 at most here; a wrong scale or zero point gives 0.5.
 */
#define TOLERANCE 0.04

/* Between levels the float32 parts round otherwise, and may move a code to the other side. */
#define LEVELS_TOLERANCE 0.02

#define N_TEXTS 7

static const char *const texts[N_TEXTS] = {"", "paris", "The capital of France is red wine!", "a b c d e f g h i j k l m n o p",
										   "news", "the the the the the the", "The bank sleeps, and so do we."};

typedef struct States
{
	size_t n; /* floats */
	float *x; /* of all texts, one behind the other */
} States;

/* Final states of all tokens of all texts, in one batch or one by one. The caller frees x. */
static States
run(const char *directory, const char *options, MgCompute compute, MgForm form, bool together)
{
	MgCtx cx;
	const MgModel *model;
	MgSequence sequences[N_TEXTS];
	States states = {0, NULL};
	bool fine = true;

	mg_ctx_init(&cx, &cli_host);
	model = cli_load(&cx, directory, options, compute.kernels, form, NULL);
	for (size_t i = 0; model != NULL && fine && i < N_TEXTS; i++)
	{
		fine = mg_sequence_of_text(RUN(&cx, model, &compute, &(MgUsage){0}), mg_span(NULL, 0), mg_span_of(texts[i]), true, MG_LONG_TRUNCATE, &sequences[i]);
		states.n += sequences[i].n * model->sizes->width;
	}
	states.x = calloc(states.n + 1, sizeof *states.x);
	for (size_t i = 0, at = 0; model != NULL && fine && i < N_TEXTS; i += together ? N_TEXTS : 1)
	{
		MgBatch batch;

		fine = mg_batch_pack(&cx, &sequences[i], together ? N_TEXTS : 1, &batch) &&
			model->arch->forward(RUN(&cx, model, &compute, &(MgUsage){0}), &batch, states.x + at);
		at += batch.n_tokens * model->sizes->width;
	}
	if (model == NULL || !fine)
		ok(false, "%s %s: %s", directory, options, cx.error.message);
	mg_ctx_free(&cx);
	return states;
}

static double
apart(States a, States b)
{
	double off = 0, all = 0;

	for (size_t i = 0; i < a.n && i < b.n; i++)
	{
		off += ((double) a.x[i] - b.x[i]) * ((double) a.x[i] - b.x[i]);
		all += (double) b.x[i] * b.x[i];
	}
	return a.n == b.n && all > 0 ? sqrt(off / all) : INFINITY;
}

static bool
same(States a, States b)
{
	bool equal = a.n == b.n && memcmp(a.x, b.x, a.n * sizeof *a.x) == 0;

	free(b.x);
	return equal;
}

static void
test_model(const char *name, MgPool *pool)
{
	static const char *const int8 = "{\"dtype\": \"int8\"}";
	States levels[MG_N_CPU_LEVELS];
	char directory[100];

	snprintf(directory, sizeof directory, "test/golden/tiny/%s", name);
	for (int level = MG_CPU_SCALAR; level <= (int) mg_cpu_level(); level++)
	{
		MgCompute compute = {.kernels = mg_kernels((MgCpuLevel) level), .provider = MG_NATIVE, .pool = NULL};
		MgCompute threads = compute;
		const char *who = mg_cpu_level_name((MgCpuLevel) level);
		States exact = run(directory, "{\"dtype\": \"f32\"}", compute, MG_FORM_PANELS, true), eight;
		double off;

		threads.pool = pool;
		eight = levels[level] = run(directory, int8, compute, MG_FORM_PANELS, true);
		off = apart(eight, exact);
		/* Not zero: then it would be float32. */
		ok(off > 1e-4 && off < TOLERANCE, "%s, %s: %.4f from float32", name, who, off);
		ok(same(eight, run(directory, int8, compute, MG_FORM_PANELS, false)), "%s, %s: the batch changes no bit", name, who);
		ok(same(eight, run(directory, int8, threads, MG_FORM_PANELS, true)), "%s, %s: nor do threads", name, who);
		ok(same(eight, run(directory, int8, compute, MG_FORM_ROWS, true)), "%s, %s: nor the form for libraries", name, who);
		off = apart(eight, levels[MG_CPU_SCALAR]);
		ok(off < LEVELS_TOLERANCE, "%s, %s: %.2g from scalar", name, who, off);
		free(exact.x);
	}
	for (int level = MG_CPU_VNNI; level <= (int) mg_cpu_level(); level++)
		ok(memcmp(levels[level].x, levels[MG_CPU_AVX512].x, levels[level].n * sizeof(float)) == 0,
		   "%s: %s gives the bits of avx512", name, mg_cpu_level_name((MgCpuLevel) level));
	for (int level = MG_CPU_SCALAR; level <= (int) mg_cpu_level(); level++)
		free(levels[level].x);
}

int
main(void)
{
	static const char *const tiny[] = {"bert-mlm",	   "bert-mlm-f16",	  "bert-mlm-bf16", "bert-sharded",
									   "bert-embed-mean", "bert-embed-cls", "bert-relu-odd"};
	MgCtx cx;
	MgPool *pool;

	mg_ctx_init(&cx, &cli_host);
	pool = mg_pool_create(&cx, 3);
	if (!ok(pool != NULL, "three threads"))
		return done();
	for (size_t i = 0; i < sizeof tiny / sizeof *tiny; i++)
		test_model(tiny[i], pool);
	mg_pool_destroy(pool);
	mg_ctx_free(&cx);
	return done();
}
