/* Values: memory, lists, dictionaries, strings that grow, and what is asked of any value. */
#include "template/value.h"

#include <stdio.h>

#include "text/utf8.h"

#define CHUNK ((size_t) 32 * 1024)

bool
mg_render_fail(MgRender *render, MgCode code, const char *format, ...)
{
	char words[MG_MESSAGE_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof words, format, args);
	va_end(args);
	mg_fail(render->cx, code, "%s", words);
	return mg_detail(render->cx, "This is in line %u of the chat template.", render->line);
}

void *
mg_render_alloc(MgRender *render, size_t n, size_t piece)
{
	size_t size;
	void *memory;

	if (!mg_multiply(n, piece, &size) || size > MG_TEMPLATE_MAX_MEMORY - render->memory)
	{
		mg_render_fail(render, MG_TOO_LARGE, "chat template takes more than %zu MB of memory", MG_TEMPLATE_MAX_MEMORY / 1024 / 1024);
		return NULL;
	}
	size = (size + 15) & ~(size_t) 15;
	render->memory += size < MG_TEMPLATE_MAX_MEMORY - render->memory ? size : MG_TEMPLATE_MAX_MEMORY - render->memory;
	if (size > CHUNK / 4)
		return mg_alloc(render->cx, size);
	if (size > render->chunk_left)
	{
		render->chunk = mg_alloc(render->cx, CHUNK);
		render->chunk_left = render->chunk != NULL ? CHUNK : 0;
		if (render->chunk == NULL)
			return NULL;
	}
	memory = render->chunk;
	render->chunk += size;
	render->chunk_left -= size;
	return memory;
}

bool
mg_render_step(MgRender *render, size_t steps)
{
	if (steps > MG_TEMPLATE_MAX_STEPS - render->steps)
	{
		render->steps = MG_TEMPLATE_MAX_STEPS;
		mg_render_fail(render, MG_TOO_LARGE, "chat template takes more than %zu steps", MG_TEMPLATE_MAX_STEPS);
		return mg_hint(render->cx, "Either it does not end, or there are too many messages.");
	}
	render->steps += steps;
	return mg_pace(render->cx, &render->pace, steps * 8);
}

bool
mg_value_string(MgRender *render, MgMarked text, MgValue *value)
{
	MgMarked *copy = mg_render_alloc(render, 1, sizeof *copy);

	if (copy == NULL)
		return false;
	*copy = text;
	if (copy->bytes == NULL)
		copy->bytes = (const uint8_t *) ""; /* empty ones too are looked into */
	*value = (MgValue){.kind = MG_VALUE_STRING, .text = copy};
	return true;
}

bool
mg_value_list(MgRender *render, size_t room, MgValue *value)
{
	MgList *list = mg_render_alloc(render, 1, sizeof *list);

	if (list == NULL)
		return false;
	list->n = 0;
	list->room = room;
	list->items = room > 0 ? mg_render_alloc(render, room, sizeof *list->items) : NULL;
	*value = (MgValue){.kind = MG_VALUE_LIST, .list = list};
	return room == 0 || list->items != NULL;
}

bool
mg_value_dict(MgRender *render, MgValueKind kind, MgValue *value)
{
	MgDict *dict = mg_render_alloc(render, 1, sizeof *dict);

	if (dict == NULL)
		return false;
	memset(dict, 0, sizeof *dict);
	*value = (MgValue){.kind = kind, .dict = dict};
	return true;
}

/* An array of n pieces with room for twice as many. */
static void *
doubled(MgRender *render, const void *old, size_t n, size_t room, size_t piece)
{
	void *new = mg_render_alloc(render, room, piece);

	if (new != NULL && n > 0)
		memcpy(new, old, n * piece);
	return new;
}

bool
mg_list_add(MgRender *render, MgList *list, MgValue item)
{
	if (list->n == list->room)
	{
		size_t room = list->room > 0 ? list->room * 2 : 8;
		MgValue *items = doubled(render, list->items, list->n, room, sizeof *items);

		if (items == NULL)
			return false;
		list->items = items;
		list->room = room;
	}
	list->items[list->n++] = item;
	return true;
}

static size_t
place_of(const MgDict *dict, MgSpan key)
{
	size_t i = 0;

	while (i < dict->n && !mg_span_equal(mg_marked_span(dict->keys[i]), key))
		i++;
	return i;
}

const MgValue *
mg_dict_find(const MgDict *dict, MgSpan key)
{
	size_t place = place_of(dict, key);

	return place < dict->n ? &dict->values[place] : NULL;
}

/* Puts an entry behind the others, whose key is not there. */
static bool
dict_add(MgRender *render, MgDict *dict, const MgMarked *key, MgValue value)
{
	if (dict->n == dict->room)
	{
		size_t room = dict->room > 0 ? dict->room * 2 : 8;
		const MgMarked **keys = doubled(render, dict->keys, dict->n, room, sizeof *keys);
		MgValue *values = keys != NULL ? doubled(render, dict->values, dict->n, room, sizeof *values) : NULL;

		if (values == NULL)
			return false;
		dict->keys = keys;
		dict->values = values;
		dict->room = room;
	}
	dict->keys[dict->n] = key;
	dict->values[dict->n++] = value;
	return true;
}

bool
mg_dict_set(MgRender *render, MgDict *dict, const MgMarked *key, MgValue value)
{
	size_t place = place_of(dict, mg_marked_span(key));

	if (!mg_render_step(render, 1 + dict->n / 8))
		return false;
	if (place == dict->n)
		return dict_add(render, dict, key, value);
	dict->values[place] = value;
	return true;
}

/* The parser of JSON bounds the depth, and has refused keys that come twice. */
bool
mg_value_of_json(MgRender *render, const MgJson *json, MgValue *value)
{
	if (!mg_render_step(render, 1))
		return false;
	switch (json->kind)
	{
		case MG_JSON_NULL:
			*value = MG_NONE_VALUE;
			return true;
		case MG_JSON_FALSE:
		case MG_JSON_TRUE:
			*value = mg_value_bool(json->kind == MG_JSON_TRUE);
			return true;
		case MG_JSON_INTEGER:
			*value = mg_value_integer(json->integer);
			return true;
		case MG_JSON_REAL:
			*value = (MgValue){.kind = MG_VALUE_REAL, .real = json->real};
			return true;
		case MG_JSON_STRING:
			return mg_value_string(render, (MgMarked){json->string.data, NULL, json->string.size, true, false}, value);
		case MG_JSON_ARRAY:
			if (!mg_value_list(render, json->n, value))
				return false;
			for (size_t i = 0; i < json->n; i++)
				if (!mg_value_of_json(render, &json->items[i], &value->list->items[i]))
					return false;
			value->list->n = json->n;
			return true;
		default:
			if (!mg_value_dict(render, MG_VALUE_DICT, value))
				return false;
			for (size_t i = 0; i < json->n; i++)
			{
				MgValue key, member;

				if (!mg_value_string(render, (MgMarked){json->keys[i].data, NULL, json->keys[i].size, true, false}, &key) ||
					!mg_value_of_json(render, &json->items[i], &member) || !dict_add(render, value->dict, key.text, member))
					return false;
			}
			return true;
	}
}

bool
mg_puts(MgRender *render, MgPuts *puts, MgMarked text)
{
	if (!mg_render_step(render, 1 + text.size / 64))
		return false;
	if (text.size > puts->room - puts->size)
	{
		size_t room = puts->room * 2 + text.size + 64;
		uint8_t *bytes = doubled(render, puts->bytes, puts->size, room, 1);
		uint8_t *marks = bytes != NULL ? doubled(render, puts->marks, puts->size, room, 1) : NULL;

		if (marks == NULL)
			return false;
		puts->bytes = bytes;
		puts->marks = marks;
		puts->room = room;
	}
	if (text.size == 0)
		return true;
	memcpy(puts->bytes + puts->size, text.bytes, text.size);
	if (text.marks != NULL)
		memcpy(puts->marks + puts->size, text.marks, text.size);
	else
		memset(puts->marks + puts->size, text.data, text.size);
	puts->size += text.size;
	return true;
}

bool
mg_puts_text(MgRender *render, MgPuts *puts, const char *text)
{
	return mg_puts(render, puts, mg_marked(mg_span_of(text)));
}

bool
mg_puts_span(MgRender *render, MgPuts *puts, MgSpan text, bool data)
{
	return mg_puts(render, puts, (MgMarked){text.data, NULL, text.size, data, false});
}

bool
mg_puts_end(MgRender *render, const MgPuts *puts, MgValue *value)
{
	return mg_value_string(render, (MgMarked){puts->bytes, puts->marks, puts->size, false, false}, value);
}

const char *
mg_value_kind(MgValue value)
{
	static const char *const names[] = {"undefined", "none", "a boolean", "an integer", "a float", "a string", "a list", "a tuple",
										"a dictionary", "a namespace", "a loop", "a macro", "a method"};

	return names[value.kind];
}

bool
mg_value_truth(MgValue value)
{
	switch (value.kind)
	{
		case MG_VALUE_UNDEFINED:
		case MG_VALUE_NONE:
			return false;
		case MG_VALUE_BOOL:
			return value.truth;
		case MG_VALUE_INTEGER:
			return value.integer != 0;
		case MG_VALUE_REAL:
			return value.real != 0;
		case MG_VALUE_STRING:
			return value.text->size > 0;
		case MG_VALUE_LIST:
		case MG_VALUE_TUPLE:
			return value.list->n > 0;
		case MG_VALUE_DICT:
			return value.dict->n > 0;
		default:
			return true;
	}
}

/* True and false are 1 and 0, as in Python. */
static bool
as_number(MgValue value, double *number)
{
	if (value.kind == MG_VALUE_BOOL)
		*number = value.truth;
	else if (value.kind == MG_VALUE_INTEGER)
		*number = (double) value.integer;
	else if (value.kind == MG_VALUE_REAL)
		*number = value.real;
	else
		return false;
	return true;
}

static int64_t
as_integer(MgValue value)
{
	return value.kind == MG_VALUE_BOOL ? value.truth : value.integer;
}

/* Lists may be in each other as deep as a template likes. */
static bool
enter(MgRender *render)
{
	if (render->depth++ < MG_RENDER_MAX_DEPTH)
		return mg_render_step(render, 1);
	return mg_render_fail(render, MG_TOO_LARGE, "chat template has values in each other deeper than %d", MG_RENDER_MAX_DEPTH);
}

static bool
dict_equal(MgRender *render, const MgDict *a, const MgDict *b, bool *equal)
{
	*equal = a->n == b->n;
	for (size_t i = 0; i < a->n && *equal; i++)
	{
		const MgValue *other = mg_dict_find(b, mg_marked_span(a->keys[i]));

		*equal = other != NULL;
		if (*equal && !mg_value_equal(render, a->values[i], *other, equal))
			return false;
	}
	return true;
}

static bool
list_equal(MgRender *render, const MgList *a, const MgList *b, bool *equal)
{
	*equal = a->n == b->n;
	for (size_t i = 0; i < a->n && *equal; i++)
		if (!mg_value_equal(render, a->items[i], b->items[i], equal))
			return false;
	return true;
}

bool
mg_value_equal(MgRender *render, MgValue a, MgValue b, bool *equal)
{
	double x, y;
	bool fine = true;

	*equal = false;
	if (!enter(render))
		return false;
	if (as_number(a, &x) && as_number(b, &y))
		*equal = a.kind != MG_VALUE_REAL && b.kind != MG_VALUE_REAL ? as_integer(a) == as_integer(b) : x == y;
	else if (a.kind == MG_VALUE_STRING && b.kind == MG_VALUE_STRING)
		*equal = mg_span_equal(mg_marked_span(a.text), mg_marked_span(b.text));
	else if (a.kind == b.kind && mg_value_is_list(a))
		fine = list_equal(render, a.list, b.list, equal);
	else if (a.kind == MG_VALUE_DICT && b.kind == MG_VALUE_DICT)
		fine = dict_equal(render, a.dict, b.dict, equal);
	else if (a.kind == b.kind)
		*equal = a.kind <= MG_VALUE_NONE || a.dict == b.dict;
	render->depth--;
	return fine;
}

bool
mg_value_compare(MgRender *render, MgValue a, MgValue b, int *order)
{
	double x, y;

	*order = 0;
	if (!mg_render_step(render, 1))
		return false;
	if (as_number(a, &x) && as_number(b, &y))
	{
		if (a.kind != MG_VALUE_REAL && b.kind != MG_VALUE_REAL)
			*order = (as_integer(a) > as_integer(b)) - (as_integer(a) < as_integer(b));
		else
			*order = (x > y) - (x < y);
		return true;
	}
	if (a.kind == MG_VALUE_STRING && b.kind == MG_VALUE_STRING)
	{
		size_t n = a.text->size < b.text->size ? a.text->size : b.text->size;

		*order = n > 0 ? memcmp(a.text->bytes, b.text->bytes, n) : 0;
		if (*order == 0)
			*order = (a.text->size > b.text->size) - (a.text->size < b.text->size);
		return true;
	}
	if (a.kind == b.kind && mg_value_is_list(a))
	{
		for (size_t i = 0; i < a.list->n && i < b.list->n; i++)
		{
			bool equal, fine;

			if (!mg_value_equal(render, a.list->items[i], b.list->items[i], &equal))
				return false;
			if (equal)
				continue;
			if (!enter(render))
				return false;
			fine = mg_value_compare(render, a.list->items[i], b.list->items[i], order);
			render->depth--;
			return fine;
		}
		*order = (a.list->n > b.list->n) - (a.list->n < b.list->n);
		return true;
	}
	return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template compares %s with %s", mg_value_kind(a), mg_value_kind(b));
}

static size_t
n_characters(MgSpan text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.size; i++)
		n += !mg_utf8_continues(text.data[i]);
	return n;
}

bool
mg_value_length(MgRender *render, MgValue value, size_t *n)
{
	*n = 0;
	if (value.kind == MG_VALUE_STRING)
	{
		*n = n_characters(mg_marked_span(value.text));
		return mg_render_step(render, value.text->size / 64);
	}
	if (mg_value_is_list(value))
		*n = value.list->n;
	else if (value.kind == MG_VALUE_DICT)
		*n = value.dict->n;
	else if (value.kind != MG_VALUE_UNDEFINED)
		return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template asks for the length of %s", mg_value_kind(value));
	return true;
}

bool
mg_value_items(MgRender *render, MgValue value, const MgList **items)
{
	static const MgList empty;
	MgValue list;

	if (mg_value_is_list(value) || value.kind == MG_VALUE_UNDEFINED)
	{
		*items = value.kind == MG_VALUE_UNDEFINED ? &empty : value.list;
		return true;
	}
	if (value.kind != MG_VALUE_DICT && value.kind != MG_VALUE_STRING)
		return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template goes through %s, which has no items", mg_value_kind(value));
	if (!mg_value_list(render, 0, &list))
		return false;
	if (value.kind == MG_VALUE_DICT)
	{
		for (size_t i = 0; i < value.dict->n; i++)
			if (!mg_list_add(render, list.list, (MgValue){.kind = MG_VALUE_STRING, .text = value.dict->keys[i]}))
				return false;
	}
	else
		for (size_t at = 0; at < value.text->size;)
		{
			size_t from = at;
			MgValue item;

			mg_utf8_next(mg_marked_span(value.text), &at);
			if (!mg_render_step(render, 1) || !mg_value_string(render, mg_marked_slice(value.text, from, at), &item) ||
				!mg_list_add(render, list.list, item))
				return false;
		}
	*items = list.list;
	return true;
}

bool
mg_value_text(MgRender *render, MgValue value, const MgMarked **text)
{
	MgPuts puts = {0};
	MgValue string;

	if (value.kind == MG_VALUE_STRING)
	{
		*text = value.text;
		return true;
	}
	if (!mg_puts_value(render, &puts, value) || !mg_puts_end(render, &puts, &string))
		return false;
	*text = string.text;
	return true;
}

bool
mg_value_contains(MgRender *render, MgValue container, MgValue item, bool *found)
{
	const MgList *items;

	*found = false;
	if (container.kind == MG_VALUE_STRING)
	{
		if (item.kind != MG_VALUE_STRING)
			return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template looks for %s in a string", mg_value_kind(item));
		*found = item.text->size == 0 ||
				 memmem(container.text->bytes, container.text->size, item.text->bytes, item.text->size) != NULL;
		return mg_render_step(render, 1 + container.text->size / 64);
	}
	if (container.kind == MG_VALUE_DICT)
	{
		*found = item.kind == MG_VALUE_STRING && mg_dict_find(container.dict, mg_marked_span(item.text)) != NULL;
		return mg_render_step(render, 1 + container.dict->n / 8);
	}
	if (!mg_value_items(render, container, &items))
		return false;
	for (size_t i = 0; i < items->n && !*found; i++)
		if (!mg_value_equal(render, items->items[i], item, found))
			return false;
	return true;
}
