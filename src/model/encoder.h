/*
 * Encoders that are normalised after each block: BERT and its family. They differ in names, in
 * what says where a token stands, in the width of their embeddings, and in a gate.
 *
 *   e  [n, w] = norm(word[id] + position[first + i] + type[segment])
 *   x  [n, h] = e P^T + p,  or e where w = h
 *   each layer (post-norm, model/layer.h):
 *     a = softmax(R q (R k)^T / sqrt(h / heads) + t) v,   q, k, v = x W^T + b
 *     x = norm(x + a Wo^T + bo)
 *     x = norm(x + act(x W1^T + b1) W2^T + b2),  W1 [intermediate, h]
 *     or norm(x + (act(x Wg^T) * (x W1^T)) W2^T + b2)
 *
 * A term that the weights lack is left out: positions, types, biases, and t, which a head has for each bucket of distances
 * (tensor/relative.h). R turns where there is a theta, and else does nothing.
 *
 * Where positions begin behind the padding token's, as RoBERTa's do, that token
 * itself stands at its id and is not counted.
 */
#ifndef MG_MODEL_ENCODER_H
#define MG_MODEL_ENCODER_H

#include "model/classes.h"
#include "model/layer.h"
#include "tensor/relative.h"

/* The struct of configuration of such an architecture. */
typedef struct MgEncoderConfig
{
	MgSizes sizes; /* width h; longest follows from rows and first */
	uint32_t embedding;	 /* width w; 0: h */
	uint32_t rows;		 /* of the table of positions; without one, the longest sequence */
	uint32_t pad;		 /* id of the padding token */
	bool behind_pad;	 /* positions begin at pad + 1 instead of 0 */
	uint32_t heads;		 /* divides h */
	uint32_t intermediate;
	uint32_t activation; /* MgActivation of the feed-forward block */
	uint32_t word_activation;  /* of the masked head; 0: activation */
	uint32_t class_activation; /* of the head for classes of a sequence */
	float eps;
	MgSpan positions; /* kind of position embeddings */
	float theta;	  /* of rotary positions; 0: none */
	float stretch;	  /* of them: frequencies (theta stretch)^(-2 i / d) stretch^(-2 / d), d = h / heads; 0: 1 */
	uint32_t half;	  /* of them in a head: d / 2 */
	bool fused_gate;  /* MgLayerForm */
	uint32_t buckets, distance; /* of t, and the greatest that they tell apart */
	uint32_t table, normed;		/* sides of weights that may be absent; 0: they are */
	bool to_keys, to_queries;	/* MgDistances */
	struct			  /* of an architecture's file, which looks at them when it settles */
	{
		MgSpan texts[2];
		float reals[2];
		uint32_t sizes[2];
		bool flags[3];
	} own;
} MgEncoderConfig;

typedef struct MgEmbeddings
{
	MgMatrix words, positions, types; /* [vocab, w], [rows, w], [segments, w]; the latter two may be absent */
	const float *norm, *norm_bias;	  /* [w] */
	MgMatrix project;				  /* [h, w]; there if w is not h */
	const float *project_bias;
} MgEmbeddings;

/*
 * The struct of weights of such an architecture. Its heads, where a checkpoint has them:
 *
 *   words     y = norm(act(x A^T + a)),  logits = y V^T + b,  V [vocab, d]
 *   classes   act(x[0] D^T + d) C^T + c, of a sequence;  x T^T + t, of tokens
 */
typedef struct MgEncoderWeights
{
	MgEmbeddings embeddings;
	MgMatrix relative; /* t [buckets, heads] */
	MgMatrix transform, decoder; /* A [d, h], V; tied, the words */
	const float *transform_bias, *transform_norm, *transform_norm_bias;
	const float *decoder_bias, *vocabulary_bias; /* b, under two names: the first one counts */
	MgMatrix dense, classifier, tagger; /* D [h, h], C [labels, h], T the same */
	const float *dense_bias, *classifier_bias, *tagger_bias;
	MgMatrix replaced_dense, replaced; /* [h, h], [1, h]: of ELECTRA */
	const float *replaced_dense_bias, *replaced_bias;
} MgEncoderWeights;

/* x [n, h] of the embeddings above. */
bool mg_encoder_embed(const MgRun *run, const MgEmbeddings *embeddings, const MgBatch *batch, float *x);

/* By buckets of distances, what scores of all heads gain: t [buckets, heads] as T5 has it. False when memory ends. */
bool mg_bucket_bias(MgCtx *cx, const MgMatrix *t, uint32_t distance, MgRelative *relative);

/* Whether so many buckets, up to that distance, make sense; else says why not. */
bool mg_check_buckets(MgCtx *cx, uint32_t buckets, uint32_t distance);

/* The functions of such an architecture, as MgArch has them. The first checks what keys alone cannot, and sets labels and the longest sequence. */
bool mg_encoder_settle(MgCtx *cx, const MgConfig *lists, void *config);
bool mg_encoder_forward(const MgRun *run, const MgBatch *batch, float *out);
bool mg_encoder_head(const MgRun *run, const float *states, size_t n, float *out);
MgVocabulary mg_encoder_vocabulary(const MgModel *model);
MgClassHead mg_encoder_sequence_head(const MgModel *model);
MgClassHead mg_encoder_token_head(const MgModel *model);

#endif
