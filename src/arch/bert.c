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
#include <math.h>
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
	MgMatrix decoder; /* [vocab, h], when not tied */
	const float *decoder_bias;
} Weights;

#define ONE(part, role, rows, cols, name, gguf, field) \
	{name, gguf, part, role, MG_DIM_##rows, MG_DIM_##cols, false, offsetof(Weights, field)}
#define EACH(role, rows, cols, name, gguf, field) \
	{"encoder.layer.%u." name, "blk.%u." gguf, MG_PART_ENCODER, role, MG_DIM_##rows, MG_DIM_##cols, true, \
	 offsetof(Layer, field)}
#define ENCODER MG_PART_ENCODER
#define HEAD MG_PART_HEAD

static const MgWeightSpec weights[] = {
	ONE(ENCODER, MG_WORDS, VOCAB, HIDDEN, "embeddings.word_embeddings.weight", "token_embd.weight", words),
	ONE(ENCODER, MG_TABLE, POSITIONS, HIDDEN, "embeddings.position_embeddings.weight", "position_embd.weight", positions),
	ONE(ENCODER, MG_TABLE, TYPES, HIDDEN, "embeddings.token_type_embeddings.weight", "token_types.weight", types),
	ONE(ENCODER, MG_VECTOR, HIDDEN, NONE, "embeddings.LayerNorm.weight", "token_embd_norm.weight", embedding_gain),
	ONE(ENCODER, MG_VECTOR, HIDDEN, NONE, "embeddings.LayerNorm.bias", "token_embd_norm.bias", embedding_bias),
	EACH(MG_LINEAR, HIDDEN, HIDDEN, "attention.self.query.weight", "attn_q.weight", query),
	EACH(MG_VECTOR, HIDDEN, NONE, "attention.self.query.bias", "attn_q.bias", query_bias),
	EACH(MG_LINEAR, HIDDEN, HIDDEN, "attention.self.key.weight", "attn_k.weight", key),
	EACH(MG_VECTOR, HIDDEN, NONE, "attention.self.key.bias", "attn_k.bias", key_bias),
	EACH(MG_LINEAR, HIDDEN, HIDDEN, "attention.self.value.weight", "attn_v.weight", value),
	EACH(MG_VECTOR, HIDDEN, NONE, "attention.self.value.bias", "attn_v.bias", value_bias),
	EACH(MG_LINEAR, HIDDEN, HIDDEN, "attention.output.dense.weight", "attn_output.weight", output),
	EACH(MG_VECTOR, HIDDEN, NONE, "attention.output.dense.bias", "attn_output.bias", output_bias),
	EACH(MG_VECTOR, HIDDEN, NONE, "attention.output.LayerNorm.weight", "attn_output_norm.weight", attention_gain),
	EACH(MG_VECTOR, HIDDEN, NONE, "attention.output.LayerNorm.bias", "attn_output_norm.bias", attention_bias),
	EACH(MG_LINEAR, INTERMEDIATE, HIDDEN, "intermediate.dense.weight", "ffn_up.weight", up),
	EACH(MG_VECTOR, INTERMEDIATE, NONE, "intermediate.dense.bias", "ffn_up.bias", up_bias),
	EACH(MG_LINEAR, HIDDEN, INTERMEDIATE, "output.dense.weight", "ffn_down.weight", down),
	EACH(MG_VECTOR, HIDDEN, NONE, "output.dense.bias", "ffn_down.bias", down_bias),
	EACH(MG_VECTOR, HIDDEN, NONE, "output.LayerNorm.weight", "layer_output_norm.weight", block_gain),
	EACH(MG_VECTOR, HIDDEN, NONE, "output.LayerNorm.bias", "layer_output_norm.bias", block_bias),
	ONE(HEAD, MG_LINEAR, HIDDEN, HIDDEN, "cls.predictions.transform.dense.weight", NULL, transform),
	ONE(HEAD, MG_VECTOR, HIDDEN, NONE, "cls.predictions.transform.dense.bias", NULL, transform_bias),
	ONE(HEAD, MG_VECTOR, HIDDEN, NONE, "cls.predictions.transform.LayerNorm.weight", NULL, transform_gain),
	ONE(HEAD, MG_VECTOR, HIDDEN, NONE, "cls.predictions.transform.LayerNorm.bias", NULL, transform_norm_bias),
	ONE(HEAD, MG_VECTOR, VOCAB, NONE, "cls.predictions.bias", NULL, vocabulary_bias),
	ONE(MG_PART_DECODER, MG_WORDS, VOCAB, HIDDEN, "cls.predictions.decoder.weight", NULL, decoder),
	ONE(MG_PART_DECODER_BIAS, MG_VECTOR, VOCAB, NONE, "cls.predictions.decoder.bias", NULL, decoder_bias),
};

static bool
check(MgCtx *cx, const MgHyper *hyper)
{
	if (hyper->vocab_size < 1 || hyper->vocab_size > MG_MAX_VOCAB || hyper->hidden < 1 ||
		hyper->hidden > MG_MAX_HIDDEN || hyper->layers < 1 || hyper->layers > MG_MAX_LAYERS || hyper->heads < 1 ||
		hyper->heads > hyper->hidden || hyper->intermediate < 1 || hyper->intermediate > MG_MAX_HIDDEN ||
		hyper->positions < 3 || hyper->positions > MG_MAX_POSITIONS || hyper->types < 1 ||
		hyper->types > MG_MAX_HIDDEN || hyper->activation > MG_ACT_TANH || !(hyper->norm_eps >= 0) || hyper->tied > 1)
		return mg_fail(cx, MG_BAD_FILE, "a hyperparameter of the model is out of range");
	if (hyper->hidden % hyper->heads != 0)
		return mg_fail(cx, MG_BAD_FILE, "hidden size %u is not divisible by %u attention heads", hyper->hidden,
					   hyper->heads);
	return true;
}

static bool
configure(MgCtx *cx, const char *file, const MgJson *config, MgHyper *hyper)
{
	size_t vocab = 30522, hidden = 768, layers = 12, heads = 12, intermediate = 3072, positions = 512, types = 2;
	float eps = 1e-12f;
	bool tied = true;
	MgSpan activation = mg_span_of("gelu"), position_kind = mg_span_of("absolute");

	if (!mg_json_get_size(cx, file, config, "vocab_size", 1, MG_MAX_VOCAB, &vocab) ||
		!mg_json_get_size(cx, file, config, "hidden_size", 1, MG_MAX_HIDDEN, &hidden) ||
		!mg_json_get_size(cx, file, config, "num_hidden_layers", 1, MG_MAX_LAYERS, &layers) ||
		!mg_json_get_size(cx, file, config, "num_attention_heads", 1, MG_MAX_HIDDEN, &heads) ||
		!mg_json_get_size(cx, file, config, "intermediate_size", 1, MG_MAX_HIDDEN, &intermediate) ||
		!mg_json_get_size(cx, file, config, "max_position_embeddings", 3, MG_MAX_POSITIONS, &positions) ||
		!mg_json_get_size(cx, file, config, "type_vocab_size", 1, MG_MAX_HIDDEN, &types) ||
		!mg_json_get_float(cx, file, config, "layer_norm_eps", &eps) ||
		!mg_json_get_bool(cx, file, config, "tie_word_embeddings", &tied) ||
		!mg_json_get_string(cx, file, config, "hidden_act", &activation) ||
		!mg_json_get_string(cx, file, config, "position_embedding_type", &position_kind))
		return false;
	if (!mg_span_is(position_kind, "absolute"))
		return mg_fail(cx, MG_UNSUPPORTED, "position embeddings of type \"%.*s\" are not supported",
					   MG_SPAN_ARGS(position_kind));
	*hyper = (MgHyper){(uint32_t) vocab, (uint32_t) hidden, (uint32_t) layers, (uint32_t) heads,
					   (uint32_t) intermediate, (uint32_t) positions, (uint32_t) types, 0, eps, tied};
	return mg_activation_of_name(cx, activation, &hyper->activation) && check(cx, hyper);
}

/* x [n, h] from ids; positions restart in each sequence. */
static void
embed_tokens(const MgModel *model, const MgBatch *batch, float *x)
{
	const Weights *w = model->weights;
	size_t h = model->meta.hyper.hidden;

	for (size_t s = 0; s < batch->n_sequences; s++)
		for (size_t i = batch->offsets[s]; i < batch->offsets[s + 1]; i++)
		{
			float *row = x + i * h;
			const float *word = mg_table_row(&w->words, (size_t) batch->ids[i], row);

			if (word != row)
				memcpy(row, word, h * sizeof *row);
			mg_add(&model->compute, row, w->positions.data + (i - batch->offsets[s]) * h, h);
			mg_add(&model->compute, row, w->types.data, h);
		}
	mg_add_layer_norm(&model->compute, x, NULL, batch->n_tokens, h, w->embedding_gain, w->embedding_bias,
					  model->meta.hyper.norm_eps);
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
	const MgHyper *hyper = &model->meta.hyper;
	const MgCompute *compute = &model->compute;
	size_t h = hyper->hidden;
	MgFeedForward feed_forward = {&layer->up, &layer->down, layer->up_bias, layer->down_bias,
								  (MgActivation) hyper->activation};

	if (!mg_linear(cx, compute, scratch->mixed, h, n, &layer->output, layer->output_bias, MG_ACT_NONE, scratch->block, h))
		return false;
	mg_add_layer_norm(compute, x, scratch->block, n, h, layer->attention_gain, layer->attention_bias, hyper->norm_eps);
	if (!mg_feed_forward(cx, compute, &feed_forward, x, n, scratch->block))
		return false;
	mg_add_layer_norm(compute, x, scratch->block, n, h, layer->block_gain, layer->block_bias, hyper->norm_eps);
	return true;
}

static bool
run_layer(MgCtx *cx, const MgModel *model, const Layer *layer, const MgBatch *batch, const Scratch *scratch, float *x)
{
	const MgCompute *compute = &model->compute;
	size_t h = model->meta.hyper.hidden, n = batch->n_tokens;
	float *qkv = scratch->qkv;
	MgAttendBatch attend = {qkv, 3 * h, qkv + h, qkv + 2 * h, 3 * h, scratch->mixed};
	MgLinear linears[] = {{&layer->query, layer->query_bias, MG_ACT_NONE, qkv, 3 * h},
						  {&layer->key, layer->key_bias, MG_ACT_NONE, qkv + h, 3 * h},
						  {&layer->value, layer->value_bias, MG_ACT_NONE, qkv + 2 * h, 3 * h}};

	return mg_linears(cx, compute, x, h, n, linears, 3) && mg_attend_batch(cx, model, batch, NULL, &attend) &&
		finish_layer(cx, model, layer, scratch, x, n);
}

/* The last layer: keys and values of all tokens, everything else for the wanted rows alone, in out [n_rows, h]. */
static bool
run_last_layer(MgCtx *cx, const MgModel *model, const Layer *layer, const MgBatch *batch, const Scratch *scratch,
			   const float *x, float *out)
{
	const MgCompute *compute = &model->compute;
	size_t h = model->meta.hyper.hidden, n = batch->n_tokens;
	float *qkv = scratch->qkv;
	MgAttendBatch attend = {scratch->query, h, qkv + h, qkv + 2 * h, 3 * h, scratch->mixed};
	MgLinear linears[] = {{&layer->key, layer->key_bias, MG_ACT_NONE, qkv + h, 3 * h},
						  {&layer->value, layer->value_bias, MG_ACT_NONE, qkv + 2 * h, 3 * h}};

	for (size_t i = 0; i < batch->n_rows; i++)
		memcpy(out + i * h, x + (size_t) batch->rows[i] * h, h * sizeof *out);
	return mg_linear(cx, compute, out, h, batch->n_rows, &layer->query, layer->query_bias, MG_ACT_NONE, scratch->query, h) &&
		mg_linears(cx, compute, x, h, n, linears, 2) && mg_attend_batch(cx, model, batch, batch->rows, &attend) &&
		finish_layer(cx, model, layer, scratch, out, batch->n_rows);
}

static bool
forward(MgCtx *cx, const MgModel *model, const MgBatch *batch, float *out)
{
	const MgHyper *hyper = &model->meta.hyper;
	const Layer *layers = model->layers;
	size_t h = hyper->hidden, n = batch->n_tokens;
	MgMark mark = mg_mark(cx);
	float *x = batch->rows == NULL ? out : mg_alloc_array(cx, n, h * sizeof *x);
	Scratch scratch = {mg_alloc_array(cx, n, 3 * h * sizeof(float)), mg_alloc_array(cx, n, h * sizeof(float)),
					   mg_alloc_array(cx, n, h * sizeof(float)),
					   mg_alloc_array(cx, batch->n_rows, h * sizeof(float))};

	if (x == NULL || scratch.qkv == NULL || scratch.mixed == NULL || scratch.block == NULL ||
		scratch.query == NULL)
		return false;
	embed_tokens(model, batch, x);
	for (uint32_t l = 0; l < hyper->layers; l++)
	{
		bool last = batch->rows != NULL && l + 1 == hyper->layers;

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
	const MgHyper *hyper = &model->meta.hyper;
	const Weights *w = model->weights;

	if (!mg_linear(cx, &model->compute, states, hyper->hidden, n, &w->transform, w->transform_bias,
				   (MgActivation) hyper->activation, out, hyper->hidden))
		return false;
	mg_add_layer_norm(&model->compute, out, NULL, n, hyper->hidden, w->transform_gain, w->transform_norm_bias,
					  hyper->norm_eps);
	return true;
}

static MgVocabulary
vocabulary(const MgModel *model)
{
	const Weights *w = model->weights;

	if (model->meta.hyper.tied)
		return (MgVocabulary){&w->words, w->vocabulary_bias};
	return (MgVocabulary){&w->decoder, w->decoder_bias != NULL ? w->decoder_bias : w->vocabulary_bias};
}

static const char *const classes[] = {"BertModel", "BertForMaskedLM", "BertForPreTraining", NULL};
static const char *const prefixes[] = {"", "bert.", NULL};

/* position_ids count from 0; the pooler and the next-sentence head serve other tasks; the decoder repeats tied weights. */
static const char *const ignored[] = {"embeddings.position_ids",	   "pooler.*",						"cls.seq_relationship.*",
									  "cls.predictions.decoder.weight", "cls.predictions.decoder.bias", NULL};

const MgArch mg_arch_bert = {
	.name = "bert",
	.classes = classes,
	.prefixes = prefixes,
	.ignored = ignored,
	.weights = weights,
	.n_weights = sizeof weights / sizeof *weights,
	.weights_size = sizeof(Weights),
	.layer_size = sizeof(Layer),
	.configure = configure,
	.check = check,
	.forward = forward,
	.head = head,
	.vocabulary = vocabulary,
};
