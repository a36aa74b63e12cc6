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
	stream->logits = mg_alloc_array(run->cx, 1 + MG_MOST_DRAFTED, run->model->sizes->vocab * sizeof *stream->logits);
	stream->text = mg_text_stream(run->cx, run->model->tokenizer, options->stops, options->n_stops);
	if (stream->ids == NULL || stream->logits == NULL || stream->text == NULL || !mg_generation_defaults(run, &unused, &stream->ends))
		return false;
	memcpy(stream->ids, prompt.ids, prompt.n * sizeof *prompt.ids);
	stream->n = prompt.n;
	mg_draft_init(&stream->draft);
	if (!mg_decoder_init(run, 1, stream->room, &stream->decoder) || !mg_prompt_cache_load(options->cache, &stream->decoder, 0, prompt.ids, prompt.n - 1))
		return false;
	stream->n_read = stream->decoder.lengths[0];
	return true;
}

static bool
is_end(const MgAnswerStream *stream, int32_t id)
{
	for (size_t i = 0; i < stream->ends.n; i++)
		if (stream->ends.ids[i] == id)
			return true;
	return false;
}

/* Logits behind what has not been read yet: a prompt, or the last token and drafts. */
static bool
read_on(MgAnswerStream *stream)
{
	MgDecoderInput input = {0, stream->ids + stream->n_read, stream->n - stream->n_read};
	const int32_t *found = NULL;
	bool is_prompt = stream->n == stream->n_prompt;
	size_t n = is_prompt ? 0 : mg_draft_find(&stream->draft, stream->ids, stream->n, stream->room - stream->n, &found);

	memcpy(stream->drafts, n > 0 ? found : stream->drafts, n * sizeof *stream->drafts);
	stream->n_rows = n + 1;
	stream->row = 0;
	if (n > 0)
		return mg_draft_read(&stream->decoder, 0, stream->ids[stream->n - 1], stream->drafts, n, stream->logits);
	return mg_decoder_step(&stream->decoder, &input, 1, stream->logits) &&
		(!is_prompt || mg_prompt_cache_save(stream->options->cache, &stream->decoder, 0, stream->ids, stream->n_prompt, false));
}

/* After a draw: drafts that it has proved wrong are forgotten. */
static void
judge(MgAnswerStream *stream)
{
	bool right = !stream->done && stream->row < stream->n_rows && stream->ids[stream->n - 1] == stream->drafts[stream->row - 1];

	if (right)
		return;
	if (stream->n_rows > 1)
		mg_draft_tell(&stream->draft, stream->row - 1, stream->n_rows - 1);
	stream->row = stream->n_rows;
	stream->n_read = stream->n - 1;
	mg_decoder_keep(&stream->decoder, 0, stream->n_read);
}

/* Another token, and the text that it makes certain. */
static bool
advance(const MgRun *run, MgAnswerStream *stream, MgSpan *piece)
{
	MgHistory history = {stream->ids, stream->n, stream->n_prompt};
	size_t vocab = run->model->sizes->vocab;
	bool stopped = false, decodes = stream->n > stream->n_prompt;
	int32_t id;

	if ((stream->row == stream->n_rows && !read_on(stream)) ||
		!mg_draw(run->cx, &stream->options->sampling, history, stream->ends, 0, stream->logits + stream->row * vocab, vocab, &id))
		return false;
	stream->row++;
	run->usage->new_tokens++;
	run->usage->decoded += decodes;
	stream->done = is_end(stream, id);
	if (!stream->done)
	{
		stream->ids[stream->n++] = id;
		stopped = mg_text_stream_put(stream->text, id, piece);
		stream->done = stopped || stream->n == stream->room;
	}
	judge(stream);
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
