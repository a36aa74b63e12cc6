/*
 * BERT (arXiv 1810.04805), an encoder with learned positions, normalised after
 * each block: BertModel and BertForMaskedLM. MiniLM embedders are BertModels.
 *
 *   x  [n, h] = norm(word[id] + position[i] + type[0])
 *   each layer:
 *     a = softmax(q k^T / sqrt(h / heads)) v,   q, k, v = x W^T + b
 *     x = norm(x + a Wo^T + bo)
 *     x = norm(x + act(x W1^T + b1) W2^T + b2),  W1 [intermediate, h]
 *   head:
 *     y = norm(act(x Wt^T + bt)),  logits = y word^T + c,  word [vocab, h]
 *
 * Easy to get wrong: the norm comes after the residual is added, not before;
 * gelu is the exact one unless config.json says otherwise; positions count from 0
 * in each sequence; eps is 1e-12 and comes from the config; the token type row
 * is added although there is one segment only.
 */
#include <float.h>
#include <stddef.h>

#include "model/blocks.h"
#include "model/model.h"

typedef struct Layer
{
	MgMatrix query, key, value, output; /* [h, h] */
	const float *query_bias, *key_bias, *value_bias, *output_bias;
	const float *attention_gain, *attention_bias;
	MgMatrix up, down; /* [intermediate, h], [h, intermediate] */
	const float *up_bias, *down_bias;
	const float *block_gain, *block_bias;
} Layer;

typedef struct Weights
{
	MgMatrix words, positions, types; /* [vocab, h], [positions, h], [types, h] */
	const float *embedding_gain, *embedding_bias;
	MgMatrix transform; /* [h, h] */
	const float *transform_bias, *transform_gain, *transform_norm_bias;
	const float *vocabulary_bias;
	MgMatrix decoder; /* [vocab, h]; tied, the words */
	const float *decoder_bias;
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

#define KEY(name, kind, field, least, most) {name, MG_KEY_##kind, offsetof(Config, field), least, most}

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
};

enum
{
	ENCODER,
	HEAD /* masked-LM head */
};

#define SIDE(field) offsetof(Config, field)
#define VOCAB SIDE(sizes.vocab)
#define WIDTH SIDE(sizes.width)
#define WIDE SIDE(intermediate)
#define ONE(part, role, flags, rows, cols, name, field) \
	{name, part, MG_##role, flags, rows, cols, offsetof(Weights, field), NULL}
#define EACH(role, rows, cols, name, field) \
	{"encoder.layer.%u." name, ENCODER, MG_##role, MG_LAYERED, rows, cols, offsetof(Layer, field), NULL}

static const MgWeightSpec weights[] = {
	ONE(ENCODER, WORDS, 0, VOCAB, WIDTH, "embeddings.word_embeddings.weight", words),
	ONE(ENCODER, TABLE, 0, SIDE(sizes.longest), WIDTH, "embeddings.position_embeddings.weight", positions),
	ONE(ENCODER, TABLE, 0, SIDE(types), WIDTH, "embeddings.token_type_embeddings.weight", types),
	ONE(ENCODER, VECTOR, 0, WIDTH, MG_ONE, "embeddings.LayerNorm.weight", embedding_gain),
	ONE(ENCODER, VECTOR, 0, WIDTH, MG_ONE, "embeddings.LayerNorm.bias", embedding_bias),
	EACH(LINEAR, WIDTH, WIDTH, "attention.self.query.weight", query),
	EACH(VECTOR, WIDTH, MG_ONE, "attention.self.query.bias", query_bias),
	EACH(LINEAR, WIDTH, WIDTH, "attention.self.key.weight", key),
	EACH(VECTOR, WIDTH, MG_ONE, "attention.self.key.bias", key_bias),
	EACH(LINEAR, WIDTH, WIDTH, "attention.self.value.weight", value),
	EACH(VECTOR, WIDTH, MG_ONE, "attention.self.value.bias", value_bias),
	EACH(LINEAR, WIDTH, WIDTH, "attention.output.dense.weight", output),
	EACH(VECTOR, WIDTH, MG_ONE, "attention.output.dense.bias", output_bias),
	EACH(VECTOR, WIDTH, MG_ONE, "attention.output.LayerNorm.weight", attention_gain),
	EACH(VECTOR, WIDTH, MG_ONE, "attention.output.LayerNorm.bias", attention_bias),
	EACH(LINEAR, WIDE, WIDTH, "intermediate.dense.weight", up),
	EACH(VECTOR, WIDE, MG_ONE, "intermediate.dense.bias", up_bias),
	EACH(LINEAR, WIDTH, WIDE, "output.dense.weight", down),
	EACH(VECTOR, WIDTH, MG_ONE, "output.dense.bias", down_bias),
	EACH(VECTOR, WIDTH, MG_ONE, "output.LayerNorm.weight", block_gain),
	EACH(VECTOR, WIDTH, MG_ONE, "output.LayerNorm.bias", block_bias),
	ONE(HEAD, LINEAR, 0, WIDTH, WIDTH, "cls.predictions.transform.dense.weight", transform),
	ONE(HEAD, VECTOR, 0, WIDTH, MG_ONE, "cls.predictions.transform.dense.bias", transform_bias),
	ONE(HEAD, VECTOR, 0, WIDTH, MG_ONE, "cls.predictions.transform.LayerNorm.weight", transform_gain),
	ONE(HEAD, VECTOR, 0, WIDTH, MG_ONE, "cls.predictions.transform.LayerNorm.bias", transform_norm_bias),
	ONE(HEAD, VECTOR, 0, VOCAB, MG_ONE, "cls.predictions.bias", vocabulary_bias),
	ONE(HEAD, WORDS, MG_TIED, VOCAB, WIDTH, "cls.predictions.decoder.weight", decoder),
	ONE(HEAD, VECTOR, MG_TIED | MG_OPTIONAL, VOCAB, MG_ONE, "cls.predictions.decoder.bias", decoder_bias),
};

static bool
settle(MgCtx *cx, const MgConfig *lists, void *config)
{
	const Config *c = config;

	(void) lists;
	if (c->positions.size > 0 && !mg_span_is(c->positions, "absolute"))
		return mg_fail(cx, MG_UNSUPPORTED, "position embeddings of type \"%.*s\" are not supported",
					   MG_SPAN_ARGS(c->positions));
	if (c->sizes.width % c->heads != 0)
		return mg_fail(cx, MG_BAD_FILE, "hidden size %u is not divisible by %u attention heads", c->sizes.width, c->heads);
	return true;
}

/* x [n, h] from ids; positions restart in each sequence. */
static void
embed_tokens(const MgModel *model, const MgBatch *batch, float *x)
{
	const Weights *w = model->weights;
	const Config *c = model->config;
	size_t h = c->sizes.width;

	for (size_t s = 0; s < batch->n_sequences; s++)
		for (size_t i = batch->offsets[s]; i < batch->offsets[s + 1]; i++)
		{
			float *row = x + i * h;
			const float *word = mg_table_row(&w->words, (size_t) batch->ids[i], row);

			if (word != row)
				memcpy(row, word, h * sizeof *row);
			mg_add(&model->compute, row, w->positions.data + mg_batch_position(batch, s, i) * h, h);
			mg_add(&model->compute, row, w->types.data + mg_batch_segment(batch, i) * h, h);
		}
	mg_add_norm(&model->compute, &(MgNorm){MG_NORM_LAYER, h, w->embedding_gain, w->embedding_bias, c->eps}, x, NULL, batch->n_tokens, x);
}

/* Scratch of a forward pass; n is the number of tokens. */
typedef struct Scratch
{
	float *qkv;	  /* [n, 3 h] */
	float *mixed; /* [n, h] attention's result */
	float *block; /* [n, h] a block's output before the residual */
	float *query; /* [n_rows, h] of the last layer, when it runs on some rows only */
} Scratch;

/* x [n, h] of wanted rows after the feed-forward block and both norms; mixed is attention's result for them. */
static bool
finish_layer(MgCtx *cx, const MgModel *model, const Layer *layer, const Scratch *scratch, float *x, size_t n)
{
	const Config *c = model->config;
	const MgCompute *compute = &model->compute;
	size_t h = c->sizes.width;
	MgFeedForward feed_forward = {.up = &layer->up, .down = &layer->down, .up_bias = layer->up_bias,
								  .down_bias = layer->down_bias, .activation = (MgActivation) c->activation};

	if (!mg_linear(cx, compute, (MgRows){scratch->mixed, h, n}, (MgLinear){&layer->output, layer->output_bias, MG_ACT_NONE, scratch->block, h}))
		return false;
	mg_add_norm(compute, &(MgNorm){MG_NORM_LAYER, h, layer->attention_gain, layer->attention_bias, c->eps}, x, scratch->block, n, x);
	if (!mg_feed_forward(cx, compute, &feed_forward, x, n, scratch->block))
		return false;
	mg_add_norm(compute, &(MgNorm){MG_NORM_LAYER, h, layer->block_gain, layer->block_bias, c->eps}, x, scratch->block, n, x);
	return true;
}

static bool
run_layer(MgCtx *cx, const MgModel *model, const Layer *layer, const MgBatch *batch, const Scratch *scratch, float *x)
{
	const MgCompute *compute = &model->compute;
	const Config *c = model->config;
	size_t h = c->sizes.width, n = batch->n_tokens;
	float *qkv = scratch->qkv;
	MgAttendBatch attend = {.q = qkv, .q_stride = 3 * h, .k = qkv + h, .v = qkv + 2 * h, .kv_stride = 3 * h,
							.heads = c->heads, .head_size = h / c->heads, .out = scratch->mixed};
	MgLinear linears[] = {{&layer->query, layer->query_bias, MG_ACT_NONE, qkv, 3 * h},
						  {&layer->key, layer->key_bias, MG_ACT_NONE, qkv + h, 3 * h},
						  {&layer->value, layer->value_bias, MG_ACT_NONE, qkv + 2 * h, 3 * h}};

	return mg_linears(cx, compute, (MgRows){x, h, n}, linears, 3) && mg_attend_batch(cx, model, batch, NULL, &attend) &&
		finish_layer(cx, model, layer, scratch, x, n);
}

/* The last layer: keys and values of all tokens, everything else for the wanted rows alone, in out [n_rows, h]. */
static bool
run_last_layer(MgCtx *cx, const MgModel *model, const Layer *layer, const MgBatch *batch, const Scratch *scratch,
			   const float *x, float *out)
{
	const MgCompute *compute = &model->compute;
	const Config *c = model->config;
	size_t h = c->sizes.width, n = batch->n_tokens;
	float *qkv = scratch->qkv;
	MgAttendBatch attend = {.q = scratch->query, .q_stride = h, .k = qkv + h, .v = qkv + 2 * h, .kv_stride = 3 * h,
							.heads = c->heads, .head_size = h / c->heads, .out = scratch->mixed};
	MgLinear linears[] = {{&layer->key, layer->key_bias, MG_ACT_NONE, qkv + h, 3 * h},
						  {&layer->value, layer->value_bias, MG_ACT_NONE, qkv + 2 * h, 3 * h}};

	for (size_t i = 0; i < batch->n_rows; i++)
		memcpy(out + i * h, x + (size_t) batch->rows[i] * h, h * sizeof *out);
	return mg_linear(cx, compute, (MgRows){out, h, batch->n_rows}, (MgLinear){&layer->query, layer->query_bias, MG_ACT_NONE, scratch->query, h}) &&
		mg_linears(cx, compute, (MgRows){x, h, n}, linears, 2) && mg_attend_batch(cx, model, batch, batch->rows, &attend) &&
		finish_layer(cx, model, layer, scratch, out, batch->n_rows);
}

static bool
forward(MgCtx *cx, const MgModel *model, const MgBatch *batch, float *out)
{
	const Config *c = model->config;
	const Layer *layers = model->layers;
	size_t h = c->sizes.width, n = batch->n_tokens;
	MgMark mark = mg_mark(cx);
	float *x = batch->rows == NULL ? out : mg_alloc_array(cx, n, h * sizeof *x);
	Scratch scratch = {mg_alloc_array(cx, n, 3 * h * sizeof(float)), mg_alloc_array(cx, n, h * sizeof(float)),
					   mg_alloc_array(cx, n, h * sizeof(float)),
					   mg_alloc_array(cx, batch->n_rows, h * sizeof(float))};

	if (x == NULL || scratch.qkv == NULL || scratch.mixed == NULL || scratch.block == NULL ||
		scratch.query == NULL)
		return false;
	embed_tokens(model, batch, x);
	for (uint32_t l = 0; l < c->sizes.layers; l++)
	{
		bool last = batch->rows != NULL && l + 1 == c->sizes.layers;

		if (!mg_poll(cx) ||
			!(last ? run_last_layer(cx, model, &layers[l], batch, &scratch, x, out)
				   : run_layer(cx, model, &layers[l], batch, &scratch, x)))
			return false;
	}
	mg_rewind(cx, mark);
	return true;
}

static bool
head(MgCtx *cx, const MgModel *model, const float *states, size_t n, float *out)
{
	const Config *c = model->config;
	const Weights *w = model->weights;

	if (!mg_linear(cx, &model->compute, (MgRows){states, c->sizes.width, n}, (MgLinear){&w->transform, w->transform_bias, (MgActivation) c->activation, out, c->sizes.width}))
		return false;
	mg_add_norm(&model->compute, &(MgNorm){MG_NORM_LAYER, c->sizes.width, w->transform_gain, w->transform_norm_bias, c->eps}, out, NULL, n, out);
	return true;
}

static MgVocabulary
vocabulary(const MgModel *model)
{
	const Weights *w = model->weights;

	return (MgVocabulary){&w->decoder, w->decoder_bias != NULL ? w->decoder_bias : w->vocabulary_bias};
}

static const MgClass classes[] = {{"BertModel", 0}, {"BertForMaskedLM", 0}, {"BertForPreTraining", 0}, {NULL, 0}};
static const char *const prefixes[] = {"", "bert.", NULL};

/* position_ids count from 0; the pooler and the next-sentence head serve other tasks; the decoder repeats tied weights. */
static const char *const ignored[] = {"embeddings.position_ids",	   "pooler.*",						"cls.seq_relationship.*",
									  "cls.predictions.decoder.weight", "cls.predictions.decoder.bias", NULL};

/* Checkpoints made from TensorFlow's say gamma and beta. */
static const MgRename renames[] = {{"LayerNorm.weight", "LayerNorm.gamma"}, {"LayerNorm.bias", "LayerNorm.beta"}, {NULL, NULL}};

const MgArch mg_arch_bert = {
	.name = "bert",
	.classes = classes,
	.prefixes = prefixes,
	.ignored = ignored,
	.renames = renames,
	.keys = keys,
	.n_keys = sizeof keys / sizeof *keys,
	.defaults = &defaults,
	.config_size = sizeof(Config),
	.weights = weights,
	.n_weights = sizeof weights / sizeof *weights,
	.weights_size = sizeof(Weights),
	.layer_size = sizeof(Layer),
	.can = {[ENCODER] = MG_CAN_EMBED, [HEAD] = MG_CAN_FILL_MASK | MG_CAN_CLASSIFY},
	.settle = settle,
	.forward = forward,
	.head = head,
	.vocabulary = vocabulary,
};
