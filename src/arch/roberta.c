/*
 * RoBERTa (arXiv 1907.11692), BERT's encoder (model/encoder.h) with positions that
 * begin behind the padding token's: RobertaModel, RobertaForMaskedLM,
 * RobertaForSequenceClassification, RobertaForTokenClassification, and the same of
 * XLM-RoBERTa and CamemBERT, which differ in their tokenisers alone.
 *
 *   x  [n, h]: states
 *   words:
 *     y = norm(gelu(x Wt^T + bt)),  logits = y word^T + c,  word [vocab, h]
 *   classes of a sequence:
 *     logits = tanh(x[0] Wd^T + bd) Wo^T + bo,  Wo [labels, h]
 *   classes of tokens:
 *     logits = x Wc^T + bc
 *
 * Easy to get wrong: 514 rows of positions are 512 tokens, for padding has id 1 and
 * the first token stands at 2; the masked head's gelu is the exact one whatever
 * hidden_act says; there is one kind of segment, and pairs have it twice.
 */
#include "model/tables.h"

typedef MgEncoderConfig Config;
typedef MgEncoderWeights Weights;

static const Config defaults = {.sizes = {.layers = 12, .width = 768, .vocab = 50265, .segments = 2, .tied = true},
								.rows = 512,
								.pad = 1,
								.behind_pad = true,
								.heads = 12,
								.intermediate = 3072,
								.activation = MG_ACT_GELU,
								.word_activation = MG_ACT_GELU,
								.class_activation = MG_ACT_TANH,
								.eps = 1e-12f};

static const MgKey keys[] = {ENCODER_KEYS, CLASS_KEYS, KEY("pad_token_id", SIZE, pad, 0, MG_MAX_VOCAB)};

enum
{
	ENCODER,
	HEAD,
	CLASSES,
	TAGS
};

static const MgWeightSpec weights[] = {
	ENCODER_EMBEDDINGS(WIDTH),
	ENCODER_LAYERS,
	ONE(HEAD, LINEAR, 0, WIDTH, WIDTH, "lm_head.dense.weight", transform),
	ONE(HEAD, VECTOR, 0, WIDTH, MG_ONE, "lm_head.dense.bias", transform_bias),
	ONE(HEAD, VECTOR, 0, WIDTH, MG_ONE, "lm_head.layer_norm.weight", transform_norm),
	ONE(HEAD, VECTOR, 0, WIDTH, MG_ONE, "lm_head.layer_norm.bias", transform_norm_bias),
	ONE(HEAD, VECTOR, 0, VOCAB, MG_ONE, "lm_head.bias", vocabulary_bias),
	ONE(HEAD, WORDS, MG_TIED, VOCAB, WIDTH, "lm_head.decoder.weight", decoder),
	ONE(CLASSES, LINEAR, 0, WIDTH, WIDTH, "classifier.dense.weight", dense),
	ONE(CLASSES, VECTOR, 0, WIDTH, MG_ONE, "classifier.dense.bias", dense_bias),
	ONE(CLASSES, LINEAR, 0, LABELS, WIDTH, "classifier.out_proj.weight", classifier),
	ONE(CLASSES, VECTOR, 0, LABELS, MG_ONE, "classifier.out_proj.bias", classifier_bias),
	ONE(TAGS, LINEAR, 0, LABELS, WIDTH, "classifier.weight", tagger),
	ONE(TAGS, VECTOR, 0, LABELS, MG_ONE, "classifier.bias", tagger_bias),
};

#define FAMILY(name) \
	{name "Model", ENCODER}, {name "ForMaskedLM", HEAD}, {name "ForSequenceClassification", CLASSES}, \
	{name "ForTokenClassification", TAGS}

static const MgClass classes[] = {FAMILY("Roberta"), FAMILY("XLMRoberta"), FAMILY("Camembert"), {NULL, 0}};
static const char *const prefixes[] = {"", "roberta.", NULL};

/* position_ids count; the pooler serves another task; the decoder repeats tied weights, and its bias the head's. */
static const char *const ignored[] = {"embeddings.position_ids", "pooler.*", "lm_head.decoder.weight", "lm_head.decoder.bias", NULL};

const MgArch mg_arch_roberta = {
	.name = "roberta",
	TABLES,
	.can = ENCODER_TASKS,
	.settle = mg_encoder_settle,
	ENCODER_FUNCTIONS,
};
