/*
 * BERT (arXiv 1810.04805), an encoder with learned positions, normalised after
 * each block: BertModel, BertForMaskedLM, BertForSequenceClassification.
 * MiniLM embedders are BertModels.
 *
 *   x  [n, h] = norm(word[id] + position[i] + type[0])
 *   each layer:
 *     a = softmax(q k^T / sqrt(h / heads)) v,   q, k, v = x W^T + b
 *     x = norm(x + a Wo^T + bo)
 *     x = norm(x + act(x W1^T + b1) W2^T + b2),  W1 [intermediate, h]
 *   head:
 *     y = norm(act(x Wt^T + bt)),  logits = y word^T + c,  word [vocab, h]
 *   or, for classes:
 *     logits = tanh(x[0] Wp^T + bp) Wc^T + bc,  Wc [labels, h]
 *
 * Easy to get wrong: the norm comes after the residual is added, not before;
 * gelu is the exact one unless config.json says otherwise; positions count from 0
 * in each sequence; eps is 1e-12 and comes from the config; the token type row
 * is added even where there is one segment only.
 */
#include "model/tables.h"

typedef struct Weights
{
	MgMatrix words, positions, types; /* [vocab, h], [positions, h], [types, h] */
	const float *embedding_norm, *embedding_norm_bias;
	MgMatrix transform; /* [h, h] */
	const float *transform_bias, *transform_norm, *transform_norm_bias;
	const float *vocabulary_bias;
	MgMatrix decoder; /* [vocab, h]; tied, the words */
	const float *decoder_bias;
	MgMatrix pooler, classifier; /* [h, h], [labels, h] */
	const float *pooler_bias, *classifier_bias;
} Weights;

typedef struct Config
{
	MgSizes sizes; /* width h, longest: rows of the table of positions */
	uint32_t heads; /* divides h */
	uint32_t intermediate;
	uint32_t types;
	uint32_t activation; /* MgActivation of the feed-forward block */
	float eps;
	MgSpan positions; /* kind of position embeddings */
} Config;

/* What config.json need not say. */
static const Config defaults = {.sizes = {.layers = 12, .width = 768, .vocab = 30522, .longest = 512, .tied = true},
								.heads = 12,
								.intermediate = 3072,
								.types = 2,
								.activation = MG_ACT_GELU,
								.eps = 1e-12f};

static const MgKey keys[] = {
	KEY("vocab_size", SIZE, sizes.vocab, 1, MG_MAX_VOCAB),
	KEY("hidden_size", SIZE, sizes.width, 1, MG_MAX_WIDTH),
	KEY("num_hidden_layers", SIZE, sizes.layers, 1, MG_MAX_LAYERS),
	KEY("num_attention_heads", SIZE, heads, 1, MG_MAX_WIDTH),
	KEY("intermediate_size", SIZE, intermediate, 1, MG_MAX_WIDTH),
	KEY("max_position_embeddings", SIZE, sizes.longest, 3, MG_MAX_POSITIONS),
	KEY("type_vocab_size", SIZE, types, 1, MG_MAX_WIDTH),
	KEY("hidden_act", ACTIVATION, activation, 0, 0),
	KEY("layer_norm_eps", REAL, eps, 0, FLT_MAX),
	KEY("tie_word_embeddings", FLAG, sizes.tied, 0, 0),
	KEY("position_embedding_type", TEXT, positions, 0, 0),
	KEY("id2label", LIST, sizes, 0, 0),
};

enum
{
	ENCODER,
	HEAD,	/* masked-LM head */
	CLASSES /* of a sequence, or a pair */
};

#define WIDE SIDE(intermediate)
#define LAYER "encoder.layer.%u."

static const MgWeightSpec weights[] = {
	ONE(ENCODER, WORDS, 0, VOCAB, WIDTH, "embeddings.word_embeddings.weight", words),
	ONE(ENCODER, TABLE, 0, SIDE(sizes.longest), WIDTH, "embeddings.position_embeddings.weight", positions),
	ONE(ENCODER, TABLE, 0, SIDE(types), WIDTH, "embeddings.token_type_embeddings.weight", types),
	ONE(ENCODER, VECTOR, 0, WIDTH, MG_ONE, "embeddings.LayerNorm.weight", embedding_norm),
	ONE(ENCODER, VECTOR, 0, WIDTH, MG_ONE, "embeddings.LayerNorm.bias", embedding_norm_bias),
	EACH(LINEAR, 0, WIDTH, WIDTH, "attention.self.query.weight", query),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.self.query.bias", query_bias),
	EACH(LINEAR, 0, WIDTH, WIDTH, "attention.self.key.weight", key),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.self.key.bias", key_bias),
	EACH(LINEAR, 0, WIDTH, WIDTH, "attention.self.value.weight", value),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.self.value.bias", value_bias),
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
	ONE(HEAD, LINEAR, 0, WIDTH, WIDTH, "cls.predictions.transform.dense.weight", transform),
	ONE(HEAD, VECTOR, 0, WIDTH, MG_ONE, "cls.predictions.transform.dense.bias", transform_bias),
	ONE(HEAD, VECTOR, 0, WIDTH, MG_ONE, "cls.predictions.transform.LayerNorm.weight", transform_norm),
	ONE(HEAD, VECTOR, 0, WIDTH, MG_ONE, "cls.predictions.transform.LayerNorm.bias", transform_norm_bias),
	ONE(HEAD, VECTOR, 0, VOCAB, MG_ONE, "cls.predictions.bias", vocabulary_bias),
	ONE(HEAD, WORDS, MG_TIED, VOCAB, WIDTH, "cls.predictions.decoder.weight", decoder),
	ONE(HEAD, VECTOR, MG_TIED | MG_OPTIONAL, VOCAB, MG_ONE, "cls.predictions.decoder.bias", decoder_bias),
	ONE(CLASSES, LINEAR, 0, SIDE(sizes.labels), WIDTH, "classifier.weight", classifier),
	ONE(CLASSES, VECTOR, 0, SIDE(sizes.labels), MG_ONE, "classifier.bias", classifier_bias),
	ONE(CLASSES, LINEAR, 0, WIDTH, WIDTH, "pooler.dense.weight", pooler),
	ONE(CLASSES, VECTOR, 0, WIDTH, MG_ONE, "pooler.dense.bias", pooler_bias),
};

static bool
settle(MgCtx *cx, const MgConfig *lists, void *config)
{
	Config *c = config;

	/* transformers gives a head two classes unless they have names. */
	c->sizes.labels = mg_config_count(lists, "id2label") > 0 ? (uint32_t) mg_config_count(lists, "id2label") : 2;
	if (c->positions.size > 0 && !mg_span_is(c->positions, "absolute"))
		return mg_fail(cx, MG_UNSUPPORTED, "position embeddings of type \"%.*s\" are not supported",
					   MG_SPAN_ARGS(c->positions));
	if (c->sizes.width % c->heads != 0)
		return mg_fail(cx, MG_BAD_FILE, "hidden size %u is not divisible by %u attention heads", c->sizes.width, c->heads);
	return true;
}

/* x [n, h] from ids; positions restart in each sequence. */
static void
embed_tokens(const MgRun *run, const MgBatch *batch, float *x)
{
	const Weights *w = run->model->weights;
	const Config *c = run->model->config;
	size_t h = c->sizes.width;
	MgNorm norm = {MG_NORM_LAYER, h, w->embedding_norm, w->embedding_norm_bias, c->eps};

	mg_batch_words(&w->words, batch, x);
	for (size_t s = 0; s < batch->n_sequences; s++)
		for (size_t i = batch->offsets[s]; i < batch->offsets[s + 1]; i++)
		{
			mg_add(run->compute, x + i * h, w->positions.data + mg_batch_position(batch, s, i) * h, h);
			mg_add(run->compute, x + i * h, w->types.data + mg_batch_segment(batch, i) * h, h);
		}
	mg_add_norm(run->compute, &norm, x, NULL, batch->n_tokens, x);
}

static bool
forward(const MgRun *run, const MgBatch *batch, float *out)
{
	const Config *c = run->model->config;
	const MgLayer *layers = run->model->layers;
	MgLayerForm form = {.width = c->sizes.width, .heads = c->heads, .head_size = c->sizes.width / c->heads,
						.eps = c->eps, .activation = (MgActivation) c->activation};
	MgMark mark = mg_mark(run->cx);
	MgStates states;

	if (!mg_states_init(run, &form, batch, c->sizes.layers, out, &states))
		return false;
	embed_tokens(run, batch, states.x);
	for (uint32_t l = 0; l < c->sizes.layers; l++)
		if (!mg_layer(run, &form, &layers[l], &states))
			return false;
	mg_rewind(run->cx, mark);
	return true;
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

/* out [n_sequences, labels] = tanh(x Wp^T + bp) Wc^T + bc, x: the state of each sequence's first token. */
static bool
score(const MgRun *run, const MgBatch *batch, float *out)
{
	const Config *c = run->model->config;
	const Weights *w = run->model->weights;
	size_t h = c->sizes.width, n = batch->n_sequences;
	MgBatch firsts = *batch;
	MgMark mark = mg_mark(run->cx);
	float *x = mg_alloc_array(run->cx, n, h * sizeof *x), *pooled = mg_alloc_array(run->cx, n, h * sizeof *pooled);

	firsts.rows = batch->offsets;
	firsts.n_rows = n;
	if (x == NULL || pooled == NULL || !forward(run, &firsts, x) ||
		!mg_linear(run->cx, run->compute, (MgRows){x, h, n}, (MgLinear){&w->pooler, w->pooler_bias, MG_ACT_TANH, pooled, h}) ||
		!mg_linear(run->cx, run->compute, (MgRows){pooled, h, n},
				   (MgLinear){&w->classifier, w->classifier_bias, MG_ACT_NONE, out, c->sizes.labels}))
		return false;
	mg_rewind(run->cx, mark);
	return true;
}

static MgVocabulary
vocabulary(const MgModel *model)
{
	const Weights *w = model->weights;

	return (MgVocabulary){&w->decoder, w->decoder_bias != NULL ? w->decoder_bias : w->vocabulary_bias};
}

static const MgClass classes[] = {{"BertModel", 0}, {"BertForMaskedLM", 0}, {"BertForPreTraining", 0},
								  {"BertForSequenceClassification", CLASSES}, {NULL, 0}};
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
	.can = {[ENCODER] = MG_CAN_EMBED, [HEAD] = MG_CAN_FILL_MASK | MG_CAN_CLASSIFY, [CLASSES] = MG_CAN_SCORE},
	.settle = settle,
	.forward = forward,
	.head = head,
	.vocabulary = vocabulary,
	.score = score,
};
