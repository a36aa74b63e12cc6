/* Decoders: what their configurations mean, and the forward pass. */
#include "model/causal.h"

#include <math.h>
#include <stdio.h>

const MgRename mg_causal_gguf[] = {
	{"embed_tokens", "token_embd"}, {"norm", "output_norm"}, {"lm_head", "output"}, {"rope_freqs", "rope_freqs"},
	{"layers.%u.input_layernorm", "blk.%u.attn_norm"}, {"layers.%u.self_attn.q_proj", "blk.%u.attn_q"},
	{"layers.%u.self_attn.k_proj", "blk.%u.attn_k"}, {"layers.%u.self_attn.v_proj", "blk.%u.attn_v"},
	{"layers.%u.self_attn.o_proj", "blk.%u.attn_output"}, {"layers.%u.self_attn.q_norm", "blk.%u.attn_q_norm"},
	{"layers.%u.self_attn.k_norm", "blk.%u.attn_k_norm"}, {"layers.%u.post_attention_layernorm", "blk.%u.ffn_norm"},
	{"layers.%u.mlp.gate_proj", "blk.%u.ffn_gate"}, {"layers.%u.mlp.up_proj", "blk.%u.ffn_up"},
	{"layers.%u.mlp.down_proj", "blk.%u.ffn_down"}, {NULL, NULL}};

#define TWO_PI 6.283185307179586

static bool
is_longrope(const MgCausal *c)
{
	return mg_span_is(c->scaling, "longrope") || mg_span_is(c->scaling, "su");
}

/*
 * The divisors of frequencies that longrope has for sequences within the trained length; where longer ones begin it has others, which
 * would not agree with keys that were kept.
 */
static bool
settle_longrope(MgCtx *cx, const MgConfig *lists, MgCausal *c)
{
	static const char *const objects[] = {"rope_scaling", "rope_parameters"};
	float *divisors = mg_alloc_array(cx, c->half, sizeof *divisors);
	char key[80];

	if (divisors == NULL)
		return false;
	for (uint32_t i = 0; i < c->half; i++)
	{
		const MgConfigValue *value = NULL;

		for (size_t object = 0; object < 2 && value == NULL; object++)
		{
			snprintf(key, sizeof key, "%s.short_factor.%u", objects[object], i);
			value = mg_config_find(lists, key);
		}
		divisors[i] = value == NULL ? 0 : value->kind == MG_VALUE_REAL ? (float) value->real : (float) value->integer;
		if (!(divisors[i] > 0 && isfinite(divisors[i])))
			return mg_config_fail(cx, lists, "no short_factor of %u positive numbers", c->half);
	}
	c->divisors = divisors;
	return true;
}

void
mg_causal_settle_longest(MgCtx *cx, MgCausal *c)
{
	float factor;

	if (c->original_longest == 0 || c->original_longest >= c->sizes.longest)
		return;
	factor = c->factor > 1 ? c->factor : (float) c->sizes.longest / (float) c->original_longest;
	if (c->attention_factor == 0)
		c->attention_factor = (float) sqrt(1 + log(factor) / log(c->original_longest));
	mg_note(cx, "the model reads %u tokens: longer sequences, of up to %u, would need other positions", c->original_longest, c->sizes.longest);
	c->sizes.longest = c->original_longest;
}

bool
mg_causal_settle(MgCtx *cx, const MgConfig *lists, void *config)
{
	static const char *const known[] = {"default", "dynamic", "linear", "llama3", "yarn", "longrope", "su"};
	MgCausal *c = config;
	bool found = c->scaling.size == 0;

	if (c->kv_heads == 0)
		c->kv_heads = c->heads;
	if (c->head_size == 0)
	{
		if (c->sizes.width % c->heads != 0)
			return mg_config_fail(cx, lists, "a hidden size of %u, which %u attention heads do not divide", c->sizes.width, c->heads);
		c->head_size = c->sizes.width / c->heads;
	}
	if (c->head_size % 2 != 0 || c->heads % c->kv_heads != 0)
		return mg_config_fail(cx, lists, "%u attention heads of %u for %u of keys", c->heads, c->head_size, c->kv_heads);
	if ((uint64_t) c->heads * c->head_size > MG_MAX_WIDTH)
		return mg_config_fail(cx, lists, "%u attention heads of %u, which are too wide", c->heads, c->head_size);
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		found = found || mg_span_is(c->scaling, known[i]);
	if (!found)
		return mg_fail(cx, MG_UNSUPPORTED, "scaling \"%.*s\" of rotary positions is not supported", MG_SPAN_ARGS(c->scaling));
	c->queries = c->heads * c->head_size;
	c->keys = c->kv_heads * c->head_size;
	if (c->rotary == 0)
		c->rotary = c->partial > 0 ? (uint32_t) ((float) c->head_size * c->partial) : c->head_size;
	if (c->rotary < 2 || c->rotary > c->head_size || c->rotary % 2 != 0)
		return mg_config_fail(cx, lists, "%u of %u numbers of a head that are turned", c->rotary, c->head_size);
	c->half = c->rotary / 2;
	if (is_longrope(c))
	{
		mg_causal_settle_longest(cx, c);
		return settle_longrope(cx, lists, c);
	}
	return true;
}

void
mg_causal_settle_layers(const MgConfig *lists, MgCausal *c)
{
	for (uint32_t l = 0; l < c->sizes.layers; l++)
	{
		char name[32];
		const MgConfigValue *kind;

		snprintf(name, sizeof name, "layer_types.%u", l);
		kind = mg_config_find(lists, name);
		c->global[l] = kind != NULL ? mg_span_is(kind->text, "full_attention") : (l + 1) % c->every == 0;
	}
}

/* Source: the formulas of Llama 3.1's model code. */
static void
scale_llama3(const MgCausal *c, float original, float *frequencies)
{
	for (size_t i = 0; i < c->half; i++)
	{
		double f = (double) frequencies[i], wave = TWO_PI / f, smooth;

		if (wave < original / c->high_factor)
			continue;
		smooth = (original / wave - c->low_factor) / (c->high_factor - c->low_factor);
		if (wave > original / c->low_factor)
			smooth = 0;
		frequencies[i] = (float) ((1 - smooth) * f / c->factor + smooth * f);
	}
}

/* The pair that turns so many times within the trained length. */
static double
yarn_pair(const MgCausal *c, float original, double turns)
{
	return c->rotary * log(original / (turns * TWO_PI)) / (2 * log(c->theta));
}

static void
scale_yarn(const MgCausal *c, float original, float *frequencies)
{
	double low = yarn_pair(c, original, c->beta_fast), high = yarn_pair(c, original, c->beta_slow);

	low = fmax(c->truncate ? floor(low) : low, 0);
	high = fmin(c->truncate ? ceil(high) : high, c->rotary - 1);
	if (low == high)
		high += 0.001;
	for (size_t i = 0; i < c->half; i++)
	{
		double ramp = fmin(fmax(((double) i - low) / (high - low), 0), 1), f = (double) frequencies[i];

		frequencies[i] = (float) (f / c->factor * ramp + f * (1 - ramp));
	}
}

static double
magnitude_of(const MgCausal *c, double magnitude)
{
	return c->factor > 1 ? 0.1 * magnitude * log(c->factor) + 1 : 1;
}

static float
cosine_factor(const MgCausal *c)
{
	if (c->attention_factor > 0)
		return c->attention_factor;
	if (!mg_span_is(c->scaling, "yarn"))
		return 1.0f;
	if (c->magnitude > 0 && c->magnitude_all > 0)
		return (float) (magnitude_of(c, c->magnitude) / magnitude_of(c, c->magnitude_all));
	return (float) magnitude_of(c, 1);
}

static void
scale_frequencies(const MgCausal *c, const float *divisors, float *frequencies)
{
	float original = (float) (c->original_longest > 0 ? c->original_longest : c->sizes.longest);

	if (divisors == NULL)
		divisors = c->divisors;
	for (size_t i = 0; i < c->half; i++)
		frequencies[i] /= (mg_span_is(c->scaling, "linear") ? c->factor : 1.0f) * (divisors != NULL ? divisors[i] : 1.0f);
	if (mg_span_is(c->scaling, "llama3"))
		scale_llama3(c, original, frequencies);
	if (mg_span_is(c->scaling, "yarn"))
		scale_yarn(c, original, frequencies);
}

static bool
make_rope(const MgRun *run, const MgBatch *batch, MgRope *rope)
{
	const MgCausal *c = run->model->config;
	const MgCausalWeights *w = run->model->weights;
	float *frequencies = mg_alloc_array(run->cx, c->half, sizeof *frequencies), factor = cosine_factor(c);

	if (frequencies == NULL)
		return false;
	mg_rope_frequencies(c->theta, c->rotary, frequencies);
	scale_frequencies(c, w->rope_divisors, frequencies);
	if (!mg_batch_turns(run->cx, batch, frequencies, c->rotary, rope))
		return false;
	rope->interleaved = c->interleaved;
	for (size_t i = 0; factor != 1.0f && i < batch->n_tokens * c->half; i++)
	{
		rope->cosines[i] *= factor;
		rope->sines[i] *= factor;
	}
	return true;
}

/* States before the first layer. */
static bool
embed(const MgRun *run, const MgBatch *batch, float *x)
{
	const MgCausal *c = run->model->config;
	const MgCausalWeights *w = run->model->weights;
	size_t h = c->sizes.width;

	mg_batch_words(&w->words, batch, x);
	for (size_t i = 0; c->word_scale != 0 && i < batch->n_tokens * h; i++)
		x[i] *= c->word_scale;
	for (size_t s = 0; w->positions.rows > 0 && s < batch->n_sequences; s++)
		for (size_t i = batch->offsets[s]; i < batch->offsets[s + 1]; i++)
		{
			uint32_t position = mg_batch_position(batch, s, i);

			if (position >= w->positions.rows)
				return mg_fail(run->cx, MG_TOO_LARGE, "sequence is longer than the model's %zu positions", w->positions.rows);
			mg_add(run->compute, x + i * h, w->positions.data + position * h, h);
		}
	return true;
}

/* How layers run that see all tokens, and those that see a window; rope has the angles of both. */
static bool
make_forms(const MgRun *run, const MgBatch *batch, MgWindow windows[2], MgRope ropes[2], MgLayerForm forms[2])
{
	const MgCausal *c = run->model->config;
	const MgCausalWeights *w = run->model->weights;
	uint32_t before = c->windowed && c->window > 0 ? c->window - 1 : MG_UNBOUNDED;

	windows[0] = (MgWindow){MG_UNBOUNDED, c->sizes.both_sides ? MG_UNBOUNDED : 0};
	windows[1] = c->sizes.both_sides ? (MgWindow){c->window / 2, c->window / 2} : (MgWindow){before, 0};
	forms[0] = (MgLayerForm){.width = c->sizes.width, .heads = c->heads, .kv_heads = c->kv_heads, .head_size = c->head_size,
							 .pre_norm = true, .parallel = c->parallel, .norm = c->layer_norm ? MG_NORM_LAYER : MG_NORM_RMS, .eps = c->eps,
							 .activation = (MgActivation) c->activation, .scale = c->score_scale, .soft_cap = c->soft_cap,
							 .window = &windows[0]};
	if (w->positions.rows == 0 && !make_rope(run, batch, &ropes[0]))
		return false;
	if (c->local_theta > 0 && !mg_batch_rope(run->cx, batch, c->local_theta, c->rotary, &ropes[1]))
		return false;
	if (w->positions.rows == 0)
		forms[0].rope = &ropes[0];
	forms[1] = forms[0];
	forms[1].window = &windows[1];
	if (c->local_theta > 0)
		forms[1].rope = &ropes[1];
	return true;
}

bool
mg_causal_forward(const MgRun *run, const MgBatch *batch, float *out)
{
	const MgCausal *c = run->model->config;
	const MgCausalWeights *w = run->model->weights;
	const MgLayer *layers = run->model->layers;
	MgNorm last = {c->layer_norm ? MG_NORM_LAYER : MG_NORM_RMS, c->sizes.width, w->norm, w->norm_bias, c->eps};
	MgWindow windows[2];
	MgRope ropes[2];
	MgLayerForm forms[2]; /* of a global layer, and of a local one */
	MgMark mark = mg_mark(run->cx);
	MgStates states;

	if (!make_forms(run, batch, windows, ropes, forms) || !mg_states_init(run, &forms[0], batch, c->sizes.layers, out, &states) ||
		!embed(run, batch, states.x))
		return false;
	for (uint32_t l = 0; l < c->sizes.layers; l++)
		if (!mg_layer(run, &forms[c->has_global && c->global[l] ? 0 : 1], &layers[l], &states))
			return false;
	mg_add_norm(run->compute, &last, out, NULL, batch->n_rows, out);
	mg_rewind(run->cx, mark);
	return true;
}

MgVocabulary
mg_causal_vocabulary(const MgModel *model)
{
	const MgCausalWeights *w = model->weights;

	return (MgVocabulary){&w->decoder, NULL, ((const MgCausal *) model->config)->logit_cap};
}

MgKeysForm
mg_causal_keys_form(const MgModel *model)
{
	const MgCausal *c = model->config;

	return (MgKeysForm){c->kv_heads, c->head_size};
}
