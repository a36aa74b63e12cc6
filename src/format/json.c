/*
 * The arena tree behind json.h, in three steps:
 *
 *   1. scan   over the bytes alone: depth and an upper bound of the number of
 *             values, so that the parser's recursion and memory are bounded
 *             before it starts
 *   2. parse  by Jansson, which knows malloc only
 *   3. copy   count the tree, take all memory from the arena in three pieces
 *             (values, keys, text), fill it, free Jansson's tree
 *
 * A host's poll may jump away, and a malloc'd tree would be lost with it: from
 * the first byte that Jansson sees until its tree is freed nothing polls: some
 * 50 ms for the tokenizer.json of BERT, 0.5 MB.
 *
 * Of Jansson's names one, json_object, is also a function of PostgreSQL's
 * server, and in its process the server's would win: do not call it here.
 */
#include "format/json.h"

#include <float.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Bytes between two polls of the scan, some milliseconds. */
#define SCAN_STEP ((size_t) 1024 * 1024)

/* Integers up to here are exact as doubles. */
#define LARGEST_EXACT 9007199254740992.0

/* What step 3 needs, and then how far it has filled it. */
typedef struct Tree
{
	size_t n_values, n_keys, n_bytes;
	MgJson *values; /* [n_values] */
	MgSpan *keys;	/* [n_keys] */
	char *bytes;	/* [n_bytes], strings and keys, each NUL-terminated */
} Tree;

typedef struct Scan
{
	size_t depth, n_values, line, line_start;
	bool in_string, escaped;
} Scan;

/* One byte; false when a limit is exceeded. Malformed text is left to the parser to judge. */
static inline bool
scan_byte(Scan *scan, uint8_t byte)
{
	if (scan->in_string)
	{
		if (scan->escaped)
			scan->escaped = false;
		else if (byte == '\\')
			scan->escaped = true;
		else if (byte == '"')
			scan->in_string = false;
		return true;
	}
	switch (byte)
	{
		case '"':
			scan->in_string = true;
			return true;
		case '[':
		case '{':
			return ++scan->depth <= MG_JSON_MAX_DEPTH && ++scan->n_values <= MG_JSON_MAX_VALUES;
		case ']':
		case '}':
			scan->depth -= scan->depth > 0;
			return true;
		case ',':
			return ++scan->n_values <= MG_JSON_MAX_VALUES;
		default:
			return true;
	}
}

static bool
check_limits(MgCtx *cx, const char *name, MgSpan text)
{
	/* Each value but the first of all follows a bracket or a comma. */
	Scan scan = {.n_values = 1, .line = 1};

	for (size_t i = 0; i < text.size; i++)
	{
		if (i % SCAN_STEP == 0 && !mg_poll(cx))
			return false;
		if (!scan_byte(&scan, text.data[i]))
		{
			if (scan.depth > MG_JSON_MAX_DEPTH)
				mg_fail(cx, MG_TOO_LARGE, "file \"%s\" nests JSON values too deeply", name);
			else
				mg_fail(cx, MG_TOO_LARGE, "file \"%s\" has too many JSON values", name);
			return mg_detail(cx, "At line %zu, column %zu it exceeds the limit of %d %s.", scan.line,
							 i - scan.line_start + 1,
							 scan.depth > MG_JSON_MAX_DEPTH ? MG_JSON_MAX_DEPTH : MG_JSON_MAX_VALUES,
							 scan.depth > MG_JSON_MAX_DEPTH ? "levels" : "values");
		}
		if (text.data[i] == '\n')
		{
			scan.line++;
			scan.line_start = i + 1;
		}
	}
	return true;
}

static bool
fail_parse(MgCtx *cx, const char *name, json_error_t *error)
{
	if (json_error_code(error) == json_error_out_of_memory)
		return mg_fail(cx, MG_NO_MEMORY, "out of memory");

	/* It quotes the file and is cut at a fixed length, maybe within a character. */
	for (char *at = error->text; *at != '\0'; at++)
	{
		if ((uint8_t) *at < 0x20 || (uint8_t) *at > 0x7E)
			*at = '?';
	}
	mg_fail(cx, MG_BAD_FILE, "file \"%s\" is not valid JSON", name);
	return mg_detail(cx, "Line %d, column %d: %s.", error->line, error->column, error->text);
}

static void
count(Tree *tree, const json_t *json)
{
	tree->n_values++;
	if (json_is_string(json))
		tree->n_bytes += json_string_length(json) + 1;
	else if (json_is_array(json))
	{
		for (size_t i = 0; i < json_array_size(json); i++)
			count(tree, json_array_get(json, i));
	}
	else if (json_is_object(json))
	{
		json_t *object = (json_t *) json;

		for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at))
		{
			tree->n_keys++;
			tree->n_bytes += strlen(json_object_iter_key(at)) + 1;
			count(tree, json_object_iter_value(at));
		}
	}
}

static MgSpan
copy_text(Tree *tree, const char *text, size_t size)
{
	MgSpan copy = mg_span(tree->bytes, size);

	memcpy(tree->bytes, text, size);
	tree->bytes[size] = '\0';
	tree->bytes += size + 1;
	return copy;
}

static void
copy_number(MgJson *into, double real)
{
	into->real = real;
	into->kind = MG_JSON_REAL;
	if (fabs(real) <= LARGEST_EXACT && real == trunc(real))
	{
		into->kind = MG_JSON_INTEGER;
		into->integer = (int64_t) real;
	}
}

static void copy(Tree *tree, const json_t *json, MgJson *into);

/* Members of one array or object lie together: their places are taken before any is filled. */
static void
copy_members(Tree *tree, const json_t *json, MgJson *into)
{
	MgJson *items = tree->values;
	MgSpan *keys = tree->keys;
	json_t *object = (json_t *) json;
	size_t n = 0;

	into->items = items;
	if (json_is_array(json))
	{
		into->kind = MG_JSON_ARRAY;
		into->n = json_array_size(json);
		tree->values += into->n;
		for (size_t i = 0; i < into->n; i++)
			copy(tree, json_array_get(json, i), &items[i]);
		return;
	}
	into->kind = MG_JSON_OBJECT;
	into->keys = keys;
	into->n = json_object_size(json);
	tree->values += into->n;
	tree->keys += into->n;
	for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at), n++)
	{
		const char *key = json_object_iter_key(at);

		keys[n] = copy_text(tree, key, strlen(key));
		copy(tree, json_object_iter_value(at), &items[n]);
	}
}

static void
copy(Tree *tree, const json_t *json, MgJson *into)
{
	memset(into, 0, sizeof *into);
	switch (json_typeof(json))
	{
		case JSON_OBJECT:
		case JSON_ARRAY:
			copy_members(tree, json, into);
			break;
		case JSON_STRING:
			into->kind = MG_JSON_STRING;
			into->string = copy_text(tree, json_string_value(json), json_string_length(json));
			break;
		case JSON_INTEGER:
		case JSON_REAL:
			copy_number(into, json_number_value(json));
			break;
		case JSON_TRUE:
			into->kind = MG_JSON_TRUE;
			break;
		case JSON_FALSE:
			into->kind = MG_JSON_FALSE;
			break;
		case JSON_NULL:
			into->kind = MG_JSON_NULL;
			break;
	}
}

static const MgJson *
copy_tree(MgCtx *cx, const json_t *json)
{
	Tree tree = {0};
	MgJson *root;

	count(&tree, json);
	tree.values = mg_alloc_array(cx, tree.n_values, sizeof *tree.values);
	tree.keys = mg_alloc_array(cx, tree.n_keys, sizeof *tree.keys);
	tree.bytes = mg_alloc(cx, tree.n_bytes);
	if (tree.values == NULL || tree.keys == NULL || tree.bytes == NULL)
		return NULL;
	root = tree.values++;
	copy(&tree, json, root);
	return root;
}

const MgJson *
mg_json_parse(MgCtx *cx, const char *name, MgSpan text)
{
	json_error_t error;
	json_t *json;
	const MgJson *root;

	if (!check_limits(cx, name, text))
		return NULL;
	/* Jansson takes no NULL, but an empty file has its own message from it. */
	json = json_loadb(text.size > 0 ? (const char *) text.data : "", text.size,
					  JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error);
	if (json == NULL)
	{
		fail_parse(cx, name, &error);
		return NULL;
	}
	root = copy_tree(cx, json);
	json_decref(json);
	if (!mg_poll(cx))
		return NULL;
	return root;
}

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
