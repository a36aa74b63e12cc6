/*
 * MPNet (arXiv 2004.09297), BERT's encoder (model/encoder.h) with positions that begin behind the padding token's, and scores that gain by
 * distance: MPNetModel, MPNetForMaskedLM, MPNetForSequenceClassification, MPNetForTokenClassification.
 *
 *   x  [n, h] = norm(word[id] + position[2 + i])
 *   each layer:
 *     a = softmax(q k^T / sqrt(h / heads) + t[bucket(j - i)]) v;  t [buckets, heads] is that of all layers
 *   words:
 *     y = norm(gelu(x Wt^T + bt)),  logits = y word^T + c,  word [vocab, h]
 *   classes of a sequence:
 *     logits = tanh(x[0] Wd^T + bd) Wo^T + bo;  of tokens: logits = x Wc^T + bc
 *
 * Easy to get wrong: positions begin at 2 whatever pad_token_id says; there are 32 buckets,
 * that tell distances up to 128 apart, which no file says; there are no types of tokens.
 */
#include "model/tables.h"

typedef MgEncoderConfig Config;
typedef MgEncoderWeights Weights;

static const Config defaults = {.sizes = {.layers = 12, .width = 768, .vocab = 30527, .tied = true},
								.rows = 512,
								.pad = 1,
								.behind_pad = true,
								.heads = 12,
								.intermediate = 3072,
								.activation = MG_ACT_GELU,
								.word_activation = MG_ACT_GELU,
								.class_activation = MG_ACT_TANH,
								.eps = 1e-12f,
								.buckets = 32,
								.distance = 128};

static const MgKey keys[] = {
	KEY("vocab_size", SIZE, sizes.vocab, 1, MG_MAX_VOCAB),
	KEY("hidden_size", SIZE, sizes.width, 1, MG_MAX_WIDTH),
	KEY("num_hidden_layers", SIZE, sizes.layers, 1, MG_MAX_LAYERS),
	KEY("num_attention_heads", SIZE, heads, 1, MG_MAX_WIDTH),
	KEY("intermediate_size", SIZE, intermediate, 1, MG_MAX_WIDTH),
	KEY("max_position_embeddings", SIZE, rows, 3, MG_MAX_POSITIONS),
	KEY("hidden_act", ACTIVATION, activation, 0, 0),
	KEY("layer_norm_eps", REAL, eps, 0, FLT_MAX),
	KEY("tie_word_embeddings", FLAG, sizes.tied, 0, 0),
	KEY("relative_attention_num_buckets", SIZE, buckets, 32, 32),
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
	ONE(ENCODER, TABLE, 0, SIDE(rows), WIDTH, "embeddings.position_embeddings.weight", embeddings.positions),
	ONE(ENCODER, VECTOR, 0, WIDTH, MG_ONE, "embeddings.LayerNorm.weight", embeddings.norm),
	ONE(ENCODER, VECTOR, 0, WIDTH, MG_ONE, "embeddings.LayerNorm.bias", embeddings.norm_bias),
	ONE(ENCODER, TABLE, 0, SIDE(buckets), SIDE(heads), "encoder.relative_attention_bias.weight", relative),
	EACH(LINEAR, 0, WIDTH, WIDTH, "attention.attn.q.weight", query),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.attn.q.bias", query_bias),
	EACH(LINEAR, 0, WIDTH, WIDTH, "attention.attn.k.weight", key),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.attn.k.bias", key_bias),
	EACH(LINEAR, 0, WIDTH, WIDTH, "attention.attn.v.weight", value),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.attn.v.bias", value_bias),
	EACH(LINEAR, 0, WIDTH, WIDTH, "attention.attn.o.weight", output),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.attn.o.bias", output_bias),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.LayerNorm.weight", attention_norm),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "attention.LayerNorm.bias", attention_norm_bias),
	EACH(LINEAR, 0, WIDE, WIDTH, "intermediate.dense.weight", up),
	EACH(VECTOR, 0, WIDE, MG_ONE, "intermediate.dense.bias", up_bias),
	EACH(LINEAR, 0, WIDTH, WIDE, "output.dense.weight", down),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "output.dense.bias", down_bias),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "output.LayerNorm.weight", block_norm),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "output.LayerNorm.bias", block_norm_bias),
	ONE(HEAD, LINEAR, 0, WIDTH, WIDTH, "lm_head.dense.weight", transform),
	ONE(HEAD, VECTOR, 0, WIDTH, MG_ONE, "lm_head.dense.bias", transform_bias),
	ONE(HEAD, VECTOR, 0, WIDTH, MG_ONE, "lm_head.layer_norm.weight", transform_norm),
	ONE(HEAD, VECTOR, 0, WIDTH, MG_ONE, "lm_head.layer_norm.bias", transform_norm_bias),
	ONE(HEAD, VECTOR, 0, VOCAB, MG_ONE, "lm_head.bias", vocabulary_bias),
	ONE(HEAD, WORDS, MG_TIED, VOCAB, WIDTH, "lm_head.decoder.weight", decoder),
	ONE(CLASSES, LINEAR, 0, WIDTH, WIDTH, "classifier.dense.weight", dense),
	ONE(CLASSES, VECTOR, 0, WIDTH, MG_ONE, "classifier.dense.bias", dense_bias),
	ONE(CLASSES, LINEAR, 0, LABELS, WIDTH, "classifier.out_proj.weight", classifier),
	ONE(CLASSES, VECTOR, 0, LABELS, MG_ONE, "classifier.out_proj.bias", classifier_bias),
	ONE(TAGS, LINEAR, 0, LABELS, WIDTH, "classifier.weight", tagger),
	ONE(TAGS, VECTOR, 0, LABELS, MG_ONE, "classifier.bias", tagger_bias),
};

static const MgClass classes[] = {{"MPNetModel", ENCODER}, {"MPNetForMaskedLM", HEAD}, {"MPNetForSequenceClassification", CLASSES},
								  {"MPNetForTokenClassification", TAGS}, {NULL, 0}};
static const char *const prefixes[] = {"", "mpnet.", NULL};

/* position_ids count; the pooler serves another task; the decoder repeats tied weights, and its bias the head's. */
static const char *const ignored[] = {"embeddings.position_ids", "pooler.*", "lm_head.decoder.weight", "lm_head.decoder.bias", NULL};

const MgArch mg_arch_mpnet = {
	.name = "mpnet",
	TABLES,
	.can = ENCODER_TASKS,
	.settle = mg_encoder_settle,
	ENCODER_FUNCTIONS,
};
