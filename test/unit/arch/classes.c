/*
 * BERT for sequence classification against transformers: one text and pairs, each
 * alone and all in one batch, on every CPU level; names of classes; what it lacks.
 */
#include "model/classes.h"
#include "task/input.h"
#include "unit/golden.h"
#include "unit/memory_files.h"

#define DIRECTORY "test/golden/tiny/bert-classes"
#define N_CLASSES 3
#define MOST 16

/* What the file says of one text or pair. */
typedef struct Case
{
	size_t n_texts, n;
	char *texts[2];
	int32_t ids[64];
	uint8_t segments[64];
	double classes[N_CLASSES];
} Case;

static size_t
read_cases(Case *cases)
{
	FILE *file = fopen(DIRECTORY ".txt", "r");
	char *line = NULL, *rest;
	size_t room = 0, n = 0;

	while (file != NULL && getline(&line, &room, file) > 0)
	{
		long t;
		size_t count;

		line[strcspn(line, "\n")] = '\0';
		rest = line + strcspn(line, " ");
		if (strncmp(line, "input ", 6) == 0)
		{
			t = (long) golden_number(&rest);
			cases[t].texts[cases[t].n_texts++] = strdup(golden_text(rest));
			n = (size_t) t + 1;
		}
		else if (strncmp(line, "pair_ids ", 9) == 0 || strncmp(line, "segments ", 9) == 0 || strncmp(line, "classes ", 8) == 0)
		{
			t = (long) golden_number(&rest);
			count = (size_t) golden_number(&rest);
			for (size_t i = 0; i < count; i++)
			{
				double number = golden_number(&rest);

				if (line[0] == 'p')
					cases[t].ids[i] = (int32_t) number;
				else if (line[0] == 's')
					cases[t].segments[i] = (uint8_t) number;
				else
					cases[t].classes[i] = number;
			}
			if (line[0] == 'p')
				cases[t].n = count;
		}
	}
	free(line);
	if (file != NULL)
		fclose(file);
	return n;
}

/* Ids and segments as the tokeniser makes them. */
static void
test_wrapping(MgCtx *cx, const MgModel *model, const Case *cases, size_t n)
{
	size_t wrong = 0;

	for (size_t t = 0; t < n; t++)
	{
		MgIds texts[2];
		MgWrapped wrapped;

		for (size_t i = 0; i < cases[t].n_texts; i++)
		{
			MgTokens tokens;

			if (!mg_tokenize(cx, model->tokenizer, mg_span_of(cases[t].texts[i]), MG_ALL_DATA, &tokens))
				return;
			texts[i] = (MgIds){tokens.n, tokens.ids};
		}
		if (!mg_wrap(cx, mg_tokenizer_wrapping(model->tokenizer), texts, cases[t].n_texts, &wrapped))
			return;
		wrong += wrapped.n != cases[t].n || memcmp(wrapped.ids, cases[t].ids, wrapped.n * sizeof *wrapped.ids) != 0 ||
			memcmp(wrapped.segments, cases[t].segments, wrapped.n) != 0;
	}
	is_int(wrong, 0, "ids and segments of %zu texts and pairs are the reference's", n);
}

/* Logits of cases [n] in one batch. */
static bool
score(const MgRun *run, const Case *cases, size_t n, float *out)
{
	int32_t ids[MOST * 64];
	uint8_t segments[MOST * 64];
	uint32_t offsets[MOST + 1] = {0};
	MgBatch batch = {.n_sequences = n, .ids = ids, .segments = segments, .offsets = offsets};

	for (size_t i = 0; i < n; i++)
	{
		memcpy(ids + offsets[i], cases[i].ids, cases[i].n * sizeof *ids);
		memcpy(segments + offsets[i], cases[i].segments, cases[i].n);
		offsets[i + 1] = offsets[i] + (uint32_t) cases[i].n;
	}
	batch.n_tokens = batch.n_rows = offsets[n];
	MgClassHead head = run->model->arch->sequence_head(run->model);

	return mg_score_sequences(run, &head, &batch, out);
}

static void
test_level(MgCtx *cx, const MgModel *model, MgCpuLevel level, const Case *cases, size_t n)
{
	MgCompute compute = {.kernels = mg_kernels(level)};
	MgUsage usage = {0};
	const MgRun *run = RUN(cx, model, &compute, &usage);
	float together[MOST * N_CLASSES], alone[N_CLASSES];
	double worst = 0;
	size_t differ = 0;

	ok(score(run, cases, n, together), "%s: scored", mg_cpu_level_name(level));
	for (size_t t = 0; t < n; t++)
	{
		differ += !score(run, &cases[t], 1, alone) || memcmp(alone, together + t * N_CLASSES, sizeof alone) != 0;
		for (size_t c = 0; c < N_CLASSES; c++)
			worst = fmax(worst, fabs(together[t * N_CLASSES + c] - cases[t].classes[c]));
	}
	ok(worst <= GOLDEN_TOLERANCE, "%s: %zu logits are off by %.2g at most", mg_cpu_level_name(level), n * N_CLASSES, worst);
	is_int(differ, 0, "%s: the same bits alone", mg_cpu_level_name(level));
}

/* The head is what the class of the checkpoint promises. */
static void
test_missing(MgCtx *cx)
{
	const char *config = "{\"architectures\": [\"BertForSequenceClassification\"]}";
	MgFiles mlm = cli_directory("test/golden/tiny/bert-mlm"), files;
	MgSource source;
	MgSpan weights, vocabulary;
	bool found;
	MemoryFile array[] = {{"config.json", mg_span_of(config)}, {"model.safetensors", {NULL, 0}}, {"vocab.txt", {NULL, 0}},
						  {NULL, {NULL, 0}}};

	mg_ctx_reset(cx);
	if (!mlm.open(cx, mlm.user, "model.safetensors", &source, &found) ||
		!mg_source_read_all(cx, &source, "weights", 1 << 20, &weights) ||
		!mlm.open(cx, mlm.user, "vocab.txt", &source, &found) ||
		!mg_source_read_all(cx, &source, "vocab.txt", 1 << 20, &vocabulary))
		return;
	array[1].bytes = weights;
	array[2].bytes = vocabulary;
	files = MEMORY_FILES(array);
	ok(cli_load_files(cx, &files, "{}", mg_kernels(MG_CPU_SCALAR), MG_FORM_PANELS, NULL) == NULL, "a head that is missing");
	is_text(cx->error.message, "tensor \"classifier.weight\" is missing", "is missed");
}

int
main(void)
{
	static Case cases[MOST];
	size_t n = read_cases(cases), swapped = 0;
	const MgModel *model;
	char tasks[MG_CAN_TEXT];
	MgCtx cx, work;

	mg_ctx_init(&cx, &cli_host);
	mg_ctx_init(&work, &cli_host);
	model = cli_load(&cx, DIRECTORY, "{}", mg_kernels(MG_CPU_SCALAR), MG_FORM_PANELS, NULL);
	if (!ok(model != NULL && n == 6, "loaded (%s)", cx.error.message))
		return done();
	is_int(model->sizes->labels, N_CLASSES, "three classes");
	ok(mg_span_is(mg_config_find(&model->keys, "id2label.2")->text, "entailment"), "with their names");
	is_text(mg_can_text(model->can, tasks), "classify, classify_own, classify_own_scores", "which is what it can");
	test_wrapping(&work, model, cases, n);
	for (size_t c = 0; c < N_CLASSES; c++)
		swapped += fabs(cases[1].classes[c] - cases[2].classes[c]) > 0.01;
	ok(swapped > 0, "the order of a pair shows");
	for (int level = MG_CPU_SCALAR; level <= (int) mg_cpu_level(); level++)
		test_level(&work, model, (MgCpuLevel) level, cases, n);
	test_missing(&work);
	mg_ctx_free(&work);
	mg_ctx_free(&cx);
	return done();
}
