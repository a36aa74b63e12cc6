/* Members of objects, with the errors that name file, key and value. */
#include "format/json.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

const MgJson *
mg_json_get(const MgJson *object, const char *key)
{
	MgSpan wanted = mg_span_of(key);

	if (object == NULL || object->kind != MG_JSON_OBJECT)
		return NULL;
	for (size_t i = 0; i < object->n; i++)
	{
		if (mg_span_equal(object->keys[i], wanted))
			return object->items[i].kind == MG_JSON_NULL ? NULL : &object->items[i];
	}
	return NULL;
}

/* Says what stands in the file where expected was wanted. */
static bool
fail_member(MgCtx *cx, const char *name, const char *key, const MgJson *value, const char *expected)
{
	char shown[224];

	switch (value->kind)
	{
		case MG_JSON_INTEGER:
			snprintf(shown, sizeof shown, "%" PRId64, value->integer);
			break;
		case MG_JSON_REAL:
			snprintf(shown, sizeof shown, "%g", value->real);
			break;
		case MG_JSON_STRING:
			snprintf(shown, sizeof shown, "\"%.*s\"", MG_SPAN_ARGS(value->string));
			break;
		case MG_JSON_ARRAY:
			snprintf(shown, sizeof shown, "an array");
			break;
		case MG_JSON_OBJECT:
			snprintf(shown, sizeof shown, "an object");
			break;
		default:
			snprintf(shown, sizeof shown, "%s",
					 value->kind == MG_JSON_TRUE ? "true" : value->kind == MG_JSON_FALSE ? "false" : "null");
	}
	if (name == NULL)
		return mg_fail(cx, MG_BAD_ARGUMENT, "option \"%s\" is %s, expected %s", key, shown, expected);
	return mg_fail(cx, MG_BAD_FILE, "file \"%s\" has \"%s\" %s, expected %s", name, key, shown, expected);
}

bool
mg_json_get_size(MgCtx *cx, const char *name, const MgJson *object, const char *key, size_t least, size_t most,
				 size_t *value)
{
	const MgJson *member = mg_json_get(object, key);
	char expected[80];

	if (member == NULL)
		return true;
	if (member->kind != MG_JSON_INTEGER || member->integer < 0 || (uint64_t) member->integer < least ||
		(uint64_t) member->integer > most)
	{
		snprintf(expected, sizeof expected, "an integer from %zu to %zu", least, most);
		return fail_member(cx, name, key, member, expected);
	}
	*value = (size_t) member->integer;
	return true;
}

bool
mg_json_get_float(MgCtx *cx, const char *name, const MgJson *object, const char *key, float *value)
{
	const MgJson *member = mg_json_get(object, key);

	if (member == NULL)
		return true;
	if ((member->kind != MG_JSON_INTEGER && member->kind != MG_JSON_REAL) || !(fabs(member->real) <= FLT_MAX))
		return fail_member(cx, name, key, member, "a number within float32");
	*value = (float) member->real;
	return true;
}

bool
mg_json_get_bool(MgCtx *cx, const char *name, const MgJson *object, const char *key, bool *value)
{
	const MgJson *member = mg_json_get(object, key);

	if (member == NULL)
		return true;
	if (member->kind != MG_JSON_TRUE && member->kind != MG_JSON_FALSE)
		return fail_member(cx, name, key, member, "true or false");
	*value = member->kind == MG_JSON_TRUE;
	return true;
}

bool
mg_json_get_string(MgCtx *cx, const char *name, const MgJson *object, const char *key, MgSpan *value)
{
	const MgJson *member = mg_json_get(object, key);

	if (member == NULL)
		return true;
	if (member->kind != MG_JSON_STRING)
		return fail_member(cx, name, key, member, "a string");
	*value = member->string;
	return true;
}
