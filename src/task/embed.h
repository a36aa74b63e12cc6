/*
 * Texts to vectors: forward, pool over a text's tokens, and (when asked)
 * scale to length 1.
 *
 *   mean  average over all tokens, special ones included
 *   cls   the first token        last  the last token
 *   max   largest value in each dimension
 *
 * Fewer dimensions than the model has: the first ones are kept, as models
 * trained for it intend (Matryoshka, arXiv 2205.13147), and scaled again.
 */
#ifndef MG_TASK_EMBED_H
#define MG_TASK_EMBED_H

#include "task/input.h"

typedef struct MgEmbedOptions
{
	MgSpan prompt;		/* put before each text; may be empty */
	size_t dims;		/* 0: all of the model's */
	bool normalize;		/* to length 1, if the model normalises at all */
	MgLongInput long_input;
	const MgRefusals *refusals; /* NULL: a text that is refused ends the call */
} MgEmbedOptions;

/* Dimensions that these options give; false when the model cannot embed or has fewer. */
bool mg_embed_dims(const MgRun *run, const MgEmbedOptions *options, size_t *dims);

/* out [n, dims]; texts of any number, batched inside. Adds to the run's usage. Polls. */
bool mg_embed(const MgRun *run, const MgEmbedOptions *options, const MgSpan *texts, size_t n, float *out);

/* Its parts, for tasks that make something else of vectors. The sequence of a text; vectors [n, dims] of one forward pass. */
bool mg_embed_sequence(const MgRun *run, const MgEmbedOptions *options, MgSpan text, MgSequence *sequence);
bool mg_embed_batch(const MgRun *run, const MgEmbedOptions *options, size_t dims, const MgSequence *sequences, size_t n,
					float *vectors);

/* To length 1; a vector of zeros stays. 1e-12 as torch.nn.functional.normalize has it. */
void mg_normalize(float *vector, size_t dims);

#endif
