/*
 * What decoders share: configuration, weights and forward pass. An architecture's file has the tables.
 *
 *   x [n, h] = word[id] (times word_scale; plus position[p], where positions are learned)
 *   each layer:
 *     q, k, v = x' Wq^T + bq, x' Wk^T + bk, x' Wv^T + bv,  x' = norm(x)     biases, and norms of q and k by head: where there are
 *     x = x + (softmax(cap(R q (R k)^T score_scale)) v) Wo^T + bo             a token sees itself and those before it
 *     x = x + (act(y Wg^T) * (y Wu^T)) Wd^T,  y = norm(x)                     or act(y Wu^T + bu) Wd^T + bd
 *   x = norm(x),  logits = cap(x word^T), or cap(x W^T)                     caps: where the file has them
 *
 * What layers may do otherwise stands in model/layer.h. Local layers see a window, and turn by the angles of local_theta.
 *
 * R turns by the angles p f_i s_i. The frequencies f_i = theta^(-2 i / d) are those of one of:
 *
 *   default, dynamic   f_i; dynamic ones differ beyond max_position_embeddings alone, where no sequence goes
 *   linear             f_i / factor
 *   llama3             f_i where a wave is short, f_i / factor where it is long, blended between (low_ and high_freq_factor)
 *   yarn               the same by the number of turns within the trained length (beta_fast, beta_slow; arXiv 2309.00071)
 *   longrope           f_i / short_factor[i] for sequences within the trained length, and longer ones are refused
 *
 * Cosines and sines are multiplied by attention_factor, which yarn and longrope have.
 *
 * A GGUF file of llama has rows of Wq and Wk in another order, so that pairs of a head stand side by side (interleaved), and may have
 * the divisors of frequencies as a tensor.
 */
#ifndef MG_MODEL_CAUSAL_H
#define MG_MODEL_CAUSAL_H

#include "model/layer.h"

typedef struct MgCausal
{
	MgSizes sizes;
	uint32_t heads, kv_heads; /* kv_heads 0: heads */
	uint32_t head_size;		  /* 0: width / heads */
	uint32_t intermediate;
	uint32_t activation; /* MgActivation */
	bool layer_norm;	 /* norms are those, not RMS */
	bool parallel;		 /* MgLayerForm */
	float eps;
	float word_scale;			 /* 0: 1 */
	float score_scale, soft_cap; /* of attention; 0: 1 / sqrt(head_size), none */
	float query_scalar; /* of Gemma's files */
	float logit_cap;	 /* logits are cap tanh(logits / cap); 0: they are not */
	uint32_t every;				   /* each such layer is global */
	uint32_t window; /* tokens that one sees, itself included; 0: all; with sizes.both_sides those around it */
	bool windowed;	 /* whether that holds, in layers that are local */
	bool has_global; /* whether global counts, or all layers are local */
	bool global[MG_MAX_LAYERS];
	float theta, local_theta; /* local_theta 0: theta */
	bool interleaved;
	bool own[2]; /* flags of an architecture's file, which looks at them when it settles */
	float partial;	 /* the part of a head that is turned; 0: all */
	uint32_t rotary; /* numbers of it; 0: by partial */
	MgSpan scaling; /* the name of it; empty: default */
	float factor, low_factor, high_factor, beta_fast, beta_slow;
	float attention_factor;		/* 0: what the scaling says */
	bool truncate; /* of yarn: the blend begins and ends at whole pairs */
	float magnitude, magnitude_all; /* of yarn; 0: not said */
	uint32_t original_longest; /* sequence that the model was trained on; 0: longest */
	const float *divisors;		  /* [half] of frequencies, of longrope; or NULL */
	uint32_t queries, keys, half; /* heads * head_size; kv_heads * head_size; rotary / 2 */
} MgCausal;

typedef struct MgCausalWeights
{
	MgMatrix words;			  /* [vocab, h] */
	MgMatrix positions;		  /* [longest, h]; without rows, positions are turned */
	const float *norm, *norm_bias; /* [h] */
	const float *rope_divisors; /* [half], or NULL */
	MgMatrix decoder;		  /* [vocab, h]; tied, the words */
} MgCausalWeights;

/* Members of an MgArch. */
bool mg_causal_settle(MgCtx *cx, const MgConfig *lists, void *config);
bool mg_causal_forward(const MgRun *run, const MgBatch *batch, float *out);
MgVocabulary mg_causal_vocabulary(const MgModel *model);
MgKeysForm mg_causal_keys_form(const MgModel *model);

/* Names of tensors as GGUF files have them, of those with Llama's. */
extern const MgRename mg_causal_gguf[];

/* Which layers are global: what layer_types says, or else each c->every-th one. */
void mg_causal_settle_layers(const MgConfig *lists, MgCausal *c);

/* Makes the longest sequence that of the training, as longrope's positions want it. */
void mg_causal_settle_longest(MgCtx *cx, MgCausal *c);

/* Rows of tables; a file defines LAYER as "layers.%u.", and Config and Weights as the structs above. */
#define MG_CAUSAL_ROPE_KEYS(object) \
	KEY(object ".rope_type", TEXT, scaling, 0, 0), \
	KEY(object ".factor", REAL, factor, 1, FLT_MAX), \
	KEY(object ".low_freq_factor", REAL, low_factor, 0, FLT_MAX), \
	KEY(object ".high_freq_factor", REAL, high_factor, 0, FLT_MAX), \
	KEY(object ".beta_fast", REAL, beta_fast, 0, FLT_MAX), \
	KEY(object ".beta_slow", REAL, beta_slow, 0, FLT_MAX), \
	KEY(object ".truncate", FLAG, truncate, 0, 0), \
	KEY(object ".attention_factor", REAL, attention_factor, 0, FLT_MAX), \
	KEY(object ".mscale", REAL, magnitude, 0, FLT_MAX), \
	KEY(object ".mscale_all_dim", REAL, magnitude_all, 0, FLT_MAX), \
	KEY(object ".short_factor", LIST, sizes, 0, 0), \
	KEY(object ".partial_rotary_factor", REAL, partial, 0, 1), \
	KEY(object ".original_max_position_embeddings", SIZE, original_longest, 1, MG_MAX_POSITIONS)

#define MG_CAUSAL_SIZES \
	KEY("vocab_size", SIZE, sizes.vocab, 1, MG_MAX_VOCAB), \
	KEY("hidden_size", SIZE, sizes.width, 1, MG_MAX_WIDTH), \
	KEY("num_hidden_layers", SIZE, sizes.layers, 1, MG_MAX_LAYERS), \
	KEY("max_position_embeddings", SIZE, sizes.longest, 3, MG_MAX_POSITIONS), \
	KEY("tie_word_embeddings", FLAG, sizes.tied, 0, 0), \
	KEY("num_attention_heads", SIZE, heads, 1, MG_MAX_WIDTH), \
	KEY("intermediate_size", SIZE, intermediate, 1, MG_MAX_WIDTH), \
	KEY("hidden_act", ACTIVATION, activation, 0, 0)

#define MG_CAUSAL_TURNS \
	KEY("rope_theta", REAL, theta, 1, FLT_MAX), \
	KEY("partial_rotary_factor", REAL, partial, 0, 1), \
	KEY("rotary_dim", SIZE, rotary, 2, MG_MAX_WIDTH), \
	KEY("rope_parameters.rope_theta", REAL, theta, 1, FLT_MAX), \
	KEY("rope_interleaved", FLAG, interleaved, 0, 0), \
	KEY("sliding_window", SIZE, window, 1, MG_MAX_POSITIONS), \
	KEY("rope_scaling.type", TEXT, scaling, 0, 0), \
	MG_CAUSAL_ROPE_KEYS("rope_scaling"), \
	MG_CAUSAL_ROPE_KEYS("rope_parameters")

#define MG_CAUSAL_KEYS \
	MG_CAUSAL_SIZES, \
	KEY("num_key_value_heads", SIZE, kv_heads, 1, MG_MAX_WIDTH), \
	KEY("head_dim", SIZE, head_size, 1, MG_MAX_WIDTH), \
	KEY("rms_norm_eps", REAL, eps, 0, FLT_MAX), \
	MG_CAUSAL_TURNS

#define MG_CAUSAL_WEIGHTS_BEFORE \
	ONE(DECODER, WORDS, 0, VOCAB, WIDTH, "embed_tokens.weight", words), \
	EACH(VECTOR, 0, WIDTH, MG_ONE, "input_layernorm.weight", attention_norm), \
	EACH(LINEAR, 0, SIDE(queries), WIDTH, "self_attn.q_proj.weight", query), \
	EACH(LINEAR, 0, SIDE(keys), WIDTH, "self_attn.k_proj.weight", key), \
	EACH(LINEAR, 0, SIDE(keys), WIDTH, "self_attn.v_proj.weight", value)

#define MG_CAUSAL_WEIGHTS_AFTER \
	EACH(LINEAR, 0, WIDTH, SIDE(queries), "self_attn.o_proj.weight", output), \
	EACH(VECTOR, 0, WIDTH, MG_ONE, "post_attention_layernorm.weight", block_norm), \
	EACH(LINEAR, 0, SIDE(intermediate), WIDTH, "mlp.gate_proj.weight", gate), \
	EACH(LINEAR, 0, SIDE(intermediate), WIDTH, "mlp.up_proj.weight", up), \
	EACH(LINEAR, 0, WIDTH, SIDE(intermediate), "mlp.down_proj.weight", down), \
	ONE(DECODER, VECTOR, 0, WIDTH, MG_ONE, "norm.weight", norm), \
	ONE(DECODER, VECTOR, MG_OPTIONAL, SIDE(half), MG_ONE, "rope_freqs.weight", rope_divisors), \
	ONE(DECODER, WORDS, MG_TIED | MG_OPTIONAL, VOCAB, WIDTH, "lm_head.weight", decoder)

#endif
