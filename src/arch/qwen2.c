/*
 * Qwen2 and Qwen2.5: the formulas of model/causal.h with biases on queries, keys and values.
 *
 * Easy to get wrong: sliding_window stands in each file and counts only where use_sliding_window says so, and then in
 * layers from max_window_layers on alone, which is refused.
 */
#include "model/causal.h"
#include "model/tables.h"

typedef MgCausal Config;
typedef MgCausalWeights Weights;

static const Config defaults = {.sizes = {.layers = 32, .width = 4096, .vocab = 151936, .longest = 32768}, .heads = 32,
								.intermediate = 22016, .activation = MG_ACT_SILU, .eps = 1e-6f, .theta = 10000,
								.factor = 1, .low_factor = 1, .high_factor = 4, .beta_fast = 32, .beta_slow = 1, .truncate = true};

static const MgKey keys[] = {MG_CAUSAL_KEYS, KEY("use_sliding_window", FLAG, windowed, 0, 0)};

enum { DECODER };

#define LAYER "layers.%u."

static const MgWeightSpec weights[] = {
	MG_CAUSAL_WEIGHTS_BEFORE,
	EACH(VECTOR, 0, SIDE(queries), MG_ONE, "self_attn.q_proj.bias", query_bias),
	EACH(VECTOR, 0, SIDE(keys), MG_ONE, "self_attn.k_proj.bias", key_bias),
	EACH(VECTOR, 0, SIDE(keys), MG_ONE, "self_attn.v_proj.bias", value_bias),
	MG_CAUSAL_WEIGHTS_AFTER,
};

static const MgClass classes[] = {{"Qwen2ForCausalLM", DECODER}, {"Qwen2Model", DECODER}, {NULL, 0}};
static const char *const prefixes[] = {"model.", "", NULL};
static const char *const ignored[] = {"lm_head.weight", NULL};

static bool
settle(MgCtx *cx, const MgConfig *lists, void *config)
{
	if (((Config *) config)->windowed)
		return mg_fail(cx, MG_UNSUPPORTED, "\"use_sliding_window\" of architecture qwen2 is not supported");
	return mg_causal_settle(cx, lists, config);
}

const MgArch mg_arch_qwen2 = {
	.name = "qwen2",
	TABLES,
	.can = {[DECODER] = MG_CAN_EMBED | MG_CAN_GENERATE},
	.gguf = {"qwen2", mg_causal_gguf, false},
	.settle = settle,
	.forward = mg_causal_forward,
	.vocabulary = mg_causal_vocabulary,
	.keys_form = mg_causal_keys_form,
};
