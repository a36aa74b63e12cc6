/* Embedding: pooling, truncation, normalisation. */
#include "task/embed.h"

#include <math.h>

#include "task/schedule.h"

bool
mg_embed_dims(const MgRun *run, const MgEmbedOptions *options, size_t *dims)
{
	if (run->model->meta.pooling == MG_POOL_NONE)
	{
		mg_fail(run->cx, MG_UNSUPPORTED, "model \"%s\" does not make embeddings", run->name);
		mg_detail(run->cx, "Its files do not say how to pool the tokens of a text.");
		return mg_hint(run->cx, "Create the model with an option such as {\"pooling\": \"mean\"}, or use an embedding model.");
	}
	if (options->dims > run->model->sizes->width)
	{
		mg_fail(run->cx, MG_BAD_ARGUMENT, "%zu dimensions are more than model \"%s\" has", options->dims, run->name);
		return mg_detail(run->cx, "It has %u.", run->model->sizes->width);
	}
	*dims = options->dims > 0 ? options->dims : run->model->sizes->width;
	return true;
}

/* What a sum over n tokens is divided by. */
static float
divisor_of(MgPooling pooling, size_t n)
{
	return pooling == MG_POOL_MEAN_SQRT		? sqrtf((float) n)
		: pooling == MG_POOL_WEIGHTED_MEAN ? (float) ((double) n * (double) (n + 1) / 2)
										   : (float) n;
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

			if (pooling == MG_POOL_WEIGHTED_MEAN)
				value *= (float) (i + 1);
			out[d] = pooling != MG_POOL_MAX ? out[d] + value : fmaxf(out[d], value);
		}
	for (size_t d = 0; d < dims && pooling != MG_POOL_MAX; d++)
		out[d] /= divisor_of(pooling, n);
}

void
mg_normalize(float *vector, size_t dims)
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
mg_embed_sequence(const MgRun *run, const MgEmbedOptions *options, MgSpan text, MgSequence *sequence)
{
	if (!mg_sequence_of_text(run, options->prompt, text, false, options->long_input, sequence))
		return false;
	return sequence->n > 0 || mg_fail(run->cx, MG_BAD_ARGUMENT, "input has no tokens");
}

/* The rows that pooling reads: one of each sequence, where it is the first or the last. */
static bool
want_rows(MgCtx *cx, MgPooling pooling, MgBatch *batch)
{
	uint32_t *rows;

	if (pooling != MG_POOL_CLS && pooling != MG_POOL_LAST)
		return true;
	rows = mg_alloc_array(cx, batch->n_sequences, sizeof *rows);
	if (rows == NULL)
		return false;
	for (size_t i = 0; i < batch->n_sequences; i++)
		rows[i] = pooling == MG_POOL_CLS ? batch->offsets[i] : batch->offsets[i + 1] - 1;
	batch->rows = rows;
	batch->n_rows = batch->n_sequences;
	return true;
}

bool
mg_embed_batch(const MgRun *run, const MgEmbedOptions *options, size_t dims, const MgSequence *sequences, size_t n,
			   float *vectors)
{
	const MgMeta *meta = &run->model->meta;
	size_t h = run->model->sizes->width;
	bool unit = options->normalize && (meta->normalize || options->dims > 0);
	MgBatch batch;
	float *states;
	uint64_t begin;

	if (!mg_batch_pack(run->cx, sequences, n, &batch) || !want_rows(run->cx, meta->pooling, &batch))
		return false;
	states = mg_alloc_array(run->cx, batch.n_rows, h * sizeof *states);
	if (states == NULL || !run->model->arch->forward(run, &batch, states))
		return false;
	begin = mg_profile_begin(run->compute);
	for (size_t i = 0; i < n; i++)
	{
		float *vector = vectors + i * dims;
		bool one = batch.rows != NULL;

		pool(meta->pooling, states + (one ? i : batch.offsets[i]) * h, one ? 1 : sequences[i].n, h, dims, vector);
		if (unit)
			mg_normalize(vector, dims);
	}
	mg_profile_end(run->compute, MG_PHASE_ELEMENTS, begin);
	return true;
}

typedef struct Embedding
{
	MgTask task;
	const MgEmbedOptions *options;
} Embedding;

static bool
fill(const MgTask *task, MgSpan text, MgSequence *sequence)
{
	return mg_embed_sequence(task->run, ((const Embedding *) task)->options, text, sequence);
}

static bool
run_batch(const MgTask *task, const MgSequence *sequences, size_t n)
{
	const Embedding *embedding = (const Embedding *) task;
	size_t dims = task->n_out;
	float *vectors = mg_alloc_array(task->run->cx, n, dims * sizeof *vectors);

	if (vectors == NULL || !mg_embed_batch(task->run, embedding->options, dims, sequences, n, vectors))
		return false;
	for (size_t i = 0; i < n; i++)
		memcpy(task->out + sequences[i].text * dims, vectors + i * dims, dims * sizeof *vectors);
	return true;
}

bool
mg_embed(const MgRun *run, const MgEmbedOptions *options, const MgSpan *texts, size_t n, float *out)
{
	Embedding embedding = {{run, 1, options->refusals, fill, run_batch, .out = out}, options};

	return mg_embed_dims(run, options, &embedding.task.n_out) && mg_task_run(&embedding.task, texts, n);
}
