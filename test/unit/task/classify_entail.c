/* Classification by entailment: scores against the logits of the pairs, which test/unit/task/score.c compares with transformers. */
#include "task/classify.h"

#include "task/score.h"
#include "unit/golden.h"

/* Beside a sentence of 24 tokens a model that reads 40 has room for 13 of the text: as if it ended there, for the sentence is never cut. */
static void
test_long(const MgRun *run)
{
#define WORDS "market stock shares oil bank war peace vote new old big small good bad first last year day time water "
	MgSpan labels[] = {mg_span_of(WORDS "fire"), mg_span_of(WORDS "house")};
	MgSpan texts[] = {mg_span_of(WORDS "fire house"), mg_span_of("market stock shares oil bank war peace vote new old big small good"),
					  mg_span_of("market stock shares oil bank war peace vote new old big small")};
	const MgLabels *prepared = mg_labels_prepare(run, labels, 2, mg_span_of("{label} the last team"));
	float scores[3 * 2];

	if (!ok(prepared != NULL && mg_classify(run, &(MgClassifyOptions){prepared, NULL, MG_LONG_TRUNCATE, NULL}, texts, 3, scores),
			"long sentences (%s)", run->cx->error.message))
		return;
	ok(memcmp(scores, scores + 2, 2 * sizeof *scores) == 0 && memcmp(scores, scores + 4, 2 * sizeof *scores) != 0, "a text loses its end beside them");
}

int
main(void)
{
	const char *sentences[] = {"This example is about wine.", "This example is about the bank.", "This example is about shoes."};
	MgSpan labels[] = {mg_span_of("wine"), mg_span_of("the bank"), mg_span_of("shoes")}, fixed[3];
	MgSpan texts[] = {mg_span_of("red wine"), mg_span_of("the team lost the last match"), mg_span_of(""), mg_span_of("red wine")};
	float scores[4 * 3], alone[3], logits[3 * 3];
	double worst = 0, most = 0;
	size_t differ = 0;
	const MgLabels *prepared;
	const MgModel *model;
	const MgRun *run;
	MgUsage usage = {0};
	MgCtx cx, kept;

	mg_ctx_init(&cx, &cli_host);
	mg_ctx_init(&kept, &cli_host);
	model = cli_load(&kept, "test/golden/tiny/bert-classes", "{}", mg_kernels(MG_CPU_SCALAR), MG_FORM_PANELS, NULL);
	run = RUN(&cx, model, scalar_compute(), &usage);
	prepared = mg_labels_prepare(run, labels, 3, mg_span(NULL, 0));
	if (!ok(prepared != NULL, "labels by the default template (%s)", cx.error.message))
		return done();
	is_int(mg_labels_basis_size(run, prepared), 0, "nothing is computed of labels alone");
	ok(mg_classify(run, &(MgClassifyOptions){prepared, NULL, MG_LONG_TRUNCATE, NULL}, texts, 4, scores), "four texts");
	is_int(usage.rows, 4, "are four rows");
	for (size_t k = 0; k < 3; k++)
		fixed[k] = mg_span_of(sentences[k]);
	for (size_t i = 0; i < 4; i++)
	{
		double sum = 0;

		differ += !mg_classify(run, &(MgClassifyOptions){prepared, NULL, MG_LONG_TRUNCATE, NULL}, &texts[i], 1, alone) ||
			memcmp(alone, scores + 3 * i, sizeof alone) != 0;
		if (!mg_score(run, &(MgScoreOptions){.fixed = fixed, .n_fixed = 3, .cut = MG_CUT_SECOND}, &texts[i], 1, logits))
			return done();
		/* Class 2 is called "entailment". */
		for (size_t k = 0; k < 3; k++)
			sum += exp(logits[3 * k + 2]);
		for (size_t k = 0; k < 3; k++)
		{
			worst = fmax(worst, fabs(scores[3 * i + k] - (logits[3 * k + 2] - log(sum))));
			most = fmax(most, fabs(scores[3 * i + k] - (logits[3 * k] - log(sum))));
		}
	}
	ok(worst < 1e-5 && most > 1e-2, "the log softmax of \"entailment\" over the labels, off by %.2g at most", worst);
	is_int(differ, 0, "the same bits alone");
	test_long(run);
	mg_ctx_reset(&cx);
	ok(mg_labels_prepare(run, labels, 3, mg_span_of("{mask} news: {text}")) == NULL, "a template of another way");
	is_text(cx.error.message, "template lacks {label}", "is refused");
	mg_ctx_reset(&cx);
	mg_ctx_reset(&kept);
	model = cli_load(&kept, "test/golden/tiny/electra-classes", "{}", mg_kernels(MG_CPU_SCALAR), MG_FORM_PANELS, NULL);
	ok(mg_labels_prepare(RUN(&cx, model, scalar_compute(), &usage), labels, 3, mg_span(NULL, 0)) == NULL, "a model without entailment");
	is_text(cx.error.message, "model \"tiny\" cannot classify", "cannot");
	mg_ctx_free(&kept);
	mg_ctx_free(&cx);
	return done();
}
