/*
 * GPT-2 (Radford and others, 2019), and what is built like it: the formulas of model/causal.h with learned positions, layer norms
 * and biases everywhere, and a plain feed-forward block.
 *
 * Easy to get wrong: the matrices of layers are stored [in, out] ("Conv1D"), queries, keys and values side by side; the activation is
 * gelu by tanh; the words make the logits, and what calls itself a bias of attention is a mask.
 */
#include "model/causal.h"
#include "model/tables.h"

typedef MgCausal Config;
typedef MgCausalWeights Weights;

static const Config defaults = {.sizes = {.layers = 12, .width = 768, .vocab = 50257, .longest = 1024, .tied = true}, .heads = 12,
								.activation = MG_ACT_GELU_TANH, .eps = 1e-5f, .layer_norm = true, .own = {true, false}};

/* Old names, and those of newer architectures, which GGUF files come with. */
static const MgKey keys[] = {
	KEY("vocab_size", SIZE, sizes.vocab, 1, MG_MAX_VOCAB),
	KEY("n_embd", SIZE, sizes.width, 1, MG_MAX_WIDTH),
	KEY("hidden_size", SIZE, sizes.width, 1, MG_MAX_WIDTH),
	KEY("n_layer", SIZE, sizes.layers, 1, MG_MAX_LAYERS),
	KEY("num_hidden_layers", SIZE, sizes.layers, 1, MG_MAX_LAYERS),
	KEY("n_positions", SIZE, sizes.longest, 3, MG_MAX_POSITIONS),
	KEY("max_position_embeddings", SIZE, sizes.longest, 3, MG_MAX_POSITIONS),
	KEY("n_head", SIZE, heads, 1, MG_MAX_WIDTH),
	KEY("num_attention_heads", SIZE, heads, 1, MG_MAX_WIDTH),
	KEY("n_inner", SIZE, intermediate, 1, MG_MAX_WIDTH),
	KEY("intermediate_size", SIZE, intermediate, 1, MG_MAX_WIDTH),
	KEY("activation_function", ACTIVATION, activation, 0, 0),
	KEY("layer_norm_epsilon", REAL, eps, 0, FLT_MAX),
	KEY("layer_norm_eps", REAL, eps, 0, FLT_MAX),
	KEY("tie_word_embeddings", FLAG, sizes.tied, 0, 0),
	KEY("scale_attn_weights", FLAG, own[0], 0, 0),
	KEY("scale_attn_by_inverse_layer_idx", FLAG, own[1], 0, 0),
};

enum { DECODER };

#define LAYER "h.%u."
#define WIDE SIDE(intermediate)

static const MgWeightSpec weights[] = {
	ONE(DECODER, WORDS, 0, VOCAB, WIDTH, "wte.weight", words),
	ONE(DECODER, TABLE, 0, SIDE(sizes.longest), WIDTH, "wpe.weight", positions),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "ln_1.weight", attention_norm),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "ln_1.bias", attention_norm_bias),
	SHARE(LINEAR, MG_TRANSPOSED, WIDTH, WIDTH, "attn.q.weight", query, "attn.c_attn.weight", 0),
	SHARE(LINEAR, MG_TRANSPOSED, WIDTH, WIDTH, "attn.k.weight", key, "attn.c_attn.weight", 0),
	SHARE(LINEAR, MG_TRANSPOSED, WIDTH, WIDTH, "attn.v.weight", value, "attn.c_attn.weight", 0),
	SHARE(VECTOR, 0, WIDTH, MG_ONE, "attn.q.bias", query_bias, "attn.c_attn.bias", 0),
	SHARE(VECTOR, 0, WIDTH, MG_ONE, "attn.k.bias", key_bias, "attn.c_attn.bias", 0),
	SHARE(VECTOR, 0, WIDTH, MG_ONE, "attn.v.bias", value_bias, "attn.c_attn.bias", 0),
	EACH(LINEAR, MG_TRANSPOSED, WIDTH, WIDTH, "attn.c_proj.weight", output),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attn.c_proj.bias", output_bias),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "ln_2.weight", block_norm),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "ln_2.bias", block_norm_bias),
	EACH(LINEAR, MG_TRANSPOSED, WIDE, WIDTH, "mlp.c_fc.weight", up),
	EACH(VECTOR, 0, WIDE, MG_ONE, "mlp.c_fc.bias", up_bias),
	EACH(LINEAR, MG_TRANSPOSED, WIDTH, WIDE, "mlp.c_proj.weight", down),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "mlp.c_proj.bias", down_bias),
	ONE(DECODER, VECTOR, 0, WIDTH, MG_ONE, "ln_f.weight", norm),
	ONE(DECODER, VECTOR, 0, WIDTH, MG_ONE, "ln_f.bias", norm_bias),
	ONE(DECODER, WORDS, MG_TIED | MG_OPTIONAL, VOCAB, WIDTH, "lm_head.weight", decoder),
};

static const MgClass classes[] = {{"GPT2LMHeadModel", DECODER}, {"GPT2Model", DECODER}, {NULL, 0}};
static const char *const prefixes[] = {"transformer.", "", NULL};
static const char *const ignored[] = {"lm_head.weight", "*.attn.bias", "*.attn.masked_bias", NULL};

static const MgRename gguf[] = {
	{"wte", "token_embd"}, {"wpe", "position_embd"}, {"ln_f", "output_norm"}, {"lm_head", "output"},
	{"h.%u.ln_1", "blk.%u.attn_norm"}, {"h.%u.attn.c_attn", "blk.%u.attn_qkv"}, {"h.%u.attn.c_proj", "blk.%u.attn_output"},
	{"h.%u.ln_2", "blk.%u.ffn_norm"}, {"h.%u.mlp.c_fc", "blk.%u.ffn_up"}, {"h.%u.mlp.c_proj", "blk.%u.ffn_down"}, {NULL, NULL}};

static bool
settle(MgCtx *cx, const MgConfig *lists, void *config)
{
	Config *c = config;

	if (!c->own[0] || c->own[1])
		return mg_fail(cx, MG_UNSUPPORTED, "\"%s\" of architecture gpt2 is not supported",
					   c->own[1] ? "scale_attn_by_inverse_layer_idx" : "scale_attn_weights");
	if (c->intermediate == 0)
		c->intermediate = c->sizes.width > MG_MAX_WIDTH / 4 ? MG_MAX_WIDTH : 4 * c->sizes.width;
	return mg_causal_settle(cx, lists, config);
}

const MgArch mg_arch_gpt2 = {
	.name = "gpt2",
	TABLES,
	.can = {[DECODER] = MG_CAN_EMBED | MG_CAN_GENERATE},
	.gguf = {"gpt2", gguf, false},
	.settle = settle,
	.forward = mg_causal_forward,
	.vocabulary = mg_causal_vocabulary,
	.keys_form = mg_causal_keys_form,
};
