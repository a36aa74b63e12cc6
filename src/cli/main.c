/*
 * mg, a workbench over the library: the same models and tasks without a server.
 * `mg --help` lists its verbs, `mg VERB --help` tells about one of them.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/bench.h"
#include "cli/host.h"
#include "task/classify.h"
#include "task/embed.h"
#include "task/fill_mask.h"
#include "task/generate.h"
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

/* A value of the configuration, as JSON would have it. */
static void
print_value(const MgConfigValue *value)
{
	printf("  %-38.*s ", MG_SPAN_ARGS(value->key));
	switch (value->kind)
	{
		case MG_VALUE_INTEGER:
			printf("%lld\n", (long long) value->integer);
			break;
		case MG_VALUE_REAL:
			printf("%.9g\n", value->real);
			break;
		case MG_VALUE_FLAG:
			printf("%s\n", value->integer != 0 ? "true" : "false");
			break;
		case MG_VALUE_TEXT:
			printf("\"%.*s\"\n", MG_SPAN_ARGS(value->text));
			break;
	}
}

/* A section of the image as it is stored. */
static void
print_section(const MgSection *section)
{
	char shape[64] = "";

	if (section->cols > 1)
		snprintf(shape, sizeof shape, "  %s [%llu, %llu]", mg_dtype_name((MgDtype) section->dtype),
				 (unsigned long long) section->rows, (unsigned long long) section->cols);
	else if (section->rows > 0)
		snprintf(shape, sizeof shape, "  %s [%llu]", mg_dtype_name((MgDtype) section->dtype),
				 (unsigned long long) section->rows);
	else
		snprintf(shape, sizeof shape, "  version %u", section->version);
	printf("  %-52s %11llu%s\n", section->name, (unsigned long long) section->size, shape);
}

static bool
inspect(const MgRun *run, const MgImage *image, int n, char **arguments)
{
	const MgModel *model = run->model;
	char tasks[MG_CAN_TEXT];
	int level = MG_CPU_SCALAR;

	(void) n;
	(void) arguments;
	while (mg_kernels((MgCpuLevel) level) != run->compute->kernels)
		level++;
	printf("architecture  %s\ntasks         %s\nparameters    %llu\nstored as     %s\n", model->arch->name,
		   mg_can_text(model->can, tasks), (unsigned long long) model->meta.parameters, mg_dtype_name(model->meta.dtype));
	printf("max tokens    %u of %u\n", model->meta.max_tokens, model->sizes->longest);
	printf("pooling       %s\n", mg_pooling_name(model->meta.pooling));
	printf("resident      %.1f MB\n", (double) model->resident_size / (1024 * 1024));
	printf("kernel        %s%s\n", mg_cpu_level_name((MgCpuLevel) level),
		   model->meta.dtype == MG_Q8														 ? " int8"
		   : mg_dtype_is_grouped(model->meta.dtype)										 ? " groups"
		   : mg_image_form(run->compute->kernels, run->compute->provider) == MG_FORM_BF16X2 ? " bf16x2"
																							: "");
	for (size_t i = 0; i < model->n_prompts; i++)
		printf("prompt        %.*s: \"%.*s\"\n", MG_SPAN_ARGS(model->prompts[i].name),
			   MG_SPAN_ARGS(model->prompts[i].text));
	printf("configuration\n");
	for (size_t i = 0; i < model->keys.n; i++)
		print_value(&model->keys.values[i]);
	printf("sections, in bytes\n");
	for (size_t i = 0; i < image->n_sections; i++)
		print_section(&image->sections[i]);
	return true;
}

static bool
tokenize(const MgRun *run, MgSpan text)
{
	const MgTokenizer *tokenizer = run->model->tokenizer;
	MgTokens tokens;

	if (!mg_tokenize(run->cx, tokenizer, text, MG_NO_DATA, &tokens))
		return false;
	for (size_t i = 0; i < tokens.n; i++)
	{
		MgSpan token = mg_token_text(tokenizer, tokens.ids[i]);

		printf("%6d  %-20.*s %u..%u\n", tokens.ids[i], MG_SPAN_ARGS(token), tokens.starts[i], tokens.stops[i]);
	}
	return true;
}

static bool
embed(const MgRun *run, MgSpan text)
{
	MgEmbedOptions options = {.normalize = true};
	size_t width = run->model->sizes->width;
	float *vector = mg_alloc_array(run->cx, width, sizeof *vector);

	if (vector == NULL || !mg_embed(run, &options, &text, 1, vector))
		return false;
	for (size_t d = 0; d < width; d++)
		printf("%s%.9g", d == 0 ? "[" : ",", vector[d]);
	printf("]\n");
	return true;
}

static bool
fill_mask(const MgRun *run, MgSpan text)
{
	MgFillMaskOptions options = {.top_k = (size_t) atoi(setting("MG_TOP_K", "5"))};
	MgFilled *filled;
	size_t n;

	if (!mg_fill_mask(run, &options, text, &filled, &n))
		return false;
	for (size_t i = 0; i < n; i++)
		printf("%d.%d  %.4f  %-16.*s %.*s\n", filled[i].mask, filled[i].rank, filled[i].score,
			   MG_SPAN_ARGS(filled[i].token), MG_SPAN_ARGS(filled[i].sequence));
	return true;
}

/* All prompts in step. */
static bool
generate(const MgRun *run, const MgImage *image, int n, char **arguments)
{
	MgGenerateOptions options = {.max_tokens = (size_t) atoi(setting("MG_MAX_TOKENS", "64")), .memory = SIZE_MAX, .read_specials = true};
	MgSpan *prompts = mg_alloc_array(run->cx, (size_t) n, sizeof *prompts);
	MgAnswer *answers = mg_alloc_array(run->cx, (size_t) n, sizeof *answers);
	MgIds ends;

	(void) image;
	if (prompts == NULL || answers == NULL || !mg_generation_defaults(run, &options.sampling, &ends))
		return false;
	for (int i = 0; i < n; i++)
		prompts[i] = mg_span_of(arguments[i]);
	if (!mg_generate(run, &options, prompts, (size_t) n, answers))
		return false;
	for (int i = 0; i < n; i++)
		printf("%.*s\n", (int) answers[i].text.size, (const char *) answers[i].text.data);
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
classify(const MgRun *run, const MgImage *image, int n_arguments, char **arguments)
{
	MgSpan names[MG_MAX_LABELS];
	size_t n = split(arguments[0], names, MG_MAX_LABELS);
	const MgLabels *labels = mg_labels_prepare(run, names, n, mg_span_of(setting("MG_TEMPLATE", "")));
	size_t size = labels == NULL ? 0 : mg_labels_basis_size(run, labels);
	float *basis = size == 0 ? NULL : mg_alloc_array(run->cx, size, sizeof *basis), scores[MG_MAX_LABELS];
	MgClassifyOptions options = {labels, basis, MG_LONG_TRUNCATE, NULL};

	(void) image;
	if (labels == NULL || (size > 0 && (basis == NULL || !mg_labels_basis(run, labels, basis))))
		return false;
	for (int i = 1; i < n_arguments; i++)
	{
		MgSpan text = mg_span_of(arguments[i]);

		if (!mg_classify(run, &options, &text, 1, scores))
			return false;
		for (size_t l = 0; l < n; l++)
			printf("%s%.*s %.6f", l == 0 ? "" : "  ", MG_SPAN_ARGS(names[l]), scores[l]);
		printf("\n");
	}
	return true;
}

static bool
bench(const MgRun *run, const MgImage *image, int n, char **arguments)
{
	(void) image;
	(void) n;
	return bench_run(run, arguments[0], arguments[1]);
}

/* What mg can do with the model of a directory. */
typedef struct Verb
{
	const char *name, *arguments, *help;
	int least, most;								  /* arguments behind DIR; most -1: any number */
	bool (*each)(const MgRun *run, MgSpan text);	  /* for each argument by itself, or else */
	bool (*all)(const MgRun *run, const MgImage *image, int n, char **arguments);
} Verb;

static const Verb verbs[] = {
	{"inspect", "DIR", "Shows what a model is: tasks, keys of its configuration, sections of its image.", 0, 0, NULL, inspect},
	{"tokenize", "DIR TEXT...", "Prints the tokens of each text: id, token, first and last byte.", 1, -1, tokenize, NULL},
	{"embed", "DIR TEXT...", "Prints the vector of each text.", 1, -1, embed, NULL},
	{"fill-mask", "DIR TEXT...", "Prints the MG_TOP_K (5) best words for each mask of each text: mask and rank, probability, word, text.",
	 1, -1, fill_mask, NULL},
	{"classify", "DIR LABEL,LABEL,... TEXT...",
	 "Prints a score for each label of each text. MG_TEMPLATE is the template, with {mask} and {text} in it, or {label}.", 2, -1, NULL, classify},
	{"generate", "DIR TEXT...", "Prints what follows each text: up to MG_MAX_TOKENS (64) tokens.", 1, -1, NULL, generate},
	{"bench", "DIR embed|classify|generate FILE", "Measures a task over the lines of a file; prints a line of JSON for each of its rounds.",
	 2, 2, NULL, bench},
};

#define N_VERBS (sizeof verbs / sizeof *verbs)

static const Verb *
find_verb(const char *name)
{
	for (size_t i = 0; i < N_VERBS; i++)
		if (strcmp(name, verbs[i].name) == 0)
			return &verbs[i];
	return NULL;
}

static void
print_settings(FILE *to)
{
	fprintf(to, "\nDIR is a directory of Hugging Face's form. Settings come from the environment:\n"
				"  MG_OPTIONS       a JSON object, as the options of create_model\n"
				"  MG_CPU           scalar, avx2, avx512, avx512vnni, amx; neon, neondot\n"
				"  MG_MATMUL        native, onednn, openblas\n"
				"  MG_THREADS       threads that multiply (1)\n"
				"  MG_BATCH_TOKENS  tokens of one forward pass\n");
}

/* What mg is for, or one of its verbs. */
static int
print_help(FILE *to, const Verb *verb)
{
	if (verb != NULL)
		fprintf(to, "usage: mg %s %s\n\n%s\n", verb->name, verb->arguments, verb->help);
	else
	{
		fprintf(to, "usage: mg VERB DIR [ARGUMENT...]\n       mg VERB --help\n\n");
		for (size_t i = 0; i < N_VERBS; i++)
			fprintf(to, "  mg %-9s %s\n", verbs[i].name, verbs[i].arguments);
	}
	print_settings(to);
	return to == stdout ? 0 : 2;
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
	if (threads > 1)
		compute->pool = mg_pool_create(cx, threads);
	return threads <= 1 || compute->pool != NULL;
}

/* Runs a verb on the arguments behind the directory. */
static int
run_verb(const Verb *verb, const MgRun *run, const MgImage *image, int n, char **arguments)
{
	if (verb->all != NULL)
		return verb->all(run, image, n, arguments) ? 0 : fail(run->cx);
	for (int i = 0; i < n; i++)
	{
		mg_ctx_reset(run->cx);
		if (!verb->each(run, mg_span_of(arguments[i])))
			return fail(run->cx);
	}
	return 0;
}

static bool
is_help(const char *argument)
{
	return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0 || strcmp(argument, "help") == 0;
}

int
main(int argc, char **argv)
{
	const Verb *verb = argc > 1 ? find_verb(argv[1]) : NULL;
	MgCompute compute;
	MgUsage usage = {0};
	MgForm form = MG_FORM_PANELS;
	MgImage image;
	MgCtx cx, scratch;
	MgRun run = {.cx = &scratch, .compute = &compute, .usage = &usage};

	if (argc > 1 && is_help(argv[1]))
		return print_help(stdout, argc > 2 ? find_verb(argv[2]) : NULL);
	if (verb != NULL && argc > 2 && is_help(argv[2]))
		return print_help(stdout, verb);
	if (verb == NULL || argc - 3 < verb->least || (verb->most >= 0 && argc - 3 > verb->most))
		return print_help(stderr, verb);
	mg_ctx_init(&cx, &cli_host);
	mg_ctx_init(&scratch, &cli_host);
	if (!choose_compute(&cx, &compute, &form))
		return fail(&cx);
	run.name = argv[2];
	run.batch_tokens = strtoul(setting("MG_BATCH_TOKENS", "0"), NULL, 10);
	run.model = cli_load(&cx, argv[2], setting("MG_OPTIONS", "{}"), compute.kernels, form, &image);
	return run.model == NULL ? fail(&cx) : run_verb(verb, &run, &image, argc - 3, argv + 3);
}
