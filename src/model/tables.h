/*
 * Short names for the rows of an architecture's tables; for files of src/arch
 * alone. Their structs are called Config and Weights, and layers are MgLayers.
 */
#ifndef MG_MODEL_TABLES_H
#define MG_MODEL_TABLES_H

#include <float.h>

#include "model/classes.h"
#include "model/encoder.h"
#include "model/layer.h"

#define KEY(name, kind, field, least, most) {name, MG_KEY_##kind, offsetof(Config, field), least, most}

#define SIDE(field) offsetof(Config, field)
#define VOCAB SIDE(sizes.vocab)
#define WIDTH SIDE(sizes.width)
#define LABELS SIDE(sizes.labels)

/* A weight that stands once, and one of each layer; a file defines LAYER, what their names begin with. */
#define ONE(part, role, flags, rows, cols, name, field) \
	{name, part, MG_##role, flags, rows, cols, offsetof(Weights, field), NULL, 0}
#define EACH(role, flags, rows, cols, name, field) \
	{LAYER name, 0, MG_##role, MG_LAYERED | (flags), rows, cols, offsetof(MgLayer, field), NULL, 0}

/* The same of rows that share a tensor of the layer, in their order, or by turns of run rows; run 0: one behind the other. */
#define SHARE(role, flags, rows, cols, name, field, tensor, run) \
	{LAYER name, 0, MG_##role, MG_LAYERED | MG_SLICE | (flags), rows, cols, offsetof(MgLayer, field), LAYER tensor, run}

/* A weight that stands once, under a name of its own: other parts have the same tensor. */
#define AS(part, role, rows, cols, name, field, tensor) {name, part, MG_##role, 0, rows, cols, offsetof(Weights, field), tensor, 0}

/* What says how many classes a head has, what they are called, and what their logits mean: model/classes.h. */
#define CLASS_KEYS \
	KEY("id2label", LIST, sizes, 0, 0), KEY("problem_type", TEXT, sizes.problem, 0, 0), \
	KEY("sentence_transformers.activation_fn", TEXT, sizes.activation, 0, 0), \
	KEY("sbert_ce_default_activation_function", TEXT, sizes.old_activation, 0, 0)

/* Encoders of model/encoder.h: their Config is an MgEncoderConfig, and their Weights are MgEncoderWeights. */
#define ENCODER_KEYS \
	KEY("vocab_size", SIZE, sizes.vocab, 1, MG_MAX_VOCAB), \
	KEY("hidden_size", SIZE, sizes.width, 1, MG_MAX_WIDTH), \
	KEY("num_hidden_layers", SIZE, sizes.layers, 1, MG_MAX_LAYERS), \
	KEY("num_attention_heads", SIZE, heads, 1, MG_MAX_WIDTH), \
	KEY("intermediate_size", SIZE, intermediate, 1, MG_MAX_WIDTH), \
	KEY("max_position_embeddings", SIZE, rows, 3, MG_MAX_POSITIONS), \
	KEY("type_vocab_size", SIZE, sizes.segments, 1, MG_MAX_WIDTH), \
	KEY("hidden_act", ACTIVATION, activation, 0, 0), \
	KEY("layer_norm_eps", REAL, eps, 0, FLT_MAX), \
	KEY("tie_word_embeddings", FLAG, sizes.tied, 0, 0), \
	KEY("position_embedding_type", TEXT, positions, 0, 0)

#define ENCODER_EMBEDDINGS(width) \
	ONE(0, WORDS, 0, VOCAB, width, "embeddings.word_embeddings.weight", embeddings.words), \
	ONE(0, TABLE, 0, SIDE(rows), width, "embeddings.position_embeddings.weight", embeddings.positions), \
	ONE(0, TABLE, 0, SIDE(sizes.segments), width, "embeddings.token_type_embeddings.weight", embeddings.types), \
	ONE(0, VECTOR, 0, width, MG_ONE, "embeddings.LayerNorm.weight", embeddings.norm), \
	ONE(0, VECTOR, 0, width, MG_ONE, "embeddings.LayerNorm.bias", embeddings.norm_bias)

#define OF_LAYER(role, rows, cols, name, field) \
	{"encoder.layer.%u." name, 0, MG_##role, MG_LAYERED, rows, cols, offsetof(MgLayer, field), NULL, 0}
#define ENCODER_LAYERS \
	OF_LAYER(LINEAR, WIDTH, WIDTH, "attention.self.query.weight", query), \
	OF_LAYER(VECTOR, WIDTH, MG_ONE, "attention.self.query.bias", query_bias), \
	OF_LAYER(LINEAR, WIDTH, WIDTH, "attention.self.key.weight", key), \
	OF_LAYER(VECTOR, WIDTH, MG_ONE, "attention.self.key.bias", key_bias), \
	OF_LAYER(LINEAR, WIDTH, WIDTH, "attention.self.value.weight", value), \
	OF_LAYER(VECTOR, WIDTH, MG_ONE, "attention.self.value.bias", value_bias), \
	OF_LAYER(LINEAR, WIDTH, WIDTH, "attention.output.dense.weight", output), \
	OF_LAYER(VECTOR, WIDTH, MG_ONE, "attention.output.dense.bias", output_bias), \
	OF_LAYER(VECTOR, WIDTH, MG_ONE, "attention.output.LayerNorm.weight", attention_norm), \
	OF_LAYER(VECTOR, WIDTH, MG_ONE, "attention.output.LayerNorm.bias", attention_norm_bias), \
	OF_LAYER(LINEAR, SIDE(intermediate), WIDTH, "intermediate.dense.weight", up), \
	OF_LAYER(VECTOR, SIDE(intermediate), MG_ONE, "intermediate.dense.bias", up_bias), \
	OF_LAYER(LINEAR, WIDTH, SIDE(intermediate), "output.dense.weight", down), \
	OF_LAYER(VECTOR, WIDTH, MG_ONE, "output.dense.bias", down_bias), \
	OF_LAYER(VECTOR, WIDTH, MG_ONE, "output.LayerNorm.weight", block_norm), \
	OF_LAYER(VECTOR, WIDTH, MG_ONE, "output.LayerNorm.bias", block_norm_bias)

/* The members of a descriptor that such encoders have in common. */
#define ENCODER_FUNCTIONS \
	.forward = mg_encoder_forward, .head = mg_encoder_head, .vocabulary = mg_encoder_vocabulary, \
	.sequence_head = mg_encoder_sequence_head, .token_head = mg_encoder_token_head

/* What their parts can: the encoder alone, with a masked head, with one for classes of a sequence, with one for those of tokens. */
#define ENCODER_TASKS \
	{MG_CAN_EMBED, MG_CAN_FILL_MASK | MG_CAN_CLASSIFY, MG_CAN_SCORE, MG_CAN_TAG}

/* The members of a descriptor that are tables. */
#define TABLES \
	.classes = classes, .prefixes = prefixes, .ignored = ignored, .keys = keys, .n_keys = sizeof keys / sizeof *keys, \
	.defaults = &defaults, .config_size = sizeof(Config), .weights = weights, \
	.n_weights = sizeof weights / sizeof *weights, .weights_size = sizeof(Weights), .layer_size = sizeof(MgLayer)

#endif
