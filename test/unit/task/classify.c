/* Labels and templates as users get them wrong, long texts, and failures at every point. */
#include "task/classify.h"

#include "cli/host.h"
#include "unit/host.h"
#include "unit/run.h"

static const MgModel *model;
static MgCompute compute;

static bool
classify_two(MgCtx *cx, void *user)
{
	MgSpan names[] = {mg_span_of("world"), mg_span_of("science and sports")};
	MgSpan texts[] = {mg_span_of("paris"), mg_span_of("the capital of france"), mg_span_of("")};
	const MgLabels *labels = mg_labels_prepare(RUN(cx, model, &compute, &(MgUsage){0}), names, 2, mg_span_of("{mask} news: {text}"));
	float prior[2], *scores = user;
	MgUsage usage = {0};

	return labels != NULL && mg_labels_basis(RUN(cx, model, &compute, &usage), labels, prior) &&
		mg_classify(RUN(cx, model, &compute, &usage), &(MgClassifyOptions){labels, prior, MG_LONG_TRUNCATE, NULL}, texts, 3, scores);
}

static void
test_refusals(void)
{
	static const struct
	{
		const char *labels[3];
		const char *template, *message;
	} cases[] = {
		{{"world", "sports"}, "{text} only", "template lacks {mask}"},
		{{"world", "sports"}, "only {mask}", "template lacks {text}"},
		{{"world", "sports"}, "{mask} {mask} {text}", "template holds {mask} more than once"},
		{{"world", "World"}, "", "labels \"world\" and \"World\" are the same to the model"},
		{{"world", " "}, "", "label \" \" has no tokens"},
		{{"world", "\xE2\x98\x83"}, "", "label \"\xE2\x98\x83\" is not in the vocabulary of model \"tiny\""},
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
	mg_ctx_reset(&cx);
	ok(mg_labels_prepare(RUN(&cx, model, &compute, &(MgUsage){0}), NULL, 0, mg_span(NULL, 0)) == NULL, "no labels are refused");
	mg_ctx_free(&cx);
}

static void
test_long_text(void)
{
	static char text[20000];
	MgSpan names[] = {mg_span_of("world"), mg_span_of("sports")}, input;
	const MgLabels *labels;
	float scores[2];
	MgUsage usage = {0};
	MgCtx cx;

	for (size_t i = 0; i + 6 < sizeof text; i += 6)
		memcpy(text + i, "paris ", 6);
	input = mg_span_of(text);
	mg_ctx_init(&cx, &cli_host);
	labels = mg_labels_prepare(RUN(&cx, model, &compute, &(MgUsage){0}), names, 2, mg_span_of("{text} this is {mask}"));
	ok(labels != NULL && mg_classify(RUN(&cx, model, &compute, &usage), &(MgClassifyOptions){labels, NULL, MG_LONG_TRUNCATE, NULL}, &input, 1, scores),
	   "a text that is too long is cut");
	is_int(usage.tokens, model->meta.max_tokens, "to what fits, template and all");
	ok(!mg_classify(RUN(&cx, model, &compute, &usage), &(MgClassifyOptions){labels, NULL, MG_LONG_ERROR, NULL}, &input, 1, scores), "or refused");
	is_int(cx.error.code, MG_TOO_LARGE, "as too large");
	ok(isfinite(scores[0]) && isfinite(scores[1]), "scores are numbers");
	mg_ctx_free(&cx);
}

/* Each text's scores are the same bits alone and among others, equal ones too, in batches of any size. */
static void
test_batch_invariance(void)
{
	MgSpan names[] = {mg_span_of("world"), mg_span_of("science and sports")};
	static char texts[200][40];
	static MgSpan spans[200];
	static float together[200 * 2], again[200 * 2], alone[2];
	const MgLabels *labels;
	MgUsage usage = {0};
	long differ = 0;
	MgCtx cx, kept;

	for (size_t i = 0; i < 200; i++)
	{
		snprintf(texts[i], sizeof texts[i], "paris %zu %.*s", i, (int) (i % 17), "abcdefghijklmnopqrs");
		spans[i] = mg_span_of(texts[i]);
	}
	mg_ctx_init(&cx, &cli_host);
	mg_ctx_init(&kept, &cli_host);
	labels = mg_labels_prepare(RUN(&kept, model, &compute, &(MgUsage){0}), names, 2, mg_span_of("{mask} : {text}"));
	ok(mg_classify(RUN(&cx, model, &compute, &usage), &(MgClassifyOptions){labels, NULL, MG_LONG_TRUNCATE, NULL}, spans, 200, together) && usage.batches > 1,
	   "200 texts in %d batches", (int) usage.batches);
	for (size_t i = 0; i < 200; i++)
	{
		mg_ctx_reset(&cx);
		mg_classify(RUN(&cx, model, &compute, &usage), &(MgClassifyOptions){labels, NULL, MG_LONG_TRUNCATE, NULL}, &spans[i], 1, alone);
		differ += memcmp(alone, together + 2 * i, sizeof alone) != 0;
	}
	is_int(differ, 0, "have the same bits as one by one");
	for (size_t budget = 1; budget <= 4096; budget *= 4)
	{
		MgUsage one = {0};

		test_batch_tokens = budget;
		for (size_t i = 0; i < 200; i++)
			spans[i] = mg_span_of(texts[i / 2]);
		mg_ctx_reset(&cx);
		ok(mg_classify(RUN(&cx, model, &compute, &one), &(MgClassifyOptions){labels, NULL, MG_LONG_TRUNCATE, NULL}, spans, 200, again) && one.rows == 200,
		   "batches of %zu tokens: 200 texts, %d tokens in %d batches", budget, (int) one.tokens, (int) one.batches);
		for (size_t i = differ = 0; i < 200; i++)
			differ += memcmp(again + 2 * i, together + i / 2 * 2, sizeof alone) != 0;
		is_int(differ, 0, "have the same bits");
	}
	test_batch_tokens = 0;
	mg_ctx_free(&cx);
	mg_ctx_free(&kept);
}

int
main(void)
{
	float scores[6];
	MgCtx cx;

	mg_ctx_init(&cx, &cli_host);
	compute.kernels = mg_kernels(mg_cpu_level());
	model = cli_load(&cx, "test/golden/tiny/bert-mlm", "{}", compute.kernels, MG_FORM_PANELS, NULL);
	if (!ok(model != NULL, "loaded (%s)", cx.error.message))
		return done();
	test_refusals();
	test_long_text();
	test_batch_invariance();
	sweep("classify", classify_two, scores, 1);
	mg_ctx_free(&cx);
	return done();
}
