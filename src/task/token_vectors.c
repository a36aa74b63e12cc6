/* Vectors of tokens. */
#include "task/token_vectors.h"

#include "task/embed.h"
#include "task/schedule.h"

typedef struct Vectors
{
	MgTask task;
	const MgTokenVectorsOptions *options;
} Vectors;

static bool
copy(const MgTask *task, size_t from, size_t to)
{
	const MgVectorsReceiver *receiver = &((const Vectors *) task)->options->receiver;

	receiver->copy(receiver->user, from, to);
	return true;
}

static bool
fill(const MgTask *task, MgSpan text, MgSequence *sequence)
{
	const MgTokenVectorsOptions *options = ((const Vectors *) task)->options;

	return mg_sequence_of_text(task->run, options->prompt, text, false, options->long_input, sequence);
}

static bool
run_batch(const MgTask *task, const MgSequence *sequences, size_t n)
{
	const MgVectorsReceiver *receiver = &((const Vectors *) task)->options->receiver;
	const MgRun *run = task->run;
	size_t h = run->model->sizes->width;
	MgBatch batch;
	float *states;

	if (!mg_batch_pack(run->cx, sequences, n, &batch))
		return false;
	states = mg_alloc_array(run->cx, batch.n_tokens, h * sizeof *states);
	if (states == NULL || !run->model->arch->forward(run, &batch, states))
		return false;
	for (size_t i = 0; i < batch.n_tokens; i++)
		mg_normalize(states + i * h, h);
	for (size_t i = 0; i < n; i++)
		receiver->put(receiver->user, sequences[i].text, states + batch.offsets[i] * h, sequences[i].n);
	return true;
}

bool
mg_embed_tokens(const MgRun *run, const MgTokenVectorsOptions *options, const MgSpan *texts, size_t n)
{
	Vectors vectors = {{run, 1, options->refusals, fill, run_batch, .copy = copy}, options};

	return mg_task_run(&vectors.task, texts, n);
}
