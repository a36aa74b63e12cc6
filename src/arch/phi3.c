/*
 * Phi-3 and Phi-4: the formulas of model/causal.h, as Llama has them, with matrices that a file packs: queries, keys and values, and gate
 * and up.
 *
 * Easy to get wrong: of gate_up_proj the first half is the gate; sliding_window counts; longrope says original_max_position_embeddings
 * outside of rope_scaling, and its angles for sequences within that are others than those beyond it. Sequences end there.
 */
#include "model/causal.h"
#include "model/tables.h"

typedef MgCausal Config;
typedef MgCausalWeights Weights;

static const Config defaults = {.sizes = {.layers = 32, .width = 3072, .vocab = 32064, .longest = 4096}, .heads = 32,
								.intermediate = 8192, .activation = MG_ACT_SILU, .eps = 1e-5f, .theta = 10000, .windowed = true,
								.factor = 1, .low_factor = 1, .high_factor = 4, .beta_fast = 32, .beta_slow = 1, .truncate = true};

static const MgKey keys[] = {
	MG_CAUSAL_KEYS, KEY("original_max_position_embeddings", SIZE, original_longest, 1, MG_MAX_POSITIONS)};

enum { DECODER };

#define LAYER "layers.%u."

static const MgWeightSpec weights[] = {
	ONE(DECODER, WORDS, 0, VOCAB, WIDTH, "embed_tokens.weight", words),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "input_layernorm.weight", attention_norm),
	SHARE(LINEAR, 0, SIDE(queries), WIDTH, "self_attn.q_proj.weight", query, "self_attn.qkv_proj.weight", 0),
	SHARE(LINEAR, 0, SIDE(keys), WIDTH, "self_attn.k_proj.weight", key, "self_attn.qkv_proj.weight", 0),
	SHARE(LINEAR, 0, SIDE(keys), WIDTH, "self_attn.v_proj.weight", value, "self_attn.qkv_proj.weight", 0),
	EACH(LINEAR, 0, WIDTH, SIDE(queries), "self_attn.o_proj.weight", output),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "post_attention_layernorm.weight", block_norm),
	SHARE(LINEAR, 0, SIDE(intermediate), WIDTH, "mlp.gate_proj.weight", gate, "mlp.gate_up_proj.weight", 0),
	SHARE(LINEAR, 0, SIDE(intermediate), WIDTH, "mlp.up_proj.weight", up, "mlp.gate_up_proj.weight", 0),
	EACH(LINEAR, 0, WIDTH, SIDE(intermediate), "mlp.down_proj.weight", down),
	ONE(DECODER, VECTOR, 0, WIDTH, MG_ONE, "norm.weight", norm),
	ONE(DECODER, VECTOR, MG_OPTIONAL, SIDE(half), MG_ONE, "rope_factors_short.weight", rope_divisors),
	ONE(DECODER, WORDS, MG_TIED | MG_OPTIONAL, VOCAB, WIDTH, "lm_head.weight", decoder),
};

static const MgClass classes[] = {{"Phi3ForCausalLM", DECODER}, {"Phi3Model", DECODER}, {NULL, 0}};
static const char *const prefixes[] = {"model.", "", NULL};
static const char *const ignored[] = {"lm_head.weight", "*.rotary_emb.inv_freq", "rope_factors_long.weight", NULL};

static const MgRename gguf[] = {
	{"embed_tokens", "token_embd"}, {"norm", "output_norm"}, {"lm_head", "output"},
	{"layers.%u.input_layernorm", "blk.%u.attn_norm"}, {"layers.%u.self_attn.qkv_proj", "blk.%u.attn_qkv"},
	{"layers.%u.self_attn.o_proj", "blk.%u.attn_output"}, {"layers.%u.post_attention_layernorm", "blk.%u.ffn_norm"},
	{"layers.%u.mlp.gate_up_proj", "blk.%u.ffn_up"}, {"layers.%u.mlp.down_proj", "blk.%u.ffn_down"}, {NULL, NULL}};

static bool
settle(MgCtx *cx, const MgConfig *lists, void *config)
{
	Config *c = config;

	/* A GGUF file has its factors as tensors, and no name for them. */
	if (c->scaling.size == 0)
		mg_causal_settle_longest(cx, c);
	return mg_causal_settle(cx, lists, config);
}

const MgArch mg_arch_phi3 = {
	.name = "phi3",
	TABLES,
	.can = {[DECODER] = MG_CAN_EMBED | MG_CAN_GENERATE},
	.gguf = {"phi3", gguf, false},
	.settle = settle,
	.forward = mg_causal_forward,
	.vocabulary = mg_causal_vocabulary,
	.keys_form = mg_causal_keys_form,
};
