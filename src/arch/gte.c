/*
 * GTE (arXiv 2407.19669), its "new" encoder: BERT's (model/encoder.h) with rotary positions and a gate in its feed-forward blocks:
 * NewModel, NewForMaskedLM, NewForSequenceClassification, NewForTokenClassification, and transformers' names for them, GteModel and its heads.
 *
 *   x  [n, h] = norm(word[id] + type[segment])
 *   each layer:
 *     x = norm(x + attention(x)),  queries and keys turned by their positions
 *     x = norm(x + (act(x Wg^T) * (x Wu^T)) Wd^T + bd),  the rows of Wu stand before those of Wg in one matrix
 *   words:
 *     y = norm(gelu(x Wt^T + bt)),  logits = y word^T + c,  word [vocab, h]
 *   classes of a sequence:
 *     logits = tanh(x[0] Wp^T + bp) Wc^T + bc;  of tokens: logits = x Wc^T + bc
 *
 * With rope_scaling of type "ntk" and a factor f, frequencies are (f theta)^(-2 i / d) f^(-2 / d), d the size of a head, whatever a sequence's length is.
 *
 * Easy to get wrong: the second half of up_gate_proj is what is activated; types may be absent, with type_vocab_size 0.
 */
#include "model/tables.h"

typedef MgEncoderConfig Config;
typedef MgEncoderWeights Weights;

#define FACTOR own.reals[0]
#define MIXED own.reals[1]
#define SCALING own.texts[0]
#define NORM own.texts[1]
#define LOG_SCALE own.flags[0]

static const Config defaults = {.sizes = {.layers = 12, .width = 768, .vocab = 30528, .tied = true},
								.rows = 2048,
								.heads = 12,
								.intermediate = 3072,
								.activation = MG_ACT_GELU,
								.word_activation = MG_ACT_GELU,
								.class_activation = MG_ACT_TANH,
								.eps = 1e-12f,
								.theta = 10000,
								.FACTOR = 1};

static const MgKey keys[] = {
	KEY("vocab_size", SIZE, sizes.vocab, 1, MG_MAX_VOCAB),
	KEY("hidden_size", SIZE, sizes.width, 1, MG_MAX_WIDTH),
	KEY("num_hidden_layers", SIZE, sizes.layers, 1, MG_MAX_LAYERS),
	KEY("num_attention_heads", SIZE, heads, 1, MG_MAX_WIDTH),
	KEY("intermediate_size", SIZE, intermediate, 1, MG_MAX_WIDTH),
	KEY("max_position_embeddings", SIZE, rows, 3, MG_MAX_POSITIONS),
	KEY("type_vocab_size", SIZE, sizes.segments, 0, MG_MAX_WIDTH),
	KEY("hidden_act", ACTIVATION, activation, 0, 0),
	KEY("layer_norm_eps", REAL, eps, 0, FLT_MAX),
	KEY("layer_norm_type", TEXT, NORM, 0, 0),
	KEY("tie_word_embeddings", FLAG, sizes.tied, 0, 0),
	KEY("position_embedding_type", TEXT, positions, 0, 0),
	KEY("rope_theta", REAL, theta, 1, FLT_MAX),
	KEY("rope_scaling.type", TEXT, SCALING, 0, 0),
	KEY("rope_scaling.factor", REAL, FACTOR, 0.001, FLT_MAX),
	KEY("rope_scaling.mixed_b", REAL, MIXED, 0, FLT_MAX),
	KEY("rope_parameters.rope_theta", REAL, theta, 1, FLT_MAX),
	KEY("rope_parameters.rope_type", TEXT, SCALING, 0, 0),
	KEY("logn_attention_scale", FLAG, LOG_SCALE, 0, 0),
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
	ONE(ENCODER, WORDS, 0, VOCAB, WIDTH, "embeddings.word_embeddings.weight", embeddings.words),
	ONE(ENCODER, TABLE, 0, SIDE(sizes.segments), WIDTH, "embeddings.token_type_embeddings.weight", embeddings.types),
	ONE(ENCODER, VECTOR, 0, WIDTH, MG_ONE, "embeddings.LayerNorm.weight", embeddings.norm),
	ONE(ENCODER, VECTOR, 0, WIDTH, MG_ONE, "embeddings.LayerNorm.bias", embeddings.norm_bias),
	SHARE(LINEAR, 0, WIDTH, WIDTH, "attention.query.weight", query, "attention.qkv_proj.weight", 0),
	SHARE(LINEAR, 0, WIDTH, WIDTH, "attention.key.weight", key, "attention.qkv_proj.weight", 0),
	SHARE(LINEAR, 0, WIDTH, WIDTH, "attention.value.weight", value, "attention.qkv_proj.weight", 0),
	SHARE(VECTOR, 0, WIDTH, MG_ONE, "attention.query.bias", query_bias, "attention.qkv_proj.bias", 0),
	SHARE(VECTOR, 0, WIDTH, MG_ONE, "attention.key.bias", key_bias, "attention.qkv_proj.bias", 0),
	SHARE(VECTOR, 0, WIDTH, MG_ONE, "attention.value.bias", value_bias, "attention.qkv_proj.bias", 0),
	EACH(LINEAR, 0, WIDTH, WIDTH, "attention.o_proj.weight", output),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.o_proj.bias", output_bias),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attn_ln.weight", attention_norm),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attn_ln.bias", attention_norm_bias),
	SHARE(LINEAR, 0, WIDE, WIDTH, "mlp.up.weight", up, "mlp.up_gate_proj.weight", 0),
	SHARE(LINEAR, 0, WIDE, WIDTH, "mlp.gate.weight", gate, "mlp.up_gate_proj.weight", 0),
	EACH(LINEAR, 0, WIDTH, WIDE, "mlp.down_proj.weight", down),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "mlp.down_proj.bias", down_bias),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "mlp_ln.weight", block_norm),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "mlp_ln.bias", block_norm_bias),
	ONE(HEAD, LINEAR, 0, WIDTH, WIDTH, "lm_head.dense.weight", transform),
	ONE(HEAD, VECTOR, 0, WIDTH, MG_ONE, "lm_head.dense.bias", transform_bias),
	ONE(HEAD, VECTOR, 0, WIDTH, MG_ONE, "lm_head.norm.weight", transform_norm),
	ONE(HEAD, VECTOR, 0, WIDTH, MG_ONE, "lm_head.norm.bias", transform_norm_bias),
	ONE(HEAD, WORDS, MG_TIED, VOCAB, WIDTH, "lm_head.decoder.weight", decoder),
	ONE(HEAD, VECTOR, 0, VOCAB, MG_ONE, "lm_head.decoder.bias", decoder_bias),
	ONE(CLASSES, LINEAR, 0, LABELS, WIDTH, "classifier.weight", classifier),
	ONE(CLASSES, VECTOR, 0, LABELS, MG_ONE, "classifier.bias", classifier_bias),
	ONE(CLASSES, LINEAR, 0, WIDTH, WIDTH, "pooler.dense.weight", dense),
	ONE(CLASSES, VECTOR, 0, WIDTH, MG_ONE, "pooler.dense.bias", dense_bias),
	AS(TAGS, LINEAR, LABELS, WIDTH, "tags.weight", tagger, "classifier.weight"),
	AS(TAGS, VECTOR, LABELS, MG_ONE, "tags.bias", tagger_bias, "classifier.bias"),
};

static bool
settle(MgCtx *cx, const MgConfig *lists, void *config)
{
	Config *c = config;

	if (c->NORM.size > 0 && !mg_span_is(c->NORM, "layer_norm"))
		return mg_fail(cx, MG_UNSUPPORTED, "norms of type \"%.*s\" are not supported", MG_SPAN_ARGS(c->NORM));
	if (c->LOG_SCALE)
		return mg_fail(cx, MG_UNSUPPORTED, "\"logn_attention_scale\" is not supported");
	if (c->SCALING.size > 0 && !mg_span_is(c->SCALING, "ntk") && !mg_span_is(c->SCALING, "default"))
		return mg_fail(cx, MG_UNSUPPORTED, "rotary positions of type \"%.*s\" are not supported", MG_SPAN_ARGS(c->SCALING));
	if (c->MIXED > 0)
		return mg_fail(cx, MG_UNSUPPORTED, "rotary positions with \"mixed_b\" are not supported");
	c->stretch = mg_span_is(c->SCALING, "ntk") ? c->FACTOR : 1;
	return mg_encoder_settle(cx, lists, c);
}

#define FAMILY(name) \
	{name "Model", ENCODER}, {name "ForMaskedLM", HEAD}, {name "ForSequenceClassification", CLASSES}, \
	{name "ForTokenClassification", TAGS}

static const MgClass classes[] = {FAMILY("New"), FAMILY("Gte"), {NULL, 0}};
static const char *const prefixes[] = {"", "new.", "gte.", NULL};

/* The pooler serves classes alone; the decoder repeats tied weights. */
static const char *const ignored[] = {"pooler.*", "lm_head.decoder.weight", "*.rotary_emb.inv_freq", NULL};

const MgArch mg_arch_gte = {
	.name = "gte",
	TABLES,
	.can = ENCODER_TASKS,
	.settle = settle,
	ENCODER_FUNCTIONS,
};
