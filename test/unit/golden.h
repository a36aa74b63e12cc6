/*
 * Compares the library with a file of reference values (test/golden/README.md
 * has the form): ids, final states, fill-mask, logits, classification,
 * embeddings. Each kind of value is one TAP line, with the largest difference.
 */
#ifndef TEST_UNIT_GOLDEN_H
#define TEST_UNIT_GOLDEN_H

#include <stdio.h>
#include <stdlib.h>

#include "cli/host.h"
#include "task/classify.h"
#include "task/embed.h"
#include "task/fill_mask.h"
#include "unit/run.h"
#include "unit/tap.h"

/* Agreement with the reference that the project promises for float32. */
#define GOLDEN_TOLERANCE 1e-4

/* What golden_check asks for. */
__attribute__((unused)) static double golden_tolerance = GOLDEN_TOLERANCE;

#define GOLDEN_TEXTS 64
#define GOLDEN_LABELS 32

/* One kind of value: how many were compared, how far off the worst was, and where. */
typedef struct GoldenKind
{
	const char *name;
	long n, n_wrong;
	double worst;
	long where; /* text */
} GoldenKind;

enum { KIND_IDS, KIND_STATE, KIND_TOP, KIND_LOGITS, KIND_RAW, KIND_SCORE, KIND_EMBEDDING, N_KINDS };

typedef struct Golden
{
	MgCtx *cx, *kept; /* kept: for what a later line refers to */
	const MgModel *model;
	const MgCompute *compute;
	double tolerance;
	char *texts[GOLDEN_TEXTS];
	char *template;
	char *labels[GOLDEN_LABELS];
	int n_labels;
	float *states; /* of text states_of */
	long states_of;
	GoldenKind kinds[N_KINDS];
} Golden;

/* Undoes the escaping, in place. */
static char *
golden_unescape(char *text)
{
	char *to = text;

	for (char *from = text; *from != '\0'; from++)
	{
		if (*from != '\\')
		{
			*to++ = *from;
			continue;
		}
		from++;
		if (*from == 'x')
		{
			char digits[3] = {from[1], from[2], '\0'};

			*to++ = (char) strtol(digits, NULL, 16);
			from += 2;
		}
		else
			*to++ = *from == 'n' ? '\n' : *from == 'r' ? '\r' : *from == 't' ? '\t' : *from;
	}
	*to = '\0';
	return text;
}

static void
golden_compare(Golden *golden, int kind, double got, double want, long text)
{
	GoldenKind *one = &golden->kinds[kind];
	double off = fabs(got - want);

	one->n++;
	if (!(off <= one->worst))
	{
		one->worst = off;
		one->where = text;
	}
	if (!(off <= golden->tolerance))
		one->n_wrong++;
}

/* The next number of a line. */
static double
golden_number(char **rest)
{
	return strtod(*rest, rest);
}

/* The free text after the numbers of a line. */
static char *
golden_text(char *rest)
{
	return golden_unescape(*rest == ' ' ? rest + 1 : rest);
}

static bool
golden_ids(Golden *golden, char *rest)
{
	long t = (long) golden_number(&rest), n = (long) golden_number(&rest);
	MgSequence sequence;

	if (!mg_sequence_of_text(RUN(golden->cx, golden->model, golden->compute, &(MgUsage){0}), mg_span(NULL, 0), mg_span_of(golden->texts[t]), true, MG_LONG_TRUNCATE, &sequence))
		return false;
	golden_compare(golden, KIND_IDS, (double) sequence.n, (double) n, t);
	for (long i = 0; i < n && i < (long) sequence.n; i++)
		golden_compare(golden, KIND_IDS, sequence.ids[i], golden_number(&rest), t);
	return true;
}

static bool
golden_state(Golden *golden, char *rest)
{
	long t = (long) golden_number(&rest), row = (long) golden_number(&rest), n = (long) golden_number(&rest);
	size_t h = golden->model->sizes->width;
	if (golden->states_of != t)
	{
		MgSequence sequence;
		MgBatch batch;
		float *states;

		if (!mg_sequence_of_text(RUN(golden->cx, golden->model, golden->compute, &(MgUsage){0}), mg_span(NULL, 0), mg_span_of(golden->texts[t]), true, MG_LONG_TRUNCATE, &sequence) ||
			!mg_batch_pack(golden->cx, &sequence, 1, &batch))
			return false;
		states = mg_alloc_array(golden->cx, sequence.n, h * sizeof *states);
		if (states == NULL || !golden->model->arch->forward(RUN(golden->cx, golden->model, golden->compute, &(MgUsage){0}), &batch, states))
			return false;
		free(golden->states);
		golden->states = malloc(sequence.n * h * sizeof *states);
		memcpy(golden->states, states, sequence.n * h * sizeof *states);
		golden->states_of = t;
	}
	for (long d = 0; d < n; d++)
		golden_compare(golden, KIND_STATE, golden->states[row * (long) h + d], golden_number(&rest), t);
	return true;
}

static bool
golden_top(Golden *golden, char *rest)
{
	long t = (long) golden_number(&rest), mask = (long) golden_number(&rest);
	MgFillMaskOptions options = {.top_k = 5};
	MgFilled *filled;
	size_t n;
	MgUsage usage = {0};
	long rank, id;
	double share;

	golden_number(&rest); /* position */
	rank = (long) golden_number(&rest);
	id = (long) golden_number(&rest);
	share = golden_number(&rest);
	if (!mg_fill_mask(RUN(golden->cx, golden->model, golden->compute, &usage), &options, mg_span_of(golden->texts[t]), &filled, &n))
		return false;
	for (size_t i = 0; i < n; i++)
		if (filled[i].mask == mask && filled[i].rank == rank)
		{
			golden_compare(golden, KIND_TOP, filled[i].token_id, (double) id, t);
			golden_compare(golden, KIND_TOP, filled[i].score, share, t);
			return true;
		}
	golden_compare(golden, KIND_TOP, 1e9, 0, t);
	return true;
}

static bool
golden_logits(Golden *golden, char *rest)
{
	long t = (long) golden_number(&rest), position;
	const MgVocabulary vocabulary = golden->model->arch->vocabulary(golden->model);
	size_t h = golden->model->sizes->width, n;
	float *state = mg_alloc_array(golden->cx, 2 * h, sizeof *state);
	MgSequence sequence;
	MgBatch batch;
	uint32_t row;

	golden_number(&rest); /* mask */
	position = (long) golden_number(&rest);
	n = (size_t) golden_number(&rest);
	row = (uint32_t) position;
	if (!mg_sequence_of_text(RUN(golden->cx, golden->model, golden->compute, &(MgUsage){0}), mg_span(NULL, 0), mg_span_of(golden->texts[t]), true, MG_LONG_TRUNCATE, &sequence) ||
		!mg_batch_pack(golden->cx, &sequence, 1, &batch))
		return false;
	batch.rows = &row;
	batch.n_rows = 1;
	if (!golden->model->arch->forward(RUN(golden->cx, golden->model, golden->compute, &(MgUsage){0}), &batch, state) ||
		!golden->model->arch->head(RUN(golden->cx, golden->model, golden->compute, &(MgUsage){0}), state, 1, state + h))
		return false;
	for (size_t i = 0; i < n; i++)
		golden_compare(golden, KIND_LOGITS,
					   mg_table_dot(golden->compute, vocabulary.matrix, i, state + h) +
						   vocabulary.bias[i],
					   golden_number(&rest), t);
	return true;
}

/* The reference reads special tokens in any text; embedding and classifying take them for what they are, data. */
static bool
golden_has_specials(Golden *golden, long t)
{
	MgTokens read, data;

	return !mg_tokenize(golden->cx, golden->model->tokenizer, mg_span_of(golden->texts[t]), MG_NO_DATA, &read) ||
		!mg_tokenize(golden->cx, golden->model->tokenizer, mg_span_of(golden->texts[t]), MG_ALL_DATA, &data) ||
		read.n != data.n;
}

static bool
golden_labels(Golden *golden, char *rest, bool calibrated)
{
	MgSpan names[GOLDEN_LABELS], text;
	float prior[GOLDEN_LABELS], scores[GOLDEN_LABELS];
	const MgLabels *labels;
	MgUsage usage = {0};
	long t;

	golden_number(&rest); /* set */
	t = (long) golden_number(&rest);
	golden_number(&rest);
	if (golden_has_specials(golden, t))
		return true;
	text = mg_span_of(golden->texts[t]);
	for (int i = 0; i < golden->n_labels; i++)
		names[i] = mg_span_of(golden->labels[i]);
	labels = mg_labels_prepare(RUN(golden->cx, golden->model, golden->compute, &(MgUsage){0}), names, (size_t) golden->n_labels, mg_span_of(golden->template));
	if (labels == NULL || !mg_labels_basis(RUN(golden->cx, golden->model, golden->compute, &usage), labels, prior) ||
		!mg_classify(RUN(golden->cx, golden->model, golden->compute, &usage), &(MgClassifyOptions){labels, calibrated ? prior : NULL, MG_LONG_TRUNCATE, NULL}, &text, 1, scores))
		return false;
	for (int i = 0; i < golden->n_labels; i++)
		golden_compare(golden, calibrated ? KIND_SCORE : KIND_RAW, scores[i], golden_number(&rest), t);
	return true;
}

static bool
golden_embedding(Golden *golden, char *rest)
{
	long t = (long) golden_number(&rest), n;
	MgEmbedOptions options = {.normalize = true};
	MgSpan text = mg_span_of(golden->texts[t]);
	MgUsage usage = {0};
	char name[64];
	int length = 0;
	float *vector;

	if (sscanf(rest, " %63s%n", name, &length) != 1)
		return mg_fail(golden->cx, MG_BAD_FILE, "golden line is malformed");
	rest += length;
	n = (long) golden_number(&rest);
	if (golden_has_specials(golden, t))
		return true;
	if (strcmp(name, "-") != 0)
	{
		const MgPrompt *prompt = mg_model_prompt(golden->model, mg_span_of(name));

		if (prompt == NULL)
			return mg_fail(golden->cx, MG_BAD_FILE, "prompt \"%s\" is missing", name);
		options.prompt = prompt->text;
	}
	vector = mg_alloc_array(golden->cx, (size_t) n, sizeof *vector);
	if (vector == NULL || !mg_embed(RUN(golden->cx, golden->model, golden->compute, &usage), &options, &text, 1, vector))
		return false;
	for (long d = 0; d < n; d++)
		golden_compare(golden, KIND_EMBEDDING, vector[d], golden_number(&rest), t);
	return true;
}

static bool
golden_line(Golden *golden, const char *word, char *rest)
{
	if (strcmp(word, "text") == 0)
	{
		long t = (long) golden_number(&rest);

		golden->texts[t] = mg_copy_text(golden->kept, mg_span_of(golden_text(rest)));
	}
	else if (strcmp(word, "template") == 0)
	{
		golden_number(&rest);
		golden->template = mg_copy_text(golden->kept, mg_span_of(golden_text(rest)));
		golden->n_labels = 0;
	}
	else if (strcmp(word, "label") == 0)
	{
		golden_number(&rest);
		golden_number(&rest);
		golden->labels[golden->n_labels++] = mg_copy_text(golden->kept, mg_span_of(golden_text(rest)));
	}
	else if (strcmp(word, "ids") == 0)
		return golden_ids(golden, rest);
	else if (strcmp(word, "state") == 0)
		return golden_state(golden, rest);
	else if (strcmp(word, "top") == 0)
		return golden_top(golden, rest);
	else if (strcmp(word, "logits") == 0)
		return golden_logits(golden, rest);
	else if (strcmp(word, "raw") == 0 || strcmp(word, "score") == 0)
		return golden_labels(golden, rest, word[0] == 's');
	else if (strcmp(word, "embedding") == 0)
		return golden_embedding(golden, rest);
	return true;
}

/* Compares one model with its file. what is for the TAP lines. */
__attribute__((unused)) static void
golden_check(const char *what, const char *directory, const char *values, const char *options,
			 const MgCompute *compute, MgForm form)
{
	static const char *const names[N_KINDS] = {"ids", "states", "fill-mask", "logits", "raw scores", "scores",
											   "embeddings"};
	MgCtx kept, scratch;
	Golden golden = {.cx = &scratch, .kept = &kept, .compute = compute, .states_of = -1, .tolerance = golden_tolerance};
	FILE *file = fopen(values, "r");
	char *line = NULL, *rest;
	size_t room = 0;
	bool fine = true, ended = false;

	mg_ctx_init(&kept, &cli_host);
	mg_ctx_init(&scratch, &cli_host);
	golden.model = cli_load(&kept, directory, options, compute->kernels, form, NULL);
	if (!ok(golden.model != NULL && file != NULL, "%s: loaded (%s)", what, kept.error.message))
		return;
	while (fine && getline(&line, &room, file) > 0)
	{
		line[strcspn(line, "\n")] = '\0';
		rest = line + strcspn(line, " ");
		if (*rest == ' ')
			*rest++ = '\0';
		ended = ended || strcmp(line, "end") == 0;
		mg_ctx_reset(&scratch);
		fine = golden_line(&golden, line, rest);
	}
	ok(fine && ended, "%s: ran to the end (%s)", what, scratch.error.message);
	for (int i = 0; i < N_KINDS; i++)
		if (golden.kinds[i].n > 0)
			ok(golden.kinds[i].n_wrong == 0, "%s: %ld values of %s, off by %.2g at most (text %ld)", what, golden.kinds[i].n,
			   names[i], golden.kinds[i].worst, golden.kinds[i].where);
	free(line);
	fclose(file);
	free(golden.states);
	mg_ctx_free(&scratch);
	mg_ctx_free(&kept);
}

#endif
