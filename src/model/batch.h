/*
 * A packed batch: sequences end to end, never padded.
 *
 *   ids      | CLS a b SEP | CLS c SEP | CLS d e f SEP |
 *   offsets  0             4           7               12
 *
 * rows lists, in ascending order, the tokens whose final states are wanted;
 * the last layer runs on them alone.
 */
#ifndef MG_MODEL_BATCH_H
#define MG_MODEL_BATCH_H

#include <stddef.h>
#include <stdint.h>

typedef struct MgBatch
{
	size_t n_sequences;
	size_t n_tokens;
	const int32_t *ids;		 /* [n_tokens], each in [0, vocab_size) */
	const uint32_t *offsets; /* [n_sequences + 1] */
	size_t n_rows;
	const uint32_t *rows; /* [n_rows], ascending; NULL: all tokens, and n_rows = n_tokens */
} MgBatch;

#endif
