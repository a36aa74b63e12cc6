/*
 * Classification by an ELECTRA discriminator (arXiv 2207.08141, 2203.03235): put into a
 * template such as "{label} news: {text}", which label does it hold most for original?
 *
 *   r_t      = logit that token t was replaced by another
 *   s_k      = - mean over the tokens t of label k of r_t
 *   raw_k    = s_k - log sum_j exp(s_j)
 *   score_k  = raw_k(text) - mean over e in {"", "N/A", "text"} of raw_k(e)
 *
 * The second term of score is the contextual prior, as of masks. One forward pass a
 * label, so it costs as many times what embedding does. A template with {mask} has its
 * labels there, so those for masks serve. A long text loses its end, never the
 * template, and the same tokens with each label.
 */
#include <math.h>

#include "model/classes.h"
#include "task/classify_way.h"
#include "task/places.h"
#include "task/schedule.h"

typedef struct ReplacedLabels
{
	MgLabels head;
	MgPlaces places;
	MgIds *tokens;	/* [n_labels] */
	size_t longest; /* of them */
} ReplacedLabels;

static MgLabels *
prepare(const MgRun *run, const MgSpan *texts, size_t n, MgSpan template)
{
	ReplacedLabels *labels = mg_alloc_zeroed(run->cx, 1, sizeof *labels);
	MgTokens *tokens = mg_alloc_array(run->cx, n, sizeof *tokens);

	if (labels == NULL || tokens == NULL)
		return NULL;
	if (run->model->specials.mask < 0)
	{
		mg_fail(run->cx, MG_UNSUPPORTED, "model \"%s\" has no mask token", run->name);
		return NULL;
	}
	labels->tokens = mg_alloc_array(run->cx, n, sizeof *labels->tokens);
	if (labels->tokens == NULL || !mg_places_split(run, template, true, &labels->places))
		return NULL;
	for (size_t i = 0; i < n; i++)
	{
		if (!mg_poll(run->cx) || !mg_places_tokenize(run, &labels->places, texts[i], &tokens[i]))
			return NULL;
		labels->tokens[i] = (MgIds){tokens[i].n, tokens[i].ids};
		labels->longest = tokens[i].n > labels->longest ? tokens[i].n : labels->longest;
	}
	return mg_labels_check_distinct(run->cx, texts, tokens, n) ? &labels->head : NULL;
}

typedef struct Judging
{
	MgTask task;
	const ReplacedLabels *labels;
	MgClassHead head;
	MgLongInput long_input;
} Judging;

static bool
fill(const MgTask *task, MgSpan text, MgSequence *sequences)
{
	const Judging *judging = (const Judging *) task;
	const ReplacedLabels *labels = judging->labels;
	MgPlaced filled;

	if (!mg_places_fill(task->run, &labels->places, labels->longest, judging->long_input, text, &filled))
		return false;
	for (size_t k = 0; k < task->n_parts; k++)
		if (!mg_placed_sequence(task->run, &filled, labels->tokens[k], &sequences[k]))
			return false;
	return true;
}

/* s_k of each sequence, from the labels' tokens alone. */
static bool
run_batch(const MgTask *task, const MgSequence *sequences, size_t n)
{
	const Judging *judging = (const Judging *) task;
	const ReplacedLabels *labels = judging->labels;
	MgCtx *cx = task->run->cx;
	uint32_t *rows = mg_alloc_array(cx, n, labels->longest * sizeof *rows);
	float *logits = mg_alloc_array(cx, n, labels->longest * sizeof *logits);
	size_t n_rows = 0, at = 0;
	MgBatch batch;

	if (rows == NULL || logits == NULL || !mg_batch_pack(cx, sequences, n, &batch))
		return false;
	for (size_t i = 0; i < n; i++)
		for (size_t t = 0; t < labels->tokens[sequences[i].part].n; t++)
			rows[n_rows++] = (uint32_t) (batch.offsets[i] + sequences[i].place + t);
	batch.rows = rows;
	batch.n_rows = n_rows;
	if (!mg_score_tokens(task->run, &judging->head, &batch, logits))
		return false;
	for (size_t i = 0; i < n; i++)
	{
		size_t n_tokens = labels->tokens[sequences[i].part].n;
		double sum = 0;

		for (size_t t = 0; t < n_tokens; t++)
			sum += logits[at++];
		task->out[sequences[i].text * task->n_out + sequences[i].part] = (float) (-sum / (double) n_tokens);
	}
	return true;
}

/* To log probabilities among the labels. */
static void
normalize(float *scores, size_t n)
{
	float largest = -INFINITY;
	double sum = 0;

	for (size_t k = 0; k < n; k++)
		largest = fmaxf(largest, scores[k]);
	for (size_t k = 0; k < n; k++)
		sum += exp((double) scores[k] - largest);
	for (size_t k = 0; k < n; k++)
		scores[k] -= (float) (largest + log(sum));
}

static bool
classify(const MgRun *run, const MgClassifyOptions *options, const MgSpan *texts, size_t n, float *scores)
{
	size_t n_labels = options->labels->n_labels;
	Judging judging = {{run, n_labels, options->refusals, fill, run_batch, .out = scores, .n_out = n_labels}, (const ReplacedLabels *) options->labels,
					   run->model->arch->replaced_head(run->model), options->long_input};

	if (!mg_task_run(&judging.task, texts, n))
		return false;
	for (size_t i = 0; i < n; i++)
		normalize(scores + i * n_labels, n_labels);
	mg_prior_take_off(options->labels, options->basis, n, scores);
	return true;
}

static bool
can(const MgModel *model)
{
	return mg_model_can(model, MG_CAN_FIND_REPLACED);
}

static bool
reads(MgSpan template)
{
	return mg_template_has(template, "{text}");
}

const MgWay mg_replaced_way = {can, reads, "{label} news: {text}", prepare, mg_prior_size, mg_prior, classify};
