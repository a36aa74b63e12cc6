/*
 * UTF-8, one character at a time.
 *
 * Text from outside is checked once, as a whole, by mg_utf8_check; what
 * decodes it later relies on that. Decoding is bounded all the same: nothing
 * here ever reads past the end of a span.
 */
#ifndef MG_TEXT_UTF8_H
#define MG_TEXT_UTF8_H

#include "core/span.h"

#define MG_UTF8_MAX 4 /* bytes of one character */

/*
 * The offset of the first byte that does not begin or continue a well-formed
 * character (no surrogates, no overlong forms, nothing above U+10FFFF);
 * text.size when all is well.
 */
size_t mg_utf8_check(MgSpan text);

/* Whether bytes [n], 1 to 3, can begin a well-formed character of more bytes. */
bool mg_utf8_starts(const uint8_t *bytes, size_t n);

/* Whether a byte is the second or a later one of a character. */
static inline bool
mg_utf8_continues(uint8_t byte)
{
	return (byte & 0xC0) == 0x80;
}

/* Whether checked text can be cut at an offset. */
static inline bool
mg_utf8_boundary(MgSpan text, size_t at)
{
	return at == text.size || (at < text.size && !mg_utf8_continues(text.data[at]));
}

/* The character at *at < text.size of checked text; moves *at behind it. */
static inline uint32_t
mg_utf8_next(MgSpan text, size_t *at)
{
	const uint8_t *bytes = text.data + *at;
	size_t left = text.size - *at;

	if (bytes[0] < 0x80)
	{
		*at += 1;
		return bytes[0];
	}
	if (bytes[0] < 0xE0 && left >= 2)
	{
		*at += 2;
		return (uint32_t) (bytes[0] & 0x1F) << 6 | (bytes[1] & 0x3F);
	}
	if (bytes[0] < 0xF0 && left >= 3)
	{
		*at += 3;
		return (uint32_t) (bytes[0] & 0x0F) << 12 | (uint32_t) (bytes[1] & 0x3F) << 6 | (bytes[2] & 0x3F);
	}
	if (left >= 4)
	{
		*at += 4;
		return (uint32_t) (bytes[0] & 0x07) << 18 | (uint32_t) (bytes[1] & 0x3F) << 12 |
			   (uint32_t) (bytes[2] & 0x3F) << 6 | (bytes[3] & 0x3F);
	}
	*at = text.size;
	return 0xFFFD;
}

/* The character that ends at *at > 0 of checked text; moves *at to its first byte. */
static inline uint32_t
mg_utf8_previous(MgSpan text, size_t *at)
{
	size_t from = *at - 1;

	while (from > 0 && mg_utf8_continues(text.data[from]))
		from--;
	*at = from;
	return mg_utf8_next(text, &from);
}

/* Writes a code point to into[MG_UTF8_MAX]; the number of bytes. */
static inline size_t
mg_utf8_put(uint32_t code, uint8_t *into)
{
	if (code < 0x80)
	{
		into[0] = (uint8_t) code;
		return 1;
	}
	if (code < 0x800)
	{
		into[0] = (uint8_t) (0xC0 | code >> 6);
		into[1] = (uint8_t) (0x80 | (code & 0x3F));
		return 2;
	}
	if (code < 0x10000)
	{
		into[0] = (uint8_t) (0xE0 | code >> 12);
		into[1] = (uint8_t) (0x80 | (code >> 6 & 0x3F));
		into[2] = (uint8_t) (0x80 | (code & 0x3F));
		return 3;
	}
	into[0] = (uint8_t) (0xF0 | code >> 18);
	into[1] = (uint8_t) (0x80 | (code >> 12 & 0x3F));
	into[2] = (uint8_t) (0x80 | (code >> 6 & 0x3F));
	into[3] = (uint8_t) (0x80 | (code & 0x3F));
	return 4;
}

#endif
