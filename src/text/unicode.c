/* Code points looked up: binary search over the generated ranges, and utf8proc for what never changes. */
#include "text/unicode.h"

#include <utf8proc.h>

typedef struct UnicodeRange
{
	uint32_t first, last;
	uint8_t flags;
} UnicodeRange;

/* Each step-th code point of [first, last] has its lower case difference away. */
typedef struct CaseRange
{
	uint32_t first, last;
	uint8_t step;
	int32_t difference;
} CaseRange;

typedef struct WordRange
{
	uint32_t first, last;
} WordRange;

#include "text/unicode_table.h"

#define N_FLAG_RANGES (sizeof flag_ranges / sizeof flag_ranges[0])
#define N_CASE_RANGES (sizeof case_ranges / sizeof case_ranges[0])
#define N_WORD_RANGES (sizeof word_ranges / sizeof word_ranges[0])

unsigned
mg_char_flags(uint32_t code)
{
	size_t low = 0;
	size_t high = N_FLAG_RANGES;

	if (code < 128)
		return ascii_flags[code];
	while (low < high)
	{
		size_t middle = (low + high) / 2;

		if (flag_ranges[middle].last < code)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == N_FLAG_RANGES || code < flag_ranges[low].first)
		return 0;
	return flag_ranges[low].flags;
}

uint32_t
mg_char_lower(uint32_t code)
{
	size_t low = 0;
	size_t high = N_CASE_RANGES;
	const CaseRange *range;

	if (code < 128)
		return code >= 'A' && code <= 'Z' ? code + ('a' - 'A') : code;
	while (low < high)
	{
		size_t middle = (low + high) / 2;

		if (case_ranges[middle].last < code)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == N_CASE_RANGES)
		return code;
	range = &case_ranges[low];
	if (code < range->first || (code - range->first) % range->step != 0)
		return code;
	return (uint32_t) ((int32_t) code + range->difference);
}

bool
mg_char_is_ideograph(uint32_t code)
{
	return (code >= 0x4E00 && code <= 0x9FFF) || (code >= 0x3400 && code <= 0x4DBF) ||
		   (code >= 0xF900 && code <= 0xFAFF) || (code >= 0x20000 && code <= 0x2A6DF) ||
		   (code >= 0x2A700 && code <= 0x2B81F) || (code >= 0x2B920 && code <= 0x2CEAF) ||
		   (code >= 0x2F800 && code <= 0x2FA1F);
}

bool
mg_char_is_hangul(uint32_t code)
{
	return code >= 0xAC00 && code <= 0xD7A3;
}

bool
mg_char_is_word(uint32_t code)
{
	size_t low = 0;
	size_t high = N_WORD_RANGES;

	while (low < high)
	{
		size_t middle = (low + high) / 2;

		if (word_ranges[middle].last < code)
			low = middle + 1;
		else
			high = middle;
	}
	return low < N_WORD_RANGES && code >= word_ranges[low].first;
}

size_t
mg_char_decompose(uint32_t code, uint32_t parts[MG_DECOMPOSITION_MAX])
{
	utf8proc_int32_t decomposed[MG_DECOMPOSITION_MAX];
	utf8proc_ssize_t n;

	n = utf8proc_decompose_char((utf8proc_int32_t) code, decomposed, MG_DECOMPOSITION_MAX, UTF8PROC_DECOMPOSE, NULL);
	if (n < 1 || n > MG_DECOMPOSITION_MAX)
	{
		parts[0] = code;
		return 1;
	}
	for (utf8proc_ssize_t i = 0; i < n; i++)
		parts[i] = (uint32_t) decomposed[i];
	return (size_t) n;
}

uint8_t
mg_char_class(uint32_t code)
{
	return (uint8_t) utf8proc_get_property((utf8proc_int32_t) code)->combining_class;
}

/* Only what the table knows to decompose: a newer Unicode composes more. */
uint32_t
mg_char_compose(uint32_t first, uint32_t second)
{
	utf8proc_int32_t pair[2] = {(utf8proc_int32_t) first, (utf8proc_int32_t) second};

	if (utf8proc_normalize_utf32(pair, 2, UTF8PROC_STABLE | UTF8PROC_COMPOSE) != 1)
		return 0;
	return (mg_char_flags((uint32_t) pair[0]) & MG_CHAR_DECOMPOSES) || mg_char_is_hangul((uint32_t) pair[0])
		? (uint32_t) pair[0]
		: 0;
}
