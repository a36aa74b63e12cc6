/* Text token by token, beside the same tokens at once; stop strings beside a search in the whole text. */
#include "text/stream.h"

#include "text/utf8.h"
#include "unit/text/sample.h"

#define MAX_IDS 40

static uint64_t state = 1;

static size_t
below(size_t n)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (size_t) (state >> 33) % n;
}

/* Bytes as characters of GPT-2's table; special tokens, a hole, and characters that come in parts. */
static const MgTokenizer *
bind_bytes(MgCtx *cx)
{
	static MgSpan tokens[N_SAMPLE];
	static uint8_t flags[N_SAMPLE];
	static const char *const pieces[] = {"a", "b", "ab", "\xC4\xA0", "\xC4\xA0" "the", "\xC4\x8A", "\xC3\xA2", "\xC4\xA4", "\xC2\xAC",
										 "\xC3\xB0\xC5\x81", "\xC4\xBA\xC4\xA2", "\xC3\x83\xC2\xA9", "\xC3\xAD", "\xC5\x82", "\xC4\xA0" "b", ""};
	MgTokenizerSpec spec = sample_spec(tokens, flags);

	spec.kind = MG_BPE;
	spec.pre = MG_PRE_BYTES;
	spec.decoder = MG_DECODE_BYTES;
	spec.pattern = MG_PATTERN_GPT2;
	spec.clean_text = spec.chinese_chars = spec.strip_accents = spec.lowercase = false;
	spec.n_tokens = 5;
	for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++)
		sample_add(&spec, pieces[i], 0);
	return sample_bind(cx, &spec);
}

/* Where text ends by its stop strings: before the one that ends first, of those the longest. */
static size_t
end_of(MgSpan text, const MgSpan *stops, size_t n)
{
	for (size_t end = 1; end <= text.size; end++)
	{
		size_t longest = 0;

		for (size_t i = 0; i < n; i++)
			if (stops[i].size <= end && stops[i].size > longest && memcmp(text.data + end - stops[i].size, stops[i].data, stops[i].size) == 0)
				longest = stops[i].size;
		if (longest > 0)
			return end - longest;
	}
	return text.size;
}

typedef struct Streamed
{
	char text[4096];
	size_t size;
	bool whole;	  /* each piece was UTF-8 */
	bool stopped; /* a stop string came */
} Streamed;

static void
take(Streamed *streamed, MgSpan piece)
{
	streamed->whole = streamed->whole && mg_utf8_check(piece) == piece.size;
	memcpy(streamed->text + streamed->size, piece.data, piece.size);
	streamed->size += piece.size;
}

static Streamed
stream_of(MgCtx *cx, const MgTokenizer *tokenizer, const int32_t *ids, size_t n, const MgSpan *stops, size_t n_stops)
{
	MgTextStream *stream = mg_text_stream(cx, tokenizer, stops, n_stops);
	Streamed streamed = {.whole = true};
	MgSpan piece;

	for (size_t i = 0; i < n && !streamed.stopped; i++)
	{
		streamed.stopped = mg_text_stream_put(stream, ids[i], &piece);
		take(&streamed, piece);
	}
	take(&streamed, mg_text_stream_end(stream));
	return streamed;
}

static void
compare(MgCtx *cx, const char *what, const MgTokenizer *tokenizer)
{
	static const char *const choices[] = {"a", "ab", "aba", "b a", " the", "\n\n", "\xE2\x82\xAC", "\xEF\xBF\xBD", "the", "##", "bba b"};
	long wrong = 0, stopped = 0;

	for (int round = 0; round < 20000; round++)
	{
		int32_t ids[MAX_IDS];
		MgSpan stops[3], text;
		size_t n = below(MAX_IDS), n_stops = below(4);
		MgMark mark = mg_mark(cx);
		Streamed streamed;

		for (size_t i = 0; i < n; i++)
			ids[i] = (int32_t) below(mg_tokenizer_size(tokenizer));
		for (size_t i = 0; i < n_stops; i++)
			stops[i] = mg_span_of(choices[below(sizeof choices / sizeof choices[0])]);
		if (!mg_detokenize(cx, tokenizer, ids, n, false, &text))
			break;
		streamed = stream_of(cx, tokenizer, ids, n, stops, n_stops);
		text.size = end_of(text, stops, n_stops);
		stopped += streamed.stopped;
		wrong += !streamed.whole || !mg_span_equal(text, mg_span(streamed.text, streamed.size));
		mg_rewind(cx, mark);
	}
	is_int(wrong, 0, "%s: streamed as at once in 20000 cases", what);
	ok(stopped > 1000 && stopped < 19000, "%s: %ld of them stopped", what, stopped);
}

static void
test_pieces(MgCtx *cx, const MgTokenizer *tokenizer)
{
	const MgSpan stops[] = {mg_span_of("ab")};
	MgTextStream *stream = mg_text_stream(cx, tokenizer, stops, 1);
	MgSpan piece;

	/* ids from 5: a b ab " " " the" \n and the three bytes of the euro sign */
	ok(!mg_text_stream_put(stream, 6, &piece) && mg_span_is(piece, "b"), "a character is handed out at once");
	ok(!mg_text_stream_put(stream, 11, &piece) && piece.size == 0, "a third of one is not");
	ok(!mg_text_stream_put(stream, 2, &piece) && piece.size == 0, "nor a special token");
	ok(!mg_text_stream_put(stream, 12, &piece) && piece.size == 0, "nor two thirds");
	ok(!mg_text_stream_put(stream, 13, &piece) && mg_span_is(piece, "\xE2\x82\xAC"), "but all of it");
	ok(!mg_text_stream_put(stream, 5, &piece) && piece.size == 0, "what may become a stop string waits");
	ok(!mg_text_stream_put(stream, 5, &piece) && mg_span_is(piece, "a"), "until it cannot");
	ok(!mg_text_stream_put(stream, 1000, &piece) && !mg_text_stream_put(stream, -1, &piece) && piece.size == 0, "unknown ids are nothing");
	ok(mg_text_stream_put(stream, 6, &piece) && piece.size == 0, "and stops the text when it has");
	ok(mg_text_stream_put(stream, 6, &piece) && piece.size == 0 && mg_text_stream_end(stream).size == 0, "for good");

	stream = mg_text_stream(cx, tokenizer, NULL, 0);
	ok(!mg_text_stream_put(stream, 11, &piece) && piece.size == 0 && mg_span_is(mg_text_stream_end(stream), "\xEF\xBF\xBD"),
	   "half a character at the end is U+FFFD");
}

static void
test_refusals(MgCtx *cx, const MgTokenizer *tokenizer)
{
	static uint8_t long_one[MG_STREAM_MAX_STOP + 1];
	MgSpan many[MG_STREAM_MAX_STOPS + 1];
	MgSpan stop = mg_span_of("");
	MgMark mark = mg_mark(cx);

	ok(mg_text_stream(cx, tokenizer, &stop, 1) == NULL, "an empty stop string is refused");
	is_text(cx->error.message, "stop string 1 is empty", "with these words");
	memset(&cx->error, 0, sizeof cx->error);
	memset(long_one, 'a', sizeof long_one);
	stop = mg_span(long_one, sizeof long_one);
	ok(mg_text_stream(cx, tokenizer, &stop, 1) == NULL && cx->error.code == MG_TOO_LARGE, "a long one");
	memset(&cx->error, 0, sizeof cx->error);
	stop = mg_span_of("\xE2\x82");
	ok(mg_text_stream(cx, tokenizer, &stop, 1) == NULL && cx->error.code == MG_BAD_TEXT, "half a character");
	memset(&cx->error, 0, sizeof cx->error);
	for (size_t i = 0; i < sizeof many / sizeof many[0]; i++)
		many[i] = mg_span_of("x");
	ok(mg_text_stream(cx, tokenizer, many, MG_STREAM_MAX_STOPS + 1) == NULL && cx->error.code == MG_TOO_LARGE, "too many");
	memset(&cx->error, 0, sizeof cx->error);
	mg_rewind(cx, mark);
}

int
main(void)
{
	static MgSpan tokens[N_SAMPLE];
	static uint8_t flags[N_SAMPLE];
	MgTokenizerSpec words = sample_spec(tokens, flags);
	TestHost test;
	MgCtx cx;
	const MgTokenizer *tokenizer;

	test_host_init(&test);
	mg_ctx_init(&cx, &test.host);
	tokenizer = bind_bytes(&cx);
	if (ok(tokenizer != NULL, "bytes: bound (%s)", cx.error.message))
	{
		compare(&cx, "bytes", tokenizer);
		test_pieces(&cx, tokenizer);
		test_refusals(&cx, tokenizer);
	}
	tokenizer = sample_bind(&cx, &words);
	if (ok(tokenizer != NULL, "words: bound"))
		compare(&cx, "words", tokenizer);
	mg_ctx_free(&cx);
	ok(test.live == 0, "nothing is left");
	return done();
}
