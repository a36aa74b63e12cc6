/*
 * ESM-2 (Lin et al., Science 379, 2023), an encoder of proteins with rotary positions, normalised before each block: EsmModel,
 * EsmForMaskedLM, EsmForSequenceClassification, EsmForTokenClassification.
 *
 *   x  [n, h] = word[id] (1 - 0.12) / (1 - masks / n),  0 where id is the mask;  or word[id] without token_dropout
 *   each layer:
 *     x = x + attention(norm(x)),  queries and keys turned by their positions
 *     x = x + act(norm(x) W1^T + b1) W2^T + b2
 *   x = norm(x)
 *   words:
 *     y = norm(gelu(x Wt^T + bt)),  logits = y word^T + c,  word [vocab, h]
 *   classes of a sequence:
 *     logits = tanh(x[0] Wd^T + bd) Wo^T + bo;  of tokens: logits = x Wc^T + bc
 *
 * Easy to get wrong: masks are counted in each sequence by itself, and n has the tokens around the protein; the act is gelu whatever
 * hidden_act says; the head for contacts is left alone; frequencies that stand in the checkpoint count, for they may have been rounded. ESM-1b,
 * which has learned positions, is refused.
 */
#include "model/tables.h"

typedef MgEncoderConfig Config;

#define MASK own.sizes[0]	 /* id of the mask token */
#define EARLY own.sizes[1]	 /* width of the embeddings' norm: h, or 0 where there is none */
#define DROPOUT own.flags[0] /* token_dropout */
#define NORMED own.flags[1]	 /* emb_layer_norm_before */
#define POSITIONS own.texts[0]

/* Of tokens that training did not mask: of 15 in 100 that it picked, it masked 80 in 100. */
#define TRAINED 0.88f

typedef struct Weights
{
	MgEncoderWeights encoder;
	const float *norm, *norm_bias; /* [h] */
	const float *frequencies;	   /* [half], or NULL */
} Weights;

static const Config defaults = {.sizes = {.layers = 12, .width = 768, .vocab = 33, .tied = true},
								.rows = 1026,
								.heads = 12,
								.intermediate = 3072,
								.activation = MG_ACT_GELU,
								.class_activation = MG_ACT_TANH,
								.eps = 1e-12f,
								.theta = 10000,
								.MASK = 32};

static const MgKey keys[] = {
	KEY("vocab_size", SIZE, sizes.vocab, 1, MG_MAX_VOCAB),
	KEY("hidden_size", SIZE, sizes.width, 1, MG_MAX_WIDTH),
	KEY("num_hidden_layers", SIZE, sizes.layers, 1, MG_MAX_LAYERS),
	KEY("num_attention_heads", SIZE, heads, 1, MG_MAX_WIDTH),
	KEY("intermediate_size", SIZE, intermediate, 1, MG_MAX_WIDTH),
	KEY("max_position_embeddings", SIZE, rows, 3, MG_MAX_POSITIONS),
	KEY("layer_norm_eps", REAL, eps, 0, FLT_MAX),
	KEY("tie_word_embeddings", FLAG, sizes.tied, 0, 0),
	KEY("position_embedding_type", TEXT, POSITIONS, 0, 0),
	KEY("mask_token_id", SIZE, MASK, 0, MG_MAX_VOCAB),
	KEY("token_dropout", FLAG, DROPOUT, 0, 0),
	KEY("emb_layer_norm_before", FLAG, NORMED, 0, 0),
	CLASS_KEYS,
};

enum
{
	ENCODER,
	HEAD,
	CLASSES,
	TAGS
};

#define LAYER "encoder.layer.%u."
#define WIDE SIDE(intermediate)

static const MgWeightSpec weights[] = {
	ONE(ENCODER, WORDS, 0, VOCAB, WIDTH, "embeddings.word_embeddings.weight", encoder.embeddings.words),
	ONE(ENCODER, VECTOR, 0, SIDE(EARLY), MG_ONE, "embeddings.layer_norm.weight", encoder.embeddings.norm),
	ONE(ENCODER, VECTOR, 0, SIDE(EARLY), MG_ONE, "embeddings.layer_norm.bias", encoder.embeddings.norm_bias),
	ONE(ENCODER, VECTOR, MG_OPTIONAL, SIDE(half), MG_ONE, "rotary_embeddings.inv_freq", frequencies),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.LayerNorm.weight", attention_norm),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.LayerNorm.bias", attention_norm_bias),
	EACH(LINEAR, 0, WIDTH, WIDTH, "attention.self.query.weight", query),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.self.query.bias", query_bias),
	EACH(LINEAR, 0, WIDTH, WIDTH, "attention.self.key.weight", key),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.self.key.bias", key_bias),
	EACH(LINEAR, 0, WIDTH, WIDTH, "attention.self.value.weight", value),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.self.value.bias", value_bias),
	EACH(LINEAR, 0, WIDTH, WIDTH, "attention.output.dense.weight", output),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.output.dense.bias", output_bias),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "LayerNorm.weight", block_norm),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "LayerNorm.bias", block_norm_bias),
	EACH(LINEAR, 0, WIDE, WIDTH, "intermediate.dense.weight", up),
	EACH(VECTOR, 0, WIDE, MG_ONE, "intermediate.dense.bias", up_bias),
	EACH(LINEAR, 0, WIDTH, WIDE, "output.dense.weight", down),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "output.dense.bias", down_bias),
	ONE(ENCODER, VECTOR, 0, WIDTH, MG_ONE, "encoder.emb_layer_norm_after.weight", norm),
	ONE(ENCODER, VECTOR, 0, WIDTH, MG_ONE, "encoder.emb_layer_norm_after.bias", norm_bias),
	ONE(HEAD, LINEAR, 0, WIDTH, WIDTH, "lm_head.dense.weight", encoder.transform),
	ONE(HEAD, VECTOR, 0, WIDTH, MG_ONE, "lm_head.dense.bias", encoder.transform_bias),
	ONE(HEAD, VECTOR, 0, WIDTH, MG_ONE, "lm_head.layer_norm.weight", encoder.transform_norm),
	ONE(HEAD, VECTOR, 0, WIDTH, MG_ONE, "lm_head.layer_norm.bias", encoder.transform_norm_bias),
	ONE(HEAD, VECTOR, 0, VOCAB, MG_ONE, "lm_head.bias", encoder.vocabulary_bias),
	ONE(HEAD, WORDS, MG_TIED, VOCAB, WIDTH, "lm_head.decoder.weight", encoder.decoder),
	ONE(CLASSES, LINEAR, 0, WIDTH, WIDTH, "classifier.dense.weight", encoder.dense),
	ONE(CLASSES, VECTOR, 0, WIDTH, MG_ONE, "classifier.dense.bias", encoder.dense_bias),
	ONE(CLASSES, LINEAR, 0, LABELS, WIDTH, "classifier.out_proj.weight", encoder.classifier),
	ONE(CLASSES, VECTOR, 0, LABELS, MG_ONE, "classifier.out_proj.bias", encoder.classifier_bias),
	ONE(TAGS, LINEAR, 0, LABELS, WIDTH, "classifier.weight", encoder.tagger),
	ONE(TAGS, VECTOR, 0, LABELS, MG_ONE, "classifier.bias", encoder.tagger_bias),
};

static bool
settle(MgCtx *cx, const MgConfig *lists, void *config)
{
	Config *c = config;

	if (!mg_span_is(c->POSITIONS, "rotary"))
		return mg_fail(cx, MG_UNSUPPORTED, "ESM with positions of type \"%.*s\" is not supported", MG_SPAN_ARGS(c->POSITIONS));
	c->EARLY = c->NORMED ? c->sizes.width : 0;
	return mg_encoder_settle(cx, lists, c);
}

/* x [n, h]: words, masks as zeros and the others as much larger as training had them, sequence by sequence. */
static void
embed(const MgRun *run, const MgBatch *batch, float *x)
{
	const Config *c = run->model->config;
	const Weights *w = run->model->weights;
	size_t h = c->sizes.width;
	MgNorm early = {MG_NORM_LAYER, h, w->encoder.embeddings.norm, w->encoder.embeddings.norm_bias, c->eps};

	mg_batch_words(&w->encoder.embeddings.words, batch, x);
	for (size_t s = 0; s < batch->n_sequences && c->DROPOUT; s++)
	{
		size_t first = batch->offsets[s], end = batch->offsets[s + 1], masks = 0;
		float kept;

		for (size_t i = first; i < end; i++)
			masks += (uint32_t) batch->ids[i] == c->MASK;
		kept = 1 - (float) masks / (float) (end - first);
		for (size_t i = first; i < end; i++)
			for (size_t d = 0; d < h; d++)
				x[i * h + d] = (uint32_t) batch->ids[i] == c->MASK ? 0 : x[i * h + d] * TRAINED / kept;
	}
	if (early.weight != NULL)
		mg_add_norm(run->compute, &early, x, NULL, batch->n_tokens, x);
}

static bool
forward(const MgRun *run, const MgBatch *batch, float *out)
{
	const Config *c = run->model->config;
	const Weights *w = run->model->weights;
	const MgLayer *layers = run->model->layers;
	size_t h = c->sizes.width, d = h / c->heads;
	MgNorm last = {MG_NORM_LAYER, h, w->norm, w->norm_bias, c->eps};
	MgRope rope;
	MgLayerForm form = {.width = h, .heads = c->heads, .head_size = d, .pre_norm = true, .eps = c->eps, .activation = MG_ACT_GELU,
						.rope = &rope};
	MgMark mark = mg_mark(run->cx);
	MgStates states;

	if (!(w->frequencies != NULL ? mg_batch_turns(run->cx, batch, w->frequencies, d, &rope)
								 : mg_batch_rope(run->cx, batch, c->theta, d, &rope)) ||
		!mg_states_init(run, &form, batch, c->sizes.layers, out, &states))
		return false;
	embed(run, batch, states.x);
	for (uint32_t l = 0; l < c->sizes.layers; l++)
		if (!mg_layer(run, &form, &layers[l], &states))
			return false;
	mg_add_norm(run->compute, &last, out, NULL, batch->n_rows, out);
	mg_rewind(run->cx, mark);
	return true;
}

static const MgClass classes[] = {{"EsmModel", ENCODER}, {"EsmForMaskedLM", HEAD}, {"EsmForSequenceClassification", CLASSES},
								  {"EsmForTokenClassification", TAGS}, {NULL, 0}};
static const char *const prefixes[] = {"", "esm.", NULL};

/* In older checkpoints each layer has the frequencies. */
static const MgRename renames[] = {{"rotary_embeddings.inv_freq", "encoder.layer.0.attention.self.rotary_embeddings.inv_freq"}, {NULL, NULL}};

/* position_ids count; the table of positions is never trained; contacts and the pooler serve other tasks; the decoder repeats tied weights. */
static const char *const ignored[] = {"embeddings.position_ids", "embeddings.position_embeddings.weight", "*.rotary_embeddings.inv_freq",
									  "contact_head.*", "pooler.*", "lm_head.decoder.weight", NULL};

const MgArch mg_arch_esm = {
	.name = "esm",
	TABLES,
	.renames = renames,
	.can = ENCODER_TASKS,
	.settle = settle,
	.forward = forward,
	.head = mg_encoder_head,
	.vocabulary = mg_encoder_vocabulary,
	.sequence_head = mg_encoder_sequence_head,
	.token_head = mg_encoder_token_head,
};
