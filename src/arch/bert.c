/*
 * BERT (arXiv 1810.04805), an encoder with learned positions, normalised after
 * each block (model/encoder.h): BertModel, BertForMaskedLM,
 * BertForSequenceClassification, BertForTokenClassification. MiniLM embedders are BertModels.
 *
 *   x  [n, h]: states
 *   words:
 *     y = norm(act(x Wt^T + bt)),  logits = y word^T + c,  word [vocab, h]
 *   classes of a sequence:
 *     logits = tanh(x[0] Wp^T + bp) Wc^T + bc,  Wc [labels, h]
 *   classes of tokens:
 *     logits = x Wc^T + bc
 *
 * Easy to get wrong: the norm comes after the residual is added, not before;
 * gelu is the exact one unless config.json says otherwise; positions count from 0
 * in each sequence; eps is 1e-12 and comes from the config; the token type row
 * is added even where there is one segment only.
 */
#include "model/tables.h"

typedef MgEncoderConfig Config;
typedef MgEncoderWeights Weights;

/* What config.json need not say. */
static const Config defaults = {.sizes = {.layers = 12, .width = 768, .vocab = 30522, .segments = 2, .tied = true},
								.rows = 512,
								.heads = 12,
								.intermediate = 3072,
								.activation = MG_ACT_GELU,
								.class_activation = MG_ACT_TANH,
								.eps = 1e-12f};

static const MgKey keys[] = {ENCODER_KEYS, CLASS_KEYS};

enum
{
	ENCODER,
	HEAD,	 /* masked-LM head */
	CLASSES, /* of a sequence, or a pair */
	TAGS	 /* of each token */
};

static const MgWeightSpec weights[] = {
	ENCODER_EMBEDDINGS(WIDTH),
	ENCODER_LAYERS,
	ONE(HEAD, LINEAR, 0, WIDTH, WIDTH, "cls.predictions.transform.dense.weight", transform),
	ONE(HEAD, VECTOR, 0, WIDTH, MG_ONE, "cls.predictions.transform.dense.bias", transform_bias),
	ONE(HEAD, VECTOR, 0, WIDTH, MG_ONE, "cls.predictions.transform.LayerNorm.weight", transform_norm),
	ONE(HEAD, VECTOR, 0, WIDTH, MG_ONE, "cls.predictions.transform.LayerNorm.bias", transform_norm_bias),
	ONE(HEAD, VECTOR, 0, VOCAB, MG_ONE, "cls.predictions.bias", vocabulary_bias),
	ONE(HEAD, WORDS, MG_TIED, VOCAB, WIDTH, "cls.predictions.decoder.weight", decoder),
	ONE(HEAD, VECTOR, MG_TIED | MG_OPTIONAL, VOCAB, MG_ONE, "cls.predictions.decoder.bias", decoder_bias),
	ONE(CLASSES, LINEAR, 0, LABELS, WIDTH, "classifier.weight", classifier),
	ONE(CLASSES, VECTOR, 0, LABELS, MG_ONE, "classifier.bias", classifier_bias),
	ONE(CLASSES, LINEAR, 0, WIDTH, WIDTH, "pooler.dense.weight", dense),
	ONE(CLASSES, VECTOR, 0, WIDTH, MG_ONE, "pooler.dense.bias", dense_bias),
	AS(TAGS, LINEAR, LABELS, WIDTH, "tags.weight", tagger, "classifier.weight"),
	AS(TAGS, VECTOR, LABELS, MG_ONE, "tags.bias", tagger_bias, "classifier.bias"),
};

static const MgClass classes[] = {{"BertModel", ENCODER}, {"BertForMaskedLM", ENCODER}, {"BertForPreTraining", ENCODER},
								  {"BertForSequenceClassification", CLASSES}, {"BertForTokenClassification", TAGS}, {NULL, 0}};
static const char *const prefixes[] = {"", "bert.", NULL};

/* position_ids count from 0; the pooler and the next-sentence head serve other tasks; the decoder repeats tied weights. */
static const char *const ignored[] = {"embeddings.position_ids",	   "pooler.*",						"cls.seq_relationship.*",
									  "cls.predictions.decoder.weight", "cls.predictions.decoder.bias", NULL};

/* Checkpoints made from TensorFlow's say gamma and beta. */
static const MgRename renames[] = {{"LayerNorm.weight", "LayerNorm.gamma"}, {"LayerNorm.bias", "LayerNorm.beta"}, {NULL, NULL}};

static const MgRename gguf[] = {
	{"embeddings.word_embeddings", "token_embd"}, {"embeddings.position_embeddings", "position_embd"},
	{"embeddings.token_type_embeddings", "token_types"}, {"embeddings.LayerNorm", "token_embd_norm"},
	{"encoder.layer.%u.attention.self.query", "blk.%u.attn_q"}, {"encoder.layer.%u.attention.self.key", "blk.%u.attn_k"},
	{"encoder.layer.%u.attention.self.value", "blk.%u.attn_v"}, {"encoder.layer.%u.attention.output.dense", "blk.%u.attn_output"},
	{"encoder.layer.%u.attention.output.LayerNorm", "blk.%u.attn_output_norm"}, {"encoder.layer.%u.intermediate.dense", "blk.%u.ffn_up"},
	{"encoder.layer.%u.output.dense", "blk.%u.ffn_down"}, {"encoder.layer.%u.output.LayerNorm", "blk.%u.layer_output_norm"}, {NULL, NULL}};

const MgArch mg_arch_bert = {
	.name = "bert",
	TABLES,
	.renames = renames,
	.gguf = {"bert", gguf, false},
	.can = ENCODER_TASKS,
	.settle = mg_encoder_settle,
	ENCODER_FUNCTIONS,
};
