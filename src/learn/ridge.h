/*
 * Ridge regression of classes on rows, with a constant that is not penalised:
 *
 *   A w_k = sum_i c_i (x_i - mu) (y_ik - p_k)      A = sum_i c_i (x_i - mu) (x_i - mu)' + LAMBDA I
 *   b_k = p_k - <mu, w_k>
 *
 * c: how often a row came; mu: the mean of the rows; p: shares of classes. Of fewer rows than dimensions the same
 * is solved with a row for each row (the dual form, with w_k = sum_i c_i a_ik x_i). Products of rows are the
 * kernels' of vector/distance.h, sums over them and the solution in double.
 */
#ifndef MG_LEARN_RIDGE_H
#define MG_LEARN_RIDGE_H

#include "learn/sample.h"

typedef struct MgRidge MgRidge;

/* ridge is NULL where rows and dimensions are both more than MG_FIT_MOST_ORDER. Arena memory. Polls. */
bool mg_ridge_begin(MgCtx *cx, const MgSample *labelled, size_t n_labels, MgRidge **ridge);

/* weights [n_labels, dims] and biases [n_labels] of the rows that are not in fold hold_out, times MG_FIT_RIDGE_SCALE. */
bool mg_ridge_solve(const MgRidge *ridge, const uint8_t *folds, int hold_out, float *weights, float *biases);

/* A x = b of order n in place, A by its lower triangle, positive definite, which is overwritten; b [n_b, n]. Polls. */
bool mg_solve_positive(MgCtx *cx, double *a, size_t n, double *b, size_t n_b);

#endif
