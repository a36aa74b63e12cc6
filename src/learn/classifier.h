/*
 * Classifiers of vectors, linear on the unit sphere:
 *
 *   score_k(x) = <x / |x|, w_k> + b_k        the best label is that of the largest score
 *   log p_k(x) = score_k - log sum_j exp(score_j)
 *
 * However one was made (learn/fit.h), it is this. Nothing here allocates,
 * polls or fails; all is pure and has the same bits on all CPUs.
 */
#ifndef MG_LEARN_CLASSIFIER_H
#define MG_LEARN_CLASSIFIER_H

#include "core/span.h"
#include "vector/distance.h"

/* Labels times dimensions; a classifier has at most 16 MB of weights. */
#define MG_CLASSIFIER_MOST_WEIGHTS 4000000
#define MG_CLASSIFIER_MOST_LABELS 1000

typedef enum MgMethod
{
	MG_ZERO_SHOT = 0, /* sentences about the labels, embedded */
	MG_CENTRES,		  /* of labelled rows */
	MG_RIDGE,		  /* ridge regression on labelled rows */
	MG_MIXTURE,		  /* centres of rows, unlabelled ones with the weight that they belong to a class with */
	MG_N_METHODS
} MgMethod;

/* "zero_shot" ...; MG_N_METHODS for a name that is none. */
const char *mg_method_name(MgMethod method);
MgMethod mg_method_of_name(MgSpan name);

typedef struct MgClassifier
{
	MgMethod method;
	size_t n_labels, dims;
	int64_t labelled, unlabelled; /* rows that it was fitted to */
	double accuracy;			  /* share of new rows that it is expected to be right about; NaN: not known */
	const MgSpan *labels;		  /* [n_labels] */
	const float *weights;		  /* [n_labels, dims] */
	const float *biases;		  /* [n_labels] */
} MgClassifier;

/* scores [n_labels] of x [dims]; inner is the kernel of MG_METRIC_INNER_PRODUCT. A vector of zeros has the biases. */
void mg_classifier_scores(const MgClassifier *classifier, MgPairDistance inner, const float *x, double *scores);

/* The first of the largest; n is at least 1. */
size_t mg_best_score(const double *scores, size_t n);

/* Scores to log probabilities, in place. */
void mg_log_softmax(double *scores, size_t n);

#endif
