/* Log probabilities of the tokens of a text. */
#include "task/likelihood.h"

#include <math.h>

#include "task/decoder.h"
#include "task/draw.h"

typedef struct Reading
{
	MgLogitsTaker taker;
	const MgRun *run;
	MgIds ids;
	float *logs;
} Reading;

/* Logits of token `at` say how likely the next one is. */
static bool
take(void *user, float *logits, size_t at, size_t n)
{
	const Reading *reading = user;
	size_t vocab = reading->run->model->sizes->vocab;

	for (size_t i = 0; i < n && at + i + 1 < reading->ids.n; i++)
	{
		if (!mg_poll(reading->run->cx))
			return false;
		reading->logs[at + i + 1] = (float) mg_log_probability(logits + i * vocab, vocab, reading->ids.ids[at + i + 1]);
	}
	return true;
}

bool
mg_likelihood_ids(const MgRun *run, const MgLikelihoodOptions *options, MgIds ids, float *logs)
{
	Reading reading = {{NULL, take}, run, ids, logs};
	MgMark mark = mg_mark(run->cx);
	MgDecoder decoder;
	size_t size;
	bool fine;

	if (!mg_decoder_can(run))
		return false;
	if (!mg_decoder_slot_size(run->model, ids.n, &size) || size > options->memory)
	{
		mg_fail(run->cx, MG_TOO_LARGE, "keys of %zu tokens do not fit into the memory for them", ids.n);
		return mg_hint(run->cx, "Raise maskgen.kv_memory, or shorten the text.");
	}
	reading.taker.user = &reading;
	logs[0] = NAN;
	fine = mg_decoder_init(run, 1, ids.n, &decoder) && mg_decoder_read(&decoder, (MgDecoderInput){0, ids.ids, ids.n}, &reading.taker);
	if (fine)
		mg_rewind(run->cx, mark);
	return fine;
}

bool
mg_likelihood(const MgRun *run, const MgLikelihoodOptions *options, MgSpan text, MgLikelihood *likelihood)
{
	MgSequence *sequence = &likelihood->sequence;

	*sequence = (MgSequence){0};
	if (!mg_decoder_can(run) || !mg_tokenize(run->cx, run->model->tokenizer, text, MG_ALL_DATA, &likelihood->tokens) ||
		!mg_sequence_of_text(run, mg_span(NULL, 0), text, false, options->long_input, sequence))
		return false;
	if (likelihood->tokens.n > sequence->n_text)
		likelihood->tokens.n = sequence->n_text;
	if (sequence->n == 0)
		return mg_fail(run->cx, MG_BAD_ARGUMENT, "input has no tokens");
	likelihood->logs = mg_alloc_array(run->cx, sequence->n, sizeof *likelihood->logs);
	run->usage->rows++;
	if (run->cut != NULL)
		*run->cut = sequence->cut;
	return likelihood->logs != NULL && mg_likelihood_ids(run, options, (MgIds){sequence->n, sequence->ids}, likelihood->logs);
}

double
mg_perplexity(const MgLikelihood *likelihood)
{
	double sum = 0;
	size_t n = 0;

	for (size_t i = likelihood->sequence.first; i < likelihood->sequence.first + likelihood->sequence.n_text; i++)
		if (!isnan(likelihood->logs[i]))
		{
			sum += likelihood->logs[i];
			n++;
		}
	return n > 0 ? exp(-sum / (double) n) : NAN;
}

bool
mg_continuation_likelihood(const MgRun *run, const MgLikelihoodOptions *options, MgSpan prompt, MgSpan continuation, double *log)
{
	MgLikelihoodOptions whole = {MG_LONG_ERROR, options->memory};
	uint8_t *joined = prompt.size > MG_TEXT_LIMIT || continuation.size > MG_TEXT_LIMIT ? NULL : mg_alloc(run->cx, prompt.size + continuation.size);
	MgLikelihood likelihood;

	if (joined == NULL)
		return mg_fail(run->cx, MG_TOO_LARGE, "input is too long");
	if (prompt.size > 0)
		memcpy(joined, prompt.data, prompt.size);
	if (continuation.size > 0)
		memcpy(joined + prompt.size, continuation.data, continuation.size);
	if (!mg_likelihood(run, &whole, mg_span(joined, prompt.size + continuation.size), &likelihood))
		return false;
	*log = 0;
	for (size_t i = 0; i < likelihood.tokens.n; i++)
	{
		float one = likelihood.logs[likelihood.sequence.first + i];

		if (likelihood.tokens.stops[i] <= prompt.size)
			continue;
		if (isnan(one))
		{
			mg_fail(run->cx, MG_BAD_ARGUMENT, "nothing comes before the continuation");
			return mg_hint(run->cx, "Model \"%s\" puts no token before a text: give it a prompt.", run->name);
		}
		*log += one;
	}
	return true;
}
