/* One answer, piece by piece. */
#include "task/answer_stream.h"

bool
mg_answer_stream_begin(const MgRun *run, const MgGenerateOptions *options, MgIds prompt, MgAnswerStream *stream)
{
	size_t longest = run->model->meta.max_tokens, size;
	MgSampling unused;

	if (!mg_decoder_can(run) || !mg_generate_fits(run, prompt) || !mg_sampling_check(run->cx, &options->sampling, run->model->sizes->vocab))
		return false;
	*stream = (MgAnswerStream){.options = options, .n_prompt = prompt.n};
	stream->room = options->max_tokens < longest - prompt.n ? prompt.n + options->max_tokens : longest;
	if (!mg_decoder_slot_size(run->model, stream->room, &size) || size > options->memory)
	{
		mg_fail(run->cx, MG_TOO_LARGE, "keys of %zu tokens do not fit into the memory for them", stream->room);
		mg_detail(run->cx, "%zu kB are allowed.", options->memory / 1024);
		return mg_hint(run->cx, "Raise maskgen.kv_memory, shorten the prompt, or lower max_tokens.");
	}
	stream->ids = mg_alloc_array(run->cx, stream->room, sizeof *stream->ids);
	stream->logits = mg_alloc_array(run->cx, run->model->sizes->vocab, sizeof *stream->logits);
	stream->text = mg_text_stream(run->cx, run->model->tokenizer, options->stops, options->n_stops);
	if (stream->ids == NULL || stream->logits == NULL || stream->text == NULL || !mg_generation_defaults(run, &unused, &stream->ends))
		return false;
	memcpy(stream->ids, prompt.ids, prompt.n * sizeof *prompt.ids);
	stream->n = prompt.n;
	return mg_decoder_init(run, 1, stream->room, &stream->decoder);
}

static bool
is_end(const MgAnswerStream *stream, int32_t id)
{
	for (size_t i = 0; i < stream->ends.n; i++)
		if (stream->ends.ids[i] == id)
			return true;
	return false;
}

/* Another token, and the text that it makes certain. */
static bool
advance(const MgRun *run, MgAnswerStream *stream, MgSpan *piece)
{
	MgDecoderInput input = {0, stream->ids + stream->n_read, stream->n - stream->n_read};
	MgHistory history = {stream->ids, stream->n, stream->n_prompt};
	bool stopped = false;
	int32_t id;

	if (!mg_decoder_step(&stream->decoder, &input, 1, stream->logits) ||
		!mg_draw(run->cx, &stream->options->sampling, history, stream->ends, 0, stream->logits, run->model->sizes->vocab, &id))
		return false;
	run->usage->new_tokens++;
	if (stream->n_read > 0)
		run->usage->decoded += input.n;
	stream->n_read = stream->n;
	stream->done = is_end(stream, id);
	if (!stream->done)
	{
		stream->ids[stream->n++] = id;
		stopped = mg_text_stream_put(stream->text, id, piece);
		stream->done = stopped || stream->n == stream->room;
	}
	return true;
}

bool
mg_answer_stream_next(const MgRun *run, MgAnswerStream *stream, MgSpan *piece)
{
	MgDecoder *decoder = &stream->decoder;
	MgKeys *keys = decoder->run.keys;

	*piece = mg_span(NULL, 0);
	decoder->run = *run;
	decoder->run.keys = keys;
	decoder->run.n_slots = 1;
	mg_text_stream_rebind(stream->text, run->model->tokenizer);
	while (!stream->done && piece->size == 0)
		if (!advance(run, stream, piece))
			return false;
	/* What was held back comes after what the last token made certain. */
	if (stream->done && piece->size == 0)
		*piece = mg_text_stream_end(stream->text);
	return true;
}
