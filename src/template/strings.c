/* Strings, cut and changed. */
#include "template/strings.h"

#include "template/lexer.h"
#include "text/unicode.h"
#include "text/utf8.h"

static bool
is_among(const MgMarked *chars, uint32_t code)
{
	if (chars == NULL)
		return mg_is_space(code);
	for (size_t at = 0; at < chars->size;)
		if (mg_utf8_next(mg_marked_span(chars), &at) == code)
			return true;
	return false;
}

bool
mg_string_strip(MgRender *render, const MgMarked *text, const MgMarked *chars, bool left, bool right, MgValue *value)
{
	MgSpan span = mg_marked_span(text);
	size_t from = 0, to = span.size, at;

	while (left && from < to)
	{
		at = from;
		if (!is_among(chars, mg_utf8_next(span, &at)))
			break;
		from = at;
		if (!mg_render_step(render, 1))
			return false;
	}
	while (right && to > from)
	{
		at = to;
		if (!is_among(chars, mg_utf8_previous(span, &at)))
			break;
		to = at;
		if (!mg_render_step(render, 1))
			return false;
	}
	return mg_value_string(render, mg_marked_slice(text, from, to), value);
}

static bool
put_upper(MgRender *render, MgPuts *puts, uint32_t code, MgMarked character)
{
	uint8_t byte = (uint8_t) (code >= 'a' && code <= 'z' ? code - 32 : code);

	if (code >= 0x80 && mg_char_is_word(code) && mg_char_lower(code) == code && !mg_char_is_ideograph(code))
		return mg_render_fail(render, MG_UNSUPPORTED, "chat template makes upper case of a letter outside ASCII, which is not supported");
	if (code >= 0x80)
		return mg_puts(render, puts, character);
	character.bytes = &byte;
	return mg_puts(render, puts, character);
}

static bool
put_lower(MgRender *render, MgPuts *puts, uint32_t code, MgMarked character)
{
	uint8_t bytes[MG_UTF8_MAX];
	bool data = character.marks != NULL ? character.marks[0] : character.data;

	if (code == 0x130)
		return mg_puts_span(render, puts, mg_span_of("i\xCC\x87"), data);
	return mg_puts_span(render, puts, mg_span(bytes, mg_utf8_put(mg_char_lower(code), bytes)), data);
}

bool
mg_string_case(MgRender *render, const MgMarked *text, MgCase to, MgValue *value)
{
	MgPuts puts = {0};
	bool first = true; /* of a word, or of all */

	for (size_t at = 0; at < text->size;)
	{
		size_t from = at;
		uint32_t code = mg_utf8_next(mg_marked_span(text), &at);
		MgMarked character = mg_marked_slice(text, from, at);
		bool upper = to == MG_CASE_UPPER || (to != MG_CASE_LOWER && first);

		if (upper ? !put_upper(render, &puts, code, character) : !put_lower(render, &puts, code, character))
			return false;
		/* As the reference's filter, which begins words behind white space and some punctuation. */
		first = to == MG_CASE_TITLE && (mg_is_space(code) || code == '-' || code == '(' || code == '{' || code == '[' || code == '<');
	}
	return mg_puts_end(render, &puts, value);
}

size_t
mg_string_find(const MgMarked *text, const MgMarked *what, bool last)
{
	const uint8_t *found;

	if (what->size > text->size)
		return SIZE_MAX;
	if (what->size == 0)
		return last ? text->size : 0;
	if (!last)
	{
		found = memmem(text->bytes, text->size, what->bytes, what->size);
		return found != NULL ? (size_t) (found - text->bytes) : SIZE_MAX;
	}
	for (size_t at = text->size - what->size + 1; at-- > 0;)
		if (memcmp(text->bytes + at, what->bytes, what->size) == 0)
			return at;
	return SIZE_MAX;
}

bool
mg_string_replace(MgRender *render, const MgMarked *text, const MgMarked *old, const MgMarked *new, int64_t most, MgValue *value)
{
	MgPuts puts = {0};
	size_t from = 0;

	for (int64_t i = 0; most < 0 || i < most; i++)
	{
		MgMarked rest = mg_marked_slice(text, from, text->size);
		size_t found = mg_string_find(&rest, old, false), end = from + found + old->size;

		if (found == SIZE_MAX || (old->size == 0 && i > 0 && from == text->size))
			break;
		/* An empty one is before each character and at the end. */
		if (old->size == 0 && i > 0)
		{
			size_t next = from;

			mg_utf8_next(mg_marked_span(text), &next);
			found = next - from;
			end = next;
		}
		if (!mg_puts(render, &puts, mg_marked_slice(text, from, from + found)) || !mg_puts(render, &puts, *new))
			return false;
		from = end;
	}
	return mg_puts(render, &puts, mg_marked_slice(text, from, text->size)) && mg_puts_end(render, &puts, value);
}

static bool
add_slice(MgRender *render, MgList *list, const MgMarked *text, size_t from, size_t to)
{
	MgValue piece;

	return mg_render_step(render, 1 + (to - from) / 64) && mg_value_string(render, mg_marked_slice(text, from, to), &piece) &&
		   mg_list_add(render, list, piece);
}

/* Words between white space; from the left, or from the right with the list turned over in the end. */
static bool
split_words(MgRender *render, const MgMarked *text, int64_t most, bool from_right, MgList *list)
{
	MgSpan span = mg_marked_span(text);
	MgValue rest;
	size_t from = 0, to = text->size, at;

	for (;;)
	{
		if (!mg_string_strip(render, &(MgMarked){text->bytes + from, text->marks != NULL ? text->marks + from : NULL, to - from, text->data, false}, NULL,
							 !from_right, from_right, &rest))
			return false;
		from = (size_t) (rest.text->bytes - text->bytes);
		to = from + rest.text->size;
		if (from == to)
			return true;
		if (most >= 0 && (int64_t) list->n == most)
			return add_slice(render, list, text, from, to);
		at = from_right ? to : from;
		for (size_t next = at; from_right ? at > from : at < to; at = next)
			if (mg_is_space(from_right ? mg_utf8_previous(span, &next) : mg_utf8_next(span, &next)))
				break;
		if (from_right ? !add_slice(render, list, text, at, to) : !add_slice(render, list, text, from, at))
			return false;
		from = from_right ? from : at;
		to = from_right ? at : to;
	}
}

bool
mg_string_split(MgRender *render, const MgMarked *text, const MgMarked *by, int64_t most, bool from_right, MgValue *value)
{
	size_t from = 0, to = text->size;
	MgList *list;

	if (by != NULL && by->size == 0)
		return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template splits a string by an empty one");
	if (!mg_value_list(render, 0, value))
		return false;
	list = value->list;
	if (by == NULL && !split_words(render, text, most, from_right, list))
		return false;
	while (by != NULL)
	{
		MgMarked rest = mg_marked_slice(text, from, to);
		size_t found = most >= 0 && (int64_t) list->n >= most ? SIZE_MAX : mg_string_find(&rest, by, from_right);

		if (found == SIZE_MAX)
		{
			if (!add_slice(render, list, text, from, to))
				return false;
			break;
		}
		if (from_right ? !add_slice(render, list, text, from + found + by->size, to) : !add_slice(render, list, text, from, from + found))
			return false;
		to = from_right ? from + found : to;
		from = from_right ? from : from + found + by->size;
	}
	for (size_t i = 0; from_right && i < list->n / 2; i++)
	{
		MgValue item = list->items[i];

		list->items[i] = list->items[list->n - 1 - i];
		list->items[list->n - 1 - i] = item;
	}
	return true;
}

static bool
ends_line(uint32_t code)
{
	return (code >= 0x0A && code <= 0x0D) || (code >= 0x1C && code <= 0x1E) || code == 0x85 || code == 0x2028 || code == 0x2029;
}

bool
mg_string_lines(MgRender *render, const MgMarked *text, bool keep_ends, MgValue *value)
{
	MgSpan span = mg_marked_span(text);
	size_t from = 0;

	if (!mg_value_list(render, 0, value))
		return false;
	for (size_t at = 0; at < span.size;)
	{
		size_t end = at;
		uint32_t code = mg_utf8_next(span, &at);

		if (!ends_line(code))
			continue;
		if (code == '\r' && at < span.size && span.data[at] == '\n')
			at++;
		if (!add_slice(render, value->list, text, from, keep_ends ? at : end))
			return false;
		from = at;
	}
	return from == span.size || add_slice(render, value->list, text, from, span.size);
}

bool
mg_string_join(MgRender *render, const MgMarked *between, const MgList *items, bool strict, MgValue *value)
{
	MgPuts puts = {0};

	for (size_t i = 0; i < items->n; i++)
	{
		if (strict && items->items[i].kind != MG_VALUE_STRING)
			return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template joins %s as a string", mg_value_kind(items->items[i]));
		if ((i > 0 && !mg_puts(render, &puts, *between)) || !mg_puts_value(render, &puts, items->items[i]))
			return false;
	}
	return mg_puts_end(render, &puts, value);
}
