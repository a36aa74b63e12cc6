/* Decoders of Llama's family. */
#include "model/causal.h"

#include <math.h>

#define TWO_PI 6.283185307179586

bool
mg_causal_settle(MgCtx *cx, const MgConfig *lists, void *config)
{
	static const char *const known[] = {"default", "dynamic", "linear", "llama3", "yarn"};
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
	c->half = c->head_size / 2;
	return true;
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
	return c->head_size * log(original / (turns * TWO_PI)) / (2 * log(c->theta));
}

static void
scale_yarn(const MgCausal *c, float original, float *frequencies)
{
	double low = fmax(floor(yarn_pair(c, original, c->beta_fast)), 0);
	double high = fmin(ceil(yarn_pair(c, original, c->beta_slow)), c->head_size - 1);

	if (low == high)
		high += 0.001;
	for (size_t i = 0; i < c->half; i++)
	{
		double ramp = fmin(fmax(((double) i - low) / (high - low), 0), 1), f = (double) frequencies[i];

		frequencies[i] = (float) (f / c->factor * ramp + f * (1 - ramp));
	}
}

static float
cosine_factor(const MgCausal *c)
{
	if (!mg_span_is(c->scaling, "yarn"))
		return 1.0f;
	if (c->attention_factor > 0)
		return c->attention_factor;
	return c->factor > 1 ? (float) (0.1 * log(c->factor) + 1) : 1.0f;
}

static void
scale_frequencies(const MgCausal *c, const float *divisors, float *frequencies)
{
	float original = (float) (c->original_longest > 0 ? c->original_longest : c->sizes.longest);

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
	mg_rope_frequencies(c->theta, c->head_size, frequencies);
	scale_frequencies(c, w->rope_divisors, frequencies);
	if (!mg_batch_turns(run->cx, batch, frequencies, c->head_size, rope))
		return false;
	rope->interleaved = c->interleaved;
	for (size_t i = 0; factor != 1.0f && i < batch->n_tokens * c->half; i++)
	{
		rope->cosines[i] *= factor;
		rope->sines[i] *= factor;
	}
	return true;
}

bool
mg_causal_forward(const MgRun *run, const MgBatch *batch, float *out)
{
	const MgCausal *c = run->model->config;
	const MgCausalWeights *w = run->model->weights;
	const MgLayer *layers = run->model->layers;
	MgWindow window = {c->windowed && c->window > 0 ? c->window - 1 : MG_UNBOUNDED, 0};
	MgNorm last = {MG_NORM_RMS, c->sizes.width, w->norm, NULL, c->eps};
	MgRope rope;
	MgLayerForm form = {.width = c->sizes.width, .heads = c->heads, .kv_heads = c->kv_heads, .head_size = c->head_size, .pre_norm = true,
						.norm = MG_NORM_RMS, .eps = c->eps, .activation = (MgActivation) c->activation, .window = &window, .rope = &rope};
	MgMark mark = mg_mark(run->cx);
	MgStates states;

	if (!make_rope(run, batch, &rope) || !mg_states_init(run, &form, batch, c->sizes.layers, out, &states))
		return false;
	mg_batch_words(&w->words, batch, states.x);
	for (uint32_t l = 0; l < c->sizes.layers; l++)
		if (!mg_layer(run, &form, &layers[l], &states))
			return false;
	mg_add_norm(run->compute, &last, out, NULL, batch->n_rows, out);
	mg_rewind(run->cx, mark);
	return true;
}

MgVocabulary
mg_causal_vocabulary(const MgModel *model)
{
	const MgCausalWeights *w = model->weights;

	return (MgVocabulary){&w->decoder, NULL};
}

MgKeysForm
mg_causal_keys_form(const MgModel *model)
{
	const MgCausal *c = model->config;

	return (MgKeysForm){c->kv_heads, c->head_size};
}
