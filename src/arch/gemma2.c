/*
 * Gemma 2 (arXiv 2408.00118): the formulas of model/causal.h with words times sqrt(h), norms of what each block adds, and soft caps of
 * scores and of logits.
 *
 *   x = x + norm(attention(norm(x))),  x = x + norm(feed_forward(norm(x)))
 *   scores = 50 tanh(q k / 50),  logits = 30 tanh(x word^T / 30)
 *
 * Each second layer sees all tokens, the others a window; all turn by one theta.
 *
 * Easy to get wrong: norms multiply by 1 + w; scores are divided by the root of query_pre_attn_scalar before they are capped, whatever a
 * head's size; the first layer is a local one. GGUF files do not say query_pre_attn_scalar: it is the size of a head, and in the model of 46
 * layers what a head has of the hidden size.
 */
#include <math.h>

#include "model/causal.h"
#include "model/tables.h"

typedef MgCausal Config;
typedef MgCausalWeights Weights;

static const Config defaults = {.sizes = {.layers = 26, .width = 2304, .vocab = 256000, .longest = 8192, .tied = true}, .heads = 8,
								.kv_heads = 4, .head_size = 256, .intermediate = 9216, .activation = MG_ACT_GELU_TANH, .eps = 1e-6f,
								.theta = 10000, .soft_cap = 50, .logit_cap = 30, .windowed = true, .window = 4096, .has_global = true, .every = 2,
								.factor = 1, .low_factor = 1, .high_factor = 4, .beta_fast = 32, .beta_slow = 1, .truncate = true};

static const MgKey keys[] = {
	MG_CAUSAL_KEYS,
	KEY("hidden_activation", ACTIVATION, activation, 0, 0),
	KEY("query_pre_attn_scalar", REAL, query_scalar, 0, FLT_MAX),
	KEY("attn_logit_softcapping", CAP, soft_cap, 0, FLT_MAX),
	KEY("final_logit_softcapping", CAP, logit_cap, 0, FLT_MAX),
	KEY("sliding_window_pattern", SIZE, every, 1, MG_MAX_LAYERS),
	KEY("layer_types", LIST, sizes, 0, 0),
};

enum { DECODER };

#define LAYER "layers.%u."

static const MgWeightSpec weights[] = {
	ONE(DECODER, WORDS, 0, VOCAB, WIDTH, "embed_tokens.weight", words),
	EACH(VECTOR, MG_LESS_ONE, WIDTH, MG_ONE, "input_layernorm.weight", attention_norm),
	EACH(LINEAR, 0, SIDE(queries), WIDTH, "self_attn.q_proj.weight", query),
	EACH(LINEAR, 0, SIDE(keys), WIDTH, "self_attn.k_proj.weight", key),
	EACH(LINEAR, 0, SIDE(keys), WIDTH, "self_attn.v_proj.weight", value),
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

static const MgClass classes[] = {{"Gemma2ForCausalLM", DECODER}, {"Gemma2Model", DECODER}, {NULL, 0}};
static const char *const prefixes[] = {"model.", "", NULL};
static const char *const ignored[] = {"lm_head.weight", NULL};

static const MgRename gguf[] = {
	{"embed_tokens", "token_embd"}, {"norm", "output_norm"}, {"lm_head", "output"}, {"rope_freqs", "rope_freqs"},
	{"layers.%u.input_layernorm", "blk.%u.attn_norm"}, {"layers.%u.self_attn.q_proj", "blk.%u.attn_q"},
	{"layers.%u.self_attn.k_proj", "blk.%u.attn_k"}, {"layers.%u.self_attn.v_proj", "blk.%u.attn_v"},
	{"layers.%u.self_attn.o_proj", "blk.%u.attn_output"}, {"layers.%u.post_attention_layernorm", "blk.%u.post_attention_norm"},
	{"layers.%u.pre_feedforward_layernorm", "blk.%u.ffn_norm"}, {"layers.%u.mlp.gate_proj", "blk.%u.ffn_gate"},
	{"layers.%u.mlp.up_proj", "blk.%u.ffn_up"}, {"layers.%u.mlp.down_proj", "blk.%u.ffn_down"},
	{"layers.%u.post_feedforward_layernorm", "blk.%u.post_ffw_norm"}, {NULL, NULL}};

static bool
settle(MgCtx *cx, const MgConfig *lists, void *config)
{
	Config *c = config;

	if (!mg_causal_settle(cx, lists, config))
		return false;
	if (c->query_scalar == 0)
		c->query_scalar = c->sizes.layers == 46 ? (float) (c->sizes.width / c->heads) : (float) c->head_size;
	c->score_scale = 1.0f / sqrtf(c->query_scalar);
	c->word_scale = sqrtf((float) c->sizes.width);
	mg_causal_settle_layers(lists, c);
	return true;
}

const MgArch mg_arch_gemma2 = {
	.name = "gemma2",
	TABLES,
	.can = {[DECODER] = MG_CAN_EMBED | MG_CAN_GENERATE},
	.gguf = {"gemma2", gguf, false},
	.settle = settle,
	.forward = mg_causal_forward,
	.vocabulary = mg_causal_vocabulary,
	.keys_form = mg_causal_keys_form,
};
