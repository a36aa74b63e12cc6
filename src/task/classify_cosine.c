/*
 * Classification by an embedder: which of the sentences that {label} makes of
 * a template such as "This is about {label}." is nearest to the text?
 *
 *   v_k      = embed(template with label k), to length 1: the labels' basis
 *   s_k      = <embed(text), v_k> / |embed(text)|
 *   score_k  = s_k / TAU - log sum_j exp(s_j / TAU)
 *
 * TAU changes no order of labels. Texts and sentences have the model's prompt
 * "classification", or the one for documents, so that a vector that was stored
 * for search gets the labels that its text gets. All of a sentence is text: no
 * special token is read in it.
 */
#include "task/classify_cosine.h"

#include <math.h>

#include "task/classify_way.h"
#include "task/schedule.h"

typedef struct CosineLabels
{
	MgLabels head;
	const MgSpan *sentences; /* [n_labels] */
} CosineLabels;

MgEmbedOptions
mg_cosine_options(const MgModel *model, MgLongInput long_input)
{
	static const char *const names[] = {"classification", "document", "passage"};
	MgEmbedOptions options = {.normalize = true, .long_input = long_input};

	for (size_t i = 0; i < sizeof names / sizeof *names && options.prompt.size == 0; i++)
	{
		const MgPrompt *prompt = mg_model_prompt(model, mg_span_of(names[i]));

		if (prompt != NULL)
			options.prompt = prompt->text;
	}
	return options;
}

/* A sentence that was cut would not be about its label. */
static bool
check_length(const MgRun *run, MgSpan label, MgSpan sentence)
{
	MgEmbedOptions options = mg_cosine_options(run->model, MG_LONG_TRUNCATE);
	MgMark mark = mg_mark(run->cx);
	MgSequence sequence = {0};

	if (!mg_embed_sequence(run, &options, sentence, &sequence))
		return false;
	mg_rewind(run->cx, mark);
	return !sequence.cut || mg_fail(run->cx, MG_TOO_LARGE, "template with label \"%.*s\" in it is too long for model \"%s\"",
									MG_SPAN_ARGS(label), run->name);
}

static MgLabels *
prepare(const MgRun *run, const MgSpan *texts, size_t n, MgSpan template)
{
	CosineLabels *labels = mg_alloc_zeroed(run->cx, 1, sizeof *labels);

	if (labels == NULL)
		return NULL;
	labels->sentences = mg_label_sentences(run, texts, n, template, MG_COSINE_TEMPLATE);
	for (size_t i = 0; labels->sentences != NULL && i < n; i++)
		if (!check_length(run, texts[i], labels->sentences[i]))
			return NULL;
	return labels->sentences != NULL ? &labels->head : NULL;
}

static size_t
basis_size(const MgRun *run, const MgLabels *labels)
{
	return labels->n_labels * run->model->sizes->width;
}

static bool
basis(const MgRun *run, const MgLabels *labels, float *vectors)
{
	MgEmbedOptions options = mg_cosine_options(run->model, MG_LONG_ERROR);
	size_t width = run->model->sizes->width;

	if (!mg_embed(run, &options, ((const CosineLabels *) labels)->sentences, labels->n_labels, vectors))
		return false;
	for (size_t i = 0; i < labels->n_labels; i++)
		mg_normalize(vectors + i * width, width);
	return true;
}

typedef struct Comparison
{
	MgTask task;
	MgEmbedOptions options;
	const float *vectors; /* [n_labels, width] */
	size_t n_labels, width;
} Comparison;

static bool
fill(const MgTask *task, MgSpan text, MgSequence *sequence)
{
	return mg_embed_sequence(task->run, &((const Comparison *) task)->options, text, sequence);
}

/* In eight sums that stand beside each other, so that a CPU adds them at once, always in this order. */
static float
dot(const float *a, const float *b, size_t n)
{
	float sums[8] = {0};
	size_t i = 0;

	for (; i + 8 <= n; i += 8)
		for (size_t j = 0; j < 8; j++)
			sums[j] += a[i + j] * b[i + j];
	for (; i < n; i++)
		sums[0] += a[i] * b[i];
	return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

static void
compare(const Comparison *comparison, float *vector, float *scores)
{
	float largest = -INFINITY, log_sum;
	double sum = 0;

	mg_normalize(vector, comparison->width);
	for (size_t k = 0; k < comparison->n_labels; k++)
	{
		scores[k] = dot(vector, comparison->vectors + k * comparison->width, comparison->width) / MG_COSINE_TAU;
		largest = fmaxf(largest, scores[k]);
	}
	for (size_t k = 0; k < comparison->n_labels; k++)
		sum += exp((double) scores[k] - largest);
	log_sum = (float) (largest + log(sum));
	for (size_t k = 0; k < comparison->n_labels; k++)
		scores[k] -= log_sum;
}

static bool
run_batch(const MgTask *task, const MgSequence *sequences, size_t n)
{
	const Comparison *comparison = (const Comparison *) task;
	float *vectors = mg_alloc_array(task->run->cx, n, comparison->width * sizeof *vectors);

	if (vectors == NULL || !mg_embed_batch(task->run, &comparison->options, comparison->width, sequences, n, vectors))
		return false;
	for (size_t i = 0; i < n; i++)
		compare(comparison, vectors + i * comparison->width, task->out + sequences[i].text * task->n_out);
	return true;
}

static bool
classify(const MgRun *run, const MgClassifyOptions *options, const MgSpan *texts, size_t n, float *scores)
{
	Comparison comparison = {{run, 1, options->refusals, fill, run_batch, .out = scores, .n_out = options->labels->n_labels},
							 mg_cosine_options(run->model, options->long_input),
							 options->basis, options->labels->n_labels, run->model->sizes->width};

	return mg_task_run(&comparison.task, texts, n);
}

static bool
can(const MgModel *model)
{
	return mg_model_can(model, MG_CAN_EMBED);
}

bool
mg_cosine_reads(MgSpan template)
{
	return mg_template_has(template, "{label}") && !mg_template_has(template, "{text}");
}

const MgWay mg_cosine_way = {can, mg_cosine_reads, MG_COSINE_TEMPLATE, prepare, basis_size, basis, classify};

bool
mg_cosine_has(const MgLabels *labels)
{
	return labels->way == &mg_cosine_way;
}
