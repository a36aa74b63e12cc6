/* Patterns by hand: each alternative is a look at a character or two and a run of one class. */
#include "text/byte_level.h"

#include "text/utf8.h"

typedef struct ClassRange
{
	uint32_t first, last;
	uint8_t class;
} ClassRange;

#include "text/class_table.h"

#define N_RANGES (sizeof class_ranges / sizeof class_ranges[0])

/* Characters that Unicode has for bytes that are none by themselves, in their order: GPT-2's "bytes_to_unicode". */
#define FIRST_SUBSTITUTE 256
#define N_SUBSTITUTES 68

MgCharClass
mg_char_class_of(uint32_t code)
{
	size_t low = 0, high = N_RANGES;

	if (code < 128)
	{
		if ((code | 0x20) >= 'a' && (code | 0x20) <= 'z')
			return MG_CLASS_LETTER;
		if (code >= '0' && code <= '9')
			return MG_CLASS_NUMBER;
		return code == ' ' || (code >= 9 && code <= 13) ? MG_CLASS_SPACE : MG_CLASS_OTHER;
	}
	while (low < high)
	{
		size_t middle = (low + high) / 2;

		if (class_ranges[middle].last < code)
			low = middle + 1;
		else
			high = middle;
	}
	return low < N_RANGES && class_ranges[low].first <= code ? (MgCharClass) class_ranges[low].class : MG_CLASS_OTHER;
}

/* The class of the character at text[at], whose end goes to *end; -1 behind the text. */
static int
class_at(MgSpan text, size_t at, size_t *end)
{
	*end = at;
	return at < text.size ? (int) mg_char_class_of(mg_utf8_next(text, end)) : -1;
}

/* The end of the run of characters of a class from text[at] on, most at most. */
static size_t
run_of(MgSpan text, size_t at, int class, size_t most)
{
	size_t end;

	while (most-- > 0 && class_at(text, at, &end) == class)
		at = end;
	return at;
}

/* The pattern with ends of lines in it; else it is GPT-2's. */
static bool
is_cl100k(MgPattern pattern)
{
	return pattern == MG_PATTERN_CL100K || pattern == MG_PATTERN_QWEN2;
}

static bool
is_newline(MgSpan text, size_t at)
{
	return at < text.size && (text.data[at] == '\n' || text.data[at] == '\r');
}

/* The end of "'s" and the like at text[at]; at when there is none. */
static size_t
contraction(MgSpan text, size_t at, bool any_case)
{
	static const char *const ends[] = {"s", "t", "re", "ve", "m", "ll", "d"};

	if (text.data[at] != '\'')
		return at;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
	{
		size_t size = strlen(ends[i]), n = 0;

		while (n < size && at + 1 + n < text.size &&
			   (text.data[at + 1 + n] == ends[i][n] || (any_case && (text.data[at + 1 + n] | 0x20) == ends[i][n])))
			n++;
		if (n == size)
			return at + 1 + size;
	}
	/* Case folding makes an s of U+017F. */
	if (any_case && text.size - at >= 3 && text.data[at + 1] == 0xC5 && text.data[at + 2] == 0xBF)
		return at + 3;
	return at;
}

/* White space from text[at] on, none of whose first alternatives took it. */
static size_t
take_space(MgPattern pattern, MgSpan text, size_t at)
{
	size_t end = at, last = at, newline = at, next;

	while (class_at(text, end, &next) == MG_CLASS_SPACE)
	{
		if (is_newline(text, end))
			newline = next;
		last = end;
		end = next;
	}
	if (is_cl100k(pattern) && newline > at)
		return newline;
	if (pattern == MG_PATTERN_DIGITS && class_at(text, end, &next) == MG_CLASS_NUMBER)
		return end;
	return end < text.size && last > at ? last : end;
}

/* [^\s\p{L}\p{N}]+ and, but for GPT2, the ends of lines behind it. */
static size_t
take_other(MgPattern pattern, MgSpan text, size_t at)
{
	size_t end = run_of(text, at, MG_CLASS_OTHER, SIZE_MAX);

	while (is_cl100k(pattern) && is_newline(text, end))
		end++;
	return end;
}

static size_t
next_gpt2(MgPattern pattern, MgSpan text, size_t at)
{
	size_t first = at, end;
	int class = class_at(text, at, &end);

	if (pattern == MG_PATTERN_DIGITS && class == MG_CLASS_NUMBER)
		return end;
	if (text.data[at] == ' ')
	{
		first = at + 1;
		class = class_at(text, first, &end);
	}
	if (class < 0 || class == MG_CLASS_SPACE || (pattern == MG_PATTERN_DIGITS && class == MG_CLASS_NUMBER))
		return take_space(pattern, text, at);
	return class == MG_CLASS_OTHER ? take_other(pattern, text, first) : run_of(text, first, class, SIZE_MAX);
}

static size_t
next_cl100k(MgPattern pattern, MgSpan text, size_t at)
{
	size_t end, unused;
	int class = class_at(text, at, &end), second = class_at(text, end, &unused);

	if (class == MG_CLASS_LETTER)
		return run_of(text, at, MG_CLASS_LETTER, SIZE_MAX);
	if (class != MG_CLASS_NUMBER && !is_newline(text, at) && second == MG_CLASS_LETTER)
		return run_of(text, end, MG_CLASS_LETTER, SIZE_MAX);
	if (class == MG_CLASS_NUMBER)
		return run_of(text, at, MG_CLASS_NUMBER, pattern == MG_PATTERN_CL100K ? 3 : 1);
	if (class == MG_CLASS_OTHER)
		return take_other(pattern, text, at);
	if (text.data[at] == ' ' && second == MG_CLASS_OTHER)
		return take_other(pattern, text, end);
	return take_space(pattern, text, at);
}

size_t
mg_pattern_next(MgPattern pattern, MgSpan text, size_t at)
{
	size_t end;

	if (text.size - at > MG_LONGEST_WORD)
	{
		text.size = at + MG_LONGEST_WORD;
		while (mg_utf8_continues(text.data[text.size]))
			text.size--;
	}
	end = contraction(text, at, is_cl100k(pattern));

	if (end == at)
		end = !is_cl100k(pattern) ? next_gpt2(pattern, text, at) : next_cl100k(pattern, text, at);
	return end;
}

/* Whether a byte is written as the character of the same number. */
static bool
stands_for_itself(uint32_t code)
{
	return (code >= 33 && code <= 126) || (code >= 161 && code <= 172) || (code >= 174 && code <= 255);
}

uint32_t
mg_byte_char(uint8_t byte)
{
	if (stands_for_itself(byte))
		return byte;
	return FIRST_SUBSTITUTE + (byte < 33 ? byte : byte < 161 ? (uint32_t) byte - 127 + 33 : N_SUBSTITUTES - 1);
}

int
mg_char_byte(uint32_t code)
{
	uint32_t n = code - FIRST_SUBSTITUTE;

	if (stands_for_itself(code))
		return (int) code;
	if (code < FIRST_SUBSTITUTE || n >= N_SUBSTITUTES)
		return -1;
	return (int) (n < 33 ? n : n < N_SUBSTITUTES - 1 ? n + 127 - 33 : 173);
}
