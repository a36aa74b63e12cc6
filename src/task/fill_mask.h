/*
 * The words that fit in place of each [MASK] of a text, by the masked-LM head:
 * probabilities are the softmax over the whole vocabulary.
 */
#ifndef MG_TASK_FILL_MASK_H
#define MG_TASK_FILL_MASK_H

#include "task/input.h"

typedef struct MgFillMaskOptions
{
	size_t top_k;			/* 1 .. vocabulary; with targets, at most as many as they are */
	const MgSpan *targets;	/* [n_targets]: only these words are ranked; each is one token */
	size_t n_targets;
	MgLongInput long_input; /* a cut text must still hold a mask */
} MgFillMaskOptions;

typedef struct MgFilled
{
	int32_t mask;	 /* 1, 2, ... in the order of the text */
	int32_t rank;	 /* 1: the best */
	int32_t token_id;
	MgSpan token;
	float score;	 /* probability */
	MgSpan sequence; /* the text, as tokens joined, with this one mask filled */
} MgFilled;

/* Result in arena memory, ordered by mask and rank. Adds to the run's usage. Polls. */
bool mg_fill_mask(const MgRun *run, const MgFillMaskOptions *options, MgSpan text, MgFilled **filled, size_t *n_filled);

/* The error of a model without a masked-LM head, or true. */
bool mg_needs_masks(const MgRun *run);

#endif
