/*
 * Tokens to text. Of byte-level tokens the bytes are put end to end. Other
 * tokens as the reference's WordPiece decoder does it: a space before
 * each token but the first and continuations, whose prefix goes; then eleven
 * replacements that undo the cutting at English punctuation. They are applied
 * to each token with its space, one after the other, and not to the text as a
 * whole: so "don ' t" stays, as there.
 */
#include "text/detokenize.h"

#include "text/byte_level.h"
#include "text/pace.h"
#include "text/steps.h"
#include "text/utf8.h"

typedef struct Replacement
{
	const char *from, *to; /* to is never longer */
} Replacement;

static const Replacement replacements[] = {
	{" .", "."},	  {" ?", "?"},			  {" !", "!"},	  {" ,", ","},	   {" ' ", "'"},	{" n't", "n't"},
	{" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};

/* Replaces each occurrence in bytes[0, size), in place; the new size. */
static size_t
replace(uint8_t *bytes, size_t size, const Replacement *replacement)
{
	size_t from_size = strlen(replacement->from);
	size_t to_size = strlen(replacement->to);
	size_t kept = 0;
	size_t at = 0;

	while (at < size)
	{
		if (size - at >= from_size && memcmp(bytes + at, replacement->from, from_size) == 0)
		{
			memcpy(bytes + kept, replacement->to, to_size);
			kept += to_size;
			at += from_size;
		}
		else
			bytes[kept++] = bytes[at++];
	}
	return kept;
}

size_t
mg_clean_up(uint8_t *bytes, size_t size)
{
	/* All replacements begin with a space. */
	if (memchr(bytes, ' ', size) == NULL)
		return size;
	for (size_t i = 0; i < sizeof replacements / sizeof replacements[0]; i++)
		size = replace(bytes, size, &replacements[i]);
	return size;
}

/* Writes a token as WordPiece's decoder does it; the bytes written. */
static size_t
put_word(const MgTokenizer *tokenizer, MgSpan token, bool is_first, uint8_t *into)
{
	MgSpan prefix = mg_continuation(tokenizer);
	size_t size = 0;

	if (!is_first && token.size >= prefix.size && memcmp(token.data, prefix.data, prefix.size) == 0)
		token = mg_span(token.data + prefix.size, token.size - prefix.size);
	else if (!is_first)
		into[size++] = ' ';
	memcpy(into + size, token.data, token.size);
	size += token.size;

	return mg_clean_up(into, size);
}

/* Writes the bytes that a token's characters stand for; a token with other characters stands for itself. */
static size_t
put_bytes(MgSpan token, uint8_t *into)
{
	size_t size = 0;

	for (size_t at = 0; at < token.size;)
	{
		int byte = mg_char_byte(mg_utf8_next(token, &at));

		if (byte < 0)
		{
			memcpy(into, token.data, token.size);
			return token.size;
		}
		into[size++] = (uint8_t) byte;
	}
	return size;
}

size_t
mg_put_token(const MgTokenizer *tokenizer, int32_t id, bool is_first, uint8_t *into)
{
	MgSpan token = mg_token_text(tokenizer, id);

	if (tokenizer->steps)
		return mg_decode_step_token(tokenizer, token, is_first, into);
	return tokenizer->kind == MG_BPE ? put_bytes(token, into) : put_word(tokenizer, token, is_first, into);
}

size_t
mg_mend_next(MgSpan bytes, size_t at, bool is_end, uint8_t *into, size_t *n)
{
	size_t left = bytes.size - at, size = 1;

	for (size_t whole = 1; whole <= MG_UTF8_MAX && whole <= left; whole++)
		if (mg_utf8_check(mg_span(bytes.data + at, whole)) == whole)
		{
			memcpy(into, bytes.data + at, whole);
			return *n = whole;
		}
	if (!is_end && left < MG_UTF8_MAX && mg_utf8_starts(bytes.data + at, left))
		return *n = 0;
	/* The longest start of a character that could go on: what follows it makes one, or it is the end. */
	for (size_t start = 2; start < MG_UTF8_MAX && start <= left; start++)
		if (mg_utf8_starts(bytes.data + at, start))
			size = start;
	*n = mg_utf8_put(0xFFFD, into);
	return size;
}

/* Bytes as UTF-8: what is none becomes U+FFFD, one for each start of a character. */
static bool
mend(MgCtx *cx, MgSpan bytes, MgSpan *text)
{
	size_t size = 0, bad = mg_utf8_check(bytes);
	MgPace pace = {0};
	uint8_t *mended;

	*text = bytes;
	if (bad == bytes.size)
		return true;
	mended = mg_alloc_array(cx, bytes.size, 3);
	if (mended == NULL)
		return false;
	for (size_t at = 0; at < bytes.size;)
	{
		uint8_t character[MG_UTF8_MAX];
		size_t n;

		at += mg_mend_next(bytes, at, true, character, &n);
		memcpy(mended + size, character, n);
		size += n;
		if (!mg_pace(cx, &pace, 4))
			return false;
	}
	*text = mg_span(mended, size);
	return true;
}

bool
mg_token_is_shown(const MgTokenizer *tokenizer, int32_t id, bool keep_special)
{
	return mg_token_text(tokenizer, id).size > 0 && (keep_special || !mg_token_is_special(tokenizer, id));
}

bool
mg_detokenize(MgCtx *cx, const MgTokenizer *tokenizer, const int32_t *ids, size_t n, bool keep_special, MgSpan *text)
{
	MgPace pace = {0};
	size_t room = 0;
	size_t size = 0;
	bool is_first = true;
	uint8_t *bytes;

	for (size_t i = 0; i < n; i++)
	{
		if (ids[i] < 0 || (size_t) ids[i] >= mg_tokenizer_size(tokenizer))
			return mg_fail(cx, MG_BAD_ARGUMENT, "token id %d is out of range 0 to %zu", ids[i],
						   mg_tokenizer_size(tokenizer) - 1);
		if (mg_token_is_shown(tokenizer, ids[i], keep_special) &&
			__builtin_add_overflow(room, mg_token_text(tokenizer, ids[i]).size + 1, &room))
			room = SIZE_MAX;
		if (!mg_pace(cx, &pace, 1))
			return false;
	}
	bytes = mg_alloc(cx, room);
	if (bytes == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
	{
		MgSpan token = mg_token_text(tokenizer, ids[i]);

		if (!mg_pace(cx, &pace, token.size * 4 + 1))
			return false;
		if (!mg_token_is_shown(tokenizer, ids[i], keep_special))
			continue;
		size += mg_put_token(tokenizer, ids[i], is_first, bytes + size);
		is_first = false;
	}
	if (tokenizer->kind == MG_BPE || tokenizer->steps)
		return mend(cx, mg_span(bytes, size), text);
	*text = mg_span(bytes, size);
	return true;
}
