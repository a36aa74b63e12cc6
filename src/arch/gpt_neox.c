/*
 * GPT-NeoX and Pythia (arXiv 2204.06745): the formulas of model/causal.h with layer norms, biases and a plain feed-forward block, which
 * sees the states that attention sees.
 *
 * Easy to get wrong: queries, keys and values come in one matrix head by head, q k v q k v; rotary_pct of a head is turned, and the rest
 * stays; use_parallel_residual may be false; words and logits have matrices of their own, that of logits under one of two names.
 */
#include "model/causal.h"
#include "model/tables.h"

typedef MgCausal Config;
typedef MgCausalWeights Weights;

static const Config defaults = {.sizes = {.layers = 44, .width = 6144, .vocab = 50432, .longest = 2048}, .heads = 64,
								.intermediate = 24576, .activation = MG_ACT_GELU, .eps = 1e-5f, .layer_norm = true, .parallel = true,
								.theta = 10000, .partial = 0.25f, .factor = 1, .low_factor = 1, .high_factor = 4, .beta_fast = 32,
								.beta_slow = 1, .truncate = true};

static const MgKey keys[] = {
	MG_CAUSAL_SIZES,
	MG_CAUSAL_TURNS,
	KEY("layer_norm_eps", REAL, eps, 0, FLT_MAX),
	KEY("rotary_pct", REAL, partial, 0, 1),
	KEY("rotary_emb_base", REAL, theta, 1, FLT_MAX),
	KEY("use_parallel_residual", FLAG, parallel, 0, 0),
};

enum { DECODER };

#define LAYER "layers.%u."
#define WIDE SIDE(intermediate)
#define HEAD SIDE(head_size)

static const MgWeightSpec weights[] = {
	ONE(DECODER, WORDS, 0, VOCAB, WIDTH, "embed_in.weight", words),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "input_layernorm.weight", attention_norm),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "input_layernorm.bias", attention_norm_bias),
	SHARE(LINEAR, 0, WIDTH, WIDTH, "attention.query.weight", query, "attention.query_key_value.weight", HEAD),
	SHARE(LINEAR, 0, WIDTH, WIDTH, "attention.key.weight", key, "attention.query_key_value.weight", HEAD),
	SHARE(LINEAR, 0, WIDTH, WIDTH, "attention.value.weight", value, "attention.query_key_value.weight", HEAD),
	SHARE(VECTOR, MG_OPTIONAL, WIDTH, MG_ONE, "attention.query.bias", query_bias, "attention.query_key_value.bias", HEAD),
	SHARE(VECTOR, MG_OPTIONAL, WIDTH, MG_ONE, "attention.key.bias", key_bias, "attention.query_key_value.bias", HEAD),
	SHARE(VECTOR, MG_OPTIONAL, WIDTH, MG_ONE, "attention.value.bias", value_bias, "attention.query_key_value.bias", HEAD),
	EACH(LINEAR, 0, WIDTH, WIDTH, "attention.dense.weight", output),
	EACH(VECTOR, MG_OPTIONAL, WIDTH, MG_ONE, "attention.dense.bias", output_bias),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "post_attention_layernorm.weight", block_norm),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "post_attention_layernorm.bias", block_norm_bias),
	EACH(LINEAR, 0, WIDE, WIDTH, "mlp.dense_h_to_4h.weight", up),
	EACH(VECTOR, 0, WIDE, MG_ONE, "mlp.dense_h_to_4h.bias", up_bias),
	EACH(LINEAR, 0, WIDTH, WIDE, "mlp.dense_4h_to_h.weight", down),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "mlp.dense_4h_to_h.bias", down_bias),
	ONE(DECODER, VECTOR, 0, WIDTH, MG_ONE, "final_layer_norm.weight", norm),
	ONE(DECODER, VECTOR, 0, WIDTH, MG_ONE, "final_layer_norm.bias", norm_bias),
	ONE(DECODER, WORDS, MG_TIED | MG_OPTIONAL, VOCAB, WIDTH, "lm_head.weight", decoder),
};

static const MgClass classes[] = {{"GPTNeoXForCausalLM", DECODER}, {"GPTNeoXModel", DECODER}, {NULL, 0}};
static const char *const prefixes[] = {"gpt_neox.", "", NULL};
static const MgRename renames[] = {{"lm_head.weight", "embed_out.weight"}, {NULL, NULL}};
static const char *const ignored[] = {"lm_head.weight", "embed_out.weight", "*.attention.bias", "*.attention.masked_bias", "*.rotary_emb.inv_freq", NULL};

static const MgRename gguf[] = {
	{"embed_in", "token_embd"}, {"final_layer_norm", "output_norm"}, {"lm_head", "output"},
	{"layers.%u.input_layernorm", "blk.%u.attn_norm"}, {"layers.%u.attention.query_key_value", "blk.%u.attn_qkv"},
	{"layers.%u.attention.dense", "blk.%u.attn_output"}, {"layers.%u.post_attention_layernorm", "blk.%u.ffn_norm"},
	{"layers.%u.mlp.dense_h_to_4h", "blk.%u.ffn_up"}, {"layers.%u.mlp.dense_4h_to_h", "blk.%u.ffn_down"}, {NULL, NULL}};

const MgArch mg_arch_gpt_neox = {
	.name = "gpt_neox",
	TABLES,
	.can = {[DECODER] = MG_CAN_EMBED | MG_CAN_GENERATE},
	.renames = renames,
	.gguf = {"gptneox", gguf, false},
	.settle = mg_causal_settle,
	.forward = mg_causal_forward,
	.vocabulary = mg_causal_vocabulary,
	.keys_form = mg_causal_keys_form,
};
