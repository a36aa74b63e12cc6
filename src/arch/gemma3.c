/*
 * Gemma 3 (arXiv 2503.19786) of text: the formulas of model/causal.h with words times sqrt(h), norms of queries and keys by head, and
 * norms of what each block adds. EmbeddingGemma is the same model with attention to both sides.
 *
 *   x = x + norm(attention(norm(x))),  x = x + norm(feed_forward(norm(x)))
 *
 * Each sixth layer sees all tokens, the others a window.
 *
 * Easy to get wrong: norms multiply by 1 + w; scores are divided by the root of query_pre_attn_scalar, whatever a head's size; local
 * layers turn by another theta, and by no scaling; with use_bidirectional_attention half of the window is on each side. GGUF files do
 * not say query_pre_attn_scalar: it is the size of a head, and in the model of 62 layers what a head has of the hidden size.
 */
#include <math.h>

#include "model/causal.h"
#include "model/tables.h"

typedef MgCausal Config;
typedef MgCausalWeights Weights;

static const Config defaults = {.sizes = {.layers = 26, .width = 2304, .vocab = 262208, .longest = 131072, .tied = true}, .heads = 8,
								.kv_heads = 4, .head_size = 256, .intermediate = 9216, .activation = MG_ACT_GELU_TANH, .eps = 1e-6f,
								.theta = 1000000, .local_theta = 10000, .windowed = true, .window = 4096, .has_global = true, .every = 6,
								.factor = 1, .low_factor = 1, .high_factor = 4, .beta_fast = 32, .beta_slow = 1, .truncate = true};

static const MgKey keys[] = {
	MG_CAUSAL_KEYS,
	KEY("hidden_activation", ACTIVATION, activation, 0, 0),
	KEY("query_pre_attn_scalar", REAL, query_scalar, 0, FLT_MAX),
	KEY("attn_logit_softcapping", REAL, soft_cap, 0, FLT_MAX),
	KEY("final_logit_softcapping", REAL, logit_cap, 0, FLT_MAX),
	KEY("rope_local_base_freq", REAL, local_theta, 1, FLT_MAX),
	KEY("rope_parameters.sliding_attention.rope_theta", REAL, local_theta, 1, FLT_MAX),
	KEY("rope_parameters.full_attention.rope_theta", REAL, theta, 1, FLT_MAX),
	MG_CAUSAL_ROPE_KEYS("rope_parameters.full_attention"),
	KEY("sliding_window_pattern", SIZE, every, 1, MG_MAX_LAYERS),
	KEY("layer_types", LIST, sizes, 0, 0),
	KEY("use_bidirectional_attention", FLAG, sizes.both_sides, 0, 0),
};

enum { DECODER };

#define LAYER "layers.%u."

static const MgWeightSpec weights[] = {
	ONE(DECODER, WORDS, 0, VOCAB, WIDTH, "embed_tokens.weight", words),
	EACH(VECTOR, MG_LESS_ONE, WIDTH, MG_ONE, "input_layernorm.weight", attention_norm),
	EACH(LINEAR, 0, SIDE(queries), WIDTH, "self_attn.q_proj.weight", query),
	EACH(LINEAR, 0, SIDE(keys), WIDTH, "self_attn.k_proj.weight", key),
	EACH(LINEAR, 0, SIDE(keys), WIDTH, "self_attn.v_proj.weight", value),
	EACH(VECTOR, MG_LESS_ONE, SIDE(head_size), MG_ONE, "self_attn.q_norm.weight", query_norm),
	EACH(VECTOR, MG_LESS_ONE, SIDE(head_size), MG_ONE, "self_attn.k_norm.weight", key_norm),
	EACH(LINEAR, 0, WIDTH, SIDE(queries), "self_attn.o_proj.weight", output),
	EACH(VECTOR, MG_LESS_ONE, WIDTH, MG_ONE, "post_attention_layernorm.weight", attention_out_norm),
	EACH(VECTOR, MG_LESS_ONE, WIDTH, MG_ONE, "pre_feedforward_layernorm.weight", block_norm),
	EACH(LINEAR, 0, SIDE(intermediate), WIDTH, "mlp.gate_proj.weight", gate),
	EACH(LINEAR, 0, SIDE(intermediate), WIDTH, "mlp.up_proj.weight", up),
	EACH(LINEAR, 0, WIDTH, SIDE(intermediate), "mlp.down_proj.weight", down),
	EACH(VECTOR, MG_LESS_ONE, WIDTH, MG_ONE, "post_feedforward_layernorm.weight", block_out_norm),
	ONE(DECODER, VECTOR, MG_LESS_ONE, WIDTH, MG_ONE, "norm.weight", norm),
	ONE(DECODER, VECTOR, MG_OPTIONAL, SIDE(half), MG_ONE, "rope_freqs.weight", rope_divisors),
	ONE(DECODER, WORDS, MG_TIED | MG_OPTIONAL, VOCAB, WIDTH, "lm_head.weight", decoder),
};

static const MgClass classes[] = {{"Gemma3ForCausalLM", DECODER}, {"Gemma3TextModel", DECODER}, {NULL, 0}};
static const char *const prefixes[] = {"model.", "", NULL};
static const char *const ignored[] = {"lm_head.weight", NULL};

static const MgRename gguf[] = {
	{"embed_tokens", "token_embd"}, {"norm", "output_norm"}, {"lm_head", "output"}, {"rope_freqs", "rope_freqs"},
	{"layers.%u.input_layernorm", "blk.%u.attn_norm"}, {"layers.%u.self_attn.q_proj", "blk.%u.attn_q"},
	{"layers.%u.self_attn.k_proj", "blk.%u.attn_k"}, {"layers.%u.self_attn.v_proj", "blk.%u.attn_v"},
	{"layers.%u.self_attn.q_norm", "blk.%u.attn_q_norm"}, {"layers.%u.self_attn.k_norm", "blk.%u.attn_k_norm"},
	{"layers.%u.self_attn.o_proj", "blk.%u.attn_output"}, {"layers.%u.post_attention_layernorm", "blk.%u.post_attention_norm"},
	{"layers.%u.pre_feedforward_layernorm", "blk.%u.ffn_norm"}, {"layers.%u.mlp.gate_proj", "blk.%u.ffn_gate"},
	{"layers.%u.mlp.up_proj", "blk.%u.ffn_up"}, {"layers.%u.mlp.down_proj", "blk.%u.ffn_down"},
	{"layers.%u.post_feedforward_layernorm", "blk.%u.post_ffw_norm"}, {NULL, NULL}};

static bool
settle(MgCtx *cx, const MgConfig *lists, void *config)
{
	Config *c = config;

	/* Published files have none, and the reference reads it and goes on without. */
	if (c->soft_cap > 0)
		return mg_fail(cx, MG_UNSUPPORTED, "\"attn_logit_softcapping\" of architecture gemma3 is not supported");
	if (!mg_causal_settle(cx, lists, config))
		return false;
	if (c->query_scalar == 0)
		c->query_scalar = c->sizes.layers == 62 ? (float) (c->sizes.width / c->heads) : (float) c->head_size;
	c->score_scale = 1.0f / sqrtf(c->query_scalar);
	c->word_scale = sqrtf((float) c->sizes.width);
	mg_causal_settle_layers(lists, c);
	return true;
}

const MgArch mg_arch_gemma3 = {
	.name = "gemma3",
	TABLES,
	.can = {[DECODER] = MG_CAN_EMBED | MG_CAN_GENERATE},
	.gguf = {"gemma3", gguf, false},
	.settle = settle,
	.forward = mg_causal_forward,
	.vocabulary = mg_causal_vocabulary,
	.keys_form = mg_causal_keys_form,
};
