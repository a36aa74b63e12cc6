/*
 * Zero-shot classification: which of some labels fits a text? What a model can
 * do says in which way it answers (task/classify_way.h); the first of these:
 *
 *   mask     a masked head: which label would the model write at {mask} in a
 *            template such as "{mask} news: {text}"? (task/classify_mask.c)
 *   entail   a model of natural language inference: of which of the sentences
 *            that {label} makes of a template does the text say that it is
 *            so? (task/classify_entail.c)
 *   cosine   an embedder: which of the sentences that {label} makes of a
 *            template such as "This is about {label}." is nearest to the
 *            text? (task/classify_cosine.c)
 *   replaced  an ELECTRA discriminator: which label, put into a template such as
 *            "{label} news: {text}", does it hold most for original?
 *            (task/classify_replaced.c)
 *
 *   continuation  a decoder: how likely is each label at {label}, behind the
 *            text in a template such as "{text} Topic: {label}"?
 *            (task/classify_continuation.c)
 *   choice   a masked model or a decoder: which letter would it write at {mask},
 *            when the labels are the lettered {choices} of a template's
 *            question? (task/classify_choice.c)
 *
 * A model that has several of them answers in the one that its template is for.
 * Scores are log probabilities among the labels, less what the labels' basis
 * takes away.
 */
#ifndef MG_TASK_CLASSIFY_H
#define MG_TASK_CLASSIFY_H

#include "task/input.h"

#define MG_MAX_LABELS 1000
#define MG_MAX_LABEL_TOKENS 16 /* at masks */

/* Labels and template made ready for a model; arena memory. */
typedef struct MgLabels MgLabels;

/*
 * n labels, distinct and not empty. template may be empty (the model's own, or
 * the default of the way); else it is one that the model has a way for.
 */
const MgLabels *mg_labels_prepare(const MgRun *run, const MgSpan *labels, size_t n, MgSpan template);

/*
 * What is computed of the labels alone, before the first text: their prior, or their vectors. Callers keep it, under all that
 * the labels were prepared from. The number of floats; 0: there is none, and NULL stands for it.
 */
size_t mg_labels_basis_size(const MgRun *run, const MgLabels *labels);

/* basis [mg_labels_basis_size]. Costs some short texts, which count as tokens of the run's usage and not as rows. Polls. */
bool mg_labels_basis(const MgRun *run, const MgLabels *labels, float *basis);

typedef struct MgClassifyOptions
{
	const MgLabels *labels;
	const float *basis; /* NULL: scores at masks without their prior taken off; other ways need what they have */
	MgLongInput long_input;
	const MgRefusals *refusals; /* NULL: a text that is refused ends the call */
} MgClassifyOptions;

/* scores [n, n_labels]. Texts of any number, batched inside. Adds to the run's usage. Polls. */
bool mg_classify(const MgRun *run, const MgClassifyOptions *options, const MgSpan *texts, size_t n, float *scores);

#endif
