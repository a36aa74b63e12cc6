/*
 * Fitting a classifier to rows, some of which may have labels.
 *
 *   centres   w_k = KAPPA * the direction of the sum of class k's rows
 *   ridge     least squares of each class' 1 and 0 on the rows, with a penalty of LAMBDA on w; by the matrix of dimensions or
 *             that of rows, whichever is smaller (up to MG_FIT_MOST_ORDER; beyond it there is no ridge)
 *   mixture   a guess Z of every unlabelled row's class, then ROUNDS times: w_k as in centres, with each row counted in each
 *             class by its probability R; shares pi_k = (sum R + 10 / K) / (n + 10); R = softmax(Z + <x, w_k> + log pi_k).
 *             Labelled rows keep their label. The guess stays in as an anchor, and the shares are estimated, so that a
 *             class that most rows are in does not draw the others' centres to itself.
 *
 * Cross-validation decides: each of 10 parts of the labelled rows (5 of 1000 or more) is predicted by what the others fit.
 * The share that is right is what is expected of new rows. It needs two labelled rows a class; with fewer the mixture is
 * taken, or the centres where no row is without a label.
 *
 * All rows are fitted to where they fit into the sample (of 384 dimensions 100 000 and more). Of more a sample is enough, and
 * adding up X'X and X'Y of every row, in fixed point so that the order does not matter, is not done: cross-validation and
 * mixture need rows and not sums, so the sample stays in any case; each of ten folds would have its own matrix, of
 * 2048 dimensions 16 MB each; and what is to be gained is small, for the part of the error that more rows take away goes with
 * dimensions / rows, which the sample has below half a percent.
 *
 * All sums go through the rows in the order of their sample, so the same rows give the same bits.
 */
#ifndef MG_LEARN_FIT_H
#define MG_LEARN_FIT_H

#include "learn/classifier.h"
#include "learn/sample.h"

#define MG_FIT_KAPPA 20.0
#define MG_FIT_LAMBDA 1.0
#define MG_FIT_ROUNDS 3
#define MG_FIT_MOST_ORDER 2048

/* Ridge fits 1 and 0; scores are that much farther apart. */
#define MG_FIT_RIDGE_SCALE 10.0

typedef struct MgFitRows
{
	const MgSpan *labels; /* [n_labels], the classes in their order */
	size_t n_labels;
	const MgSample *labelled;	/* settled; labels are positions in labels. May be empty */
	const MgSample *unlabelled; /* settled; with n_labels scores a row, or none. May be empty, but not both */
	const MgClassifier *guess;	/* of unlabelled rows without scores; NULL: what the labelled ones give */
} MgFitRows;

/* Arena memory; labels are the caller's. Polls. */
bool mg_fit(MgCtx *cx, const MgFitRows *rows, MgClassifier *classifier);

#endif
