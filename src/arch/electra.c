/*
 * ELECTRA (arXiv 2003.10555), BERT's encoder (model/encoder.h) with embeddings that
 * may be narrower than its states: ElectraModel, ElectraForPreTraining (the discriminator,
 * which tells of each token whether it was replaced), ElectraForSequenceClassification,
 * ElectraForTokenClassification.
 *
 *   x  [n, h]: states
 *   replaced:
 *     r [n] = act(x W1^T + b1) w2^T + b2;  sigmoid(r) is the probability
 *   classes of a sequence:
 *     logits = gelu(x[0] Wd^T + bd) Wo^T + bo,  Wo [labels, h]
 *   classes of tokens:
 *     logits = x Wc^T + bc
 *
 * Easy to get wrong: the norm is of the narrow embeddings, before they are
 * projected; the activation of the sequence's head is gelu whatever hidden_act says.
 * The generator, ElectraForMaskedLM, is not read: its vocabulary's matrix is narrower than its states.
 */
#include "model/tables.h"

typedef MgEncoderConfig Config;
typedef MgEncoderWeights Weights;

static const Config defaults = {.sizes = {.layers = 12, .width = 256, .vocab = 30522, .segments = 2, .tied = true},
								.embedding = 128,
								.rows = 512,
								.heads = 4,
								.intermediate = 1024,
								.activation = MG_ACT_GELU,
								.class_activation = MG_ACT_GELU,
								.eps = 1e-12f};

static const MgKey keys[] = {ENCODER_KEYS, CLASS_KEYS, KEY("embedding_size", SIZE, embedding, 1, MG_MAX_WIDTH)};

enum
{
	ENCODER,
	REPLACED,
	CLASSES,
	TAGS
};

#define NARROW SIDE(embedding)

static const MgWeightSpec weights[] = {
	ENCODER_EMBEDDINGS(NARROW),
	ONE(ENCODER, LINEAR, MG_OPTIONAL, WIDTH, NARROW, "embeddings_project.weight", embeddings.project),
	ONE(ENCODER, VECTOR, MG_OPTIONAL, WIDTH, MG_ONE, "embeddings_project.bias", embeddings.project_bias),
	ENCODER_LAYERS,
	ONE(REPLACED, LINEAR, 0, WIDTH, WIDTH, "discriminator_predictions.dense.weight", replaced_dense),
	ONE(REPLACED, VECTOR, 0, WIDTH, MG_ONE, "discriminator_predictions.dense.bias", replaced_dense_bias),
	ONE(REPLACED, LINEAR, 0, MG_ONE, WIDTH, "discriminator_predictions.dense_prediction.weight", replaced),
	ONE(REPLACED, VECTOR, 0, MG_ONE, MG_ONE, "discriminator_predictions.dense_prediction.bias", replaced_bias),
	ONE(CLASSES, LINEAR, 0, WIDTH, WIDTH, "classifier.dense.weight", dense),
	ONE(CLASSES, VECTOR, 0, WIDTH, MG_ONE, "classifier.dense.bias", dense_bias),
	ONE(CLASSES, LINEAR, 0, LABELS, WIDTH, "classifier.out_proj.weight", classifier),
	ONE(CLASSES, VECTOR, 0, LABELS, MG_ONE, "classifier.out_proj.bias", classifier_bias),
	ONE(TAGS, LINEAR, 0, LABELS, WIDTH, "classifier.weight", tagger),
	ONE(TAGS, VECTOR, 0, LABELS, MG_ONE, "classifier.bias", tagger_bias),
};

static MgClassHead
replaced_head(const MgModel *model)
{
	const Weights *w = model->weights;

	return (MgClassHead){.dense = &w->replaced_dense, .dense_bias = w->replaced_dense_bias,
						 .activation = (MgActivation) ((const Config *) model->config)->activation,
						 .out = &w->replaced, .bias = w->replaced_bias};
}

static const MgClass classes[] = {{"ElectraModel", ENCODER}, {"ElectraForPreTraining", REPLACED},
								  {"ElectraForSequenceClassification", CLASSES}, {"ElectraForTokenClassification", TAGS}, {NULL, 0}};
static const char *const prefixes[] = {"", "electra.", NULL};
static const char *const ignored[] = {"embeddings.position_ids", NULL}; /* count from 0 */

const MgArch mg_arch_electra = {
	.name = "electra",
	TABLES,
	.can = {[ENCODER] = MG_CAN_EMBED, [REPLACED] = MG_CAN_FIND_REPLACED, [CLASSES] = MG_CAN_SCORE, [TAGS] = MG_CAN_TAG},
	.settle = mg_encoder_settle,
	ENCODER_FUNCTIONS,
	.replaced_head = replaced_head,
};
