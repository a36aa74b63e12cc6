/*
 * DeBERTa v2 and v3 (arXiv 2006.03654, 2111.09543), normalised after each block, whose attention meets distances apart from what stands
 * there: DebertaV2Model, DebertaV2ForMaskedLM, DebertaV2ForSequenceClassification, DebertaV2ForTokenClassification.
 *
 *   x  [n, h] = norm(word[id] + position[i] + type[segment]);  positions and types where the checkpoint has them
 *   r  [2 s, h] = norm(table of distances), or the table
 *   each layer, for head states q, k, v of x, and a = r Wk^T + bk, b = r Wq^T + bq by the same matrices:
 *     s[i, j] = (q[i] . k[j] + q[i] . a[p] + k[j] . b[p]) / sqrt(3 d),  p = bucket(i - j) + s
 *     x = norm(x + (softmax(s) v) Wo^T + bo)
 *     x = norm(x + act(x W1^T + b1) W2^T + b2)
 *   words:
 *     y = norm(act(x Wt^T + bt)),  logits = y word^T + c, under one of two families of names
 *   classes of a sequence:
 *     logits = gelu(x[0] Wp^T + bp) Wc^T + bc;  of tokens: logits = x Wc^T + bc
 *
 * Easy to get wrong: 3 d has a d for the content and one for each kind of term that pos_att_type names, even without relative_attention; buckets are of the query less the key; r is
 * normalised once, not layer by layer; the pooler's activation is gelu, and the classifier behind it sees no tanh. The convolution of
 * v2-xlarge, matrices for distances of their own (share_att_key false), and embeddings of another width than states are refused.
 */
#include <math.h>
#include <stdio.h>

#include "model/tables.h"

typedef MgEncoderConfig Config;

#define MOST_RELATIVE own.reals[0] /* max_relative_positions; below 1: positions */
#define BUCKETS own.reals[1]	   /* position_buckets; below 1: none */
#define CONVOLUTION own.sizes[0]
#define PLACES own.sizes[1] /* 2 s; 0: scores gain nothing by distance */
#define RELATIVE own.flags[0]
#define POSITIONED own.flags[1]
#define SHARED own.flags[2]
#define NORM own.texts[0]

typedef struct Weights
{
	MgEncoderWeights encoder;
	MgMatrix distances;								  /* [2 s, h] */
	const float *distance_norm, *distance_norm_bias; /* [h], or NULL */
} Weights;

static const Config defaults = {.sizes = {.layers = 24, .width = 1536, .vocab = 128100, .tied = true},
								.rows = 512,
								.heads = 24,
								.intermediate = 6144,
								.activation = MG_ACT_GELU,
								.class_activation = MG_ACT_GELU,
								.eps = 1e-7f,
								.MOST_RELATIVE = -1,
								.BUCKETS = -1,
								.POSITIONED = true};

static const MgKey keys[] = {
	KEY("vocab_size", SIZE, sizes.vocab, 1, MG_MAX_VOCAB),
	KEY("embedding_size", SIZE, embedding, 1, MG_MAX_WIDTH),
	KEY("hidden_size", SIZE, sizes.width, 1, MG_MAX_WIDTH),
	KEY("num_hidden_layers", SIZE, sizes.layers, 1, MG_MAX_LAYERS),
	KEY("num_attention_heads", SIZE, heads, 1, MG_MAX_WIDTH),
	KEY("intermediate_size", SIZE, intermediate, 1, MG_MAX_WIDTH),
	KEY("max_position_embeddings", SIZE, rows, 3, MG_MAX_POSITIONS),
	KEY("type_vocab_size", SIZE, sizes.segments, 0, MG_MAX_WIDTH),
	KEY("hidden_act", ACTIVATION, activation, 0, 0),
	KEY("pooler_hidden_act", ACTIVATION, class_activation, 0, 0),
	KEY("layer_norm_eps", REAL, eps, 0, FLT_MAX),
	KEY("tie_word_embeddings", FLAG, sizes.tied, 0, 0),
	KEY("relative_attention", FLAG, RELATIVE, 0, 0),
	KEY("max_relative_positions", REAL, MOST_RELATIVE, -1, MG_MAX_POSITIONS),
	KEY("position_buckets", REAL, BUCKETS, -1, MG_MAX_POSITIONS),
	KEY("position_biased_input", FLAG, POSITIONED, 0, 0),
	KEY("share_att_key", FLAG, SHARED, 0, 0),
	KEY("norm_rel_ebd", TEXT, NORM, 0, 0),
	KEY("conv_kernel_size", SIZE, CONVOLUTION, 0, MG_MAX_WIDTH),
	KEY("pos_att_type", LIST, sizes, 0, 0),
	CLASS_KEYS,
};

enum
{
	ENCODER,
	HEAD,	  /* under BERT's names */
	OWN_HEAD, /* under its own */
	CLASSES,
	TAGS
};

#define LAYER "encoder.layer.%u."
#define WIDE SIDE(intermediate)
#define HEAD_ROWS(part, dense_name, norm_name, bias_name) \
	ONE(part, LINEAR, 0, WIDTH, WIDTH, dense_name ".weight", encoder.transform), \
	ONE(part, VECTOR, 0, WIDTH, MG_ONE, dense_name ".bias", encoder.transform_bias), \
	ONE(part, VECTOR, 0, WIDTH, MG_ONE, norm_name ".weight", encoder.transform_norm), \
	ONE(part, VECTOR, 0, WIDTH, MG_ONE, norm_name ".bias", encoder.transform_norm_bias), \
	ONE(part, VECTOR, 0, VOCAB, MG_ONE, bias_name, encoder.vocabulary_bias)

static const MgWeightSpec weights[] = {
	ONE(ENCODER, WORDS, 0, VOCAB, WIDTH, "embeddings.word_embeddings.weight", encoder.embeddings.words),
	ONE(ENCODER, TABLE, 0, SIDE(table), WIDTH, "embeddings.position_embeddings.weight", encoder.embeddings.positions),
	ONE(ENCODER, TABLE, 0, SIDE(sizes.segments), WIDTH, "embeddings.token_type_embeddings.weight", encoder.embeddings.types),
	ONE(ENCODER, VECTOR, 0, WIDTH, MG_ONE, "embeddings.LayerNorm.weight", encoder.embeddings.norm),
	ONE(ENCODER, VECTOR, 0, WIDTH, MG_ONE, "embeddings.LayerNorm.bias", encoder.embeddings.norm_bias),
	ONE(ENCODER, TABLE, 0, SIDE(PLACES), WIDTH, "encoder.rel_embeddings.weight", distances),
	ONE(ENCODER, VECTOR, 0, SIDE(normed), MG_ONE, "encoder.LayerNorm.weight", distance_norm),
	ONE(ENCODER, VECTOR, 0, SIDE(normed), MG_ONE, "encoder.LayerNorm.bias", distance_norm_bias),
	EACH(LINEAR, 0, WIDTH, WIDTH, "attention.self.query_proj.weight", query),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.self.query_proj.bias", query_bias),
	EACH(LINEAR, 0, WIDTH, WIDTH, "attention.self.key_proj.weight", key),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.self.key_proj.bias", key_bias),
	EACH(LINEAR, 0, WIDTH, WIDTH, "attention.self.value_proj.weight", value),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.self.value_proj.bias", value_bias),
	EACH(LINEAR, 0, WIDTH, WIDTH, "attention.output.dense.weight", output),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.output.dense.bias", output_bias),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.output.LayerNorm.weight", attention_norm),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.output.LayerNorm.bias", attention_norm_bias),
	EACH(LINEAR, 0, WIDE, WIDTH, "intermediate.dense.weight", up),
	EACH(VECTOR, 0, WIDE, MG_ONE, "intermediate.dense.bias", up_bias),
	EACH(LINEAR, 0, WIDTH, WIDE, "output.dense.weight", down),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "output.dense.bias", down_bias),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "output.LayerNorm.weight", block_norm),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "output.LayerNorm.bias", block_norm_bias),
	HEAD_ROWS(HEAD, "cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions.bias"),
	ONE(HEAD, WORDS, MG_TIED, VOCAB, WIDTH, "cls.predictions.decoder.weight", encoder.decoder),
	HEAD_ROWS(OWN_HEAD, "lm_predictions.lm_head.dense", "lm_predictions.lm_head.LayerNorm", "lm_predictions.lm_head.bias"),
	ONE(CLASSES, LINEAR, 0, LABELS, WIDTH, "classifier.weight", encoder.classifier),
	ONE(CLASSES, VECTOR, 0, LABELS, MG_ONE, "classifier.bias", encoder.classifier_bias),
	ONE(CLASSES, LINEAR, 0, WIDTH, WIDTH, "pooler.dense.weight", encoder.dense),
	ONE(CLASSES, VECTOR, 0, WIDTH, MG_ONE, "pooler.dense.bias", encoder.dense_bias),
	AS(TAGS, LINEAR, LABELS, WIDTH, "tags.weight", encoder.tagger, "classifier.weight"),
	AS(TAGS, VECTOR, LABELS, MG_ONE, "tags.bias", encoder.tagger_bias, "classifier.bias"),
};

/* Whether "pos_att_type", a list or "p2c|c2p", has that kind. */
static bool
has_kind(const MgConfig *lists, const char *kind)
{
	for (uint32_t i = 0; i < 8; i++)
	{
		char name[32];
		const MgConfigValue *value;

		snprintf(name, sizeof name, "pos_att_type.%u", i);
		value = mg_config_find(lists, name);
		for (size_t at = 0; value != NULL && value->kind == MG_VALUE_TEXT && at + 3 <= value->text.size; at++)
			if (memcmp(value->text.data + at, kind, 3) == 0)
				return true;
	}
	return false;
}

static bool
settle(MgCtx *cx, const MgConfig *lists, void *config)
{
	Config *c = config;
	uint32_t most;

	if (c->CONVOLUTION > 0 || (c->embedding > 0 && c->embedding != c->sizes.width) || (c->RELATIVE && !c->SHARED))
		return mg_fail(cx, MG_UNSUPPORTED, "DeBERTa with %s is not supported",
					   c->CONVOLUTION > 0				? "a convolution (\"conv_kernel_size\")"
					   : c->RELATIVE && !c->SHARED ? "matrices of distances of their own (\"share_att_key\" false)"
													: "embeddings of another width (\"embedding_size\")");
	if (c->NORM.size > 0 && !mg_span_is(c->NORM, "layer_norm") && !mg_span_is(c->NORM, "none"))
		return mg_fail(cx, MG_UNSUPPORTED, "\"norm_rel_ebd\" is \"%.*s\", which is not supported", MG_SPAN_ARGS(c->NORM));
	most = c->MOST_RELATIVE >= 1 ? (uint32_t) c->MOST_RELATIVE : c->rows;
	c->PLACES = !c->RELATIVE ? 0 : 2 * (c->BUCKETS >= 1 ? (uint32_t) c->BUCKETS : most);
	if (c->BUCKETS >= 1 && (c->BUCKETS < 2 || most - 1 <= (uint32_t) c->BUCKETS / 2))
		return mg_fail(cx, MG_BAD_FILE, "%u buckets for distances up to %u make no sense", (uint32_t) c->BUCKETS, most);
	c->table = c->POSITIONED ? c->rows : 0;
	c->normed = mg_span_is(c->NORM, "layer_norm") ? c->sizes.width : 0;
	c->to_keys = has_kind(lists, "c2p");
	c->to_queries = has_kind(lists, "p2c");
	return mg_encoder_settle(cx, lists, c);
}

/* The greatest distance of two tokens of a sequence. */
static uint32_t
reach_of(const MgBatch *batch)
{
	uint32_t reach = 0;

	for (size_t s = 0; s < batch->n_sequences; s++)
	{
		size_t first = batch->offsets[s], end = batch->offsets[s + 1];
		uint32_t most = end > first ? mg_batch_position(batch, s, end - 1) - mg_batch_position(batch, s, first) : 0;

		reach = most > reach ? most : reach;
	}
	return reach;
}

/* States of the distances that occur, and where they stand among these. */
static bool
find_distances(const MgRun *run, const MgBatch *batch, MgRelative *relative, MgDistances *distances)
{
	const Config *c = run->model->config;
	const Weights *w = run->model->weights;
	uint32_t most = c->MOST_RELATIVE >= 1 ? (uint32_t) c->MOST_RELATIVE : c->rows, reach = reach_of(batch);
	uint32_t *places, least = UINT32_MAX, last = 0;
	size_t h = c->sizes.width;
	MgNorm norm = {MG_NORM_LAYER, h, w->distance_norm, w->distance_norm_bias, c->eps};
	float *states;

	reach = reach < c->sizes.longest ? reach : c->sizes.longest; /* all that is farther has the last place */
	places = mg_alloc_array(run->cx, 2 * (size_t) reach + 1, sizeof *places);
	if (places == NULL)
		return false;
	mg_relative_log_buckets(c->PLACES / 2, c->BUCKETS >= 1 ? most : 0, reach, places);
	for (uint32_t i = 0; i <= 2 * reach; i++)
	{
		least = places[i] < least ? places[i] : least;
		last = places[i] > last ? places[i] : last;
	}
	for (uint32_t i = 0; i <= 2 * reach; i++)
		places[i] -= least;
	*relative = (MgRelative){.n = last - least + 1, .reach = reach, .places = places};
	states = mg_alloc_array(run->cx, relative->n, h * sizeof *states);
	if (states == NULL)
		return false;
	memcpy(states, w->distances.data + least * h, relative->n * h * sizeof *states);
	if (norm.weight != NULL)
		mg_add_norm(run->compute, &norm, states, NULL, relative->n, states);
	*distances = (MgDistances){states, c->to_keys, c->to_queries};
	return true;
}

static bool
forward(const MgRun *run, const MgBatch *batch, float *out)
{
	const Config *c = run->model->config;
	const Weights *w = run->model->weights;
	const MgLayer *layers = run->model->layers;
	size_t d = c->sizes.width / c->heads;
	MgRelative relative;
	MgDistances distances;
	MgLayerForm form = {.width = c->sizes.width, .heads = c->heads, .head_size = d, .eps = c->eps, .activation = (MgActivation) c->activation,
						.scale = 1 / sqrtf((float) (d * (1u + c->to_keys + c->to_queries)))};
	MgMark mark = mg_mark(run->cx);
	MgStates states;

	if (c->PLACES > 0 && (c->to_keys || c->to_queries))
	{
		form.relative = &relative;
		form.distances = &distances;
		if (!find_distances(run, batch, &relative, &distances))
			return false;
	}
	if (!mg_states_init(run, &form, batch, c->sizes.layers, out, &states) || !mg_encoder_embed(run, &w->encoder.embeddings, batch, states.x))
		return false;
	for (uint32_t l = 0; l < c->sizes.layers; l++)
		if (!mg_layer(run, &form, &layers[l], &states))
			return false;
	mg_rewind(run->cx, mark);
	return true;
}

/* The head of its own always multiplies by the words. */
static MgVocabulary
vocabulary(const MgModel *model)
{
	const Weights *w = model->weights;

	return (MgVocabulary){.matrix = w->encoder.decoder.rows > 0 ? &w->encoder.decoder : &w->encoder.embeddings.words, .bias = w->encoder.vocabulary_bias};
}

static const MgClass classes[] = {{"DebertaV2Model", ENCODER}, {"DebertaV2ForMaskedLM", ENCODER}, {"DebertaV2ForSequenceClassification", CLASSES},
								  {"DebertaV2ForTokenClassification", TAGS}, {NULL, 0}};
static const char *const prefixes[] = {"", "deberta.", NULL};

/* The pooler serves classes alone; what tells replaced tokens is not read; the decoder repeats tied weights, and its bias the head's. */
static const char *const ignored[] = {"embeddings.position_ids", "pooler.*", "mask_predictions.*", "cls.predictions.decoder.weight",
									  "cls.predictions.decoder.bias", NULL};

/* Checkpoints made from TensorFlow's say gamma and beta. */
static const MgRename renames[] = {{"LayerNorm.weight", "LayerNorm.gamma"}, {"LayerNorm.bias", "LayerNorm.beta"}, {NULL, NULL}};

const MgArch mg_arch_deberta_v2 = {
	.name = "deberta-v2",
	TABLES,
	.renames = renames,
	.can = {[ENCODER] = MG_CAN_EMBED, [HEAD] = MG_CAN_FILL_MASK | MG_CAN_CLASSIFY, [OWN_HEAD] = MG_CAN_FILL_MASK | MG_CAN_CLASSIFY,
			[CLASSES] = MG_CAN_SCORE, [TAGS] = MG_CAN_TAG},
	.settle = settle,
	.forward = forward,
	.head = mg_encoder_head,
	.vocabulary = vocabulary,
	.sequence_head = mg_encoder_sequence_head,
	.token_head = mg_encoder_token_head,
};
