/*
 * ModernBERT (arXiv 2412.13663), an encoder with rotary positions, normalised
 * before each block, without biases: ModernBertModel, ModernBertForMaskedLM,
 * ModernBertForSequenceClassification, ModernBertForTokenClassification.
 *
 *   x  [n, h] = norm(word[id])
 *   each layer:
 *     q, k, v = x' Wqkv^T,  x' = norm(x), or x in layer 0;  Wqkv [3h, h]
 *     x = x + (softmax(R q (R k)^T / sqrt(h / heads)) v) Wo^T
 *     x = x + (gelu(a) * g) W2^T,  (a, g) = norm(x) Wi^T,  Wi [2i, h]
 *   x = norm(x)
 *   head:
 *     y = norm(act(x Wd^T)),  logits = y word^T + c,  word [vocab, h]
 *   or, for classes of tokens, logits = y Wc^T + bc;  for those of a sequence
 *     x is that of the first token, or the mean of all (classifier_pooling)
 *
 * Layers 0, 3, 6, ... are global. In the others a token sees those at most
 * local_attention / 2 positions away, on both sides. R turns by the angles of a
 * theta, which is another one in local layers.
 *
 * Easy to get wrong: the embeddings' norm is the first layer's; the first half of
 * Wi is activated and the second is the gate; norm_eps counts, and
 * layer_norm_eps and position_embedding_type are left-overs of BERT. Newer
 * files say layer_types and rope_parameters for the same things.
 */
#include <stdio.h>

#include "model/tables.h"

typedef struct Weights
{
	MgMatrix words; /* [vocab, h] */
	const float *embedding_norm, *final_norm;
	MgMatrix dense; /* [h, h] */
	const float *head_norm;
	MgMatrix decoder; /* [vocab, h]; tied, the words */
	const float *decoder_bias;
	MgMatrix class_dense, classifier; /* [h, h], [labels, h] */
	const float *class_norm, *classifier_bias;
	MgMatrix tag_dense, tagger; /* the same, of tokens */
	const float *tag_norm, *tagger_bias;
} Weights;

typedef struct Config
{
	MgSizes sizes;
	uint32_t heads, intermediate;
	uint32_t activation, head_activation; /* MgActivation */
	float eps;
	uint32_t every;			  /* each such layer is global */
	uint32_t window;		  /* tokens that a local layer sees, its own not counted */
	float theta, local_theta;
	float new_theta, new_local_theta; /* 0: not said */
	uint32_t fused, gated;			  /* 3h, 2i */
	MgSpan pooling;					  /* of classes: "cls" or "mean" */
	bool global[MG_MAX_LAYERS];
} Config;

static const Config defaults = {.sizes = {.layers = 22, .width = 768, .vocab = 50368, .longest = 8192, .tied = true},
								.heads = 12, .intermediate = 1152, .activation = MG_ACT_GELU, .head_activation = MG_ACT_GELU,
								.eps = 1e-5f, .every = 3, .window = 128, .theta = 160000, .local_theta = 10000};

static const MgKey keys[] = {
	KEY("vocab_size", SIZE, sizes.vocab, 1, MG_MAX_VOCAB),
	KEY("hidden_size", SIZE, sizes.width, 1, MG_MAX_WIDTH),
	KEY("num_hidden_layers", SIZE, sizes.layers, 1, MG_MAX_LAYERS),
	KEY("num_attention_heads", SIZE, heads, 1, MG_MAX_WIDTH),
	KEY("intermediate_size", SIZE, intermediate, 1, MG_MAX_WIDTH),
	KEY("max_position_embeddings", SIZE, sizes.longest, 3, MG_MAX_POSITIONS),
	KEY("hidden_activation", ACTIVATION, activation, 0, 0),
	KEY("classifier_activation", ACTIVATION, head_activation, 0, 0),
	KEY("norm_eps", REAL, eps, 0, FLT_MAX),
	KEY("tie_word_embeddings", FLAG, sizes.tied, 0, 0),
	KEY("global_attn_every_n_layers", SIZE, every, 1, MG_MAX_LAYERS),
	KEY("local_attention", SIZE, window, 1, MG_MAX_POSITIONS),
	KEY("global_rope_theta", REAL, theta, 1, FLT_MAX),
	KEY("local_rope_theta", REAL, local_theta, 1, FLT_MAX),
	KEY("rope_parameters.full_attention.rope_theta", REAL, new_theta, 1, FLT_MAX),
	KEY("rope_parameters.sliding_attention.rope_theta", REAL, new_local_theta, 1, FLT_MAX),
	KEY("layer_types", LIST, sizes, 0, 0),
	KEY("classifier_pooling", TEXT, pooling, 0, 0),
	CLASS_KEYS,
};

enum { ENCODER, HEAD, CLASSES, TAGS };

#define LAYER "layers.%u."

static const MgWeightSpec weights[] = {
	ONE(ENCODER, WORDS, 0, VOCAB, WIDTH, "embeddings.tok_embeddings.weight", words),
	ONE(ENCODER, VECTOR, 0, WIDTH, MG_ONE, "embeddings.norm.weight", embedding_norm),
	EACH(VECTOR, MG_NOT_FIRST, WIDTH, MG_ONE, "attn_norm.weight", attention_norm),
	EACH(LINEAR, 0, SIDE(fused), WIDTH, "attn.Wqkv.weight", qkv),
	EACH(LINEAR, 0, WIDTH, WIDTH, "attn.Wo.weight", output),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "mlp_norm.weight", block_norm),
	EACH(LINEAR, 0, SIDE(gated), WIDTH, "mlp.Wi.weight", up),
	EACH(LINEAR, 0, WIDTH, SIDE(intermediate), "mlp.Wo.weight", down),
	ONE(ENCODER, VECTOR, 0, WIDTH, MG_ONE, "final_norm.weight", final_norm),
	ONE(HEAD, LINEAR, 0, WIDTH, WIDTH, "head.dense.weight", dense),
	ONE(HEAD, VECTOR, 0, WIDTH, MG_ONE, "head.norm.weight", head_norm),
	ONE(HEAD, WORDS, MG_TIED, VOCAB, WIDTH, "decoder.weight", decoder),
	ONE(HEAD, VECTOR, MG_OPTIONAL, VOCAB, MG_ONE, "decoder.bias", decoder_bias),
	AS(CLASSES, LINEAR, WIDTH, WIDTH, "classes.dense.weight", class_dense, "head.dense.weight"),
	AS(CLASSES, VECTOR, WIDTH, MG_ONE, "classes.norm.weight", class_norm, "head.norm.weight"),
	AS(CLASSES, LINEAR, LABELS, WIDTH, "classes.weight", classifier, "classifier.weight"),
	AS(CLASSES, VECTOR, LABELS, MG_ONE, "classes.bias", classifier_bias, "classifier.bias"),
	AS(TAGS, LINEAR, WIDTH, WIDTH, "tags.dense.weight", tag_dense, "head.dense.weight"),
	AS(TAGS, VECTOR, WIDTH, MG_ONE, "tags.norm.weight", tag_norm, "head.norm.weight"),
	AS(TAGS, LINEAR, LABELS, WIDTH, "tags.weight", tagger, "classifier.weight"),
	AS(TAGS, VECTOR, LABELS, MG_ONE, "tags.bias", tagger_bias, "classifier.bias"),
};

static bool
settle(MgCtx *cx, const MgConfig *lists, void *config)
{
	Config *c = config;

	if (c->sizes.width % c->heads != 0 || c->sizes.width / c->heads % 2 != 0)
		return mg_fail(cx, MG_BAD_FILE, "hidden size %u is not divisible into %u attention heads of even size", c->sizes.width,
					   c->heads);
	c->theta = c->new_theta > 0 ? c->new_theta : c->theta;
	c->local_theta = c->new_local_theta > 0 ? c->new_local_theta : c->local_theta;
	if (c->pooling.size > 0 && !mg_span_is(c->pooling, "cls") && !mg_span_is(c->pooling, "mean"))
		return mg_fail(cx, MG_UNSUPPORTED, "classifier_pooling \"%.*s\" is not supported", MG_SPAN_ARGS(c->pooling));
	mg_settle_classes(lists, &c->sizes);
	c->fused = 3 * c->sizes.width;
	c->gated = 2 * c->intermediate;
	for (uint32_t l = 0; l < c->sizes.layers; l++)
	{
		char name[32];
		const MgConfigValue *kind;

		snprintf(name, sizeof name, "layer_types.%u", l);
		kind = mg_config_find(lists, name);
		c->global[l] = kind != NULL ? mg_span_is(kind->text, "full_attention") : l % c->every == 0;
	}
	return true;
}

static bool
forward(const MgRun *run, const MgBatch *batch, float *out)
{
	const Config *c = run->model->config;
	const Weights *w = run->model->weights;
	const MgLayer *layers = run->model->layers;
	size_t h = c->sizes.width;
	MgNorm first = {MG_NORM_LAYER, h, w->embedding_norm, NULL, c->eps}, last = {MG_NORM_LAYER, h, w->final_norm, NULL, c->eps};
	MgWindow window = {c->window / 2, c->window / 2};
	MgRope global_rope, local_rope;
	MgLayerForm global = {.width = h, .heads = c->heads, .head_size = h / c->heads, .pre_norm = true, .eps = c->eps,
						  .activation = (MgActivation) c->activation, .fused_gate = true, .rope = &global_rope}, local = global;
	MgMark mark = mg_mark(run->cx);
	MgStates states;

	local.rope = &local_rope;
	local.window = &window;
	if (!mg_batch_rope(run->cx, batch, c->theta, global.head_size, &global_rope) ||
		!mg_batch_rope(run->cx, batch, c->local_theta, local.head_size, &local_rope) ||
		!mg_states_init(run, &global, batch, c->sizes.layers, out, &states))
		return false;
	mg_batch_words(&w->words, batch, states.x);
	mg_add_norm(run->compute, &first, states.x, NULL, batch->n_tokens, states.x);
	for (uint32_t l = 0; l < c->sizes.layers; l++)
		if (!mg_layer(run, c->global[l] ? &global : &local, &layers[l], &states))
			return false;
	mg_add_norm(run->compute, &last, out, NULL, batch->n_rows, out);
	mg_rewind(run->cx, mark);
	return true;
}

static bool
head(const MgRun *run, const float *states, size_t n, float *out)
{
	const Config *c = run->model->config;
	const Weights *w = run->model->weights;
	MgLinear dense = {&w->dense, NULL, (MgActivation) c->head_activation, out, c->sizes.width};

	return mg_transform(run, states, n, dense, (MgNorm){MG_NORM_LAYER, c->sizes.width, w->head_norm, NULL, c->eps});
}

static MgVocabulary
vocabulary(const MgModel *model)
{
	const Weights *w = model->weights;

	return (MgVocabulary){.matrix = &w->decoder, .bias = w->decoder_bias};
}

static MgClassHead
sequence_head(const MgModel *model)
{
	const Config *c = model->config;
	const Weights *w = model->weights;

	return (MgClassHead){.dense = &w->class_dense, .activation = (MgActivation) c->head_activation, .norm = w->class_norm,
						 .eps = c->eps, .out = &w->classifier, .bias = w->classifier_bias, .mean = mg_span_is(c->pooling, "mean")};
}

static MgClassHead
token_head(const MgModel *model)
{
	const Config *c = model->config;
	const Weights *w = model->weights;

	return (MgClassHead){.dense = &w->tag_dense, .activation = (MgActivation) c->head_activation, .norm = w->tag_norm,
						 .eps = c->eps, .out = &w->tagger, .bias = w->tagger_bias};
}

static const MgClass classes[] = {{"ModernBertModel", ENCODER}, {"ModernBertForMaskedLM", HEAD},
								  {"ModernBertForSequenceClassification", CLASSES}, {"ModernBertForTokenClassification", TAGS}, {NULL, 0}};
static const char *const prefixes[] = {"", "model.", NULL};
static const char *const ignored[] = {"decoder.weight", NULL}; /* repeats tied weights */

const MgArch mg_arch_modernbert = {
	.name = "modernbert",
	TABLES,
	.can = {[ENCODER] = MG_CAN_EMBED, [HEAD] = MG_CAN_FILL_MASK | MG_CAN_CLASSIFY, [CLASSES] = MG_CAN_SCORE, [TAGS] = MG_CAN_TAG},
	.settle = settle,
	.forward = forward,
	.head = head,
	.vocabulary = vocabulary,
	.sequence_head = sequence_head,
	.token_head = token_head,
};
