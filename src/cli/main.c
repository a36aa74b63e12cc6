/*
 * mg, a workbench over the library: the same models and tasks without a server.
 *
 *   mg inspect DIR
 *   mg tokenize DIR TEXT...
 *   mg embed DIR TEXT...
 *   mg fill-mask DIR TEXT...
 *   mg classify DIR LABEL,LABEL,... TEXT...
 *   mg bench DIR TASK FILE          a text a line; see cli/bench.c
 *
 * Settings come from the environment, so that commands stay short:
 * MG_OPTIONS (JSON, as create_model's), MG_CPU (scalar, avx2, avx512, avx512vnni, amx; neon, neondot),
 * MG_MATMUL (native, onednn, openblas), MG_THREADS, MG_BATCH_TOKENS, MG_TEMPLATE, MG_TOP_K.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/bench.h"
#include "cli/host.h"
#include "task/classify.h"
#include "task/embed.h"
#include "task/fill_mask.h"
#include "tensor/blas.h"
#include "tensor/pool.h"

static const char *
setting(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : otherwise;
}

static int
fail(const MgCtx *cx)
{
	fprintf(stderr, "mg: %s\n", cx->error.message);
	if (cx->error.detail[0] != '\0')
		fprintf(stderr, "  %s\n", cx->error.detail);
	if (cx->error.hint[0] != '\0')
		fprintf(stderr, "  hint: %s\n", cx->error.hint);
	return 1;
}

static int
inspect(const MgModel *model)
{
	const MgSizes *sizes = model->sizes;
	char tasks[64];
	int level = MG_CPU_SCALAR;

	while (mg_kernels((MgCpuLevel) level) != model->compute.kernels)
		level++;
	printf("architecture  %s\ntasks         %s\nparameters    %llu\nstored as     %s\n", model->arch->name,
		   mg_can_text(model->can, tasks), (unsigned long long) model->meta.parameters,
		   mg_dtype_name((MgDtype) model->meta.dtype));
	printf("layers        %u\nwidth         %u\nvocabulary    %u\n", sizes->layers, sizes->width, sizes->vocab);
	printf("max tokens    %u of %u\n", model->meta.max_tokens, sizes->longest);
	printf("resident      %.1f MB\n", (double) model->resident_size / (1024 * 1024));
	printf("kernel        %s%s\n", mg_cpu_level_name((MgCpuLevel) level),
		   model->meta.dtype == MG_Q8															  ? " int8"
		   : mg_image_form(model->compute.kernels, model->compute.provider) == MG_FORM_PAIRS ? " bf16x2"
																							  : "");
	for (size_t i = 0; i < model->n_prompts; i++)
		printf("prompt        %.*s: \"%.*s\"\n", MG_SPAN_ARGS(model->prompts[i].name),
			   MG_SPAN_ARGS(model->prompts[i].text));
	return 0;
}

static bool
tokenize(MgCtx *cx, const MgModel *model, MgSpan text)
{
	MgTokens tokens;

	if (!mg_tokenize(cx, model->tokenizer, text, MG_NO_DATA, &tokens))
		return false;
	for (size_t i = 0; i < tokens.n; i++)
	{
		MgSpan token = mg_token_text(model->tokenizer, tokens.ids[i]);

		printf("%6d  %-20.*s %u..%u\n", tokens.ids[i], MG_SPAN_ARGS(token), tokens.starts[i], tokens.stops[i]);
	}
	return true;
}

static bool
embed(MgCtx *cx, const MgModel *model, MgSpan text)
{
	MgEmbedOptions options = {.normalize = true};
	MgUsage usage = {0};
	float *vector = mg_alloc_array(cx, model->sizes->width, sizeof *vector);

	if (vector == NULL || !mg_embed(cx, model, &options, &text, 1, vector, &usage))
		return false;
	for (size_t d = 0; d < model->sizes->width; d++)
		printf("%s%.9g", d == 0 ? "[" : ",", vector[d]);
	printf("]\n");
	return true;
}

static bool
fill_mask(MgCtx *cx, const MgModel *model, MgSpan text)
{
	MgFillMaskOptions options = {.top_k = (size_t) atoi(setting("MG_TOP_K", "5"))};
	MgUsage usage = {0};
	MgFilled *filled;
	size_t n;

	if (!mg_fill_mask(cx, model, &options, text, &filled, &n, &usage))
		return false;
	for (size_t i = 0; i < n; i++)
		printf("%d.%d  %.4f  %-16.*s %.*s\n", filled[i].mask, filled[i].rank, filled[i].score,
			   MG_SPAN_ARGS(filled[i].token), MG_SPAN_ARGS(filled[i].sequence));
	return true;
}

/* Splits at commas, in place. */
static size_t
split(char *list, MgSpan *items, size_t most)
{
	size_t n = 0;

	for (char *item = strtok(list, ","); item != NULL && n < most; item = strtok(NULL, ","))
		items[n++] = mg_span_of(item);
	return n;
}

static bool
classify(MgCtx *cx, const MgModel *model, char *list, char **texts, int n_texts)
{
	MgSpan names[MG_MAX_LABELS];
	size_t n = split(list, names, MG_MAX_LABELS);
	const MgLabels *labels = mg_labels_prepare(cx, model, names, n, mg_span_of(setting("MG_TEMPLATE", "")));
	MgUsage usage = {0};
	float prior[MG_MAX_LABELS], scores[MG_MAX_LABELS];

	if (labels == NULL || !mg_labels_prior(cx, model, labels, prior, &usage))
		return false;
	for (int i = 0; i < n_texts; i++)
	{
		MgSpan text = mg_span_of(texts[i]);

		if (!mg_classify(cx, model, labels, model->meta.calibrate ? prior : NULL, MG_LONG_TRUNCATE, &text, 1, scores,
						 &usage))
			return false;
		for (size_t l = 0; l < n; l++)
			printf("%s%.*s %.6f", l == 0 ? "" : "  ", MG_SPAN_ARGS(names[l]), scores[l]);
		printf("\n");
	}
	return true;
}

/* Kernels, provider and threads by the environment. */
static bool
choose_compute(MgCtx *cx, MgCompute *compute, MgForm *form)
{
	const char *cpu = setting("MG_CPU", mg_cpu_level_name(mg_cpu_level())), *matmul = setting("MG_MATMUL", "native");
	int threads = atoi(setting("MG_THREADS", "1")), level = MG_N_CPU_LEVELS;
	MgVariable variables[MG_BLAS_MAX_VARIABLES];
	size_t n;

	while (--level > 0 && strcmp(cpu, mg_cpu_level_name((MgCpuLevel) level)) != 0)
		;
	if (level > (int) mg_cpu_level())
		return mg_fail(cx, MG_UNSUPPORTED, "this CPU has no %s", cpu);
	*compute = (MgCompute){.kernels = mg_kernels((MgCpuLevel) level), .provider = MG_NATIVE, .pool = NULL};
	if (strcmp(matmul, "native") != 0)
	{
		compute->provider = strcmp(matmul, "onednn") == 0 ? MG_ONEDNN : MG_OPENBLAS;
		n = mg_blas_environment(compute->provider, (MgCpuLevel) level, threads, variables);
		for (size_t i = 0; i < n; i++)
			setenv(variables[i].name, variables[i].value, 0);
		if (!mg_blas_open(cx, compute->provider, threads))
			return false;
	}
	*form = mg_image_form(compute->kernels, compute->provider);
	compute->batch_tokens = strtoul(setting("MG_BATCH_TOKENS", "0"), NULL, 10);
	if (threads > 1)
		compute->pool = mg_pool_create(cx, threads);
	return threads <= 1 || compute->pool != NULL;
}

static int
usage_error(void)
{
	fprintf(stderr, "usage: mg inspect|tokenize|embed|fill-mask DIR [TEXT...]\n"
					"       mg classify DIR LABEL,LABEL,... TEXT...\n"
					"       mg bench DIR embed|classify FILE\n");
	return 2;
}

int
main(int argc, char **argv)
{
	bool (*each)(MgCtx *, const MgModel *, MgSpan) = NULL;
	MgCtx cx, scratch;
	MgCompute compute;
	MgModel *model;
	MgForm form = MG_FORM_PANELS;
	const char *command;

	if (argc < 3)
		return usage_error();
	command = argv[1];
	mg_ctx_init(&cx, &cli_host);
	mg_ctx_init(&scratch, &cli_host);
	if (!choose_compute(&cx, &compute, &form))
		return fail(&cx);
	model = cli_load(&cx, argv[2], setting("MG_OPTIONS", "{}"), &compute, form);
	if (model == NULL)
		return fail(&cx);

	if (strcmp(command, "inspect") == 0)
		return inspect(model);
	if (strcmp(command, "bench") == 0 && argc == 5)
		return bench_run(&cx, model, argv[3], argv[4]) ? 0 : fail(&cx);
	if (strcmp(command, "classify") == 0 && argc >= 5)
		return classify(&cx, model, argv[3], argv + 4, argc - 4) ? 0 : fail(&cx);
	if (strcmp(command, "tokenize") == 0)
		each = tokenize;
	else if (strcmp(command, "embed") == 0)
		each = embed;
	else if (strcmp(command, "fill-mask") == 0)
		each = fill_mask;
	else
		return usage_error();
	for (int i = 3; i < argc; i++)
	{
		mg_ctx_reset(&scratch);
		if (!each(&scratch, model, mg_span_of(argv[i])))
			return fail(&scratch);
	}
	return 0;
}
