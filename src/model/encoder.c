/* Encoders that are normalised after each block. */
#include "model/encoder.h"

#include <math.h>

bool
mg_encoder_settle(MgCtx *cx, const MgConfig *lists, void *config)
{
	MgEncoderConfig *c = config;
	uint32_t first = c->behind_pad ? c->pad + 1 : 0;

	mg_settle_classes(lists, &c->sizes);
	if (c->positions.size > 0 && !mg_span_is(c->positions, c->theta > 0 ? "rope" : "absolute"))
		return mg_fail(cx, MG_UNSUPPORTED, "position embeddings of type \"%.*s\" are not supported",
					   MG_SPAN_ARGS(c->positions));
	if (c->sizes.width % c->heads != 0)
		return mg_fail(cx, MG_BAD_FILE, "hidden size %u is not divisible by %u attention heads", c->sizes.width, c->heads);
	if (c->theta > 0 && c->sizes.width / c->heads % 2 != 0)
		return mg_fail(cx, MG_BAD_FILE, "heads of %u numbers are not pairs that can be turned", c->sizes.width / c->heads);
	c->half = c->sizes.width / c->heads / 2;
	if (c->buckets > 0 && !mg_check_buckets(cx, c->buckets, c->distance))
		return false;
	if (c->rows <= first)
		return mg_fail(cx, MG_BAD_FILE, "a table of %u positions ends before the first, %u", c->rows, first);
	c->sizes.longest = c->rows - first;
	if (c->embedding == 0)
		c->embedding = c->sizes.width;
	if (c->sizes.depth > 0 && c->sizes.depth < c->sizes.layers)
		return mg_fail(cx, MG_BAD_FILE, "%u layers cannot be shared out among %u passes", c->sizes.layers, c->sizes.depth);
	return true;
}

/* The row of a token in the table of positions; *counted is the position of the sequence's next token. */
static size_t
position_row(const MgEncoderConfig *c, const MgBatch *batch, size_t sequence, size_t token, size_t *counted)
{
	if (!c->behind_pad)
		return mg_batch_position(batch, sequence, token);
	if (batch->positions != NULL)
		return c->pad + 1 + batch->positions[token];
	return (uint32_t) batch->ids[token] == c->pad ? c->pad : c->pad + 1 + (*counted)++;
}

/* e [n, w] */
static void
sum_embeddings(const MgRun *run, const MgEmbeddings *e, const MgBatch *batch, float *out)
{
	const MgEncoderConfig *c = run->model->config;
	size_t w = c->embedding;
	MgNorm norm = {MG_NORM_LAYER, w, e->norm, e->norm_bias, c->eps};

	mg_batch_words(&e->words, batch, out);
	for (size_t s = 0; s < batch->n_sequences; s++)
	{
		size_t counted = mg_batch_past(batch, s);

		for (size_t i = batch->offsets[s]; i < batch->offsets[s + 1]; i++)
		{
			if (e->positions.rows > 0)
				mg_add(run->compute, out + i * w, e->positions.data + position_row(c, batch, s, i, &counted) * w, w);
			if (e->types.rows > 0)
				mg_add(run->compute, out + i * w, e->types.data + mg_batch_segment(batch, i) * w, w);
		}
	}
	mg_add_norm(run->compute, &norm, out, NULL, batch->n_tokens, out);
}

bool
mg_encoder_embed(const MgRun *run, const MgEmbeddings *e, const MgBatch *batch, float *x)
{
	const MgEncoderConfig *c = run->model->config;
	size_t w = c->embedding, h = c->sizes.width;
	MgMark mark = mg_mark(run->cx);
	float *narrow;

	if (w == h && e->project.rows == 0)
	{
		sum_embeddings(run, e, batch, x);
		return true;
	}
	if (e->project.rows == 0)
		return mg_fail(run->cx, MG_BAD_FILE, "model \"%s\" has embeddings of %zu numbers and no matrix that makes %zu of them",
					   run->name, w, h);
	narrow = mg_alloc_array(run->cx, batch->n_tokens, w * sizeof *narrow);
	if (narrow == NULL)
		return false;
	sum_embeddings(run, e, batch, narrow);
	if (!mg_linear(run->cx, run->compute, (MgRows){narrow, w, batch->n_tokens},
				   (MgLinear){&e->project, e->project_bias, MG_ACT_NONE, x, h}))
		return false;
	mg_rewind(run->cx, mark);
	return true;
}

bool
mg_check_buckets(MgCtx *cx, uint32_t buckets, uint32_t distance)
{
	return (buckets >= 4 && distance > buckets / 4) ||
		mg_fail(cx, MG_BAD_FILE, "%u buckets for distances up to %u make no sense", buckets, distance);
}

bool
mg_bucket_bias(MgCtx *cx, const MgMatrix *t, uint32_t distance, MgRelative *relative)
{
	uint32_t *places = mg_alloc_array(cx, 2 * (size_t) distance + 1, sizeof *places);

	*relative = (MgRelative){.n = t->rows, .reach = distance, .places = places, .bias = t->data};
	if (places == NULL)
		return false;
	mg_relative_buckets((uint32_t) t->rows, distance, distance, places);
	return true;
}

/* Rotary positions of width d. */
static bool
make_rope(const MgRun *run, const MgBatch *batch, size_t d, MgRope *rope)
{
	const MgEncoderConfig *c = run->model->config;
	float *frequencies = mg_alloc_array(run->cx, d / 2, sizeof *frequencies);
	float stretch = c->stretch > 0 ? c->stretch : 1;

	if (frequencies == NULL)
		return false;
	mg_rope_frequencies(c->theta * stretch, d, frequencies);
	for (size_t i = 0; i < d / 2; i++)
		frequencies[i] /= powf(stretch, 2.0f / (float) d);
	return mg_batch_turns(run->cx, batch, frequencies, d, rope);
}

bool
mg_encoder_forward(const MgRun *run, const MgBatch *batch, float *out)
{
	const MgEncoderConfig *c = run->model->config;
	const MgEncoderWeights *w = run->model->weights;
	const MgLayer *layers = run->model->layers;
	uint32_t depth = c->sizes.depth > 0 ? c->sizes.depth : c->sizes.layers;
	MgLayerForm form = {.width = c->sizes.width, .heads = c->heads, .head_size = c->sizes.width / c->heads,
						.eps = c->eps, .activation = (MgActivation) c->activation, .fused_gate = c->fused_gate};
	MgMark mark = mg_mark(run->cx);
	MgStates states;
	MgRelative relative;
	MgRope rope;

	if (w->relative.rows > 0)
	{
		form.relative = &relative;
		if (!mg_bucket_bias(run->cx, &w->relative, c->distance, &relative))
			return false;
	}
	if (c->theta > 0)
	{
		form.rope = &rope;
		if (!make_rope(run, batch, form.head_size, &rope))
			return false;
	}
	if (!mg_states_init(run, &form, batch, depth, out, &states) || !mg_encoder_embed(run, &w->embeddings, batch, states.x))
		return false;
	for (uint32_t l = 0; l < depth; l++)
		if (!mg_layer(run, &form, &layers[(size_t) ((double) l / ((double) depth / c->sizes.layers))], &states))
			return false;
	mg_rewind(run->cx, mark);
	return true;
}

bool
mg_encoder_head(const MgRun *run, const float *states, size_t n, float *out)
{
	const MgEncoderConfig *c = run->model->config;
	const MgEncoderWeights *w = run->model->weights;
	size_t d = w->transform.rows;
	MgActivation activation = (MgActivation) (c->word_activation != MG_ACT_NONE ? c->word_activation : c->activation);

	return mg_transform(run, states, n, (MgLinear){&w->transform, w->transform_bias, activation, out, c->sizes.width},
						(MgNorm){MG_NORM_LAYER, d, w->transform_norm, w->transform_norm_bias, c->eps});
}

MgVocabulary
mg_encoder_vocabulary(const MgModel *model)
{
	const MgEncoderWeights *w = model->weights;

	return (MgVocabulary){.matrix = &w->decoder, .bias = w->decoder_bias != NULL ? w->decoder_bias : w->vocabulary_bias};
}

MgClassHead
mg_encoder_sequence_head(const MgModel *model)
{
	const MgEncoderConfig *c = model->config;
	const MgEncoderWeights *w = model->weights;

	return (MgClassHead){.dense = &w->dense, .dense_bias = w->dense_bias, .activation = (MgActivation) c->class_activation,
						 .out = &w->classifier, .bias = w->classifier_bias};
}

MgClassHead
mg_encoder_token_head(const MgModel *model)
{
	const MgEncoderWeights *w = model->weights;

	return (MgClassHead){.out = &w->tagger, .bias = w->tagger_bias};
}
