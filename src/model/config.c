/* Configurations: from JSON or an image to an architecture's struct, and back. */
#include "model/config.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "format/json.h"
#include "tensor/compute.h"

/* Longest key; dots included. */
#define KEY_SIZE 200

static const struct
{
	const char *name;
	MgActivation activation;
} activations[] = {{"gelu", MG_ACT_GELU},
				   {"gelu_new", MG_ACT_GELU_TANH},
				   {"gelu_pytorch_tanh", MG_ACT_GELU_TANH},
				   {"relu", MG_ACT_RELU},
				   {"silu", MG_ACT_SILU},
				   {"tanh", MG_ACT_TANH}};

#define N_ACTIVATIONS (sizeof activations / sizeof *activations)

bool
mg_config_fail(MgCtx *cx, const MgConfig *config, const char *format, ...)
{
	char text[MG_MESSAGE_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (config->file != NULL)
		return mg_fail(cx, MG_BAD_FILE, "file \"%s\" has %s", config->file, text);
	mg_fail(cx, MG_BAD_FILE, "model image is damaged");
	return mg_detail(cx, "Its configuration has %s.", text);
}

/* The member that a dotted name leads to, or NULL. */
static const MgJson *
follow(const MgJson *object, const char *name)
{
	char part[KEY_SIZE];

	for (const char *dot; object != NULL && (dot = strchr(name, '.')) != NULL; name = dot + 1)
	{
		snprintf(part, sizeof part, "%.*s", (int) (dot - name), name);
		object = mg_json_get(object, part);
	}
	return object == NULL ? NULL : mg_json_get(object, name);
}

/* A value of JSON that is no array or object; false when it is one. */
static bool
value_of_json(const MgJson *json, MgSpan key, MgConfigValue *value)
{
	*value = (MgConfigValue){.key = key};
	switch (json->kind)
	{
		case MG_JSON_INTEGER:
			value->kind = MG_VALUE_INTEGER;
			value->integer = json->integer;
			return true;
		case MG_JSON_REAL:
			value->kind = MG_VALUE_REAL;
			value->real = json->real;
			return true;
		case MG_JSON_FALSE:
		case MG_JSON_TRUE:
			value->kind = MG_VALUE_FLAG;
			value->integer = json->kind == MG_JSON_TRUE;
			return true;
		case MG_JSON_STRING:
			value->kind = MG_VALUE_TEXT;
			value->text = json->string;
			return true;
		default:
			return false;
	}
}

/* All members of an array or object, under the list's name, a dot, and their own name or number. */
static bool
add_list(MgCtx *cx, const char *file, const char *name, const MgJson *list, MgConfig *config)
{
	MgConfigValue *values = (MgConfigValue *) config->values;

	/* A text is a list of one. */
	if (list->kind == MG_JSON_STRING)
	{
		char key[KEY_SIZE], *copy;

		snprintf(key, sizeof key, "%s.0", name);
		copy = mg_copy_text(cx, mg_span_of(key));
		if (copy == NULL)
			return false;
		values[config->n++] = (MgConfigValue){.key = mg_span_of(copy), .kind = MG_VALUE_TEXT, .text = list->string};
		return true;
	}
	if (list->kind != MG_JSON_ARRAY && list->kind != MG_JSON_OBJECT)
		return mg_config_fail(cx, config, "\"%s\" that is neither an array nor an object", name);
	for (size_t i = 0; i < list->n; i++)
	{
		char key[KEY_SIZE];
		int length = list->kind == MG_JSON_ARRAY
			? snprintf(key, sizeof key, "%s.%zu", name, i)
			: snprintf(key, sizeof key, "%s.%.*s", name, MG_SPAN_ARGS(list->keys[i]));
		char *copy;

		if (length >= (int) sizeof key || (list->kind == MG_JSON_OBJECT && list->keys[i].size > KEY_SIZE / 2))
			return mg_fail(cx, MG_TOO_LARGE, "file \"%s\" has a key in \"%s\" that is too long", file, name);
		copy = mg_copy_text(cx, mg_span_of(key));
		if (copy == NULL)
			return false;
		if (!value_of_json(&list->items[i], mg_span_of(copy), &values[config->n]))
			return mg_config_fail(cx, config, "\"%s\" that is neither a number, a text, true nor false", key);
		config->n++;
	}
	return true;
}

/* Whether an object says null for a member. */
static bool
says_null(const MgJson *object, const char *name)
{
	for (size_t i = 0; object->kind == MG_JSON_OBJECT && i < object->n; i++)
		if (object->items[i].kind == MG_JSON_NULL && mg_span_is(object->keys[i], name))
			return true;
	return false;
}

bool
mg_config_of_json(MgCtx *cx, const char *file, const MgJson *object, const MgKey *keys, size_t n_keys,
				  MgConfig *config)
{
	size_t most = n_keys;
	MgConfigValue *values;

	for (size_t i = 0; i < n_keys; i++)
	{
		const MgJson *member = keys[i].kind == MG_KEY_LIST ? follow(object, keys[i].name) : NULL;

		most += member != NULL ? member->n : 0;
	}
	if (most > MG_MAX_VALUES)
		return mg_fail(cx, MG_TOO_LARGE, "file \"%s\" has %zu values, at most %d are read", file, most, MG_MAX_VALUES);
	values = mg_alloc_array(cx, most, sizeof *values);
	if (values == NULL)
		return false;
	*config = (MgConfig){file, 0, values};
	for (size_t i = 0; i < n_keys; i++)
	{
		const char *name = keys[i].name;
		const MgJson *member = follow(object, name);

		if (keys[i].kind == MG_KEY_CAP && says_null(object, name))
			values[config->n++] = (MgConfigValue){.key = mg_span_of(name), .kind = MG_VALUE_REAL, .real = 0};
		if (member == NULL)
			continue;
		if (keys[i].kind == MG_KEY_LIST)
		{
			if (!add_list(cx, file, name, member, config))
				return false;
		}
		else if (!value_of_json(member, mg_span_of(name), &values[config->n++]))
			return mg_config_fail(cx, config, "\"%s\" that is %s", name,
								  member->kind == MG_JSON_ARRAY ? "an array" : "an object");
	}
	return true;
}

static bool
fail_value(MgCtx *cx, const MgConfig *config, const MgConfigValue *value, const char *expected)
{
	char shown[256];

	switch (value->kind)
	{
		case MG_VALUE_INTEGER:
			snprintf(shown, sizeof shown, "%" PRId64, value->integer);
			break;
		case MG_VALUE_REAL:
			snprintf(shown, sizeof shown, "%g", value->real);
			break;
		case MG_VALUE_FLAG:
			snprintf(shown, sizeof shown, "%s", value->integer != 0 ? "true" : "false");
			break;
		default:
			snprintf(shown, sizeof shown, "\"%.*s\"", MG_SPAN_ARGS(value->text));
	}
	return mg_config_fail(cx, config, "\"%.*s\" %s, expected %s", MG_SPAN_ARGS(value->key), shown, expected);
}

static bool
fill_whole(MgCtx *cx, const MgConfig *config, const MgKey *key, const MgConfigValue *value, void *field)
{
	char expected[80];

	if (value->kind != MG_VALUE_INTEGER || (double) value->integer < key->least || (double) value->integer > key->most)
	{
		snprintf(expected, sizeof expected, "an integer from %.0f to %.0f", key->least, key->most);
		return fail_value(cx, config, value, expected);
	}
	if (key->kind == MG_KEY_SIZE)
		*(uint32_t *) field = (uint32_t) value->integer;
	else
		*(uint64_t *) field = (uint64_t) value->integer;
	return true;
}

static bool
fill_real(MgCtx *cx, const MgConfig *config, const MgKey *key, const MgConfigValue *value, float *field)
{
	double real = value->kind == MG_VALUE_REAL ? value->real : (double) value->integer;
	char expected[80];

	if ((value->kind != MG_VALUE_REAL && value->kind != MG_VALUE_INTEGER) || !(fabs(real) <= FLT_MAX))
		return fail_value(cx, config, value, "a number within float32");
	if (real < key->least || real > key->most)
	{
		snprintf(expected, sizeof expected, "a number from %g to %g", key->least, key->most);
		return fail_value(cx, config, value, expected);
	}
	*field = (float) real;
	return true;
}

static bool
fill_activation(MgCtx *cx, const MgConfig *config, const MgConfigValue *value, uint32_t *field)
{
	if (value->kind != MG_VALUE_TEXT)
		return fail_value(cx, config, value, "a name");
	for (size_t i = 0; i < N_ACTIVATIONS; i++)
		if (mg_span_is(value->text, activations[i].name))
		{
			*field = activations[i].activation;
			return true;
		}
	mg_fail(cx, MG_UNSUPPORTED, "activation \"%.*s\" is not supported", MG_SPAN_ARGS(value->text));
	return mg_hint(cx, "Supported are gelu, gelu_new, gelu_pytorch_tanh, relu, silu and tanh.");
}

static bool
fill_field(MgCtx *cx, const MgConfig *config, const MgKey *key, const MgConfigValue *value, void *field)
{
	switch (key->kind)
	{
		case MG_KEY_SIZE:
		case MG_KEY_COUNT:
			return fill_whole(cx, config, key, value, field);
		case MG_KEY_REAL:
		case MG_KEY_CAP:
			return fill_real(cx, config, key, value, field);
		case MG_KEY_FLAG:
			*(bool *) field = value->integer != 0;
			return value->kind == MG_VALUE_FLAG || fail_value(cx, config, value, "true or false");
		case MG_KEY_TEXT:
			*(MgSpan *) field = value->text;
			return value->kind == MG_VALUE_TEXT || fail_value(cx, config, value, "a string");
		case MG_KEY_ACTIVATION:
			return fill_activation(cx, config, value, field);
		case MG_KEY_LIST:
			break;
	}
	return true;
}

bool
mg_config_fill(MgCtx *cx, const MgConfig *config, const MgKey *keys, size_t n_keys, void *fields)
{
	for (size_t i = 0; i < n_keys; i++)
	{
		const MgConfigValue *value = keys[i].kind == MG_KEY_LIST ? NULL : mg_config_find(config, keys[i].name);

		if (value != NULL && !fill_field(cx, config, &keys[i], value, (uint8_t *) fields + keys[i].field))
			return false;
	}
	return true;
}

/* The value of a field; false when it is out of its bounds or empty, and so absent. */
static bool
value_of_field(const MgKey *key, const void *field, MgConfigValue *value)
{
	*value = (MgConfigValue){.key = mg_span_of(key->name)};
	switch (key->kind)
	{
		case MG_KEY_SIZE:
		case MG_KEY_COUNT:
			value->kind = MG_VALUE_INTEGER;
			value->integer = key->kind == MG_KEY_SIZE ? (int64_t) *(const uint32_t *) field
													  : (int64_t) *(const uint64_t *) field;
			return (double) value->integer >= key->least && (double) value->integer <= key->most;
		case MG_KEY_REAL:
		case MG_KEY_CAP:
			value->kind = MG_VALUE_REAL;
			value->real = *(const float *) field;
			return value->real >= key->least && value->real <= key->most;
		case MG_KEY_FLAG:
			value->kind = MG_VALUE_FLAG;
			value->integer = *(const bool *) field;
			return true;
		case MG_KEY_TEXT:
			value->kind = MG_VALUE_TEXT;
			value->text = *(const MgSpan *) field;
			return value->text.size > 0;
		case MG_KEY_ACTIVATION:
			value->kind = MG_VALUE_TEXT;
			for (size_t i = N_ACTIVATIONS; i-- > 0;)
				if ((uint32_t) activations[i].activation == *(const uint32_t *) field)
					value->text = mg_span_of(activations[i].name);
			return value->text.size > 0;
		case MG_KEY_LIST:
			break;
	}
	return false;
}

/* Whether a value is a member of the list of that name. */
static bool
is_member(const MgConfigValue *value, const char *list)
{
	size_t size = strlen(list);

	return value->key.size > size && value->key.data[size] == '.' && memcmp(value->key.data, list, size) == 0;
}

bool
mg_config_of_fields(MgCtx *cx, const MgKey *keys, size_t n_keys, const void *fields, const MgConfig *lists,
					MgConfig *config)
{
	MgConfigValue *values = mg_alloc_array(cx, n_keys + (lists != NULL ? lists->n : 0), sizeof *values);

	if (values == NULL)
		return false;
	*config = (MgConfig){NULL, 0, values};
	for (size_t i = 0; i < n_keys; i++)
	{
		if (keys[i].kind != MG_KEY_LIST)
			config->n += value_of_field(&keys[i], (const uint8_t *) fields + keys[i].field, &values[config->n]);
		else
			for (size_t j = 0; lists != NULL && j < lists->n; j++)
				if (is_member(&lists->values[j], keys[i].name))
					values[config->n++] = lists->values[j];
	}
	return true;
}

const MgConfigValue *
mg_config_find(const MgConfig *config, const char *key)
{
	MgSpan wanted = mg_span_of(key);

	for (size_t i = 0; i < config->n; i++)
		if (mg_span_equal(config->values[i].key, wanted))
			return &config->values[i];
	return NULL;
}

size_t
mg_config_count(const MgConfig *config, const char *list)
{
	size_t n = 0;

	for (size_t i = 0; i < config->n; i++)
		n += is_member(&config->values[i], list);
	return n;
}
