/* Fill-mask: only the mask rows pass the last layer and the head, then the whole vocabulary is scored. */
#include "task/fill_mask.h"

#include <math.h>

#include "core/top_k.h"

/* Mask rows that are scored at once: the vocabulary matrix is read once for all of them. */
#define ROWS_AT_ONCE 8

bool
mg_needs_masks(const MgRun *run)
{
	if (!mg_model_can(run->model, MG_CAN_FILL_MASK))
	{
		mg_fail(run->cx, MG_UNSUPPORTED, "model \"%s\" has no masked-language-model head", run->name);
		return mg_hint(run->cx, "Use a model whose config.json says ...ForMaskedLM.");
	}
	if (run->model->specials.mask < 0)
		return mg_fail(run->cx, MG_UNSUPPORTED, "tokenizer of model \"%s\" has no mask token", run->name);
	return true;
}

/* The ids of the targets, each once. */
static bool
find_targets(const MgRun *run, const MgFillMaskOptions *options, int32_t *ids, size_t *n)
{
	bool *seen = mg_alloc_zeroed(run->cx, run->model->sizes->vocab, sizeof *seen);
	MgMark mark = mg_mark(run->cx);

	*n = 0;
	if (seen == NULL)
		return false;
	for (size_t i = 0; i < options->n_targets; i++)
	{
		MgTokens tokens;

		if (!mg_poll(run->cx) || !mg_tokenize(run->cx, run->model->tokenizer, options->targets[i], MG_NO_DATA, &tokens))
			return false;
		if (tokens.n != 1)
		{
			mg_fail(run->cx, MG_BAD_ARGUMENT, "target \"%.*s\" is not one token of model \"%s\"",
					MG_SPAN_ARGS(options->targets[i]), run->name);
			mg_detail(run->cx, "It is %zu tokens.", tokens.n);
			return mg_hint(run->cx, "See maskgen.tokenize(); classify() takes labels of several tokens.");
		}
		if (!seen[tokens.ids[0]])
			ids[(*n)++] = tokens.ids[0];
		seen[tokens.ids[0]] = true;
		mg_rewind(run->cx, mark);
	}
	return true;
}

/*
 * Ranks one row of logits; items has room for top_k. Checkpoints pad their
 * vocabulary at times: such rows are part of the softmax, as in the reference,
 * but no token is ranked for them. Nor is the mask itself, which fills nothing:
 * some models are trained to answer with it.
 */
static size_t
rank_row(const float *logits, const MgModel *model, const int32_t *targets, size_t n_targets, const MgFillMaskOptions *options,
		 MgScored *items)
{
	size_t vocab = model->sizes->vocab, n_tokens = mg_tokenizer_size(model->tokenizer);
	MgTopK top = {items, options->top_k, 0};
	float largest = logits[0];
	double sum = 0;

	for (size_t i = 1; i < vocab; i++)
		largest = fmaxf(largest, logits[i]);
	for (size_t i = 0; i < vocab; i++)
		sum += expf(logits[i] - largest);
	if (n_targets == 0)
		for (size_t i = 0; i < n_tokens; i++)
			if ((int32_t) i != model->specials.mask)
				mg_top_k_offer(&top, logits[i], (int32_t) i);
	for (size_t i = 0; i < n_targets; i++)
		mg_top_k_offer(&top, logits[targets[i]], targets[i]);
	mg_top_k_sort(&top);
	for (size_t i = 0; i < top.n; i++)
		items[i].score = (float) (exp((double) items[i].score - largest) / sum);
	return top.n;
}

/* The text with one mask filled; special tokens around it are left out, other masks stay. */
static bool
fill_one(const MgRun *run, const MgSequence *sequence, size_t position, MgFilled *filled)
{
	int32_t kept = sequence->ids[position];
	bool fine;

	sequence->ids[position] = filled->token_id;
	fine = mg_detokenize(run->cx, run->model->tokenizer, sequence->ids + sequence->first, sequence->n_text, true, &filled->sequence);
	sequence->ids[position] = kept;
	filled->token = mg_token_text(run->model->tokenizer, filled->token_id);
	return fine;
}

static bool
check_options(const MgRun *run, const MgFillMaskOptions *options)
{
	if (options->top_k >= 1 && options->top_k <= run->model->sizes->vocab)
		return true;
	mg_fail(run->cx, MG_BAD_ARGUMENT, "top_k is %zu", options->top_k);
	return mg_detail(run->cx, "It is at least 1 and at most %u, the size of the vocabulary.", run->model->sizes->vocab);
}

/* The states of the masks behind the head: out [n_masks, h]. */
static bool
run_masks(const MgRun *run, const MgSequence *sequence, const uint32_t *rows, size_t n_masks,
		  float **out)
{
	size_t h = run->model->sizes->width;
	float *states = mg_alloc_array(run->cx, n_masks, h * sizeof *states);
	MgBatch batch;

	*out = mg_alloc_array(run->cx, n_masks, h * sizeof **out);
	if (states == NULL || *out == NULL || !mg_batch_pack(run->cx, sequence, 1, &batch))
		return false;
	batch.rows = rows;
	batch.n_rows = n_masks;
	run->usage->rows++;
	run->usage->tokens += batch.n_tokens;
	run->usage->batches++;
	return run->model->arch->forward(run, &batch, states) && run->model->arch->head(run, states, n_masks, *out);
}

bool
mg_fill_mask(const MgRun *run, const MgFillMaskOptions *options, MgSpan text, MgFilled **filled,
			 size_t *n_filled)
{
	const MgVocabulary vocabulary = run->model->arch->vocabulary(run->model);
	size_t h = run->model->sizes->width, vocab = run->model->sizes->vocab, n_masks = 0, n_targets, per_mask;
	int32_t *targets = mg_alloc_array(run->cx, options->n_targets, sizeof *targets);
	MgSequence sequence;
	MgScored *items;
	uint32_t *rows;
	float *states, *logits;

	if (targets == NULL || !mg_needs_masks(run) || !check_options(run, options) ||
		!find_targets(run, options, targets, &n_targets) ||
		!mg_sequence_of_text(run, mg_span(NULL, 0), text, true, options->long_input, &sequence))
		return false;
	if (sequence.cut && run->cut != NULL)
		*run->cut = true;
	rows = mg_alloc_array(run->cx, sequence.n, sizeof *rows);
	if (rows == NULL)
		return false;
	for (size_t i = 0; i < sequence.n; i++)
		if (sequence.ids[i] == run->model->specials.mask)
			rows[n_masks++] = (uint32_t) i;
	if (n_masks == 0)
	{
		MgSpan mask = mg_token_text(run->model->tokenizer, run->model->specials.mask);

		mg_fail(run->cx, MG_BAD_ARGUMENT, "input has no mask token within the first %u tokens", run->model->meta.max_tokens);
		return mg_hint(run->cx, "Write %.*s where a word is to be found.", MG_SPAN_ARGS(mask));
	}

	per_mask = n_targets > 0 && n_targets < options->top_k ? n_targets : options->top_k;
	if (per_mask > vocab)
		per_mask = vocab;
	*filled = mg_alloc_array(run->cx, n_masks, per_mask * sizeof **filled);
	items = mg_alloc_array(run->cx, options->top_k, sizeof *items);
	logits = mg_alloc_array(run->cx, ROWS_AT_ONCE, vocab * sizeof *logits);
	if (*filled == NULL || items == NULL || logits == NULL ||
		!run_masks(run, &sequence, rows, n_masks, &states))
		return false;
	*n_filled = 0;
	for (size_t m = 0; m < n_masks; m++)
	{
		size_t n_rows = n_masks - m < ROWS_AT_ONCE ? n_masks - m : ROWS_AT_ONCE, n;

		if (m % ROWS_AT_ONCE == 0 &&
			!mg_table_linear(run->cx, run->compute, (MgRows){states + m * h, h, n_rows},
							 (MgLinear){vocabulary.matrix, vocabulary.bias, MG_ACT_NONE, logits, vocab}))
			return false;
		n = rank_row(logits + m % ROWS_AT_ONCE * vocab, run->model, targets, n_targets, options, items);
		for (size_t i = 0; i < n; i++)
		{
			MgFilled *one = &(*filled)[(*n_filled)++];

			*one = (MgFilled){(int32_t) m + 1, (int32_t) i + 1, items[i].id, {NULL, 0}, items[i].score, {NULL, 0}};
			if (!mg_poll(run->cx) || !fill_one(run, &sequence, rows[m], one))
				return false;
		}
	}
	return true;
}
