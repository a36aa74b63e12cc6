/*
 * Text to tokens.
 *
 *   text --raw added tokens--> segments --normalise--> characters --words--> pieces
 *
 * For byte-level BPE a segment goes to text/byte_segment.c. What follows is for
 * WordPiece, and its words those of BERT. Nearly all words of most texts are ASCII between ASCII white space or
 * punctuation, and for these the fast path needs no normaliser: it lowers and
 * hashes a word in one pass and looks it up. Any other byte sends the stretch
 * up to the next such boundary through the normaliser. This gives the same
 * tokens, because an ASCII character is never decomposed, reordered, or
 * reordered across.
 *
 * A tokeniser with normalized added tokens must see a segment normalised as a
 * whole: text/normalized_segment.c. None of the BERT family has any.
 */
#include "text/byte_segment.h"
#include "text/normalized_segment.h"
#include "text/section.h"
#include "text/steps.h"
#include "text/utf8.h"

/* Bytes that are checked between two polls: some milliseconds. */
#define STRETCH ((size_t) 1024 * 1024)

/* What the tokenisation of one text needs. */
typedef struct Run
{
	MgCtx *cx;
	const MgTokenizer *tokenizer;
	MgSpan text;
	MgPace pace;
	MgTokenList list;
	MgPieces pieces;
	MgWordBuffer buffer;
	MgNormalizer normalizer;
	uint8_t *lowered; /* [max_word_chars], of the fast path */
} Run;

/* [start, stop) of the text, which no ASCII white space or punctuation parts, by the normaliser. */
static bool
take_slowly(Run *run, size_t start, size_t stop)
{
	MgNormalizer *normalizer = &run->normalizer;

	mg_normalizer_start(normalizer, run->tokenizer->rules, mg_span(run->text.data + start, stop - start),
						(uint32_t) start, &run->pace);
	do
	{
		if (!mg_normalizer_next(run->cx, normalizer))
			return false;
		for (size_t i = 0; i < normalizer->n; i++)
			if (!mg_word_buffer_put(run->cx, &run->buffer, normalizer->chars[i]))
				return false;
	} while (normalizer->n > 0);
	return mg_word_buffer_end(run->cx, &run->buffer);
}

/* A word of ASCII only. */
static bool
take_word(Run *run, size_t start, size_t stop)
{
	MgWord word = {run->lowered, stop - start, MG_HASH_START, NULL, NULL, (uint32_t) start};

	if (word.size > run->tokenizer->max_word_chars)
		return mg_token_list_push(run->cx, &run->list, run->tokenizer->special.unknown, (uint32_t) start,
								  (uint32_t) stop);
	for (size_t i = 0; i < word.size; i++)
	{
		uint8_t byte = run->tokenizer->lowered[run->text.data[start + i] & 0x7F];

		run->lowered[i] = byte;
		word.hash = mg_hash_step(word.hash, byte);
	}
	return mg_wordpiece(run->cx, &run->pieces, &word);
}

static bool
take_segment(Run *run, size_t start, size_t stop)
{
	const uint8_t *kinds = run->tokenizer->kinds;
	const uint8_t *text = run->text.data;
	size_t at = start;

	while (at < stop)
	{
		size_t end = at;

		while (end < stop && kinds[text[end]] == MG_BYTE_WORD)
			end++;
		if (end < stop && kinds[text[end]] == MG_BYTE_OTHER)
		{
			while (end < stop && (kinds[text[end]] == MG_BYTE_WORD || kinds[text[end]] == MG_BYTE_OTHER))
				end++;
			if (!take_slowly(run, at, end))
				return false;
		}
		else if (end > at && !take_word(run, at, end))
			return false;
		if (!mg_pace(run->cx, &run->pace, (end - at) / 16 + 1))
			return false;
		at = end;
		if (at == stop)
			break;
		if (kinds[text[at]] == MG_BYTE_PUNCTUATION && !take_word(run, at, at + 1))
			return false;
		at++;
	}
	return true;
}

/* What lies between two raw added tokens. */
static bool
take_between(Run *run, size_t start, size_t stop)
{
	if (start >= stop)
		return true;
	if (run->tokenizer->steps)
		return mg_steps_segment(run->cx, &run->pieces, run->text, start, stop);
	if (run->tokenizer->kind == MG_BPE)
		return mg_byte_segment(run->cx, &run->pieces, run->text, start, stop);
	if (run->tokenizer->normalized.n == 0)
		return take_segment(run, start, stop);
	mg_normalizer_start(&run->normalizer, run->tokenizer->rules, mg_span(run->text.data + start, stop - start),
						(uint32_t) start, &run->pace);
	return mg_normalized_segment(run->cx, &run->normalizer, &run->buffer);
}

static bool
take_text(Run *run)
{
	MgAddedSearch search = {.vocab = &run->tokenizer->vocab,
							.tokens = &run->tokenizer->raw,
							.text = run->text,
							.data = run->pieces.data,
							.pace = &run->pace};
	MgAddedMatch match;
	size_t done = 0;
	bool found;

	for (;;)
	{
		if (!mg_added_search_next(run->cx, &search, &match, &found))
			return false;
		if (!found)
			return take_between(run, done, run->text.size);
		if (!take_between(run, done, match.start) ||
			!mg_token_list_push(run->cx, &run->list, match.id, (uint32_t) match.start, (uint32_t) match.stop))
			return false;
		done = match.stop;
	}
}

/* Checks the text, a stretch between two polls. */
static bool
check_text(MgCtx *cx, MgSpan text)
{
	size_t at = 0;

	if (text.size > MG_TEXT_LIMIT)
		return mg_fail(cx, MG_TOO_LARGE, "text of %zu bytes is longer than %zu", text.size, MG_TEXT_LIMIT);
	while (at < text.size)
	{
		size_t size = text.size - at < STRETCH ? text.size - at : STRETCH;
		size_t valid;

		/* Do not cut a character in two. */
		for (int i = 1; i < MG_UTF8_MAX && at + size < text.size && mg_utf8_continues(text.data[at + size]); i++)
			size--;
		valid = mg_utf8_check(mg_span(text.data + at, size));
		if (valid != size)
			return mg_fail(cx, MG_BAD_TEXT, "text is not valid UTF-8 at byte %zu", at + valid);
		at += size;
		if (at < text.size && !mg_poll(cx))
			return false;
	}
	return true;
}

bool
mg_tokenize(MgCtx *cx, const MgTokenizer *tokenizer, MgSpan text, MgData data, MgTokens *tokens)
{
	Run run;

	if (!check_text(cx, text))
		return false;
	memset(&run, 0, sizeof run);
	run.cx = cx;
	run.tokenizer = tokenizer;
	run.text = text;
	run.pieces = (MgPieces){.tokenizer = tokenizer, .list = &run.list, .pace = &run.pace, .data = data};
	run.pieces.ends = mg_alloc_array(cx, MG_UTF8_MAX * tokenizer->max_word_chars, sizeof *run.pieces.ends);
	run.lowered = mg_alloc(cx, tokenizer->max_word_chars);
	if (run.pieces.ends == NULL || run.lowered == NULL || !mg_token_list_init(cx, &run.list, text.size) ||
		!mg_word_buffer_init(cx, &run.buffer, &run.pieces) || !take_text(&run))
		return false;
	*tokens = run.list.tokens;
	return true;
}

const MgTokenizer *
mg_tokenizer_bind(MgCtx *cx, MgSpan section)
{
	MgTokenizer *tokenizer = mg_alloc_zeroed(cx, 1, sizeof *tokenizer);

	return tokenizer != NULL && mg_section_bind(cx, section, tokenizer) ? tokenizer : NULL;
}

size_t
mg_tokenizer_size(const MgTokenizer *tokenizer)
{
	return tokenizer->vocab.n_tokens;
}

static bool
has_id(const MgTokenizer *tokenizer, int32_t id)
{
	return id >= 0 && (size_t) id < tokenizer->vocab.n_tokens;
}

MgSpan
mg_token_text(const MgTokenizer *tokenizer, int32_t id)
{
	return has_id(tokenizer, id) ? mg_vocab_token(&tokenizer->vocab, (size_t) id) : mg_span("", 0);
}

int32_t
mg_token_find(const MgTokenizer *tokenizer, MgSpan token)
{
	MgSpan tail = token.size > 0 ? token : mg_span("", 0);

	return mg_vocab_find(&tokenizer->vocab, mg_hash_span(MG_HASH_START, tail), mg_span("", 0), tail);
}

bool
mg_token_is_special(const MgTokenizer *tokenizer, int32_t id)
{
	return has_id(tokenizer, id) && (tokenizer->vocab.flags[id] & MG_TOKEN_SPECIAL) != 0;
}

const MgWrapping *
mg_tokenizer_wrapping(const MgTokenizer *tokenizer)
{
	return &tokenizer->wrapping;
}

bool
mg_token_has_prefix(const MgTokenizer *tokenizer)
{
	return tokenizer->kind == MG_WORDPIECE && tokenizer->continuation_size > 0;
}

bool
mg_token_continues(const MgTokenizer *tokenizer, int32_t id)
{
	MgSpan prefix = mg_continuation(tokenizer), token = mg_token_text(tokenizer, id);

	return mg_token_has_prefix(tokenizer) && token.size > prefix.size && memcmp(token.data, prefix.data, prefix.size) == 0;
}

bool
mg_token_strips_left(const MgTokenizer *tokenizer, int32_t id)
{
	return has_id(tokenizer, id) && (tokenizer->vocab.flags[id] & MG_TOKEN_LSTRIP) != 0;
}

MgSpecialTokens
mg_special_tokens(const MgTokenizer *tokenizer)
{
	return tokenizer->special;
}
