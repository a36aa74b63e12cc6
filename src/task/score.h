/*
 * Logits of a head for classes, of texts or of pairs in which one side is the same
 * for all: a question with documents, a text with hypotheses.
 *
 *   alone    [CLS] text [SEP]
 *   pair     [CLS] fixed [SEP] text [SEP], or [CLS] text [SEP] fixed [SEP]
 *
 * The fixed side is tokenised once a call and stays whole: the text loses its end.
 * Only where pairs are cut as the reference cuts two equal sides (MG_CUT_LONGER)
 * both may.
 */
#ifndef MG_TASK_SCORE_H
#define MG_TASK_SCORE_H

#include "model/classes.h"
#include "task/input.h"

typedef struct MgScoreOptions
{
	const MgSpan *fixed; /* [n_fixed] sides of pairs, each with every text; n_fixed 0: texts stand alone */
	size_t n_fixed;
	bool fixed_first;
	MgCut cut; /* MG_CUT_SECOND: the text alone */
	MgLongInput long_input;
	const MgRefusals *refusals; /* NULL: a text that is refused ends the call */
} MgScoreOptions;

/* The number of classes; 0 after the error of a model without a head for them. */
size_t mg_score_classes(const MgRun *run);

/* out [n, max(n_fixed, 1), classes]. Texts of any number, batched inside. Adds to the run's usage. Polls. */
bool mg_score(const MgRun *run, const MgScoreOptions *options, const MgSpan *texts, size_t n, float *out);

/* Logits [classes] in place: probabilities, or numbers, by the model's kind. */
void mg_score_tell(const MgModel *model, float *logits, size_t classes);

/*
 * Whether a model has one class, or two of which the second means "fits"; else its error. And the score of a
 * document from its logits: the one, or the second less the first; the sigmoid of it if the model's files say so.
 */
bool mg_needs_rerank(const MgRun *run);
float mg_rerank_score(const MgModel *model, const float *logits, size_t classes);

#endif
