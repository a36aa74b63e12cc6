/*
 * Hyperparameters: what a checkpoint's configuration says, in the terms that
 * all architectures share. Stored in the image as it stands (see image.h), so
 * fields are only ever added at the end.
 */
#ifndef MG_MODEL_HYPER_H
#define MG_MODEL_HYPER_H

#include <stdint.h>

typedef struct MgHyper
{
	uint32_t vocab_size;
	uint32_t hidden;	   /* width of a token's state */
	uint32_t layers;
	uint32_t heads;		   /* divides hidden */
	uint32_t intermediate; /* width inside the feed-forward block */
	uint32_t positions;	   /* learned positions, and so the longest sequence */
	uint32_t types;		   /* token types (segments) */
	uint32_t activation;   /* MgActivation of the feed-forward block */
	float norm_eps;		   /* of layer normalisation */
	uint32_t tied;		   /* 1: the vocabulary matrix is the word embeddings */
} MgHyper;

/* Bounds that keep every product of two of them, in bytes, far below 2^63. */
#define MG_MAX_VOCAB 4000000
#define MG_MAX_HIDDEN 65536
#define MG_MAX_LAYERS 512
#define MG_MAX_POSITIONS 1048576

#endif
