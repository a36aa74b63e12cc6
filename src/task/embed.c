/* Embedding: batches by token budget, pooling, truncation, normalisation. */
#include "task/embed.h"

#include <math.h>

bool
mg_embed_dims(MgCtx *cx, const MgModel *model, const MgEmbedOptions *options, size_t *dims)
{
	if (model->meta.pooling == MG_POOL_NONE)
	{
		mg_fail(cx, MG_UNSUPPORTED, "model \"%s\" does not make embeddings", model->name);
		mg_detail(cx, "Its files do not say how to pool the tokens of a text.");
		return mg_hint(cx, "Create the model with an option such as {\"pooling\": \"mean\"}, or use an embedding model.");
	}
	if (options->dims > model->meta.hyper.hidden)
	{
		mg_fail(cx, MG_BAD_ARGUMENT, "%zu dimensions are more than model \"%s\" has", options->dims, model->name);
		return mg_detail(cx, "It has %u.", model->meta.hyper.hidden);
	}
	*dims = options->dims > 0 ? options->dims : model->meta.hyper.hidden;
	return true;
}

/* states [n, h] -> out [dims] */
static void
pool(MgPooling pooling, const float *states, size_t n, size_t h, size_t dims, float *out)
{
	const float *row = pooling == MG_POOL_LAST ? states + (n - 1) * h : states;

	memcpy(out, row, dims * sizeof *out);
	if (pooling == MG_POOL_CLS || pooling == MG_POOL_LAST)
		return;
	for (size_t i = 1; i < n; i++)
		for (size_t d = 0; d < dims; d++)
		{
			float value = states[i * h + d];

			out[d] = pooling == MG_POOL_MEAN ? out[d] + value : fmaxf(out[d], value);
		}
	if (pooling == MG_POOL_MEAN)
		for (size_t d = 0; d < dims; d++)
			out[d] /= (float) n;
}

/* To length 1; a vector of zeros stays. 1e-12 as torch.nn.functional.normalize has it. */
static void
normalize(float *vector, size_t dims)
{
	double sum = 0;
	float length;

	for (size_t d = 0; d < dims; d++)
		sum += (double) vector[d] * vector[d];
	length = (float) sqrt(sum);
	if (length < 1e-12f)
		length = 1e-12f;
	for (size_t d = 0; d < dims; d++)
		vector[d] /= length;
}

bool
mg_embed(MgCtx *cx, const MgModel *model, const MgEmbedOptions *options, const MgSpan *texts, size_t n, float *out,
		 MgUsage *usage)
{
	MgMark start = mg_mark(cx);
	MgSequence *sequences = mg_alloc_array(cx, n, sizeof *sequences);
	size_t h = model->meta.hyper.hidden, dims;
	bool unit = options->normalize && (model->meta.normalize || options->dims > 0);

	if (sequences == NULL || !mg_embed_dims(cx, model, options, &dims))
		return false;
	for (size_t i = 0; i < n; i++)
	{
		if (!mg_poll(cx) ||
			!mg_sequence_of_text(cx, model, options->prompt, texts[i], options->long_input, &sequences[i]))
			return false;
		if (sequences[i].n == 0)
			return mg_fail(cx, MG_BAD_ARGUMENT, "input has no tokens");
	}
	for (size_t done = 0; done < n;)
	{
		MgMark mark = mg_mark(cx);
		size_t taken = mg_batch_take(sequences + done, n - done);
		MgBatch batch;
		float *states;

		if (!mg_batch_pack(cx, sequences + done, taken, &batch))
			return false;
		states = mg_alloc_array(cx, batch.n_tokens, h * sizeof *states);
		if (states == NULL || !model->arch->forward(cx, model, &batch, states))
			return false;
		for (size_t i = 0; i < taken; i++)
		{
			float *vector = out + (done + i) * dims;

			pool((MgPooling) model->meta.pooling, states + batch.offsets[i] * h, sequences[done + i].n, h, dims, vector);
			if (unit)
				normalize(vector, dims);
		}
		usage->tokens += batch.n_tokens;
		usage->batches++;
		done += taken;
		mg_rewind(cx, mark);
	}
	usage->rows += n;
	mg_rewind(cx, start);
	return true;
}
