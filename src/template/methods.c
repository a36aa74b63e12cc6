/* Methods of strings and dictionaries, and loop.cycle and loop.changed. What would change a value is refused, as by the reference's sandbox. */
#include "template/calls.h"
#include "template/strings.h"
#include "text/utf8.h"

/* All of a table take what one of them needs. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

typedef bool Method(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result);

static bool
strip(MgRender *render, MgValue of, const MgArguments *arguments, bool left, bool right, MgValue *result)
{
	const MgMarked *chars = NULL;

	return mg_argument_text(render, arguments, 0, "chars", &chars) && mg_string_strip(render, of.text, chars, left, right, result);
}

static bool
strip_both(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	return strip(render, of, arguments, true, true, result);
}

static bool
strip_left(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	return strip(render, of, arguments, true, false, result);
}

static bool
strip_right(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	return strip(render, of, arguments, false, true, result);
}

static bool
split(MgRender *render, MgValue of, const MgArguments *arguments, bool from_right, MgValue *result)
{
	const MgMarked *by = NULL;
	int64_t most = -1;

	return mg_argument_text(render, arguments, 0, "sep", &by) && mg_argument_integer(render, arguments, 1, "maxsplit", &most) &&
		   mg_string_split(render, of.text, by, most, from_right, result);
}

static bool
split_left(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	return split(render, of, arguments, false, result);
}

static bool
split_right(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	return split(render, of, arguments, true, result);
}

static bool
split_lines(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	const MgValue *keep = mg_argument(arguments, 0, "keepends");

	return mg_string_lines(render, of.text, keep != NULL && mg_value_truth(*keep), result);
}

static bool
lower(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	return mg_string_case(render, of.text, MG_CASE_LOWER, result);
}

static bool
upper(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	return mg_string_case(render, of.text, MG_CASE_UPPER, result);
}

static bool
capitalize(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	return mg_string_case(render, of.text, MG_CASE_CAPITAL, result);
}

/* Python's own, unlike the filter: words begin behind whatever is no letter. */
static bool
title(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	for (size_t i = 0; i < of.text->size; i++)
	{
		uint8_t byte = of.text->bytes[i];

		if (byte >= 0x80 || !(byte == ' ' || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z')))
			return mg_render_fail(render, MG_UNSUPPORTED, "chat template calls title() of more than letters of ASCII, which is not supported");
	}
	return mg_string_case(render, of.text, MG_CASE_TITLE, result);
}

/* Whether a string begins, or ends, with another. */
static bool
has_affix(const MgMarked *text, const MgMarked *affix, bool at_end)
{
	return affix->size <= text->size && memcmp(text->bytes + (at_end ? text->size - affix->size : 0), affix->bytes, affix->size) == 0;
}

static bool
affix(MgRender *render, MgValue of, const MgArguments *arguments, bool at_end, MgValue *result)
{
	const MgValue *what = mg_argument(arguments, 0, NULL);
	bool has = false;

	if (what != NULL && what->kind == MG_VALUE_STRING)
		has = has_affix(of.text, what->text, at_end);
	else if (what != NULL && what->kind == MG_VALUE_TUPLE)
	{
		for (size_t i = 0; i < what->list->n; i++)
			has = has || (what->list->items[i].kind == MG_VALUE_STRING && has_affix(of.text, what->list->items[i].text, at_end));
	}
	else
		return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template asks whether a string begins or ends with %s", what != NULL ? mg_value_kind(*what) : "nothing");
	*result = mg_value_bool(has);
	return true;
}

static bool
starts_with(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	return affix(render, of, arguments, false, result);
}

static bool
ends_with(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	return affix(render, of, arguments, true, result);
}

/* The one argument that a method cannot do without. */
static bool
need_text(MgRender *render, const MgArguments *arguments, int place, const MgMarked **text)
{
	*text = NULL;
	if (!mg_argument_text(render, arguments, place, NULL, text))
		return false;
	return *text != NULL || mg_render_fail(render, MG_BAD_ARGUMENT, "chat template calls a method of a string with too few arguments");
}

static bool
remove_affix(MgRender *render, MgValue of, const MgArguments *arguments, bool at_end, MgValue *result)
{
	const MgMarked *what;
	size_t size = of.text->size;

	if (!need_text(render, arguments, 0, &what))
		return false;
	if (!has_affix(of.text, what, at_end))
		*result = of;
	else if (at_end)
		return mg_value_string(render, mg_marked_slice(of.text, 0, size - what->size), result);
	else
		return mg_value_string(render, mg_marked_slice(of.text, what->size, size), result);
	return true;
}

static bool
remove_prefix(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	return remove_affix(render, of, arguments, false, result);
}

static bool
remove_suffix(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	return remove_affix(render, of, arguments, true, result);
}

static bool
replace(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	const MgMarked *old, *new;
	int64_t most = -1;

	return need_text(render, arguments, 0, &old) && need_text(render, arguments, 1, &new) && mg_argument_integer(render, arguments, 2, "count", &most) &&
		   mg_string_replace(render, of.text, old, new, most, result);
}

/* In characters; -1 without one. */
static bool
place(MgRender *render, MgValue of, const MgArguments *arguments, bool last, MgValue *result)
{
	const MgMarked *what;
	MgMarked before;
	size_t found, n;

	if (!need_text(render, arguments, 0, &what) || !mg_render_step(render, 1 + of.text->size / 64))
		return false;
	found = mg_string_find(of.text, what, last);
	*result = mg_value_integer(-1);
	if (found == SIZE_MAX)
		return true;
	before = mg_marked_slice(of.text, 0, found);
	if (!mg_value_length(render, (MgValue){.kind = MG_VALUE_STRING, .text = &before}, &n))
		return false;
	*result = mg_value_integer((int64_t) n);
	return true;
}

static bool
find(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	return place(render, of, arguments, false, result);
}

static bool
find_last(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	return place(render, of, arguments, true, result);
}

static bool
count(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	const MgMarked *what;
	int64_t n = 0;

	if (!need_text(render, arguments, 0, &what))
		return false;
	if (what->size == 0)
		return mg_render_fail(render, MG_UNSUPPORTED, "chat template counts empty strings");
	for (size_t at = 0, found; at <= of.text->size; at += found + what->size, n++)
	{
		MgMarked rest = mg_marked_slice(of.text, at, of.text->size);

		found = mg_string_find(&rest, what, false);
		if (found == SIZE_MAX)
			break;
		if (!mg_render_step(render, 1 + found / 64))
			return false;
	}
	*result = mg_value_integer(n);
	return true;
}

static bool
join(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	const MgValue *what = mg_argument(arguments, 0, NULL);
	const MgList *items;

	if (what == NULL)
		return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template joins nothing");
	return mg_value_items(render, *what, &items) && mg_string_join(render, of.text, items, true, result);
}

/* Whether all bytes, at least one, are of a class of ASCII; other characters are refused. */
static bool
all_of(MgRender *render, MgValue of, bool digits, bool letters, bool spaces, MgValue *result)
{
	bool all = of.text->size > 0;

	for (size_t i = 0; i < of.text->size; i++)
	{
		uint8_t byte = of.text->bytes[i], small = byte | 32;

		if (byte >= 0x80)
			return mg_render_fail(render, MG_UNSUPPORTED, "chat template asks for the class of a character outside ASCII, which is not supported");
		all = all && ((digits && byte >= '0' && byte <= '9') || (letters && small >= 'a' && small <= 'z') ||
					  (spaces && (byte == ' ' || (byte >= 9 && byte <= 13) || (byte >= 0x1C && byte <= 0x1F))));
	}
	*result = mg_value_bool(all);
	return mg_render_step(render, of.text->size / 64);
}

static bool
is_digits(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	return all_of(render, of, true, false, false, result);
}

static bool
is_letters(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	return all_of(render, of, false, true, false, result);
}

static bool
is_alphanumeric(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	return all_of(render, of, true, true, false, result);
}

static bool
is_spaces(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	return all_of(render, of, false, false, true, result);
}

static bool
items(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	if (!mg_value_list(render, of.dict->n, result))
		return false;
	for (size_t i = 0; i < of.dict->n; i++)
	{
		MgValue pair;

		if (!mg_render_step(render, 1) || !mg_value_list(render, 2, &pair))
			return false;
		pair.kind = MG_VALUE_TUPLE;
		pair.list->n = 2;
		pair.list->items[0] = (MgValue){.kind = MG_VALUE_STRING, .text = of.dict->keys[i]};
		pair.list->items[1] = of.dict->values[i];
		result->list->items[result->list->n++] = pair;
	}
	return true;
}

static bool
keys(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	const MgList *list;

	if (!mg_value_items(render, of, &list))
		return false;
	*result = (MgValue){.kind = MG_VALUE_LIST, .list = (MgList *) list};
	return true;
}

static bool
values(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	if (!mg_render_step(render, 1 + of.dict->n / 8) || !mg_value_list(render, of.dict->n, result))
		return false;
	for (size_t i = 0; i < of.dict->n; i++)
		result->list->items[result->list->n++] = of.dict->values[i];
	return true;
}

static bool
get(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	const MgValue *key = mg_argument(arguments, 0, NULL), *otherwise = mg_argument(arguments, 1, NULL), *found = NULL;

	if (key == NULL)
		return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template calls get() without a key");
	if (key->kind == MG_VALUE_STRING)
		found = mg_dict_find(of.dict, mg_marked_span(key->text));
	*result = found != NULL ? *found : otherwise != NULL ? *otherwise : MG_NONE_VALUE;
	return mg_render_step(render, of.dict->n / 8);
}

static bool
copy(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	*result = of;
	return true;
}

static bool
cycle(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	if (arguments->n == 0)
		return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template calls loop.cycle() without arguments");
	*result = arguments->values[of.loop->at % arguments->n];
	return true;
}

static bool
changed(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	MgValue now;
	bool equal = false;

	if (!mg_value_list(render, arguments->n, &now))
		return false;
	for (size_t i = 0; i < arguments->n; i++)
		now.list->items[now.list->n++] = arguments->values[i];
	if (of.loop->changed.kind == MG_VALUE_LIST && !mg_value_equal(render, of.loop->changed, now, &equal))
		return false;
	of.loop->changed = now;
	*result = mg_value_bool(!equal);
	return true;
}

/* What "{}", "{0}" or "{name}" stands for, by what is between the braces; NULL: nothing. */
static const MgValue *
formatted(const MgArguments *arguments, MgSpan field, size_t *next)
{
	char name[32];
	size_t place = 0;

	if (field.size == 0)
		return mg_argument(arguments, (int) (*next)++, NULL);
	if (field.size >= sizeof name)
		return NULL;
	memcpy(name, field.data, field.size);
	name[field.size] = '\0';
	if (name[0] < '0' || name[0] > '9')
		return mg_argument(arguments, -1, name);
	for (size_t i = 0; i < field.size && place < 1000; i++)
		place = name[i] >= '0' && name[i] <= '9' ? place * 10 + (size_t) (name[i] - '0') : 1000;
	return mg_argument(arguments, (int) place, NULL);
}

static bool
format(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	const MgMarked *text = of.text;
	MgPuts puts = {0};
	size_t next = 0, from = 0;

	for (size_t at = 0; at < text->size; at++)
	{
		uint8_t byte = text->bytes[at];
		const uint8_t *close;
		const MgValue *value;

		if (byte != '{' && byte != '}')
			continue;
		if (!mg_puts(render, &puts, mg_marked_slice(text, from, at)))
			return false;
		from = at + 1;
		if (from < text->size && text->bytes[from] == byte)
		{
			at++; /* twice: itself */
			continue;
		}
		close = byte == '{' ? memchr(text->bytes + from, '}', text->size - from) : NULL;
		value = close != NULL ? formatted(arguments, mg_span(text->bytes + from, (size_t) (close - text->bytes) - from), &next) : NULL;
		if (value == NULL)
			return mg_render_fail(render, MG_UNSUPPORTED, "chat template formats a string by more than {}, {0} and {name}, or lacks a value");
		if (!mg_puts_value(render, &puts, *value))
			return false;
		at = (size_t) (close - text->bytes);
		from = at + 1;
	}
	return mg_puts(render, &puts, mg_marked_slice(text, from, text->size)) && mg_puts_end(render, &puts, result);
}

static bool
refuse_change(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	mg_render_fail(render, MG_UNSUPPORTED, "chat template changes %s, which is not supported", mg_value_kind(of));
	return mg_hint(render->cx, "The reference refuses it as well.");
}

static const struct
{
	const char *name;
	MgValueKind of;
	Method *method;
} methods[] = {{"strip", MG_VALUE_STRING, strip_both}, {"lstrip", MG_VALUE_STRING, strip_left}, {"rstrip", MG_VALUE_STRING, strip_right},
			   {"split", MG_VALUE_STRING, split_left}, {"rsplit", MG_VALUE_STRING, split_right}, {"splitlines", MG_VALUE_STRING, split_lines},
			   {"lower", MG_VALUE_STRING, lower}, {"upper", MG_VALUE_STRING, upper}, {"capitalize", MG_VALUE_STRING, capitalize},
			   {"title", MG_VALUE_STRING, title}, {"startswith", MG_VALUE_STRING, starts_with}, {"endswith", MG_VALUE_STRING, ends_with},
			   {"removeprefix", MG_VALUE_STRING, remove_prefix}, {"removesuffix", MG_VALUE_STRING, remove_suffix},
			   {"replace", MG_VALUE_STRING, replace}, {"find", MG_VALUE_STRING, find}, {"rfind", MG_VALUE_STRING, find_last},
			   {"count", MG_VALUE_STRING, count}, {"format", MG_VALUE_STRING, format}, {"join", MG_VALUE_STRING, join}, {"isdigit", MG_VALUE_STRING, is_digits},
			   {"isalpha", MG_VALUE_STRING, is_letters}, {"isalnum", MG_VALUE_STRING, is_alphanumeric}, {"isspace", MG_VALUE_STRING, is_spaces},
			   {"items", MG_VALUE_DICT, items}, {"keys", MG_VALUE_DICT, keys}, {"values", MG_VALUE_DICT, values}, {"get", MG_VALUE_DICT, get},
			   {"copy", MG_VALUE_DICT, copy}, {"update", MG_VALUE_DICT, refuse_change}, {"pop", MG_VALUE_DICT, refuse_change},
			   {"setdefault", MG_VALUE_DICT, refuse_change}, {"pop", MG_VALUE_LIST, refuse_change}, {"append", MG_VALUE_LIST, refuse_change},
			   {"extend", MG_VALUE_LIST, refuse_change}, {"insert", MG_VALUE_LIST, refuse_change}, {"cycle", MG_VALUE_LOOP, cycle}, {"changed", MG_VALUE_LOOP, changed}};

#define N_METHODS (sizeof methods / sizeof methods[0])

bool
mg_method_is_known(MgSpan name)
{
	for (size_t i = 0; i < N_METHODS; i++)
		if (mg_span_is(name, methods[i].name))
			return true;
	return false;
}

static Method *
method_of(MgValue value, MgSpan name)
{
	for (size_t i = 0; i < N_METHODS; i++)
		if (methods[i].of == value.kind && mg_span_is(name, methods[i].name))
			return methods[i].method;
	return NULL;
}

bool
mg_method_of(MgValue value, MgSpan name)
{
	return method_of(value, name) != NULL;
}

bool
mg_method(MgRender *render, MgValue value, MgSpan name, const MgArguments *arguments, MgValue *result)
{
	Method *method = method_of(value, name);

	if (method == NULL)
		return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template calls method \"%.*s\" of %s, which has none of that name", MG_SPAN_ARGS(name),
							  mg_value_kind(value));
	return mg_render_step(render, 1 + (value.kind == MG_VALUE_STRING ? value.text->size / 64 : 0)) && method(render, value, arguments, result);
}
