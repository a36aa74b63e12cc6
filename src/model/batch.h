/*
 * A packed batch: sequences end to end, never padded.
 *
 *   ids      | CLS a b SEP | CLS c SEP | CLS d e f SEP |
 *   offsets  0             4           7               12
 *
 * rows lists, in ascending order, the tokens whose final states are wanted;
 * the last layer runs on them alone.
 *
 * A token stands at a position and belongs to a segment (token type): the first
 * or the second text of a pair. A sequence may continue one whose keys a cache
 * holds: past counts these, and its slot says where they are.
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
	const uint32_t *positions; /* [n_tokens], ascending in each sequence; NULL: past, past + 1, ... */
	const uint8_t *segments;   /* [n_tokens], each below the architecture's number of them; NULL: all 0 */
	const uint32_t *past;	   /* [n_sequences]; NULL: all 0 */
	const uint32_t *slots;	   /* [n_sequences], all different; NULL: 0, 1, 2 ... */
} MgBatch;

static inline uint32_t
mg_batch_past(const MgBatch *batch, size_t sequence)
{
	return batch->past != NULL ? batch->past[sequence] : 0;
}

static inline uint32_t
mg_batch_slot(const MgBatch *batch, size_t sequence)
{
	return batch->slots != NULL ? batch->slots[sequence] : (uint32_t) sequence;
}

/* Of a token of that sequence. */
static inline uint32_t
mg_batch_position(const MgBatch *batch, size_t sequence, size_t token)
{
	return batch->positions != NULL ? batch->positions[token]
									: mg_batch_past(batch, sequence) + (uint32_t) (token - batch->offsets[sequence]);
}

static inline uint32_t
mg_batch_segment(const MgBatch *batch, size_t token)
{
	return batch->segments != NULL ? batch->segments[token] : 0;
}

#endif
