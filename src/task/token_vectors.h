/*
 * A vector for each token of a text, of length 1, for late interaction (ColBERT,
 * arXiv 2004.12832): the final states of all tokens, special ones included.
 */
#ifndef MG_TASK_TOKEN_VECTORS_H
#define MG_TASK_TOKEN_VECTORS_H

#include "task/input.h"

/* Gets the vectors [n, width] of each text when they are there, and of each that equals another by the number of that one. */
typedef struct MgVectorsReceiver
{
	void *user;
	void (*put)(void *user, size_t text, const float *vectors, size_t n);
	void (*copy)(void *user, size_t from, size_t to);
} MgVectorsReceiver;

typedef struct MgTokenVectorsOptions
{
	MgSpan prompt; /* put before each text; may be empty */
	MgLongInput long_input;
	const MgRefusals *refusals; /* NULL: a text that is refused ends the call */
	MgVectorsReceiver receiver;
} MgTokenVectorsOptions;

/* Texts of any number, batched inside. Adds to the run's usage. Polls. */
bool mg_embed_tokens(const MgRun *run, const MgTokenVectorsOptions *options, const MgSpan *texts, size_t n);

#endif
