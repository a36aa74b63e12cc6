/*
 * Encoders of BERT's family: BERT, RoBERTa, ELECTRA. They differ in names, in where
 * positions begin, and in the width of their embeddings.
 *
 *   e  [n, w] = norm(word[id] + position[first + i] + type[segment])
 *   x  [n, h] = e P^T + p,  or e where w = h
 *   each layer (post-norm, model/layer.h):
 *     a = softmax(q k^T / sqrt(h / heads)) v,   q, k, v = x W^T + b
 *     x = norm(x + a Wo^T + bo)
 *     x = norm(x + act(x W1^T + b1) W2^T + b2),  W1 [intermediate, h]
 *
 * Where positions begin behind the padding token's, as RoBERTa's do, that token
 * itself stands at its id and is not counted.
 */
#ifndef MG_MODEL_ENCODER_H
#define MG_MODEL_ENCODER_H

#include "model/layer.h"

/* The struct of configuration of such an architecture. */
typedef struct MgEncoderConfig
{
	MgSizes sizes; /* width h; longest follows from rows and first */
	uint32_t embedding;	 /* width w; 0: h */
	uint32_t rows;		 /* of the table of positions */
	uint32_t pad;		 /* id of the padding token */
	bool behind_pad;	 /* positions begin at pad + 1 instead of 0 */
	uint32_t heads;		 /* divides h */
	uint32_t intermediate;
	uint32_t activation; /* MgActivation of the feed-forward block */
	float eps;
	MgSpan positions; /* kind of position embeddings */
} MgEncoderConfig;

typedef struct MgEmbeddings
{
	MgMatrix words, positions, types; /* [vocab, w], [rows, w], [segments, w] */
	const float *norm, *norm_bias;	  /* [w] */
	MgMatrix project;				  /* [h, w]; there if w is not h */
	const float *project_bias;
} MgEmbeddings;

/* Checks what keys alone cannot, and sets labels and the longest sequence. */
bool mg_encoder_settle(MgCtx *cx, const MgConfig *lists, MgEncoderConfig *config);

/* The forward pass of such an architecture, as MgArch has it. */
bool mg_encoder_forward(const MgRun *run, const MgEmbeddings *embeddings, const MgBatch *batch, float *out);

#endif
