/* Values as Python and as JSON print them. */
#include "template/print.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "text/utf8.h"

/* The shortest digits that give the same number, and the decimal point where Python has it. */
bool
mg_puts_real(MgRender *render, MgPuts *puts, double real)
{
	char digits[40], text[64];
	int exponent, n = 0;
	char *e;

	if (!isfinite(real))
		return mg_puts_text(render, puts, isnan(real) ? "nan" : real > 0 ? "inf" : "-inf");
	do
		snprintf(digits, sizeof digits, "%.*e", n, real);
	while (n++ < 17 && strtod(digits, NULL) != real);
	e = strchr(digits, 'e');
	exponent = atoi(e + 1);
	if (exponent < -4 || exponent >= 16)
	{
		*e = '\0';
		snprintf(text, sizeof text, "%se%c%02d", digits, exponent < 0 ? '-' : '+', abs(exponent));
	}
	else
		snprintf(text, sizeof text, "%.*f", n - 1 > exponent ? n - 1 - exponent : 1, real);
	return mg_puts_text(render, puts, text);
}

static bool
put_string_repr(MgRender *render, MgPuts *puts, const MgMarked *text)
{
	bool quote = memchr(text->bytes, '\'', text->size) != NULL && memchr(text->bytes, '"', text->size) == NULL;
	const char *mark = quote ? "\"" : "'";
	size_t from = 0;

	if (!mg_puts_text(render, puts, mark))
		return false;
	for (size_t i = 0; i < text->size; i++)
	{
		uint8_t byte = text->bytes[i];
		char escaped[8] = "";

		if (byte == '\\' || (byte == '\'' && !quote))
			snprintf(escaped, sizeof escaped, "\\%c", byte);
		else if (byte == '\n' || byte == '\r' || byte == '\t')
			snprintf(escaped, sizeof escaped, "\\%c", byte == '\n' ? 'n' : byte == '\r' ? 'r' : 't');
		else if (byte < 0x20 || byte == 0x7F)
			snprintf(escaped, sizeof escaped, "\\x%02x", byte);
		else
			continue;
		if (!mg_puts(render, puts, mg_marked_slice(text, from, i)) || !mg_puts_text(render, puts, escaped))
			return false;
		from = i + 1;
	}
	return mg_puts(render, puts, mg_marked_slice(text, from, text->size)) && mg_puts_text(render, puts, mark);
}

static bool
put_list_repr(MgRender *render, MgPuts *puts, MgValue value)
{
	bool tuple = value.kind == MG_VALUE_TUPLE;

	if (!mg_puts_text(render, puts, tuple ? "(" : "["))
		return false;
	for (size_t i = 0; i < value.list->n; i++)
		if ((i > 0 && !mg_puts_text(render, puts, ", ")) || !mg_puts_repr(render, puts, value.list->items[i]))
			return false;
	return mg_puts_text(render, puts, !tuple ? "]" : value.list->n == 1 ? ",)" : ")");
}

static bool
put_dict_repr(MgRender *render, MgPuts *puts, const MgDict *dict)
{
	if (!mg_puts_text(render, puts, "{"))
		return false;
	for (size_t i = 0; i < dict->n; i++)
		if ((i > 0 && !mg_puts_text(render, puts, ", ")) || !put_string_repr(render, puts, dict->keys[i]) ||
			!mg_puts_text(render, puts, ": ") || !mg_puts_repr(render, puts, dict->values[i]))
			return false;
	return mg_puts_text(render, puts, "}");
}

bool
mg_puts_repr(MgRender *render, MgPuts *puts, MgValue value)
{
	char number[32];
	bool fine;

	switch (value.kind)
	{
		case MG_VALUE_UNDEFINED:
			return true;
		case MG_VALUE_NONE:
			return mg_puts_text(render, puts, "None");
		case MG_VALUE_BOOL:
			return mg_puts_text(render, puts, value.truth ? "True" : "False");
		case MG_VALUE_INTEGER:
			snprintf(number, sizeof number, "%" PRId64, value.integer);
			return mg_puts_text(render, puts, number);
		case MG_VALUE_REAL:
			return mg_puts_real(render, puts, value.real);
		case MG_VALUE_STRING:
			return put_string_repr(render, puts, value.text);
		case MG_VALUE_LIST:
		case MG_VALUE_TUPLE:
		case MG_VALUE_DICT:
			if (render->depth >= MG_RENDER_MAX_DEPTH)
				return mg_render_fail(render, MG_TOO_LARGE, "chat template prints values in each other deeper than %d", MG_RENDER_MAX_DEPTH);
			render->depth++;
			fine = value.kind == MG_VALUE_DICT ? put_dict_repr(render, puts, value.dict) : put_list_repr(render, puts, value);
			render->depth--;
			return fine;
		default:
			return mg_render_fail(render, MG_UNSUPPORTED, "chat template prints %s", mg_value_kind(value));
	}
}

bool
mg_puts_value(MgRender *render, MgPuts *puts, MgValue value)
{
	return value.kind == MG_VALUE_STRING ? mg_puts(render, puts, *value.text) : mg_puts_repr(render, puts, value);
}

/* The escape of a character in JSON; "" when it stands for itself. */
static void
json_escape(uint32_t code, bool ascii, char *escaped, size_t room)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *found = code != 0 && code < 0x80 ? strchr(from, (int) code) : NULL;

	escaped[0] = '\0';
	if (found != NULL)
		snprintf(escaped, room, "\\%c", to[found - from]);
	else if (code < 0x20 || (ascii && code > 0x7E && code < 0x10000))
		snprintf(escaped, room, "\\u%04x", code);
	else if (ascii && code >= 0x10000)
		snprintf(escaped, room, "\\u%04x\\u%04x", 0xD7C0 + (code >> 10), 0xDC00 + (code & 0x3FF));
}

static bool
put_json_string(MgRender *render, MgPuts *puts, const MgMarked *text, bool ascii)
{
	size_t from = 0;

	if (!mg_puts_text(render, puts, "\""))
		return false;
	for (size_t at = 0; at < text->size;)
	{
		size_t begin = at;
		char escaped[16];

		json_escape(mg_utf8_next(mg_marked_span(text), &at), ascii, escaped, sizeof escaped);
		if (escaped[0] == '\0')
			continue;
		if (!mg_puts(render, puts, mg_marked_slice(text, from, begin)) || !mg_puts_text(render, puts, escaped))
			return false;
		from = at;
	}
	return mg_puts(render, puts, mg_marked_slice(text, from, text->size)) && mg_puts_text(render, puts, "\"");
}

static bool
put_line(MgRender *render, MgPuts *puts, const MgJsonForm *form, int level)
{
	if (form->indent < 0)
		return true;
	if (!mg_puts_text(render, puts, "\n"))
		return false;
	for (int i = 0; i < form->indent * level; i++)
		if (!mg_puts_text(render, puts, " "))
			return false;
	return true;
}

/* The next key behind the last one in the order of their code points, or in order of entry. */
static size_t
next_key(const MgDict *dict, const MgJsonForm *form, size_t i, size_t last)
{
	size_t best = dict->n;

	if (!form->sort_keys)
		return i;
	for (size_t k = 0; k < dict->n; k++)
	{
		MgSpan key = mg_marked_span(dict->keys[k]);
		const MgMarked *others[] = {i > 0 ? dict->keys[last] : NULL, best < dict->n ? dict->keys[best] : NULL};
		int order[2] = {1, -1};

		for (int o = 0; o < 2; o++)
			if (others[o] != NULL)
			{
				size_t n = key.size < others[o]->size ? key.size : others[o]->size;

				order[o] = n > 0 ? memcmp(key.data, others[o]->bytes, n) : 0;
				if (order[o] == 0)
					order[o] = (key.size > others[o]->size) - (key.size < others[o]->size);
			}
		if (order[0] > 0 && order[1] < 0)
			best = k;
	}
	return best;
}

static bool put_json(MgRender *render, MgPuts *puts, MgValue value, const MgJsonForm *form, int level);

static bool
put_json_dict(MgRender *render, MgPuts *puts, const MgDict *dict, const MgJsonForm *form, int level)
{
	size_t key = 0;

	if (!mg_puts_text(render, puts, "{"))
		return false;
	for (size_t i = 0; i < dict->n; i++)
	{
		key = next_key(dict, form, i, key);
		if (!mg_render_step(render, form->sort_keys ? dict->n : 1) || (i > 0 && !mg_puts(render, puts, *form->between)) ||
			!put_line(render, puts, form, level + 1) || !put_json_string(render, puts, dict->keys[key], form->ascii) ||
			!mg_puts(render, puts, *form->behind_key) || !put_json(render, puts, dict->values[key], form, level + 1))
			return false;
	}
	return (dict->n == 0 || put_line(render, puts, form, level)) && mg_puts_text(render, puts, "}");
}

static bool
put_json_list(MgRender *render, MgPuts *puts, const MgList *list, const MgJsonForm *form, int level)
{
	if (!mg_puts_text(render, puts, "["))
		return false;
	for (size_t i = 0; i < list->n; i++)
		if ((i > 0 && !mg_puts(render, puts, *form->between)) || !put_line(render, puts, form, level + 1) ||
			!put_json(render, puts, list->items[i], form, level + 1))
			return false;
	return (list->n == 0 || put_line(render, puts, form, level)) && mg_puts_text(render, puts, "]");
}

static bool
put_json(MgRender *render, MgPuts *puts, MgValue value, const MgJsonForm *form, int level)
{
	if (level > MG_RENDER_MAX_DEPTH)
		return mg_render_fail(render, MG_TOO_LARGE, "chat template prints values in each other deeper than %d", MG_RENDER_MAX_DEPTH);
	switch (value.kind)
	{
		case MG_VALUE_NONE:
			return mg_puts_text(render, puts, "null");
		case MG_VALUE_BOOL:
			return mg_puts_text(render, puts, value.truth ? "true" : "false");
		case MG_VALUE_INTEGER:
			return mg_puts_repr(render, puts, value);
		case MG_VALUE_REAL:
			if (!isfinite(value.real))
				return mg_puts_text(render, puts, isnan(value.real) ? "NaN" : value.real > 0 ? "Infinity" : "-Infinity");
			return mg_puts_real(render, puts, value.real);
		case MG_VALUE_STRING:
			return put_json_string(render, puts, value.text, form->ascii);
		case MG_VALUE_LIST:
		case MG_VALUE_TUPLE:
			return put_json_list(render, puts, value.list, form, level);
		case MG_VALUE_DICT:
			return put_json_dict(render, puts, value.dict, form, level);
		default:
			return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template makes JSON of %s", mg_value_kind(value));
	}
}

bool
mg_puts_json(MgRender *render, MgPuts *puts, MgValue value, const MgJsonForm *form)
{
	return put_json(render, puts, value, form, 0);
}
