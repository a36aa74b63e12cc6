/*
 * Layers of transformers. An architecture's table of weights fills an MgLayer for
 * each layer, an MgLayerForm says what the layers have in common, and its forward
 * pass is
 *
 *   MgStates states;
 *
 *   if (!mg_states_init(run, &form, batch, n_layers, out, &states)) ...
 *   embeddings go to states.x
 *   mg_layer(run, &form, &layer, &states) for each layer
 *
 *   post-norm (BERT)                        pre-norm (ModernBERT, Llama)
 *     a = attention(x)                        a = attention(norm1(x)), or of x where there is no norm1
 *     x = norm1(x + a Wo^T + bo)              x = x + a Wo^T + bo
 *     x = norm2(x + feed_forward(x))          x = x + feed_forward(norm2(x))
 *
 * Pre-norm, what a block adds may be normalised once more (Gemma), and the feed-forward block may see the states
 * that attention sees (GPT-NeoX, parallel): x = x + a Wo^T + bo + feed_forward(norm2(x)).
 *
 * Where the batch wants some rows only, the last layer has keys and values of
 * all tokens, and everything else of these rows alone.
 */
#ifndef MG_MODEL_LAYER_H
#define MG_MODEL_LAYER_H

#include "model/blocks.h"
#include "tensor/relative.h"
#include "tensor/rope.h"

/* What a checkpoint does not have is zeros: a matrix without rows, or NULL. h is the width of states. */
typedef struct MgLayer
{
	MgMatrix query, key, value; /* [heads * head_size, h]; [kv_heads * head_size, h] twice */
	MgMatrix qkv;				/* or one matrix: the rows of query, of key and of value */
	MgMatrix output;			/* [h, heads * head_size] */
	MgMatrix up, gate, down;	/* [i, h], or fused [2 i, h]; [i, h]; [h, i] */
	const float *query_bias, *key_bias, *value_bias, *qkv_bias, *output_bias;
	const float *up_bias, *gate_bias, *down_bias;
	const float *query_norm, *key_norm; /* [head_size]: of each head, before it is turned */
	const float *attention_norm, *attention_norm_bias; /* [h]: norm1 */
	const float *block_norm, *block_norm_bias;		   /* [h]: norm2 */
	const float *attention_out_norm, *block_out_norm;  /* [h]: of what a block adds */
} MgLayer;

/* States of distances, that queries and keys of a layer meet by the layer's own matrices of keys and queries (DeBERTa). */
typedef struct MgDistances
{
	const float *states;	  /* [places of relative, h] */
	bool to_keys, to_queries; /* which of MgRelative's terms: q . a, k . b */
} MgDistances;

/* Layers of one model may differ in it, as local and global ones do in window and rope. */
typedef struct MgLayerForm
{
	size_t width;
	size_t heads, kv_heads, head_size; /* kv_heads 0: heads */
	bool pre_norm;
	bool parallel; /* of pre_norm: both blocks see the states before the layer */
	MgNormKind norm;
	float eps;
	MgActivation activation;
	bool fused_gate; /* up has the rows of gate, too */

	/* Of attention, as in MgAttendBatch. */
	float scale, soft_cap;
	const MgWindow *window;
	void (*bias)(const void *user, const MgScores *scores);
	const void *bias_user;
	const MgRelative *relative;
	const MgDistances *distances; /* NULL: none; else with relative, whose keys and queries follow from them */
	const MgRope *rope; /* of the batch's tokens; NULL: none */
} MgLayerForm;

/* States between layers, and scratch of them. Lives until the caller rewinds. */
typedef struct MgStates
{
	const MgBatch *batch;
	float *x;	/* [n, h]; n: all tokens of the batch, or, after the last layer, the wanted rows */
	size_t n;
	float *out; /* where the last layer leaves x, if the batch wants some rows only; else x is out */
	size_t layers_left;
	MgKeys *keys; /* of the run, those of the next layer; NULL: none */
	float *qkv;		 /* [n_tokens, (heads + 2 kv_heads) * head_size] */
	float *query;	 /* [n_rows, heads * head_size] of the last layer */
	float *attended; /* [n_tokens, heads * head_size] */
	float *normed;	 /* [n_tokens, h], of a pre-norm layer */
	float *block;	 /* [n_tokens, h] a block's output before it is added */
} MgStates;

/* x [n_tokens, h]: rows of a table of words, by the batch's ids. */
void mg_batch_words(const MgMatrix *words, const MgBatch *batch, float *x);

/* A head's transform: out [n, d] = norm(act(states W^T + b)), linear being that product to out, whose rows may be wider: zeros follow. */
bool mg_transform(const MgRun *run, const float *states, size_t n, MgLinear linear, MgNorm norm);

/* The rotary positions of a batch's tokens. False when memory ends. */
bool mg_batch_rope(MgCtx *cx, const MgBatch *batch, float theta, size_t width, MgRope *rope);

/* The same by frequencies [width / 2]. */
bool mg_batch_turns(MgCtx *cx, const MgBatch *batch, const float *frequencies, size_t width, MgRope *rope);

/* out [n_rows, h] is where the last of n_layers leaves its states. */
bool mg_states_init(const MgRun *run, const MgLayerForm *form, const MgBatch *batch, size_t n_layers, float *out,
					MgStates *states);

/* Polls; false when stopped or out of memory. */
bool mg_layer(const MgRun *run, const MgLayerForm *form, const MgLayer *layer, MgStates *states);

#endif
