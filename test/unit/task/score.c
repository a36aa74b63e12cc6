/*
 * Classes of texts and pairs against transformers: heads of each architecture, one text,
 * pairs and how they are cut, each alone and all together, on every CPU level.
 */
#include "task/score.h"

#include "unit/golden.h"

#define MOST 16
#define MOST_CLASSES 4

typedef struct Case
{
	size_t n_texts;
	char *texts[2];
	bool longest; /* both sides of the pair are cut */
	double classes[MOST_CLASSES];
	size_t n_classes;
} Case;

static size_t
read_cases(const char *path, Case *cases)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t room = 0, n = 0;

	for (size_t i = 0; i < MOST; i++)
	{
		free(cases[i].texts[0]);
		free(cases[i].texts[1]);
	}
	memset(cases, 0, MOST * sizeof *cases);
	while (file != NULL && getline(&line, &room, file) > 0)
	{
		char *rest = line + strcspn(line, " ");
		Case *one;

		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "input ", 6) != 0 && strncmp(line, "cut ", 4) != 0 && strncmp(line, "classes ", 8) != 0)
			continue;
		one = &cases[(size_t) golden_number(&rest)];
		if (line[0] == 'i')
			one->texts[one->n_texts++] = strdup(golden_text(rest));
		else if (line[1] == 'u')
			one->longest = strcmp(rest, " longest_first") == 0;
		else
		{
			one->n_classes = (size_t) golden_number(&rest);
			for (size_t c = 0; c < one->n_classes; c++)
				one->classes[c] = golden_number(&rest);
			n++;
		}
	}
	free(line);
	if (file != NULL)
		fclose(file);
	return n;
}

/* Of a pair the second text varies; the first is the fixed side. */
static bool
score_case(const MgRun *run, const Case *one, float *logits)
{
	MgSpan texts[2] = {mg_span_of(one->texts[0]), one->n_texts == 2 ? mg_span_of(one->texts[1]) : mg_span(NULL, 0)};
	MgScoreOptions options = {.fixed = texts, .n_fixed = one->n_texts - 1, .fixed_first = true,
							  .cut = one->longest ? MG_CUT_LONGER : MG_CUT_SECOND};

	return mg_score(run, &options, &texts[one->n_texts - 1], 1, logits);
}

static void
test_level(MgCtx *cx, const MgModel *model, const char *name, MgCpuLevel level, const Case *cases, size_t n)
{
	MgCompute compute = {.kernels = mg_kernels(level)};
	MgUsage usage = {0};
	const MgRun *run = RUN(cx, model, &compute, &usage);
	float logits[MOST_CLASSES];
	double worst = 0;
	size_t failed = 0;

	mg_ctx_reset(cx);
	for (size_t t = 0; t < n; t++)
	{
		failed += !score_case(run, &cases[t], logits);
		for (size_t c = 0; c < cases[t].n_classes; c++)
			worst = fmax(worst, fabs(logits[c] - cases[t].classes[c]));
	}
	ok(failed == 0 && worst <= GOLDEN_TOLERANCE, "%s, %s: logits of %zu texts and pairs are off by %.2g at most", name,
	   mg_cpu_level_name(level), n, worst);
	is_int(usage.rows, n, "%s, %s: rows are counted", name, mg_cpu_level_name(level));
}

/* A question with many documents gives the bits that each document gives alone; equal documents, too. */
static void
test_together(MgCtx *cx, const MgModel *model, const char *name)
{
	const char *documents[] = {"paris", "market stock shares", "", "paris", "the bank sleeps and the team won the match on a big day",
							   "wine", "market stock shares"};
	size_t n = sizeof documents / sizeof *documents, classes, differ = 0;
	MgUsage usage = {0};
	const MgRun *run = RUN(cx, model, scalar_compute(), &usage);
	MgSpan question = mg_span_of("red wine"), texts[8];
	MgScoreOptions options = {.fixed = &question, .n_fixed = 1, .fixed_first = true, .cut = MG_CUT_SECOND};
	float together[8 * MOST_CLASSES], alone[MOST_CLASSES];
	MgRun small;

	mg_ctx_reset(cx);
	classes = mg_score_classes(run);
	for (size_t i = 0; i < n; i++)
		texts[i] = mg_span_of(documents[i]);
	small = *run;
	small.batch_tokens = 40;
	ok(mg_score(&small, &options, texts, n, together), "%s: %zu documents", name, n);
	for (size_t i = 0; i < n; i++)
		differ += !mg_score(run, &options, &texts[i], 1, alone) || memcmp(alone, together + i * classes, classes * sizeof *alone) != 0;
	is_int(differ, 0, "%s: each has the bits that it has alone", name);
	options.fixed_first = false;
	ok(mg_score(run, &options, texts, n, together) && mg_score(run, &options, texts, 1, alone) &&
		   memcmp(alone, together, classes * sizeof *alone) == 0,
	   "%s: and behind the documents, too", name);
}

static void
test_limits(MgCtx *cx, const MgModel *model)
{
	MgUsage usage = {0};
	const MgRun *run = RUN(cx, model, scalar_compute(), &usage);
	char many[1000] = "";
	MgSpan question, text = mg_span_of("paris"), both[2];
	MgScoreOptions options = {.fixed = &question, .n_fixed = 1, .fixed_first = true, .cut = MG_CUT_SECOND};
	float logits[2 * MOST_CLASSES], swapped[MOST_CLASSES];
	bool cut = false;
	MgRun told;

	mg_ctx_reset(cx);
	for (int i = 0; i < 50; i++)
		strcat(many, "wine ");
	question = mg_span_of(many);
	ok(!mg_score(run, &options, &text, 1, logits), "a question that leaves no room");
	is_text(cx->error.message, "query is too long for model \"tiny\"", "is refused");
	mg_ctx_reset(cx);
	question = mg_span_of("red wine");
	text = mg_span_of(many);
	told = *run;
	told.cut = &cut;
	ok(mg_score(&told, &options, &text, 1, logits) && cut, "a document is cut, and that is told");
	options.long_input = MG_LONG_ERROR;
	ok(!mg_score(run, &options, &text, 1, logits), "or is an error");
	is_text(cx->error.message, "input is too long for model \"tiny\"", "that says so");
	mg_ctx_reset(cx);
	both[0] = mg_span_of("white shoes");
	both[1] = mg_span_of("old war");
	text = mg_span_of("red wine");
	options = (MgScoreOptions){.fixed = both, .n_fixed = 2};
	ok(mg_score(run, &options, &text, 1, logits), "one text with two fixed sides");
	options = (MgScoreOptions){.fixed = &text, .n_fixed = 1, .fixed_first = true, .cut = MG_CUT_SECOND};
	ok(mg_score(run, &options, &both[1], 1, swapped) && swapped[0] == logits[mg_score_classes(run)],
	   "the second is the pair that it is the other way round");
}

/* What logits are told as. */
static void
test_tell(MgCtx *cx, const MgModel *model)
{
	MgSizes sizes = *model->sizes;
	MgModel copy = *model;
	float logits[3] = {1, 2, 3};

	copy.sizes = &sizes;
	sizes.problem = mg_span(NULL, 0);
	sizes.labels = 3;
	mg_score_tell(&copy, logits, 3);
	ok(fabs(logits[0] - 0.09003057) < 1e-6 && fabs(logits[2] - 0.66524096) < 1e-6, "softmax of three classes");
	sizes.problem = mg_span_of("multi_label_classification");
	logits[0] = 0;
	logits[1] = 2;
	mg_score_tell(&copy, logits, 2);
	ok(logits[0] == 0.5f && fabs(logits[1] - 0.88079708) < 1e-6, "sigmoid where classes are no alternatives");
	sizes.problem = mg_span_of("regression");
	logits[0] = -7;
	mg_score_tell(&copy, logits, 1);
	ok(logits[0] == -7, "numbers as they are");
	sizes.problem = mg_span(NULL, 0);
	sizes.labels = 1;
	logits[0] = 0;
	mg_score_tell(&copy, logits, 1);
	ok(logits[0] == 0.5f, "sigmoid of one class, as in the pipeline of transformers");
	logits[0] = 1;
	logits[1] = 4;
	ok(mg_rerank_score(&copy, logits, 1) == 1 && mg_rerank_score(&copy, logits, 2) == 3, "a document's score is a logit, or a difference");
	sizes.activation = mg_span_of("torch.nn.modules.activation.Sigmoid");
	ok(fabs(mg_rerank_score(&copy, logits, 1) - 0.73105858) < 1e-6, "or its sigmoid, if the files say so");
	(void) cx;
}

int
main(void)
{
	static const char *const names[] = {"bert-classes", "bert-rerank", "roberta-classes", "electra-classes", "modernbert-rerank"};
	static Case cases[MOST];
	MgCtx cx, work;

	mg_ctx_init(&cx, &cli_host);
	mg_ctx_init(&work, &cli_host);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
	{
		char directory[100], values[110];
		const MgModel *model;
		size_t n;

		snprintf(directory, sizeof directory, "test/golden/tiny/%s", names[i]);
		snprintf(values, sizeof values, "%s.txt", directory);
		n = read_cases(values, cases);
		mg_ctx_reset(&cx);
		model = cli_load(&cx, directory, "{}", mg_kernels(MG_CPU_SCALAR), MG_FORM_PANELS, NULL);
		if (!ok(model != NULL && n >= 6, "%s: loaded, %zu cases (%s)", names[i], n, cx.error.message))
			continue;
		for (int level = MG_CPU_SCALAR; level <= (int) mg_cpu_level(); level++)
			test_level(&work, model, names[i], (MgCpuLevel) level, cases, n);
		test_together(&work, model, names[i]);
		if (i > 0)
			continue;
		test_limits(&work, model);
		test_tell(&work, model);
	}
	mg_ctx_free(&work);
	mg_ctx_free(&cx);
	return done();
}
