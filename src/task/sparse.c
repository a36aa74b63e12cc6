/* Sparse vectors: all tokens pass the head and the whole vocabulary, some at a time. */
#include "task/sparse.h"

#include <math.h>

#include "task/fill_mask.h"
#include "task/schedule.h"

/* Tokens that are scored at once: the vocabulary's matrix is read once for all of them. */
#define ROWS_AT_ONCE ((size_t) 32)

typedef struct Sparse
{
	MgTask task;
	const MgSparseOptions *options;
	float *logits;	/* [ROWS_AT_ONCE, vocab] */
	float *largest; /* [vocab] */
	int32_t *ids;	/* [vocab] */
} Sparse;

static bool
copy(const MgTask *task, size_t from, size_t to)
{
	const MgSparseReceiver *receiver = &((const Sparse *) task)->options->receiver;

	receiver->copy(receiver->user, from, to);
	return true;
}

static bool
fill(const MgTask *task, MgSpan text, MgSequence *sequence)
{
	return mg_sequence_of_text(task->run, mg_span(NULL, 0), text, false, ((const Sparse *) task)->options->long_input, sequence) &&
		(sequence->n > 0 || mg_fail(task->run->cx, MG_BAD_ARGUMENT, "input has no tokens"));
}

/* largest [vocab]: of the logits of headed [n, h]. */
static bool
find_largest(const Sparse *sparse, const float *headed, size_t n)
{
	const MgRun *run = sparse->task.run;
	const MgVocabulary vocabulary = run->model->arch->vocabulary(run->model);
	size_t h = run->model->sizes->width, vocab = run->model->sizes->vocab;

	memset(sparse->largest, 0, vocab * sizeof *sparse->largest);
	for (size_t done = 0; done < n; done += ROWS_AT_ONCE)
	{
		size_t rows = n - done < ROWS_AT_ONCE ? n - done : ROWS_AT_ONCE;

		if (!mg_poll(run->cx) ||
			!mg_table_linear(run->cx, run->compute, (MgRows){headed + done * h, h, rows},
							 (MgLinear){vocabulary.matrix, vocabulary.bias, MG_ACT_NONE, sparse->logits, vocab}))
			return false;
		for (size_t i = 0; i < rows; i++)
			for (size_t v = 0; v < vocab; v++)
				sparse->largest[v] = sparse->logits[i * vocab + v] > sparse->largest[v] ? sparse->logits[i * vocab + v] : sparse->largest[v];
	}
	return true;
}

/* What is above 0, in place. */
static MgWordWeights
gather(const Sparse *sparse)
{
	size_t vocab = sparse->task.run->model->sizes->vocab, n = 0;

	for (size_t v = 0; v < vocab; v++)
	{
		float value = (float) log1p((double) sparse->largest[v]);

		if (!(value > 0))
			continue;
		sparse->ids[n] = (int32_t) v;
		sparse->largest[n++] = value;
	}
	return (MgWordWeights){n, sparse->ids, sparse->largest};
}

static bool
run_batch(const MgTask *task, const MgSequence *sequences, size_t n)
{
	const Sparse *sparse = (const Sparse *) task;
	const MgSparseReceiver *receiver = &sparse->options->receiver;
	const MgRun *run = task->run;
	size_t h = run->model->sizes->width;
	MgBatch batch;
	float *states, *headed;

	if (!mg_batch_pack(run->cx, sequences, n, &batch))
		return false;
	states = mg_alloc_array(run->cx, batch.n_tokens, h * sizeof *states);
	headed = mg_alloc_array(run->cx, batch.n_tokens, h * sizeof *headed);
	if (states == NULL || headed == NULL || !run->model->arch->forward(run, &batch, states) ||
		!run->model->arch->head(run, states, batch.n_tokens, headed))
		return false;
	for (size_t i = 0; i < n; i++)
	{
		MgWordWeights result;

		if (!find_largest(sparse, headed + batch.offsets[i] * h, sequences[i].n))
			return false;
		result = gather(sparse);
		receiver->put(receiver->user, sequences[i].text, &result);
	}
	return true;
}

bool
mg_embed_sparse(const MgRun *run, const MgSparseOptions *options, const MgSpan *texts, size_t n)
{
	Sparse sparse = {.task = {run, 1, options->refusals, fill, run_batch, .copy = copy}, .options = options};
	size_t vocab = run->model->sizes->vocab;
	MgMark mark = mg_mark(run->cx);

	if (!mg_needs_masks(run))
		return false;
	sparse.logits = mg_alloc_array(run->cx, ROWS_AT_ONCE, vocab * sizeof *sparse.logits);
	sparse.largest = mg_alloc_array(run->cx, vocab, sizeof *sparse.largest);
	sparse.ids = mg_alloc_array(run->cx, vocab, sizeof *sparse.ids);
	if (sparse.logits == NULL || sparse.largest == NULL || sparse.ids == NULL || !mg_task_run(&sparse.task, texts, n))
		return false;
	mg_rewind(run->cx, mark);
	return true;
}
