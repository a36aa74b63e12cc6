/*
 * NomicBERT (arXiv 2402.01613), BERT's encoder (model/encoder.h) with rotary positions, a gate in
 * its feed-forward blocks, and few biases: NomicBertModel, NomicBertForMaskedLM,
 * NomicBertForSequenceClassification, NomicBertForTokenClassification.
 *
 *   x  [n, h] = norm(word[id] + type[segment])
 *   each layer:
 *     x = norm(x + attention(x)),  queries and keys turned by their positions
 *     x = norm(x + (silu(x Wg^T) * (x Wu^T)) Wd^T)
 *   words:
 *     y = norm(act(x Wt^T + bt)),  logits = y word^T + c,  word [vocab, h]
 *   classes of a sequence:
 *     logits = tanh(x[0] Wp^T + bp) Wc^T + bc;  of tokens: logits = x Wc^T + bc
 *
 * Easy to get wrong: fc12 is what is activated, and fc11 multiplies it; norms come after the residual is added; config.json may have GPT-2's
 * names for its keys, or BERT's. Where rotary_scaling_factor is said, longer sequences than max_trained_positions
 * would be turned by angles that depend on their length, and are not read.
 */
#include "model/tables.h"

typedef MgEncoderConfig Config;
typedef MgEncoderWeights Weights;

#define FRACTION own.reals[0] /* of a head that is turned */
#define SCALING own.reals[1]  /* rotary_scaling_factor; 0: not said */
#define TRAINED own.sizes[0]  /* positions */
#define GATE own.texts[0]
#define TURNS own.texts[1]
#define INTERLEAVED own.flags[0]
#define PRE_NORM own.flags[1]
#define RMS_NORM own.flags[2]

static const Config defaults = {.sizes = {.layers = 12, .width = 768, .vocab = 30528, .segments = 2, .tied = true},
								.rows = 2048,
								.heads = 12,
								.intermediate = 3072,
								.class_activation = MG_ACT_TANH,
								.eps = 1e-12f,
								.theta = 1000,
								.FRACTION = 1,
								.TRAINED = 2048};

static const MgKey keys[] = {
	KEY("vocab_size", SIZE, sizes.vocab, 1, MG_MAX_VOCAB),
	KEY("n_embd", SIZE, sizes.width, 1, MG_MAX_WIDTH),
	KEY("hidden_size", SIZE, sizes.width, 1, MG_MAX_WIDTH),
	KEY("n_layer", SIZE, sizes.layers, 1, MG_MAX_LAYERS),
	KEY("num_hidden_layers", SIZE, sizes.layers, 1, MG_MAX_LAYERS),
	KEY("n_head", SIZE, heads, 1, MG_MAX_WIDTH),
	KEY("num_attention_heads", SIZE, heads, 1, MG_MAX_WIDTH),
	KEY("n_inner", SIZE, intermediate, 1, MG_MAX_WIDTH),
	KEY("intermediate_size", SIZE, intermediate, 1, MG_MAX_WIDTH),
	KEY("n_positions", SIZE, rows, 3, MG_MAX_POSITIONS),
	KEY("max_position_embeddings", SIZE, rows, 3, MG_MAX_POSITIONS),
	KEY("max_trained_positions", SIZE, TRAINED, 3, MG_MAX_POSITIONS),
	KEY("type_vocab_size", SIZE, sizes.segments, 1, MG_MAX_WIDTH),
	KEY("layer_norm_epsilon", REAL, eps, 0, FLT_MAX),
	KEY("layer_norm_eps", REAL, eps, 0, FLT_MAX),
	KEY("tie_word_embeddings", FLAG, sizes.tied, 0, 0),
	KEY("activation_function", TEXT, GATE, 0, 0),
	KEY("hidden_act", TEXT, GATE, 0, 0),
	KEY("rotary_emb_base", REAL, theta, 1, FLT_MAX),
	KEY("rope_theta", REAL, theta, 1, FLT_MAX),
	KEY("rope_parameters.rope_theta", REAL, theta, 1, FLT_MAX),
	KEY("rope_parameters.rope_type", TEXT, TURNS, 0, 0),
	KEY("rotary_emb_fraction", REAL, FRACTION, 0, 1),
	KEY("rotary_emb_interleaved", FLAG, INTERLEAVED, 0, 0),
	KEY("rotary_scaling_factor", REAL, SCALING, 0, FLT_MAX),
	KEY("prenorm", FLAG, PRE_NORM, 0, 0),
	KEY("use_rms_norm", FLAG, RMS_NORM, 0, 0),
	CLASS_KEYS,
};

enum
{
	ENCODER,
	HEAD,
	CLASSES,
	TAGS
};

#define LAYER "encoder.layers.%u."
#define WIDE SIDE(intermediate)

static const MgWeightSpec weights[] = {
	ONE(ENCODER, WORDS, 0, VOCAB, WIDTH, "embeddings.word_embeddings.weight", embeddings.words),
	ONE(ENCODER, TABLE, MG_OPTIONAL, SIDE(sizes.segments), WIDTH, "embeddings.token_type_embeddings.weight", embeddings.types),
	ONE(ENCODER, VECTOR, 0, WIDTH, MG_ONE, "emb_ln.weight", embeddings.norm),
	ONE(ENCODER, VECTOR, 0, WIDTH, MG_ONE, "emb_ln.bias", embeddings.norm_bias),
	SHARE(LINEAR, 0, WIDTH, WIDTH, "attn.query.weight", query, "attn.Wqkv.weight", 0),
	SHARE(LINEAR, 0, WIDTH, WIDTH, "attn.key.weight", key, "attn.Wqkv.weight", 0),
	SHARE(LINEAR, 0, WIDTH, WIDTH, "attn.value.weight", value, "attn.Wqkv.weight", 0),
	SHARE(VECTOR, MG_OPTIONAL, WIDTH, MG_ONE, "attn.query.bias", query_bias, "attn.Wqkv.bias", 0),
	SHARE(VECTOR, MG_OPTIONAL, WIDTH, MG_ONE, "attn.key.bias", key_bias, "attn.Wqkv.bias", 0),
	SHARE(VECTOR, MG_OPTIONAL, WIDTH, MG_ONE, "attn.value.bias", value_bias, "attn.Wqkv.bias", 0),
	EACH(LINEAR, 0, WIDTH, WIDTH, "attn.out_proj.weight", output),
	EACH(VECTOR, MG_OPTIONAL, WIDTH, MG_ONE, "attn.out_proj.bias", output_bias),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "norm1.weight", attention_norm),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "norm1.bias", attention_norm_bias),
	EACH(LINEAR, 0, WIDE, WIDTH, "mlp.fc11.weight", up),
	EACH(VECTOR, MG_OPTIONAL, WIDE, MG_ONE, "mlp.fc11.bias", up_bias),
	EACH(LINEAR, 0, WIDE, WIDTH, "mlp.fc12.weight", gate),
	EACH(VECTOR, MG_OPTIONAL, WIDE, MG_ONE, "mlp.fc12.bias", gate_bias),
	EACH(LINEAR, 0, WIDTH, WIDE, "mlp.fc2.weight", down),
	EACH(VECTOR, MG_OPTIONAL, WIDTH, MG_ONE, "mlp.fc2.bias", down_bias),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "norm2.weight", block_norm),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "norm2.bias", block_norm_bias),
	ONE(HEAD, LINEAR, 0, WIDTH, WIDTH, "cls.predictions.transform.dense.weight", transform),
	ONE(HEAD, VECTOR, MG_OPTIONAL, WIDTH, MG_ONE, "cls.predictions.transform.dense.bias", transform_bias),
	ONE(HEAD, VECTOR, 0, WIDTH, MG_ONE, "cls.predictions.transform.layer_norm.weight", transform_norm),
	ONE(HEAD, VECTOR, 0, WIDTH, MG_ONE, "cls.predictions.transform.layer_norm.bias", transform_norm_bias),
	ONE(HEAD, VECTOR, MG_OPTIONAL, VOCAB, MG_ONE, "cls.predictions.bias", vocabulary_bias),
	ONE(HEAD, WORDS, MG_TIED, VOCAB, WIDTH, "cls.predictions.decoder.weight", decoder),
	ONE(HEAD, VECTOR, MG_OPTIONAL, VOCAB, MG_ONE, "cls.predictions.decoder.bias", decoder_bias),
	ONE(CLASSES, LINEAR, 0, LABELS, WIDTH, "classifier.weight", classifier),
	ONE(CLASSES, VECTOR, 0, LABELS, MG_ONE, "classifier.bias", classifier_bias),
	ONE(CLASSES, LINEAR, 0, WIDTH, WIDTH, "pooler.dense.weight", dense),
	ONE(CLASSES, VECTOR, MG_OPTIONAL, WIDTH, MG_ONE, "pooler.dense.bias", dense_bias),
	AS(TAGS, LINEAR, LABELS, WIDTH, "tags.weight", tagger, "classifier.weight"),
	AS(TAGS, VECTOR, LABELS, MG_ONE, "tags.bias", tagger_bias, "classifier.bias"),
};

static bool
settle(MgCtx *cx, const MgConfig *lists, void *config)
{
	Config *c = config;

	if (c->PRE_NORM || c->RMS_NORM || c->INTERLEAVED || c->FRACTION < 1)
		return mg_fail(cx, MG_UNSUPPORTED, "NomicBERT with \"%s\" is not supported",
					   c->PRE_NORM		? "prenorm"
					   : c->RMS_NORM	? "use_rms_norm"
					   : c->INTERLEAVED ? "rotary_emb_interleaved"
										: "rotary_emb_fraction");
	c->activation = MG_ACT_SILU;
	if (c->GATE.size > 0 && !mg_span_is(c->GATE, "swiglu") && !mg_span_is(c->GATE, "silu"))
		return mg_fail(cx, MG_UNSUPPORTED, "activation \"%.*s\" of NomicBERT is not supported", MG_SPAN_ARGS(c->GATE));
	if (c->TURNS.size > 0 && !mg_span_is(c->TURNS, "default") && !mg_span_is(c->TURNS, "dynamic"))
		return mg_fail(cx, MG_UNSUPPORTED, "rotary positions of type \"%.*s\" are not supported", MG_SPAN_ARGS(c->TURNS));
	if (!mg_encoder_settle(cx, lists, c))
		return false;
	if (c->SCALING > 0 && c->sizes.longest > c->TRAINED)
		c->sizes.longest = c->TRAINED;
	return true;
}

static const MgClass classes[] = {{"NomicBertModel", ENCODER}, {"NomicBertForMaskedLM", HEAD}, {"NomicBertForPreTraining", HEAD},
								  {"NomicBertForSequenceClassification", CLASSES}, {"NomicBertForTokenClassification", TAGS}, {NULL, 0}};
static const char *const prefixes[] = {"", "bert.", "nomic_bert.", NULL};
static const char *const ignored[] = {"pooler.*", "cls.predictions.decoder.weight", "cls.predictions.decoder.bias", "*.rotary_emb.inv_freq", NULL};

static const MgRename gguf[] = {
	{"embeddings.word_embeddings", "token_embd"}, {"embeddings.token_type_embeddings", "token_types"}, {"emb_ln", "token_embd_norm"},
	{"encoder.layers.%u.attn.Wqkv", "blk.%u.attn_qkv"}, {"encoder.layers.%u.attn.out_proj", "blk.%u.attn_output"},
	{"encoder.layers.%u.norm1", "blk.%u.attn_output_norm"}, {"encoder.layers.%u.mlp.fc11", "blk.%u.ffn_up"},
	{"encoder.layers.%u.mlp.fc12", "blk.%u.ffn_gate"}, {"encoder.layers.%u.mlp.fc2", "blk.%u.ffn_down"},
	{"encoder.layers.%u.norm2", "blk.%u.layer_output_norm"}, {NULL, NULL}};

const MgArch mg_arch_nomic_bert = {
	.name = "nomic_bert",
	TABLES,
	.gguf = {"nomic-bert", gguf, false},
	.can = ENCODER_TASKS,
	.settle = settle,
	ENCODER_FUNCTIONS,
};
