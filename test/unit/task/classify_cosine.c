/* Classifying by cosines: scores are those of the vectors themselves; templates and labels as users get them wrong; batches. */
#include "task/classify.h"

#include <math.h>

#include "cli/host.h"
#include "task/classify_cosine.h"
#include "unit/host.h"
#include "unit/run.h"

#define N_TEXTS 100

static const MgModel *model;
static MgCompute compute;

static const MgLabels *
prepare(MgCtx *cx, const char *template, float basis[2 * 64])
{
	MgSpan names[] = {mg_span_of("world"), mg_span_of("science and sports")};
	MgUsage usage = {0};
	const MgRun *run = RUN(cx, model, &compute, &usage);
	const MgLabels *labels = mg_labels_prepare(run, names, 2, mg_span_of(template));

	return labels != NULL && mg_labels_basis_size(run, labels) == 2 * model->sizes->width &&
			mg_labels_basis(run, labels, basis) && usage.rows == 0 && usage.tokens > 0
		? labels
		: NULL;
}

static bool
classify_two(MgCtx *cx, void *user)
{
	MgSpan texts[] = {mg_span_of("paris"), mg_span_of("the capital of france")};
	float basis[2 * 64];
	const MgLabels *labels = prepare(cx, "news about {label}", basis);

	return labels != NULL &&
		mg_classify(RUN(cx, model, &compute, &(MgUsage){0}), &(MgClassifyOptions){labels, basis, MG_LONG_TRUNCATE, NULL}, texts, 2, user);
}

/* By embedding text and sentences, and no code of the task's but its constant. */
static void
test_scores(void)
{
	MgSpan texts[] = {mg_span_of("the capital of france"), mg_span_of("news about world"), mg_span_of("news about science and sports")};
	MgEmbedOptions options;
	size_t width = model->sizes->width;
	float basis[2 * 64], vectors[3 * 64], scores[2];
	double cosines[2], sum = 0;
	const MgLabels *labels;
	MgUsage usage = {0};
	MgCtx cx;

	mg_ctx_init(&cx, &cli_host);
	options = mg_cosine_options(model, MG_LONG_ERROR);
	ok(mg_span_is(options.prompt, "passage: "), "the prompt for documents is that of texts and labels");
	labels = prepare(&cx, "news about {label}", basis);
	ok(labels != NULL && mg_embed(RUN(&cx, model, &compute, &usage), &options, texts, 3, vectors) &&
		   mg_classify(RUN(&cx, model, &compute, &usage), &(MgClassifyOptions){labels, basis, MG_LONG_TRUNCATE, NULL}, texts, 1, scores),
	   "classified (%s)", cx.error.message);
	for (size_t k = 0; k < 2; k++)
	{
		cosines[k] = 0;
		for (size_t d = 0; d < width; d++)
			cosines[k] += (double) vectors[d] * vectors[(k + 1) * width + d];
		sum += exp(cosines[k] / MG_COSINE_TAU);
	}
	for (size_t k = 0; k < 2; k++)
		ok(fabs(scores[k] - (cosines[k] / MG_COSINE_TAU - log(sum))) < 1e-4, "score %d is %.4f", (int) k, scores[k]);
	mg_ctx_free(&cx);
}

static void
test_refusals(void)
{
	static const struct
	{
		const char *labels[2];
		const char *template, *message;
	} cases[] = {
		{{"world", "sports"}, "news about it", "template lacks {label}"},
		{{"world", "sports"}, "{mask} news: {text}", "template lacks {label}"},
		{{"world", "sports"}, "{label}: {text}", "template holds {text}"},
		{{"world", "sports"}, "{label} {label}", "template holds {label} more than once"},
		{{"world", "world"}, "", "labels \"world\" and \"world\" are the same to the model"},
		{{"world", " "}, "", "label \" \" has no tokens"},
		{{"world", ""}, "", "label \"\" has no tokens"},
		{{"world", "a b c d e f g h i j k l m n o p q r s t"}, "", "template with label \"a b c d e f g h i j k l m n o p q r s t\" in it is too long for model \"tiny\""},
		{{"world", "\xFF"}, "", "text is not valid UTF-8 at byte 0"},
	};
	MgCtx cx;

	mg_ctx_init(&cx, &cli_host);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		MgSpan names[2] = {mg_span_of(cases[i].labels[0]), mg_span_of(cases[i].labels[1])};

		mg_ctx_reset(&cx);
		ok(mg_labels_prepare(RUN(&cx, model, &compute, &(MgUsage){0}), names, 2, mg_span_of(cases[i].template)) == NULL, "refused: %s",
		   cases[i].message);
		is_text(cx.error.message, cases[i].message, "and said so");
	}
	mg_ctx_free(&cx);
}

/* Each text's scores are the same bits alone and among others. */
static void
test_batch_invariance(void)
{
	static char texts[N_TEXTS][40];
	MgSpan spans[N_TEXTS];
	float basis[2 * 64], together[N_TEXTS * 2], alone[2];
	const MgLabels *labels;
	MgUsage usage = {0};
	long differ = 0;
	MgCtx cx, kept;

	for (size_t i = 0; i < N_TEXTS; i++)
	{
		snprintf(texts[i], sizeof texts[i], "paris %zu %.*s", i / 2, (int) (i / 2 % 17), "abcdefghijklmnopqrs");
		spans[i] = mg_span_of(texts[i]);
	}
	mg_ctx_init(&cx, &cli_host);
	mg_ctx_init(&kept, &cli_host);
	labels = prepare(&kept, "{label}", basis);
	ok(labels != NULL && mg_classify(RUN(&cx, model, &compute, &usage), &(MgClassifyOptions){labels, basis, MG_LONG_TRUNCATE, NULL}, spans, N_TEXTS, together) &&
		   usage.rows == N_TEXTS && usage.batches > 1,
	   "%d texts in %d batches", N_TEXTS, (int) usage.batches);
	for (size_t i = 0; i < N_TEXTS; i++)
	{
		mg_ctx_reset(&cx);
		mg_classify(RUN(&cx, model, &compute, &usage), &(MgClassifyOptions){labels, basis, MG_LONG_TRUNCATE, NULL}, &spans[i], 1, alone);
		differ += memcmp(alone, together + 2 * i, sizeof alone) != 0;
	}
	is_int(differ, 0, "have the same bits as one by one");
	mg_ctx_free(&cx);
	mg_ctx_free(&kept);
}

int
main(void)
{
	float scores[4];
	MgCtx cx;

	mg_ctx_init(&cx, &cli_host);
	compute.kernels = mg_kernels(mg_cpu_level());
	model = cli_load(&cx, "test/golden/tiny/bert-embed-mean", "{\"prompts\": {\"query\": \"query: \", \"document\": \"passage: \"}}", compute.kernels, MG_FORM_PANELS, NULL);
	if (!ok(model != NULL && model->sizes->width <= 64, "loaded (%s)", cx.error.message))
		return done();
	test_scores();
	test_refusals();
	test_batch_invariance();
	sweep("classify", classify_two, scores, 1);
	mg_ctx_free(&cx);
	return done();
}
