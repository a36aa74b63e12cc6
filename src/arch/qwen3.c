/*
 * Qwen3: the formulas of model/causal.h with queries and keys normalised in each head before they are turned.
 *
 * Easy to get wrong: heads are wider than the hidden size says, so head_dim counts; sliding_window stands in files and counts
 * only where use_sliding_window says so, and then in some layers alone, which is refused.
 */
#include "model/causal.h"
#include "model/tables.h"

typedef MgCausal Config;
typedef MgCausalWeights Weights;

static const Config defaults = {.sizes = {.layers = 32, .width = 4096, .vocab = 151936, .longest = 32768}, .heads = 32, .head_size = 128,
								.intermediate = 22016, .activation = MG_ACT_SILU, .eps = 1e-6f, .theta = 10000,
								.factor = 1, .low_factor = 1, .high_factor = 4, .beta_fast = 32, .beta_slow = 1, .truncate = true};

static const MgKey keys[] = {MG_CAUSAL_KEYS, KEY("use_sliding_window", FLAG, windowed, 0, 0)};

enum { DECODER };

#define LAYER "layers.%u."

static const MgWeightSpec weights[] = {
	MG_CAUSAL_WEIGHTS_BEFORE,
	EACH(VECTOR, 0, SIDE(head_size), MG_ONE, "self_attn.q_norm.weight", query_norm),
	EACH(VECTOR, 0, SIDE(head_size), MG_ONE, "self_attn.k_norm.weight", key_norm),
	MG_CAUSAL_WEIGHTS_AFTER,
};

static const MgClass classes[] = {{"Qwen3ForCausalLM", DECODER}, {"Qwen3Model", DECODER}, {NULL, 0}};
static const char *const prefixes[] = {"model.", "", NULL};
static const char *const ignored[] = {"lm_head.weight", NULL};

static bool
settle(MgCtx *cx, const MgConfig *lists, void *config)
{
	if (((Config *) config)->windowed)
		return mg_fail(cx, MG_UNSUPPORTED, "\"use_sliding_window\" of architecture qwen3 is not supported");
	return mg_causal_settle(cx, lists, config);
}

const MgArch mg_arch_qwen3 = {
	.name = "qwen3",
	TABLES,
	.can = {[DECODER] = MG_CAN_EMBED | MG_CAN_GENERATE},
	.gguf = {"qwen3", mg_causal_gguf, false},
	.settle = settle,
	.forward = mg_causal_forward,
	.vocabulary = mg_causal_vocabulary,
	.keys_form = mg_causal_keys_form,
};
