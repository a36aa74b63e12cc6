/*
 * Zero-shot classification through the masked-LM head: which label would the
 * model write at {mask} in a template such as "{mask} news: {text}"?
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
 * anything. Labels of one token count share a sequence. A long text loses its
 * end, never the template.
 */
#ifndef MG_TASK_CLASSIFY_H
#define MG_TASK_CLASSIFY_H

#include "task/input.h"

#define MG_MAX_LABELS 1000
#define MG_MAX_LABEL_TOKENS 16

/* The template of a model that has none of its own; the best of five tried on AG News, by far (bench/README.md). */
#define MG_DEFAULT_TEMPLATE "{mask} news: {text}"

/* Labels and template made ready for a model; arena memory. */
typedef struct MgLabels MgLabels;

/*
 * n labels, distinct and not empty. template may be empty (the model's own, or
 * the default); it holds {text} once, and once {mask} or the model's mask
 * token as such.
 */
const MgLabels *mg_labels_prepare(const MgRun *run, const MgSpan *labels, size_t n, MgSpan template);

/* prior [n_labels]: what mg_classify subtracts. Costs three short texts; callers keep it. Adds to the run's usage. Polls. */
bool mg_labels_prior(const MgRun *run, const MgLabels *labels, float *prior);

typedef struct MgClassifyOptions
{
	const MgLabels *labels;
	const float *prior; /* [n_labels] subtracted; NULL: raw scores */
	MgLongInput long_input;
	const MgRefusals *refusals; /* NULL: a text that is refused ends the call */
} MgClassifyOptions;

/* scores [n, n_labels]. Texts of any number, batched inside. Adds to the run's usage. Polls. */
bool mg_classify(const MgRun *run, const MgClassifyOptions *options, const MgSpan *texts, size_t n, float *scores);

#endif
