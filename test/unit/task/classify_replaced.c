/* Classification by a discriminator: scores against a few lines of transformers, batches of any size, what is refused. */
#include "task/classify.h"

#include "unit/golden.h"
#include "unit/host.h"

#define MOST 8

typedef struct Asked
{
	char *template, *labels[MOST];
	size_t n;
	float prior[MOST];
} Asked;

static const MgModel *model;
static MgCompute compute;

static size_t
read_numbers(char **rest, float *numbers)
{
	size_t n = (size_t) golden_number(rest);

	for (size_t i = 0; i < n && i < MOST; i++)
		numbers[i] = (float) golden_number(rest);
	return n;
}

static const MgLabels *
prepare(MgCtx *cx, const Asked *asked, const char *template, MgUsage *usage)
{
	MgSpan labels[MOST];

	for (size_t i = 0; i < asked->n; i++)
		labels[i] = mg_span_of(asked->labels[i]);
	return mg_labels_prepare(RUN(cx, model, &compute, usage), labels, asked->n, mg_span_of(template));
}

static void
check_values(MgCpuLevel level)
{
	char *line = NULL, *texts[16] = {NULL};
	Asked asked = {0};
	size_t room = 0, wrong = 0, n_scores = 0;
	double worst = 0, worst_prior = 0;
	FILE *file = fopen("test/golden/tiny/electra.txt", "r");
	const MgLabels *labels = NULL;
	float prior[MOST] = {0}, scores[MOST], want[MOST];
	MgUsage usage = {0};
	MgCtx cx;

	compute.kernels = mg_kernels(level);
	mg_ctx_init(&cx, &cli_host);
	while (file != NULL && getline(&line, &room, file) > 0)
	{
		char *rest = line + strcspn(line, " ");

		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "input ", 6) == 0)
		{
			long t = (long) golden_number(&rest);

			texts[t] = mg_copy_text(&cx, mg_span_of(golden_text(rest)));
		}
		else if (strncmp(line, "template ", 9) == 0)
		{
			golden_number(&rest);
			asked = (Asked){.template = mg_copy_text(&cx, mg_span_of(golden_text(rest)))};
		}
		else if (strncmp(line, "label ", 6) == 0)
		{
			golden_number(&rest);
			golden_number(&rest);
			asked.labels[asked.n++] = mg_copy_text(&cx, mg_span_of(golden_text(rest)));
		}
		else if (strncmp(line, "prior ", 6) == 0)
		{
			golden_number(&rest);
			wrong += read_numbers(&rest, asked.prior) != asked.n;
			labels = prepare(&cx, &asked, asked.template, &usage);
			wrong += labels == NULL || mg_labels_basis_size(RUN(&cx, model, &compute, &usage), labels) != asked.n ||
				!mg_labels_basis(RUN(&cx, model, &compute, &usage), labels, prior);
			for (size_t k = 0; k < asked.n; k++)
				worst_prior = fmax(worst_prior, fabs(prior[k] - asked.prior[k]));
		}
		else if (strncmp(line, "score ", 6) == 0 && labels != NULL)
		{
			MgSpan text;

			golden_number(&rest);
			text = mg_span_of(texts[(long) golden_number(&rest)]);
			wrong += read_numbers(&rest, want) != asked.n ||
				!mg_classify(RUN(&cx, model, &compute, &usage), &(MgClassifyOptions){labels, prior, MG_LONG_TRUNCATE, NULL}, &text, 1, scores);
			for (size_t k = 0; k < asked.n; k++, n_scores++)
				worst = fmax(worst, fabs(scores[k] - want[k]));
		}
	}
	is_int(wrong, 0, "%s: all that the reference has can be asked", mg_cpu_level_name(level));
	is_int(n_scores, 8 * 4 + 8 * 2, "as many scores");
	ok(worst_prior < 1e-4, "priors are off by %.2g at most", worst_prior);
	ok(worst < 1e-4, "scores are off by %.2g at most", worst);
	if (file != NULL)
		fclose(file);
	free(line);
	mg_ctx_free(&cx);
}

static void
test_batches(void)
{
	static Asked asked = {.labels = {"world", "red wine", "technology"}, .n = 3};
	static char texts[60][60];
	static MgSpan spans[60];
	static float together[60 * 3], again[60 * 3], alone[3];
	const MgLabels *labels;
	MgUsage usage = {0};
	size_t differ = 0;
	MgCtx cx, kept;

	mg_ctx_init(&cx, &cli_host);
	mg_ctx_init(&kept, &cli_host);
	labels = prepare(&kept, &asked, "", &usage);
	for (size_t i = 0; i < 60; i++)
	{
		snprintf(texts[i], sizeof texts[i], "paris %zu %.*s", i / 2, (int) (i / 2 % 17), "abcdefghijklmnopqrs");
		spans[i] = mg_span_of(texts[i]);
	}
	usage = (MgUsage){0};
	ok(labels != NULL && mg_classify(RUN(&cx, model, &compute, &usage), &(MgClassifyOptions){labels, NULL, MG_LONG_TRUNCATE, NULL}, spans, 60, together) &&
		   usage.rows == 60 && usage.batches > 1, "60 texts, %d sequences' tokens in %d batches", (int) usage.tokens, (int) usage.batches);
	for (size_t i = 0; i < 60; i++)
		differ += !mg_classify(RUN(&cx, model, &compute, &usage), &(MgClassifyOptions){labels, NULL, MG_LONG_TRUNCATE, NULL}, &spans[i], 1, alone) ||
			memcmp(alone, together + 3 * i, sizeof alone) != 0;
	is_int(differ, 0, "have the same bits as one by one");
	for (size_t budget = 1; budget <= 4096; budget *= 8)
	{
		test_batch_tokens = budget;
		ok(mg_classify(RUN(&cx, model, &compute, &usage), &(MgClassifyOptions){labels, NULL, MG_LONG_TRUNCATE, NULL}, spans, 60, again) &&
			   memcmp(again, together, sizeof together) == 0, "and in batches of %zu tokens", budget);
	}
	test_batch_tokens = 0;
	mg_ctx_free(&cx);
	mg_ctx_free(&kept);
}

/* A template for masks is one for labels, and both say the same of a text. */
static void
test_templates(void)
{
	static Asked asked = {.labels = {"world", "red wine"}, .n = 2};
	static const struct
	{
		const char *template, *message;
	} cases[] = {
		{"{text} only", "template lacks {label}"},
		{"This is about {label}.", "template lacks {text}"},
		{"{label} {label} {text}", "template holds {label} more than once"},
	};
	const char *templates[] = {"{label} news: {text}", "{mask} news: {text}", "[MASK] news: {text}", ""};
	MgSpan text = mg_span_of("the capital of [MASK] france"), long_text;
	float scores[4][2], cut[2];
	static char words[20000];
	MgUsage usage = {0};
	const MgLabels *labels;
	MgCtx cx;

	mg_ctx_init(&cx, &cli_host);
	for (size_t i = 0; i < 4; i++)
	{
		labels = prepare(&cx, &asked, templates[i], &usage);
		ok(labels != NULL && mg_classify(RUN(&cx, model, &compute, &usage), &(MgClassifyOptions){labels, NULL, MG_LONG_TRUNCATE, NULL}, &text, 1, scores[i]) &&
			   memcmp(scores[i], scores[0], sizeof scores[0]) == 0, "the same by template \"%s\"", templates[i]);
	}
	for (size_t i = 0; i + 6 < sizeof words; i += 6)
		memcpy(words + i, "paris ", 6);
	long_text = mg_span_of(words);
	usage = (MgUsage){0};
	labels = prepare(&cx, &asked, "", &usage);
	ok(mg_classify(RUN(&cx, model, &compute, &usage), &(MgClassifyOptions){labels, NULL, MG_LONG_TRUNCATE, NULL}, &long_text, 1, cut), "a long text is cut");
	is_int(usage.tokens, 2 * model->meta.max_tokens - 1, "to what fits beside the longest label, the same for all");
	ok(!mg_classify(RUN(&cx, model, &compute, &usage), &(MgClassifyOptions){labels, NULL, MG_LONG_ERROR, NULL}, &long_text, 1, cut) &&
		   cx.error.code == MG_TOO_LARGE, "or refused");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		mg_ctx_reset(&cx);
		ok(prepare(&cx, &asked, cases[i].template, &usage) == NULL, "refused: %s", cases[i].message);
		is_text(cx.error.message, cases[i].message, "and said so");
	}
	mg_ctx_free(&cx);
}

static bool
classify_two(MgCtx *cx, void *user)
{
	static Asked asked = {.labels = {"world", "science and sports"}, .n = 2};
	MgSpan texts[] = {mg_span_of("paris"), mg_span_of("the capital of france"), mg_span_of("")};
	MgUsage usage = {0};
	const MgLabels *labels = prepare(cx, &asked, "", &usage);
	float prior[2], *scores = user;

	return labels != NULL && mg_labels_basis(RUN(cx, model, &compute, &usage), labels, prior) &&
		mg_classify(RUN(cx, model, &compute, &usage), &(MgClassifyOptions){labels, prior, MG_LONG_TRUNCATE, NULL}, texts, 3, scores);
}

int
main(void)
{
	float scores[6];
	MgCtx cx;

	mg_ctx_init(&cx, &cli_host);
	compute.kernels = mg_kernels(mg_cpu_level());
	model = cli_load(&cx, "test/golden/tiny/electra", "{}", compute.kernels, MG_FORM_PANELS, NULL);
	if (!ok(model != NULL, "loaded (%s)", cx.error.message))
		return done();
	for (int level = MG_CPU_SCALAR; level <= (int) mg_cpu_level(); level++)
		check_values((MgCpuLevel) level);
	compute.kernels = mg_kernels(mg_cpu_level());
	test_batches();
	test_templates();
	sweep("classify", classify_two, scores, 1);
	mg_ctx_free(&cx);
	return done();
}
