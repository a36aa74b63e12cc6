/* Tokens to pieces of text. */
#include "text/stream.h"

#include "text/detokenize.h"
#include "text/utf8.h"

struct MgTextStream
{
	const MgTokenizer *tokenizer;
	const MgSpan *stops; /* [n_stops] */
	size_t n_stops;
	bool is_first;	/* no token was shown yet */
	bool stopped;
	uint8_t *bytes; /* of tokens: the beginning of a character at most, between calls */
	size_t n_bytes;
	uint8_t *text;	/* that was handed out last, then what is held back */
	size_t n_given, n_text;
};

static bool
check_stops(MgCtx *cx, const MgSpan *stops, size_t n)
{
	if (n > MG_STREAM_MAX_STOPS)
		return mg_fail(cx, MG_TOO_LARGE, "there are %zu stop strings, at most %d are possible", n, MG_STREAM_MAX_STOPS);
	for (size_t i = 0; i < n; i++)
	{
		if (stops[i].size == 0)
			return mg_fail(cx, MG_BAD_ARGUMENT, "stop string %zu is empty", i + 1);
		if (stops[i].size > MG_STREAM_MAX_STOP)
			return mg_fail(cx, MG_TOO_LARGE, "stop string %zu has %zu bytes, at most %d are possible", i + 1, stops[i].size, MG_STREAM_MAX_STOP);
		if (mg_utf8_check(stops[i]) != stops[i].size)
			return mg_fail(cx, MG_BAD_TEXT, "stop string %zu is not valid UTF-8", i + 1);
	}
	return true;
}

MgTextStream *
mg_text_stream(MgCtx *cx, const MgTokenizer *tokenizer, const MgSpan *stops, size_t n_stops)
{
	MgTextStream *stream = mg_alloc_zeroed(cx, 1, sizeof *stream);
	size_t room = tokenizer->vocab.longest + 1 + MG_UTF8_MAX, longest = 0;

	if (stream == NULL || !check_stops(cx, stops, n_stops))
		return NULL;
	for (size_t i = 0; i < n_stops; i++)
		longest = stops[i].size > longest ? stops[i].size : longest;
	stream->tokenizer = tokenizer;
	stream->stops = stops;
	stream->n_stops = n_stops;
	stream->is_first = true;
	stream->bytes = mg_alloc(cx, room);
	stream->text = mg_alloc(cx, longest + 3 * room); /* a byte becomes U+FFFD at most */
	return stream->bytes != NULL && stream->text != NULL ? stream : NULL;
}

/* Bytes at the end of text [size) that begin a stop string, of the longest beginning; whole: only those that are all of one. */
static size_t
stop_at_end(const MgTextStream *stream, size_t size, bool whole)
{
	size_t longest = 0;

	for (size_t i = 0; i < stream->n_stops; i++)
	{
		MgSpan stop = stream->stops[i];
		size_t n = stop.size < size ? stop.size : size;

		if (whole && n < stop.size)
			continue;
		for (; n > longest; n--)
		{
			if (memcmp(stream->text + size - n, stop.data, n) == 0)
				longest = n;
			if (whole)
				break;
		}
	}
	return longest;
}

/* Moves characters from bytes to text, until a stop string is whole; then what is behind it goes, and it too. */
static void
take_characters(MgTextStream *stream, bool is_end)
{
	MgSpan bytes = mg_span(stream->bytes, stream->n_bytes);
	size_t at = 0;

	while (at < bytes.size && !stream->stopped)
	{
		size_t n, taken = mg_mend_next(bytes, at, is_end, stream->text + stream->n_text, &n), stop;

		if (taken == 0)
			break;
		at += taken;
		stream->n_text += n;
		stop = stop_at_end(stream, stream->n_text, true);
		stream->stopped = stop > 0;
		stream->n_text -= stop;
	}
	stream->n_bytes -= at;
	memmove(stream->bytes, stream->bytes + at, stream->n_bytes);
}

/* The text of the last call has been used. */
static void
forget_given(MgTextStream *stream)
{
	stream->n_text -= stream->n_given;
	memmove(stream->text, stream->text + stream->n_given, stream->n_text);
	stream->n_given = 0;
}

bool
mg_text_stream_put(MgTextStream *stream, int32_t id, MgSpan *piece)
{
	const MgTokenizer *tokenizer = stream->tokenizer;

	forget_given(stream);
	if (!stream->stopped && id >= 0 && (size_t) id < mg_tokenizer_size(tokenizer) && mg_token_is_shown(tokenizer, id, false))
	{
		stream->n_bytes += mg_put_token(tokenizer, id, stream->is_first, stream->bytes + stream->n_bytes);
		stream->is_first = false;
		take_characters(stream, false);
		stream->n_given = stream->n_text - (stream->stopped ? 0 : stop_at_end(stream, stream->n_text, false));
	}
	*piece = mg_span(stream->text, stream->n_given);
	return stream->stopped;
}

MgSpan
mg_text_stream_end(MgTextStream *stream)
{
	forget_given(stream);
	if (!stream->stopped)
		take_characters(stream, true);
	stream->n_given = stream->n_text;
	return mg_span(stream->text, stream->n_given);
}

void
mg_text_stream_rebind(MgTextStream *stream, const MgTokenizer *tokenizer)
{
	stream->tokenizer = tokenizer;
}
