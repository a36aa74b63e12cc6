/*
 * What running a model takes, for the planner: found out from the head of its
 * stored image, once a backend, without loading it.
 *
 *   seconds = n * CALL + (tokens + 10 n) * (2 * weights + 4 * length * hidden * layers) / RATE
 *
 * for n sequences of length = tokens / n. weights are the elements of the
 * matrices that every token is multiplied by: all but the embedding tables and
 * the head. The second product is attention. The 10 tokens are what reading
 * the weights from memory costs a sequence that is alone in its batch. RATE
 * and CALL were measured (README.md); models of 8 bits have a RATE of their own.
 */
#ifndef MASKGEN_PG_PLANNER_MODEL_WORK_H
#define MASKGEN_PG_PLANNER_MODEL_WORK_H

#include "postgres.h"

typedef struct ModelWork
{
	double weights;	   /* of the matrices that each token passes */
	double attention;  /* operations for each pair of tokens */
	double mask;	   /* operations for each row that passes head and vocabulary */
	double max_tokens; /* of a sequence */
	double keys;	   /* bytes of keys and values of a token; 0 of a model that does not generate */
	double extra;	   /* tokens that are put around a text */
	double rate;	   /* operations a second */
	bool masked;	   /* has a head that fills masks, so that it classifies by it; else by the vectors of texts */
	bool pass_a_label;  /* else goes through the model once for each label */
} ModelWork;

/* Of the model of that name; NULL when it is not known. Valid until the transaction ends. */
const ModelWork *model_work_find(const char *name);

/* Seconds for n sequences that have so many tokens together. */
double model_work_seconds(const ModelWork *work, double n, double tokens);

/*
 * Seconds for n tokens that are drawn, each after one before it, behind a prompt of so many: rows of them in step, which share reading
 * the weights. Each passes the matrix of the vocabulary.
 *
 *   seconds = n * ((1 + 4 / rows) * (2 * weights + vocabulary) + attention) / RATE
 */
double model_work_new_seconds(const ModelWork *work, double n, double prompt, double rows);

/*
 * What EXPLAIN says of generation: seconds for rows with so many tokens each, at the rate that statistics of this database have seen, if they have
 * seen enough; and bytes of keys, at most as many as may be taken.
 */
typedef struct ModelEstimate
{
	double seconds, memory;
} ModelEstimate;

ModelEstimate model_work_estimate(const char *name, double rows, double prompt, double drawn);

/* Seconds for the distribution over the vocabulary at n masks, behind model_work_seconds. */
double model_work_mask_seconds(const ModelWork *work, double n);

#endif
