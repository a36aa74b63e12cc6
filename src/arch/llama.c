/*
 * Llama 1 to 3 and what is built like it: Mistral, SmolLM2, TinyLlama, Yi. The formulas are those of model/causal.h, without biases.
 *
 * Easy to get wrong: a file of Llama 3.1 says its longest sequence in max_position_embeddings and the trained one within rope_scaling;
 * sliding_window counts for Mistral alone, which says it.
 */
#include "model/causal.h"
#include "model/tables.h"

typedef MgCausal Config;
typedef MgCausalWeights Weights;

static const Config defaults = {.sizes = {.layers = 32, .width = 4096, .vocab = 32000, .longest = 2048}, .heads = 32,
								.intermediate = 11008, .activation = MG_ACT_SILU, .eps = 1e-6f, .theta = 10000, .windowed = true,
								.factor = 1, .low_factor = 1, .high_factor = 4, .beta_fast = 32, .beta_slow = 1, .truncate = true};

static const MgKey keys[] = {MG_CAUSAL_KEYS};

enum { DECODER };

#define LAYER "layers.%u."

static const MgWeightSpec weights[] = {MG_CAUSAL_WEIGHTS_BEFORE, MG_CAUSAL_WEIGHTS_AFTER};

static const MgClass classes[] = {{"LlamaForCausalLM", DECODER}, {"LlamaModel", DECODER}, {"MistralForCausalLM", DECODER},
								  {"MistralModel", DECODER}, {NULL, 0}};
static const char *const prefixes[] = {"model.", "", NULL};
static const char *const ignored[] = {"lm_head.weight", "*.rotary_emb.inv_freq", NULL};

const MgArch mg_arch_llama = {
	.name = "llama",
	TABLES,
	.can = {[DECODER] = MG_CAN_EMBED | MG_CAN_GENERATE},
	.gguf = {"llama", mg_causal_gguf, true},
	.settle = mg_causal_settle,
	.forward = mg_causal_forward,
	.vocabulary = mg_causal_vocabulary,
	.keys_form = mg_causal_keys_form,
};
