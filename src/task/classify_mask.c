/*
 * Classification through the masked-LM head: which label would the model write
 * at {mask} in a template such as "{mask} news: {text}"?
 *
 * A label of n tokens is put as n masks. C is the set of all tokens of all
 * labels; only they pass through the vocabulary matrix.
 *
 *   log p(t | i) = logit[i, t] - log sum_{c in C} exp logit[i, c]     i: a mask, t in C
 *   raw(label)   = mean over its tokens t_j of log p(t_j | mask j)
 *   score(label) = raw(label | text) - mean over e in {"", "N/A", "text"} of raw(label | e)
 *
 * The second line of score is the contextual prior (calibration as in arXiv
 * 2102.09690): it takes away what the model would say without having read
 * anything. It is the labels' basis, unless the model was made without
 * calibration. Labels of one token count share a sequence. A long text loses
 * its end, never the template.
 */
#include "task/mask_labels.h"

#include <math.h>

#include "task/schedule.h"

/* The best of five tried on AG News, by far (bench/README.md). */
#define DEFAULT_TEMPLATE "{mask} news: {text}"

typedef struct Classification
{
	MgTask task;
	const MgMaskLabels *labels;
	MgLongInput long_input;
	float *logits; /* [n_candidates] scratch */
} Classification;

bool
mg_mask_fill(const MgRun *run, const MgMaskLabels *labels, MgLongInput long_input, MgSpan text, MgSequence *sequences)
{
	int32_t masks[MG_MAX_LABEL_TOKENS];
	MgPlaced filled;

	for (size_t i = 0; i < MG_MAX_LABEL_TOKENS; i++)
		masks[i] = run->model->specials.mask;
	if (!mg_places_fill(run, &labels->places, labels->most_masks, long_input, text, &filled))
		return false;
	for (size_t g = 0; g < labels->n_groups; g++)
		if (!mg_placed_sequence(run, &filled, (MgIds){labels->groups[g].n_masks, masks}, &sequences[g]))
			return false;
	return true;
}

static bool
fill(const MgTask *task, MgSpan text, MgSequence *sequences)
{
	const Classification *classification = (const Classification *) task;

	return mg_mask_fill(task->run, classification->labels, classification->long_input, text, sequences);
}

/* logits [n_candidates] of one mask's state behind the head, as log probabilities among the candidates. */
static void
score_candidates(const MgRun *run, const MgMaskLabels *labels, const float *state, float *logits)
{
	const MgVocabulary vocabulary = run->model->arch->vocabulary(run->model);
	float largest = -INFINITY, log_sum;
	double sum = 0;

	for (size_t c = 0; c < labels->n_candidates; c++)
	{
		size_t id = (size_t) labels->candidates[c];

		logits[c] = mg_table_dot(run->compute, vocabulary.matrix, id, state) +
			(vocabulary.bias != NULL ? vocabulary.bias[id] : 0);
		largest = fmaxf(largest, logits[c]);
	}
	for (size_t c = 0; c < labels->n_candidates; c++)
		sum += exp((double) logits[c] - largest);
	log_sum = (float) (largest + log(sum));
	for (size_t c = 0; c < labels->n_candidates; c++)
		logits[c] -= log_sum;
}

/* Scores of one text and group from the states [n_masks, h] of its masks; logits is scratch [n_candidates]. */
static void
score_group(const MgRun *run, const MgMaskLabels *labels, const MgLabelGroup *group, const float *states,
			float *logits, float *scores)
{
	size_t h = run->model->sizes->width;

	for (size_t i = 0; i < group->n_labels; i++)
		scores[group->labels[i]] = 0;
	for (size_t m = 0; m < group->n_masks; m++)
	{
		score_candidates(run, labels, states + m * h, logits);
		for (size_t i = 0; i < group->n_labels; i++)
			scores[group->labels[i]] += logits[group->tokens[i * group->n_masks + m]] / (float) group->n_masks;
	}
}

float *
mg_mask_states(const MgRun *run, const MgMaskLabels *labels, const MgSequence *sequences, size_t n)
{
	size_t h = run->model->sizes->width, n_rows = 0;
	uint32_t *rows = mg_alloc_array(run->cx, n, labels->most_masks * sizeof *rows);
	float *states, *headed;
	MgBatch batch;

	if (rows == NULL || !mg_batch_pack(run->cx, sequences, n, &batch))
		return NULL;
	for (size_t i = 0; i < n; i++)
		for (size_t m = 0; m < labels->groups[sequences[i].part].n_masks; m++)
			rows[n_rows++] = (uint32_t) (batch.offsets[i] + sequences[i].place + m);
	batch.rows = rows;
	batch.n_rows = n_rows;
	states = mg_alloc_array(run->cx, n_rows, h * sizeof *states);
	headed = mg_alloc_array(run->cx, n_rows, h * sizeof *headed);
	return states != NULL && headed != NULL && run->model->arch->forward(run, &batch, states) &&
			run->model->arch->head(run, states, n_rows, headed)
		? headed
		: NULL;
}

/* One forward pass. */
static bool
run_batch(const MgTask *task, const MgSequence *sequences, size_t n)
{
	const Classification *classification = (const Classification *) task;
	const MgMaskLabels *labels = classification->labels;
	const MgRun *run = task->run;
	const float *states = mg_mask_states(run, labels, sequences, n);

	if (states == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
	{
		const MgLabelGroup *group = &labels->groups[sequences[i].part];

		score_group(run, labels, group, states, classification->logits,
					task->out + sequences[i].text * task->n_out);
		states += group->n_masks * run->model->sizes->width;
	}
	return true;
}

static bool
classify(const MgRun *run, const MgClassifyOptions *options, const MgSpan *texts, size_t n, float *scores)
{
	const MgMaskLabels *labels = (const MgMaskLabels *) options->labels;
	MgMark start = mg_mark(run->cx);
	Classification classification = {{run, labels->n_groups, options->refusals, fill, run_batch, .out = scores, .n_out = labels->head.n_labels},
									 labels, options->long_input,
									 mg_alloc_array(run->cx, labels->n_candidates, sizeof(float))};

	if (classification.logits == NULL || !mg_task_run(&classification.task, texts, n))
		return false;
	mg_prior_take_off(options->labels, options->basis, n, scores);
	mg_rewind(run->cx, start);
	return true;
}

static bool
can(const MgModel *model)
{
	return mg_model_can(model, MG_CAN_FILL_MASK);
}

/* Whatever is not for another way: the mask may be written as the model's token. */
static bool
reads(MgSpan template)
{
	return !mg_template_has(template, "{choices}") && (mg_template_has(template, "{text}") || !mg_template_has(template, "{label}"));
}

const MgWay mg_mask_way = {can, reads, DEFAULT_TEMPLATE, mg_mask_labels_prepare, mg_prior_size, mg_prior, classify};
