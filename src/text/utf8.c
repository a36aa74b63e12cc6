/* Checks text for well-formed UTF-8. */
#include "text/utf8.h"

/* Bytes of the character that a byte begins; 0 when it begins none. */
static size_t
length_from(uint8_t byte)
{
	if (byte < 0x80)
		return 1;
	if (byte >= 0xC2 && byte < 0xE0)
		return 2;
	if (byte >= 0xE0 && byte < 0xF0)
		return 3;
	if (byte >= 0xF0 && byte < 0xF5)
		return 4;
	return 0;
}

/*
 * Most ill-formed characters show in the first two bytes: overlong forms,
 * surrogates and values above U+10FFFF are exactly the second bytes outside
 * of these bounds.
 */
static bool
second_fits(uint8_t first, uint8_t second)
{
	uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
	uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;

	return second >= low && second <= high;
}

size_t
mg_utf8_check(MgSpan text)
{
	size_t at = 0;

	while (at < text.size)
	{
		uint64_t eight;
		size_t length;

		/* Eight ASCII bytes at a time: this is most of what passes here. */
		while (text.size - at >= sizeof eight)
		{
			memcpy(&eight, text.data + at, sizeof eight);
			if ((eight & UINT64_C(0x8080808080808080)) != 0)
				break;
			at += sizeof eight;
		}
		if (at == text.size)
			break;
		length = length_from(text.data[at]);
		if (length == 0 || length > text.size - at)
			return at;
		if (length > 1 && !second_fits(text.data[at], text.data[at + 1]))
			return at;
		for (size_t i = 2; i < length; i++)
			if (!mg_utf8_continues(text.data[at + i]))
				return at;
		at += length;
	}
	return text.size;
}

/* Some continuation completes them, or none does. */
bool
mg_utf8_starts(const uint8_t *bytes, size_t n)
{
	static const uint8_t lows[] = {0x80, 0x90, 0xA0, 0xBF};

	for (size_t size = n + 1; size <= MG_UTF8_MAX; size++)
		for (size_t i = 0; i < sizeof lows; i++)
		{
			uint8_t whole[MG_UTF8_MAX];

			memcpy(whole, bytes, n);
			memset(whole + n, 0x80, sizeof whole - n);
			whole[n] = lows[i];
			if (mg_utf8_check(mg_span(whole, size)) == size)
				return true;
		}
	return false;
}
