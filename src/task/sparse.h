/*
 * Learnt sparse vectors (SPLADE, arXiv 2107.05720): how much of each word of the
 * vocabulary is in a text, by the masked-LM head.
 *
 *   value[v] = max over tokens t of log(1 + max(0, logit[t, v]))
 *
 * The special tokens around the text count as tokens. Only what is above 0 is there.
 */
#ifndef MG_TASK_SPARSE_H
#define MG_TASK_SPARSE_H

#include "task/input.h"

typedef struct MgWordWeights
{
	size_t n;
	const int32_t *ids;	 /* [n], ascending */
	const float *values; /* [n] */
} MgWordWeights;

/* Gets the result of each text when it is there, and of each that equals another by the number of that one. */
typedef struct MgSparseReceiver
{
	void *user;
	void (*put)(void *user, size_t text, const MgWordWeights *sparse);
	void (*copy)(void *user, size_t from, size_t to);
} MgSparseReceiver;

typedef struct MgSparseOptions
{
	MgLongInput long_input;
	const MgRefusals *refusals; /* NULL: a text that is refused ends the call */
	MgSparseReceiver receiver;
} MgSparseOptions;

/* Texts of any number, batched inside. Adds to the run's usage. Polls. */
bool mg_embed_sparse(const MgRun *run, const MgSparseOptions *options, const MgSpan *texts, size_t n);

#endif
