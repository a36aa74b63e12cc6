/*
 * How GGUF files store numbers: in blocks of some elements of a row, each with scales of its own. With q the codes,
 * d and m of float16 and s of few bits:
 *
 *   Q4_0 d (q - 8)   Q4_1 d q + m   Q5_0 d (q - 16)   Q5_1 d q + m   Q8_0 d q       32 elements
 *   IQ4_NL d v[q], v a fixed table of 16 numbers                                     32
 *   Q2_K, Q4_K, Q5_K   d s q - m s'     Q3_K, Q6_K   d s q                          256, in parts of 16 or 32
 *
 * Source: ggml's documentation and its reference functions; the arithmetic is done in their order, so that the numbers are theirs.
 */
#ifndef MG_FORMAT_GGUF_BLOCKS_H
#define MG_FORMAT_GGUF_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/dtype.h"

typedef struct MgBlockType
{
	const char *name;
	uint32_t number;  /* that files have for it */
	size_t elements;  /* of a block; 1: numbers that stand for themselves */
	size_t size;	  /* bytes of a block */
	bool readable;
	MgDtype dtype; /* of 1 element; of more, the type of an image that comes closest */
	void (*widen)(const uint8_t *block, float *numbers); /* NULL for 1 element */
} MgBlockType;

/* The type of that number, or NULL. */
const MgBlockType *mg_block_type(uint32_t number);

/* n elements, whole blocks of them, to float32. */
void mg_blocks_widen(const MgBlockType *type, const uint8_t *blocks, size_t n, float *numbers);

/* n elements to the groups of dtype (core/dtype.h) without a loss; false where that cannot be: widen and quantise them. */
bool mg_blocks_group(const MgBlockType *type, const uint8_t *blocks, size_t n, MgDtype dtype, uint8_t *groups);

#endif
