/* Escapes and sets of a regular expression. */
#include "text/regex_tree.h"
#include "text/utf8.h"

/* ---------------------------------------------------------------- escapes */

static int
hex_digit(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static bool
read_hex(MgRegexReader *reader, size_t least, size_t most, uint32_t *code)
{
	size_t n = 0;

	for (*code = 0; n < most && !mg_regex_is_end(reader) && hex_digit(reader->text.data[reader->at]) >= 0; n++)
		*code = *code << 4 | (uint32_t) hex_digit(reader->text.data[reader->at++]);
	return n >= least && *code <= MG_CODE_LAST ? true : mg_regex_refuse(reader, "a character's number like this one");
}

static bool
negate(MgRegexReader *reader, bool negated, MgCodeSet *set)
{
	return !negated || mg_code_set_other(reader->cx, set, set);
}

/* Behind "\p" or "\P". */
static bool
read_property(MgRegexReader *reader, bool negated, MgCodeSet *set)
{
	const uint8_t *close;
	MgSpan name;
	bool found;

	if (!mg_regex_skip(reader, "{"))
		return mg_regex_refuse(reader, "\\p without braces");
	if (mg_regex_skip(reader, "^"))
		negated = !negated;
	close = memchr(reader->text.data + reader->at, '}', reader->text.size - reader->at);
	if (close == NULL)
		return mg_regex_refuse(reader, "\\p without braces");
	name = mg_span(reader->text.data + reader->at, (size_t) (close - reader->text.data) - reader->at);
	if (!mg_code_set_named(reader->cx, name, set, &found))
		return false;
	if (!found)
		return mg_regex_refuse(reader, "this property of characters");
	reader->at += name.size + 1;
	return negate(reader, negated, set);
}

static bool
digits(MgRegexReader *reader, bool hexadecimal, MgCodeSet *set)
{
	MgCodeSet more;
	bool found;

	if (!hexadecimal)
		return mg_code_set_named(reader->cx, mg_span_of("Nd"), set, &found);
	return mg_code_set_range(reader->cx, '0', '9', set) && mg_code_set_range(reader->cx, 'A', 'F', &more) &&
		mg_code_set_union(reader->cx, set, &more, set) && mg_code_set_range(reader->cx, 'a', 'f', &more) &&
		mg_code_set_union(reader->cx, set, &more, set);
}

/* Behind a backslash: a character, or a set of more. */
bool
mg_regex_escape(MgRegexReader *reader, bool in_set, bool *is_set, uint32_t *code, MgCodeSet *set)
{
	static const char plain[] = "ntrfvae", codes[] = {'\n', '\t', '\r', '\f', '\v', '\a', 27};
	const char *place;
	uint8_t c;

	if (mg_regex_is_end(reader))
		return mg_regex_refuse(reader, "a backslash at its end");
	*is_set = false;
	*code = mg_utf8_next(reader->text, &reader->at);
	if (*code >= 128)
		return true;
	c = (uint8_t) *code;
	place = strchr(plain, c);
	if (place != NULL)
	{
		*code = (uint32_t) codes[place - plain];
		return true;
	}
	*is_set = true;
	switch (c)
	{
		case 's':
		case 'S':
			return mg_code_set_spaces(reader->cx, set) && negate(reader, c == 'S', set);
		case 'w':
		case 'W':
			return mg_code_set_words(reader->cx, set) && negate(reader, c == 'W', set);
		case 'd':
		case 'D':
			return digits(reader, false, set) && negate(reader, c == 'D', set);
		case 'h':
		case 'H':
			return digits(reader, true, set) && negate(reader, c == 'H', set);
		case 'p':
		case 'P':
			return read_property(reader, c == 'P', set);
		default:
			break;
	}
	*is_set = false;
	if (c == 'u')
		return read_hex(reader, 4, 4, code);
	if (c == 'x' && mg_regex_skip(reader, "{"))
		return read_hex(reader, 1, 6, code) && (mg_regex_skip(reader, "}") || mg_regex_refuse(reader, "\\x{ without its end"));
	if (c == 'x')
		return read_hex(reader, 1, 2, code) && (*code < 128 || mg_regex_refuse(reader, "\\x of a byte that is no character"));
	if (c == 'b' && in_set)
	{
		*code = 8;
		return true;
	}
	/* Letters and digits have meanings that are not known here; all else stands for itself. */
	return !((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z')) || mg_regex_refuse(reader, "this escape");
}

/* Adds the other case under (?i). */
bool
mg_regex_fold(MgRegexReader *reader, MgCodeSet *set)
{
	if (!reader->any_case)
		return true;
	/* The reference knows letters that are two or three in another case. */
	if (set->n > 0 && set->ranges[set->n - 1].last >= 128)
		return mg_regex_refuse(reader, "characters under (?i) that are not ASCII");
	return mg_code_set_fold(reader->cx, set);
}

/* ------------------------------------------------------------------- sets */

/* One member of a set: a character, a range, or a set. */
static bool
read_member(MgRegexReader *reader, int depth, MgCodeSet *set)
{
	uint32_t first = 0, last;
	MgCodeSet other;
	bool is_set = false;

	if (mg_regex_is_next(reader, "[:"))
		return mg_regex_refuse(reader, "[: :]");
	if (mg_regex_skip(reader, "["))
		return mg_regex_set(reader, depth - 1, set);
	if (mg_regex_skip(reader, "\\"))
	{
		if (!mg_regex_escape(reader, true, &is_set, &first, set))
			return false;
		if (is_set)
			return true;
	}
	else
		first = mg_utf8_next(reader->text, &reader->at);
	last = first;
	if (mg_regex_is_next(reader, "-") && reader->at + 1 < reader->text.size && reader->text.data[reader->at + 1] != ']')
	{
		reader->at++;
		if (mg_regex_is_next(reader, "["))
			return mg_regex_refuse(reader, "a range to a set");
		last = mg_utf8_next(reader->text, &reader->at);
		if (last == '\\' && (!mg_regex_escape(reader, true, &is_set, &last, &other) || is_set))
			return is_set ? mg_regex_refuse(reader, "a range to a set") : false;
		if (last < first)
			return mg_regex_refuse(reader, "an empty range");
	}
	return mg_code_set_range(reader->cx, first, last, set);
}

/* Behind "[". */
bool
mg_regex_set(MgRegexReader *reader, int depth, MgCodeSet *set)
{
	MgCodeSet both = {0}, member;
	bool negated = mg_regex_skip(reader, "^"), has_both = false, is_first = true;

	memset(set, 0, sizeof *set);
	if (depth <= 0)
		return mg_regex_refuse(reader, "sets in so many sets");
	for (; is_first || !mg_regex_is_next(reader, "]"); is_first = false)
	{
		if (mg_regex_is_end(reader))
			return mg_regex_refuse(reader, "a set without its end");
		if (mg_regex_skip(reader, "&&"))
		{
			if (has_both && !mg_code_set_both(reader->cx, &both, set, set))
				return false;
			both = *set;
			has_both = true;
			memset(set, 0, sizeof *set);
			continue;
		}
		if (!read_member(reader, depth, &member) || !mg_code_set_union(reader->cx, set, &member, set))
			return false;
	}
	reader->at++;
	if (has_both && !mg_code_set_both(reader->cx, &both, set, set))
		return false;
	if (!mg_regex_fold(reader, set))
		return false;
	return negate(reader, negated, set);
}
