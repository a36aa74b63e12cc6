/*
 * ALBERT (arXiv 1909.11942), BERT's encoder (model/encoder.h) with narrow embeddings, whose passes share layers: AlbertModel,
 * AlbertForMaskedLM, AlbertForSequenceClassification, AlbertForTokenClassification.
 *
 *   x  [n, h] = norm(word[id] + position[i] + type[segment]) P^T + p,  word [vocab, e], P [h, e]
 *   each pass i of num_hidden_layers goes through the layer of group i / (num_hidden_layers / num_hidden_groups)
 *   words:
 *     y [n, e] = norm(act(x Wt^T + bt)),  logits = y word^T + c
 *   classes of a sequence:
 *     logits = tanh(x[0] Wp^T + bp) Wc^T + bc;  of tokens: logits = x Wc^T + bc
 *
 * Easy to get wrong: there is a P even where e is h; hidden_act is gelu_new unless config.json says otherwise; the norm behind attention is
 * "attention.LayerNorm", the one at the end "full_layer_layer_norm"; the head's transform makes states as narrow as the words.
 */
#include "model/tables.h"

typedef MgEncoderConfig Config;
typedef MgEncoderWeights Weights;

#define INNER own.sizes[0] /* layers of a group */

static const Config defaults = {.sizes = {.layers = 1, .depth = 12, .width = 4096, .vocab = 30000, .segments = 2, .tied = true},
								.embedding = 128,
								.rows = 512,
								.heads = 64,
								.intermediate = 16384,
								.activation = MG_ACT_GELU_TANH,
								.class_activation = MG_ACT_TANH,
								.eps = 1e-12f,
								.INNER = 1};

static const MgKey keys[] = {
	KEY("vocab_size", SIZE, sizes.vocab, 1, MG_MAX_VOCAB),
	KEY("embedding_size", SIZE, embedding, 1, MG_MAX_WIDTH),
	KEY("hidden_size", SIZE, sizes.width, 1, MG_MAX_WIDTH),
	KEY("num_hidden_layers", SIZE, sizes.depth, 1, MG_MAX_LAYERS),
	KEY("num_hidden_groups", SIZE, sizes.layers, 1, MG_MAX_LAYERS),
	KEY("inner_group_num", SIZE, INNER, 1, 1),
	KEY("num_attention_heads", SIZE, heads, 1, MG_MAX_WIDTH),
	KEY("intermediate_size", SIZE, intermediate, 1, MG_MAX_WIDTH),
	KEY("max_position_embeddings", SIZE, rows, 3, MG_MAX_POSITIONS),
	KEY("type_vocab_size", SIZE, sizes.segments, 1, MG_MAX_WIDTH),
	KEY("hidden_act", ACTIVATION, activation, 0, 0),
	KEY("layer_norm_eps", REAL, eps, 0, FLT_MAX),
	KEY("tie_word_embeddings", FLAG, sizes.tied, 0, 0),
	KEY("position_embedding_type", TEXT, positions, 0, 0),
	CLASS_KEYS,
};

enum
{
	ENCODER,
	HEAD,
	CLASSES,
	TAGS
};

#define LAYER "encoder.albert_layer_groups.%u.albert_layers.0."
#define NARROW SIDE(embedding)
#define WIDE SIDE(intermediate)

static const MgWeightSpec weights[] = {
	ENCODER_EMBEDDINGS(NARROW),
	ONE(ENCODER, LINEAR, 0, WIDTH, NARROW, "encoder.embedding_hidden_mapping_in.weight", embeddings.project),
	ONE(ENCODER, VECTOR, 0, WIDTH, MG_ONE, "encoder.embedding_hidden_mapping_in.bias", embeddings.project_bias),
	EACH(LINEAR, 0, WIDTH, WIDTH, "attention.query.weight", query),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.query.bias", query_bias),
	EACH(LINEAR, 0, WIDTH, WIDTH, "attention.key.weight", key),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.key.bias", key_bias),
	EACH(LINEAR, 0, WIDTH, WIDTH, "attention.value.weight", value),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.value.bias", value_bias),
	EACH(LINEAR, 0, WIDTH, WIDTH, "attention.dense.weight", output),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.dense.bias", output_bias),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.LayerNorm.weight", attention_norm),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.LayerNorm.bias", attention_norm_bias),
	EACH(LINEAR, 0, WIDE, WIDTH, "ffn.weight", up),
	EACH(VECTOR, 0, WIDE, MG_ONE, "ffn.bias", up_bias),
	EACH(LINEAR, 0, WIDTH, WIDE, "ffn_output.weight", down),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "ffn_output.bias", down_bias),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "full_layer_layer_norm.weight", block_norm),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "full_layer_layer_norm.bias", block_norm_bias),
	ONE(HEAD, LINEAR, 0, NARROW, WIDTH, "predictions.dense.weight", transform),
	ONE(HEAD, VECTOR, 0, NARROW, MG_ONE, "predictions.dense.bias", transform_bias),
	ONE(HEAD, VECTOR, 0, NARROW, MG_ONE, "predictions.LayerNorm.weight", transform_norm),
	ONE(HEAD, VECTOR, 0, NARROW, MG_ONE, "predictions.LayerNorm.bias", transform_norm_bias),
	ONE(HEAD, VECTOR, 0, VOCAB, MG_ONE, "predictions.bias", vocabulary_bias),
	ONE(HEAD, WORDS, MG_TIED, VOCAB, NARROW, "predictions.decoder.weight", decoder),
	ONE(HEAD, VECTOR, MG_TIED | MG_OPTIONAL, VOCAB, MG_ONE, "predictions.decoder.bias", decoder_bias),
	ONE(CLASSES, LINEAR, 0, LABELS, WIDTH, "classifier.weight", classifier),
	ONE(CLASSES, VECTOR, 0, LABELS, MG_ONE, "classifier.bias", classifier_bias),
	ONE(CLASSES, LINEAR, 0, WIDTH, WIDTH, "pooler.weight", dense),
	ONE(CLASSES, VECTOR, 0, WIDTH, MG_ONE, "pooler.bias", dense_bias),
	AS(TAGS, LINEAR, LABELS, WIDTH, "tags.weight", tagger, "classifier.weight"),
	AS(TAGS, VECTOR, LABELS, MG_ONE, "tags.bias", tagger_bias, "classifier.bias"),
};

static bool
settle(MgCtx *cx, const MgConfig *lists, void *config)
{
	Config *c = config;

	if (c->embedding > c->sizes.width)
		return mg_fail(cx, MG_UNSUPPORTED, "embeddings of %u numbers for states of %u are not supported", c->embedding, c->sizes.width);
	return mg_encoder_settle(cx, lists, c);
}

static const MgClass classes[] = {{"AlbertModel", ENCODER}, {"AlbertForMaskedLM", HEAD}, {"AlbertForPreTraining", HEAD},
								  {"AlbertForSequenceClassification", CLASSES}, {"AlbertForTokenClassification", TAGS}, {NULL, 0}};
static const char *const prefixes[] = {"", "albert.", NULL};

/* The pooler and the classifier of sentence order serve other tasks; the decoder repeats tied weights, and its bias the head's. */
static const char *const ignored[] = {"embeddings.position_ids", "pooler.*", "sop_classifier.*", "predictions.decoder.weight",
									  "predictions.decoder.bias", NULL};

const MgArch mg_arch_albert = {
	.name = "albert",
	TABLES,
	.can = ENCODER_TASKS,
	.settle = settle,
	ENCODER_FUNCTIONS,
};
