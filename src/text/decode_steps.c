/* Decoding steps, in place: none makes a token longer but by the space before it. */
#include "text/byte_level.h"
#include "text/detokenize.h"
#include "text/steps.h"
#include "text/utf8.h"

/* Each from becomes to, which is not longer; the new size. */
static size_t
replace(uint8_t *bytes, size_t size, MgSpan from, MgSpan to)
{
	size_t kept = 0;

	for (size_t at = 0; at < size;)
		if (size - at >= from.size && memcmp(bytes + at, from.data, from.size) == 0)
		{
			if (to.size > 0)
				memcpy(bytes + kept, to.data, to.size);
			kept += to.size;
			at += from.size;
		}
		else
			bytes[kept++] = bytes[at++];
	return kept;
}

static int
digit(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t
fall_back(uint8_t *bytes, size_t size)
{
	if (size != 6 || memcmp(bytes, "<0x", 3) != 0 || bytes[5] != '>' || digit(bytes[3]) < 0 || digit(bytes[4]) < 0)
		return size;
	bytes[0] = (uint8_t) (16 * digit(bytes[3]) + digit(bytes[4]));
	return 1;
}

/* A token with other characters stands for itself. */
static size_t
read_bytes(uint8_t *bytes, size_t size)
{
	MgSpan token = mg_span(bytes, size);
	size_t kept = 0;

	for (size_t at = 0; at < size;)
		if (mg_char_byte(mg_utf8_next(token, &at)) < 0)
			return size;
	for (size_t at = 0; at < size;)
		bytes[kept++] = (uint8_t) mg_char_byte(mg_utf8_next(token, &at));
	return kept;
}

static size_t
put_before(uint8_t *bytes, size_t size)
{
	memmove(bytes + 1, bytes, size);
	bytes[0] = ' ';
	return size + 1;
}

static size_t
join_wordpiece(uint8_t *bytes, size_t size, const MgStep *step, bool is_first)
{
	MgSpan prefix = step->a;

	if (!is_first && size >= prefix.size && memcmp(bytes, prefix.data, prefix.size) == 0)
	{
		memmove(bytes, bytes + prefix.size, size - prefix.size);
		size -= prefix.size;
	}
	else if (!is_first)
		size = put_before(bytes, size);
	return step->number == 1 ? mg_clean_up(bytes, size) : size;
}

size_t
mg_decode_step_token(const MgTokenizer *tokenizer, MgSpan token, bool is_first, uint8_t *into)
{
	size_t size = token.size;

	memcpy(into, token.data, size);
	for (size_t i = 0; i < tokenizer->decoding.n; i++)
	{
		const MgStep *step = &tokenizer->decoding.items[i];
		MgSpan none = mg_span("", 0);

		switch (step->kind)
		{
			case MG_STEP_REPLACE:
				size = replace(into, size, step->a, step->b);
				break;
			case MG_STEP_METASPACE:
				size = replace(into, size, step->a, is_first && (step->number & MG_META_DROP) != 0 ? none : mg_span_of(" "));
				break;
			case MG_STEP_BYTE_FALLBACK:
				size = fall_back(into, size);
				break;
			case MG_STEP_STRIP_FIRST:
				for (uint32_t n = step->number; is_first && n > 0 && size >= step->a.size && memcmp(into, step->a.data, step->a.size) == 0; n--)
				{
					size -= step->a.size;
					memmove(into, into + step->a.size, size);
				}
				break;
			case MG_STEP_WORDPIECE:
				size = join_wordpiece(into, size, step, is_first);
				break;
			case MG_STEP_BYTE_TEXT:
				size = read_bytes(into, size);
				break;
			case MG_STEP_JOIN:
				size = is_first ? size : put_before(into, size);
				break;
			default:
				break;
		}
	}
	return size;
}
