/*
 * DistilBERT (arXiv 1910.01108), BERT's encoder (model/encoder.h) without types of tokens and under names of its own:
 * DistilBertModel, DistilBertForMaskedLM, DistilBertForSequenceClassification, DistilBertForTokenClassification.
 *
 *   x  [n, h]: states
 *   words:
 *     y = norm(act(x Wt^T + bt)),  logits = y word^T + c,  word [vocab, h]
 *   classes of a sequence:
 *     logits = relu(x[0] Wp^T + bp) Wc^T + bc,  Wc [labels, h]
 *   classes of tokens:
 *     logits = x Wc^T + bc
 *
 * Easy to get wrong: the head for classes of a sequence has relu where BERT's has tanh; eps is 1e-12 and stands in no file; sinusoidal
 * positions are in the checkpoint as a table like learned ones.
 */
#include "model/tables.h"

typedef MgEncoderConfig Config;
typedef MgEncoderWeights Weights;

static const Config defaults = {.sizes = {.layers = 6, .width = 768, .vocab = 30522, .tied = true},
								.rows = 512,
								.heads = 12,
								.intermediate = 3072,
								.activation = MG_ACT_GELU,
								.class_activation = MG_ACT_RELU,
								.eps = 1e-12f};

static const MgKey keys[] = {
	KEY("vocab_size", SIZE, sizes.vocab, 1, MG_MAX_VOCAB),
	KEY("dim", SIZE, sizes.width, 1, MG_MAX_WIDTH),
	KEY("n_layers", SIZE, sizes.layers, 1, MG_MAX_LAYERS),
	KEY("n_heads", SIZE, heads, 1, MG_MAX_WIDTH),
	KEY("hidden_dim", SIZE, intermediate, 1, MG_MAX_WIDTH),
	KEY("max_position_embeddings", SIZE, rows, 3, MG_MAX_POSITIONS),
	KEY("activation", ACTIVATION, activation, 0, 0),
	KEY("tie_word_embeddings", FLAG, sizes.tied, 0, 0),
	CLASS_KEYS,
};

enum
{
	ENCODER,
	HEAD,
	CLASSES,
	TAGS
};

#define LAYER "transformer.layer.%u."
#define WIDE SIDE(intermediate)

static const MgWeightSpec weights[] = {
	ONE(ENCODER, WORDS, 0, VOCAB, WIDTH, "embeddings.word_embeddings.weight", embeddings.words),
	ONE(ENCODER, TABLE, 0, SIDE(rows), WIDTH, "embeddings.position_embeddings.weight", embeddings.positions),
	ONE(ENCODER, VECTOR, 0, WIDTH, MG_ONE, "embeddings.LayerNorm.weight", embeddings.norm),
	ONE(ENCODER, VECTOR, 0, WIDTH, MG_ONE, "embeddings.LayerNorm.bias", embeddings.norm_bias),
	EACH(LINEAR, 0, WIDTH, WIDTH, "attention.q_lin.weight", query),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.q_lin.bias", query_bias),
	EACH(LINEAR, 0, WIDTH, WIDTH, "attention.k_lin.weight", key),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.k_lin.bias", key_bias),
	EACH(LINEAR, 0, WIDTH, WIDTH, "attention.v_lin.weight", value),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.v_lin.bias", value_bias),
	EACH(LINEAR, 0, WIDTH, WIDTH, "attention.out_lin.weight", output),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.out_lin.bias", output_bias),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "sa_layer_norm.weight", attention_norm),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "sa_layer_norm.bias", attention_norm_bias),
	EACH(LINEAR, 0, WIDE, WIDTH, "ffn.lin1.weight", up),
	EACH(VECTOR, 0, WIDE, MG_ONE, "ffn.lin1.bias", up_bias),
	EACH(LINEAR, 0, WIDTH, WIDE, "ffn.lin2.weight", down),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "ffn.lin2.bias", down_bias),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "output_layer_norm.weight", block_norm),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "output_layer_norm.bias", block_norm_bias),
	ONE(HEAD, LINEAR, 0, WIDTH, WIDTH, "vocab_transform.weight", transform),
	ONE(HEAD, VECTOR, 0, WIDTH, MG_ONE, "vocab_transform.bias", transform_bias),
	ONE(HEAD, VECTOR, 0, WIDTH, MG_ONE, "vocab_layer_norm.weight", transform_norm),
	ONE(HEAD, VECTOR, 0, WIDTH, MG_ONE, "vocab_layer_norm.bias", transform_norm_bias),
	ONE(HEAD, WORDS, MG_TIED, VOCAB, WIDTH, "vocab_projector.weight", decoder),
	ONE(HEAD, VECTOR, 0, VOCAB, MG_ONE, "vocab_projector.bias", decoder_bias),
	ONE(CLASSES, LINEAR, 0, LABELS, WIDTH, "classifier.weight", classifier),
	ONE(CLASSES, VECTOR, 0, LABELS, MG_ONE, "classifier.bias", classifier_bias),
	ONE(CLASSES, LINEAR, 0, WIDTH, WIDTH, "pre_classifier.weight", dense),
	ONE(CLASSES, VECTOR, 0, WIDTH, MG_ONE, "pre_classifier.bias", dense_bias),
	AS(TAGS, LINEAR, LABELS, WIDTH, "tags.weight", tagger, "classifier.weight"),
	AS(TAGS, VECTOR, LABELS, MG_ONE, "tags.bias", tagger_bias, "classifier.bias"),
};

static const MgClass classes[] = {{"DistilBertModel", ENCODER}, {"DistilBertForMaskedLM", HEAD},
								  {"DistilBertForSequenceClassification", CLASSES}, {"DistilBertForTokenClassification", TAGS}, {NULL, 0}};
static const char *const prefixes[] = {"", "distilbert.", NULL};

/* position_ids count from 0; the layer before a sequence's classes serves them alone; the projector repeats tied weights. */
static const char *const ignored[] = {"embeddings.position_ids", "pre_classifier.*", "vocab_projector.weight", NULL};

const MgArch mg_arch_distilbert = {
	.name = "distilbert",
	TABLES,
	.can = ENCODER_TASKS,
	.settle = mg_encoder_settle,
	ENCODER_FUNCTIONS,
};
