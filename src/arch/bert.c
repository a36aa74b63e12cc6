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

typedef struct Weights
{
	MgEmbeddings embeddings;
	MgMatrix transform; /* [h, h] */
	const float *transform_bias, *transform_norm, *transform_norm_bias;
	const float *vocabulary_bias;
	MgMatrix decoder; /* [vocab, h]; tied, the words */
	const float *decoder_bias;
	MgMatrix pooler, classifier, tagger; /* [h, h], [labels, h] twice */
	const float *pooler_bias, *classifier_bias, *tagger_bias;
} Weights;

typedef MgEncoderConfig Config;

/* What config.json need not say. */
static const Config defaults = {.sizes = {.layers = 12, .width = 768, .vocab = 30522, .segments = 2, .tied = true},
								.rows = 512,
								.heads = 12,
								.intermediate = 3072,
								.activation = MG_ACT_GELU,
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
	ONE(CLASSES, LINEAR, 0, WIDTH, WIDTH, "pooler.dense.weight", pooler),
	ONE(CLASSES, VECTOR, 0, WIDTH, MG_ONE, "pooler.dense.bias", pooler_bias),
	AS(TAGS, LINEAR, LABELS, WIDTH, "tags.weight", tagger, "classifier.weight"),
	AS(TAGS, VECTOR, LABELS, MG_ONE, "tags.bias", tagger_bias, "classifier.bias"),
};

static bool
settle(MgCtx *cx, const MgConfig *lists, void *config)
{
	return mg_encoder_settle(cx, lists, config);
}

static bool
forward(const MgRun *run, const MgBatch *batch, float *out)
{
	return mg_encoder_forward(run, &((const Weights *) run->model->weights)->embeddings, batch, out);
}

static bool
head(const MgRun *run, const float *states, size_t n, float *out)
{
	const Config *c = run->model->config;
	const Weights *w = run->model->weights;
	size_t h = c->sizes.width;
	MgLinear transform = {&w->transform, w->transform_bias, (MgActivation) c->activation, out, h};

	return mg_transform(run, states, n, transform,
						(MgNorm){MG_NORM_LAYER, h, w->transform_norm, w->transform_norm_bias, c->eps});
}

static MgVocabulary
vocabulary(const MgModel *model)
{
	const Weights *w = model->weights;

	return (MgVocabulary){&w->decoder, w->decoder_bias != NULL ? w->decoder_bias : w->vocabulary_bias};
}

static MgClassHead
sequence_head(const MgModel *model)
{
	const Weights *w = model->weights;

	return (MgClassHead){.dense = &w->pooler, .dense_bias = w->pooler_bias, .activation = MG_ACT_TANH,
						 .out = &w->classifier, .bias = w->classifier_bias};
}

static MgClassHead
token_head(const MgModel *model)
{
	const Weights *w = model->weights;

	return (MgClassHead){.out = &w->tagger, .bias = w->tagger_bias};
}

static const MgClass classes[] = {{"BertModel", ENCODER}, {"BertForMaskedLM", ENCODER}, {"BertForPreTraining", ENCODER},
								  {"BertForSequenceClassification", CLASSES}, {"BertForTokenClassification", TAGS}, {NULL, 0}};
static const char *const prefixes[] = {"", "bert.", NULL};

/* position_ids count from 0; the pooler and the next-sentence head serve other tasks; the decoder repeats tied weights. */
static const char *const ignored[] = {"embeddings.position_ids",	   "pooler.*",						"cls.seq_relationship.*",
									  "cls.predictions.decoder.weight", "cls.predictions.decoder.bias", NULL};

/* Checkpoints made from TensorFlow's say gamma and beta. */
static const MgRename renames[] = {{"LayerNorm.weight", "LayerNorm.gamma"}, {"LayerNorm.bias", "LayerNorm.beta"}, {NULL, NULL}};

const MgArch mg_arch_bert = {
	.name = "bert",
	TABLES,
	.renames = renames,
	.can = {[ENCODER] = MG_CAN_EMBED, [HEAD] = MG_CAN_FILL_MASK | MG_CAN_CLASSIFY, [CLASSES] = MG_CAN_SCORE, [TAGS] = MG_CAN_TAG},
	.settle = settle,
	.forward = forward,
	.head = head,
	.vocabulary = vocabulary,
	.sequence_head = sequence_head,
	.token_head = token_head,
};
