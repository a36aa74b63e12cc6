/*
 * How likely a decoder finds a text: log p of each of its tokens after those before it, in nats, in one pass.
 */
#ifndef MG_TASK_LIKELIHOOD_H
#define MG_TASK_LIKELIHOOD_H

#include "task/input.h"

typedef struct MgLikelihoodOptions
{
	MgLongInput long_input;
	size_t memory; /* bytes for keys */
} MgLikelihoodOptions;

/* The tokens of a text, and log p of each; that of the first one, before which there is none, is NAN. */
typedef struct MgLikelihood
{
	MgSequence sequence;
	MgTokens tokens; /* of the text itself, with places: sequence.first is where they begin */
	float *logs;	 /* [sequence.n] */
} MgLikelihood;

/* log p of ids [n], from the second on. Adds to the run's usage. Polls. */
bool mg_likelihood_ids(const MgRun *run, const MgLikelihoodOptions *options, MgIds ids, float *logs);

/* The same of a text, wrapped as the model wants one. */
bool mg_likelihood(const MgRun *run, const MgLikelihoodOptions *options, MgSpan text, MgLikelihood *likelihood);

/* exp of minus the mean over what has a log p. NAN: nothing has. */
double mg_perplexity(const MgLikelihood *likelihood);

/*
 * log p of a continuation behind a prompt: of the tokens that the joined text has beyond the prompt's bytes. A token across the seam
 * is the continuation's.
 */
bool mg_continuation_likelihood(const MgRun *run, const MgLikelihoodOptions *options, MgSpan prompt, MgSpan continuation, double *log);

#endif
