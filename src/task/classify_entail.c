/*
 * Classification by a model of natural language inference (arXiv 1909.00161): of
 * which of the sentences that {label} makes of a template such as "This example is
 * about {label}." does the text say that it is so?
 *
 *   l_k      = logit "entailment" of the pair (text, sentence of label k)
 *   score_k  = l_k - log sum_j exp(l_j)
 *
 * One forward pass a label, so it costs as many times what embedding does. A long
 * text loses its end, never the sentence.
 */
#include <math.h>

#include "task/classify_way.h"
#include "task/score.h"

#define DEFAULT_TEMPLATE "This example is about {label}."

typedef struct EntailLabels
{
	MgLabels head;
	const MgSpan *sentences; /* [n_labels] */
	size_t entailment;		 /* the class */
} EntailLabels;

static bool
can(const MgModel *model)
{
	size_t class;

	return mg_model_can(model, MG_CAN_SCORE) && mg_class_entailment(&model->keys, model->sizes, &class);
}

static bool
reads(MgSpan template)
{
	return mg_template_has(template, "{label}");
}

static MgLabels *
prepare(const MgRun *run, const MgSpan *texts, size_t n, MgSpan template)
{
	EntailLabels *labels = mg_alloc_zeroed(run->cx, 1, sizeof *labels);

	if (labels == NULL)
		return NULL;
	mg_class_entailment(&run->model->keys, run->model->sizes, &labels->entailment);
	labels->sentences = mg_label_sentences(run, texts, n, template, DEFAULT_TEMPLATE);
	return labels->sentences != NULL ? &labels->head : NULL;
}

static size_t
basis_size(const MgRun *run, const MgLabels *labels)
{
	(void) run;
	(void) labels;
	return 0;
}

static bool
basis(const MgRun *run, const MgLabels *labels, float *none)
{
	(void) run;
	(void) labels;
	(void) none;
	return true;
}

static bool
classify(const MgRun *run, const MgClassifyOptions *options, const MgSpan *texts, size_t n, float *scores)
{
	const EntailLabels *labels = (const EntailLabels *) options->labels;
	size_t n_labels = options->labels->n_labels, classes = mg_score_classes(run);
	MgScoreOptions pairs = {.fixed = labels->sentences, .n_fixed = n_labels, .cut = MG_CUT_SECOND,
							.long_input = options->long_input, .refusals = options->refusals};
	MgMark mark = mg_mark(run->cx);
	float *logits;
	size_t all;

	if (!mg_multiply(n, n_labels, &all))
		return mg_fail(run->cx, MG_TOO_LARGE, "too many texts and labels");
	logits = mg_alloc_array(run->cx, all, classes * sizeof *logits);
	if (classes == 0 || logits == NULL || !mg_score(run, &pairs, texts, n, logits))
		return false;
	for (size_t i = 0; i < n; i++)
	{
		float *row = scores + i * n_labels, largest = -INFINITY;
		double sum = 0;

		for (size_t k = 0; k < n_labels; k++)
		{
			row[k] = logits[(i * n_labels + k) * classes + labels->entailment];
			largest = fmaxf(largest, row[k]);
		}
		for (size_t k = 0; k < n_labels; k++)
			sum += exp((double) row[k] - largest);
		for (size_t k = 0; k < n_labels; k++)
			row[k] -= (float) (largest + log(sum));
	}
	mg_rewind(run->cx, mark);
	return true;
}

const MgWay mg_entail_way = {can, reads, DEFAULT_TEMPLATE, prepare, basis_size, basis, classify};
