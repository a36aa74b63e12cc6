/*
 * The encoder of T5 (arXiv 1910.10683), T5 v1.1, Flan-T5 and mT5: T5EncoderModel, MT5EncoderModel. A decoder beside it,
 * which writes, is left alone.
 *
 *   x  [n, h] = word[id]
 *   each layer:
 *     a = softmax(q k^T + t[bucket(j - i)]) v,  q, k, v = x' W^T,  x' = norm(x);  t [buckets, heads] is that of all layers
 *     x = x + a Wo^T,  Wo [h, heads d]
 *     x = x + act(y W1^T) W2^T,  y = norm(x);  or (act(y Wg^T) * (y W1^T)) W2^T
 *   x = norm(x)
 *
 * Easy to get wrong: scores are not divided by sqrt(d); d times heads need not be h; norms are of the root mean square, without biases; the
 * "gelu" of gated-gelu is the one by tanh, and wi_0 is what it acts on. Distances have no end; n_positions is what was trained on, and the longest sequence.
 */
#include "model/tables.h"

typedef struct Config
{
	MgSizes sizes;
	uint32_t heads, head_size, intermediate;
	uint32_t queries; /* heads * head_size */
	uint32_t buckets, distance;
	float eps;
	MgSpan feed_forward;
	uint32_t activation;   /* MgActivation */
	uint32_t plain, gated; /* intermediate where the block is so, else 0 */
} Config;

typedef struct Weights
{
	MgMatrix words;		 /* [vocab, h] */
	MgMatrix relative;	 /* [buckets, heads] */
	const float *norm;	 /* [h] */
} Weights;

static const Config defaults = {.sizes = {.layers = 6, .width = 512, .vocab = 32128, .longest = 512, .tied = true},
								.heads = 8, .head_size = 64, .intermediate = 2048, .buckets = 32, .distance = 128, .eps = 1e-6f};

static const MgKey keys[] = {
	KEY("vocab_size", SIZE, sizes.vocab, 1, MG_MAX_VOCAB),
	KEY("d_model", SIZE, sizes.width, 1, MG_MAX_WIDTH),
	KEY("num_layers", SIZE, sizes.layers, 1, MG_MAX_LAYERS),
	KEY("n_positions", SIZE, sizes.longest, 3, MG_MAX_POSITIONS),
	KEY("num_heads", SIZE, heads, 1, MG_MAX_WIDTH),
	KEY("d_kv", SIZE, head_size, 1, MG_MAX_WIDTH),
	KEY("d_ff", SIZE, intermediate, 1, MG_MAX_WIDTH),
	KEY("relative_attention_num_buckets", SIZE, buckets, 4, 4096),
	KEY("relative_attention_max_distance", SIZE, distance, 2, MG_MAX_POSITIONS),
	KEY("layer_norm_epsilon", REAL, eps, 0, FLT_MAX),
	KEY("feed_forward_proj", TEXT, feed_forward, 0, 0),
};

enum { ENCODER };

#define LAYER "block.%u.layer."
#define HEADS SIDE(queries)

static const MgWeightSpec weights[] = {
	ONE(ENCODER, WORDS, 0, VOCAB, WIDTH, "shared.weight", words),
	ONE(ENCODER, TABLE, 0, SIDE(buckets), SIDE(heads), "block.0.layer.0.SelfAttention.relative_attention_bias.weight", relative),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "0.layer_norm.weight", attention_norm),
	EACH(LINEAR, 0, HEADS, WIDTH, "0.SelfAttention.q.weight", query),
	EACH(LINEAR, 0, HEADS, WIDTH, "0.SelfAttention.k.weight", key),
	EACH(LINEAR, 0, HEADS, WIDTH, "0.SelfAttention.v.weight", value),
	EACH(LINEAR, 0, WIDTH, HEADS, "0.SelfAttention.o.weight", output),
	EACH(VECTOR, 0, WIDTH, MG_ONE, "1.layer_norm.weight", block_norm),
	EACH(LINEAR, 0, SIDE(plain), WIDTH, "1.DenseReluDense.wi.weight", up),
	EACH(LINEAR, 0, SIDE(gated), WIDTH, "1.DenseReluDense.wi_0.weight", gate),
	EACH(LINEAR, 0, SIDE(gated), WIDTH, "1.DenseReluDense.wi_1.weight", up),
	EACH(LINEAR, 0, WIDTH, SIDE(intermediate), "1.DenseReluDense.wo.weight", down),
	ONE(ENCODER, VECTOR, 0, WIDTH, MG_ONE, "final_layer_norm.weight", norm),
};

/* "relu", "gated-gelu", "gated-silu": the activation, and whether it opens a gate. */
static bool
settle_feed_forward(MgCtx *cx, Config *c)
{
	static const struct
	{
		const char *name;
		MgActivation activation;
		bool gated;
	} kinds[] = {{"relu", MG_ACT_RELU, false}, {"gelu", MG_ACT_GELU, false}, {"gelu_new", MG_ACT_GELU_TANH, false},
				 {"gated-gelu", MG_ACT_GELU_TANH, true}, {"gated-silu", MG_ACT_SILU, true}, {"gated-relu", MG_ACT_RELU, true}};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (mg_span_is(c->feed_forward.size > 0 ? c->feed_forward : mg_span_of("relu"), kinds[i].name))
		{
			c->activation = kinds[i].activation;
			c->plain = kinds[i].gated ? 0 : c->intermediate;
			c->gated = kinds[i].gated ? c->intermediate : 0;
			return true;
		}
	return mg_fail(cx, MG_UNSUPPORTED, "feed_forward_proj \"%.*s\" is not supported", MG_SPAN_ARGS(c->feed_forward));
}

static bool
settle(MgCtx *cx, const MgConfig *lists, void *config)
{
	Config *c = config;

	(void) lists;
	if ((uint64_t) c->heads * c->head_size > MG_MAX_WIDTH)
		return mg_fail(cx, MG_TOO_LARGE, "%u attention heads of %u numbers are too wide", c->heads, c->head_size);
	c->queries = c->heads * c->head_size;
	return mg_check_buckets(cx, c->buckets, c->distance) && settle_feed_forward(cx, c);
}

static bool
forward(const MgRun *run, const MgBatch *batch, float *out)
{
	const Config *c = run->model->config;
	const Weights *w = run->model->weights;
	const MgLayer *layers = run->model->layers;
	MgNorm last = {MG_NORM_RMS, c->sizes.width, w->norm, NULL, c->eps};
	MgRelative relative;
	MgLayerForm form = {.width = c->sizes.width, .heads = c->heads, .head_size = c->head_size, .pre_norm = true, .norm = MG_NORM_RMS,
						.eps = c->eps, .activation = (MgActivation) c->activation, .scale = 1, .relative = &relative};
	MgMark mark = mg_mark(run->cx);
	MgStates states;

	if (!mg_bucket_bias(run->cx, &w->relative, c->distance, &relative) ||
		!mg_states_init(run, &form, batch, c->sizes.layers, out, &states))
		return false;
	mg_batch_words(&w->words, batch, states.x);
	for (uint32_t l = 0; l < c->sizes.layers; l++)
		if (!mg_layer(run, &form, &layers[l], &states))
			return false;
	mg_add_norm(run->compute, &last, out, NULL, batch->n_rows, out);
	mg_rewind(run->cx, mark);
	return true;
}

static const MgClass classes[] = {{"T5EncoderModel", ENCODER}, {"MT5EncoderModel", ENCODER}, {NULL, 0}};
static const char *const prefixes[] = {"encoder.", NULL};
static const MgRename renames[] = {{"shared.weight", "embed_tokens.weight"}, {NULL, NULL}};

/* embed_tokens repeats the words. */
static const char *const ignored[] = {"shared.weight", "embed_tokens.weight", "decoder.*", "lm_head.weight", NULL};

const MgArch mg_arch_t5 = {
	.name = "t5",
	TABLES,
	.renames = renames,
	.can = {[ENCODER] = MG_CAN_EMBED},
	.settle = settle,
	.forward = forward,
};
