/* JSON: values, order, limits, messages, and failure at each point. */
#include "format/json.h"

#include "unit/host.h"
#include "unit/tap.h"

static TestHost host;
static MgCtx cx;

static const MgJson *
parse(const char *text)
{
	mg_ctx_reset(&cx);
	return mg_json_parse(&cx, "a.json", mg_span_of(text));
}

static void
check_values(void)
{
	const MgJson *root = parse("{\"z\": [1, -2.5, true, false, null, \"\\u00e9\\n\"], \"a\": {}, \"m\": \"\"}");

	ok(root != NULL && root->kind == MG_JSON_OBJECT && root->n == 3, "an object has three members");
	if (root == NULL)
		return;
	ok(mg_span_is(root->keys[0], "z") && mg_span_is(root->keys[1], "a") && mg_span_is(root->keys[2], "m"),
	   "keys keep the order of the file");
	is_text((const char *) root->keys[1].data, "a", "keys are NUL-terminated");
	const MgJson *array = mg_json_get(root, "z");

	ok(array != NULL && array->kind == MG_JSON_ARRAY && array->n == 6, "an array has six items");
	ok(array->items[0].kind == MG_JSON_INTEGER && array->items[0].integer == 1 && array->items[0].real == 1,
	   "an integer is a real as well");
	ok(array->items[1].kind == MG_JSON_REAL && array->items[1].real == -2.5, "a real");
	ok(array->items[2].kind == MG_JSON_TRUE && array->items[3].kind == MG_JSON_FALSE, "true and false");
	ok(array->items[4].kind == MG_JSON_NULL, "null");
	is_text((const char *) array->items[5].string.data, "\xc3\xa9\n", "escapes become UTF-8, NUL-terminated");
	ok(mg_json_get(root, "a")->n == 0 && mg_json_get(root, "m")->string.size == 0, "empty members");
	ok(mg_json_get(root, "b") == NULL && mg_json_get(array, "b") == NULL && mg_json_get(NULL, "b") == NULL,
	   "what is not there is NULL");
	ok(mg_json_get(parse("{\"x\": null}"), "x") == NULL, "null counts as lacking");
}

static void
check_numbers(void)
{
	const MgJson *root = parse("[9007199254740992, 9007199254740994, 1000000000000000019884624838656, 4.0, 1e3, -7]");

	ok(root != NULL && root->n == 6, "numbers parse");
	if (root == NULL)
		return;
	ok(root->items[0].kind == MG_JSON_INTEGER && root->items[0].integer == 9007199254740992, "2^53 is an integer");
	ok(root->items[1].kind == MG_JSON_REAL, "what is beyond 2^53 is a real");
	ok(root->items[2].kind == MG_JSON_REAL && root->items[2].real == 1e30, "a huge integer is a real");
	ok(root->items[3].kind == MG_JSON_INTEGER && root->items[3].integer == 4, "4.0 is an integer");
	ok(root->items[4].kind == MG_JSON_INTEGER && root->items[4].integer == 1000, "1e3 is an integer");
	ok(root->items[5].kind == MG_JSON_INTEGER && root->items[5].integer == -7, "a negative integer");
}

static void
check_refused(void)
{
	static const char *const bad[] = {
		"",			 "{",		  "[1,]",	 "{\"a\":1,\"a\":2}", "[1] x", "nul",		 "[\"\xff\"]",
		"[\"\\u0000\"]", "[\"\xc3\"]", "[1e999]", "{\"a\" 1}",		  "[NaN]", "[\"\\ud800\"]", "[01]",
		"[1 2]",	 "[1}",		  "{\"a\":1]", "{1:2}",			  "[-]",   "[1.]",		 "[1e]", "[.5]",
		"[\"\\x\"]", "[\"\n\"]", "[\"\\udc00\"]", "[\"\\ud83dx\"]", "[\"\\ud83d\\u0041\"]", "[\"\\u12g4\"]", "[\"a",
		"[\"\xed\xa0\x80\"]", "\"a\"",	  "1",		 "{\"a\":}",		  "[,]",   "[[],]",	 "]", "[\"a\\", "\xef\xbb\xbf[]",
		"[+1]",		 "[0x1]",	  "{\"a\":1,}", "[truE]",
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
	{
		ok(parse(bad[i]) == NULL && cx.error.code == MG_BAD_FILE, "bad text %zu is refused", i);
		is_text(cx.error.message, "file \"a.json\" is not valid JSON", "and the message names the file");
	}
	ok(parse("{\n  \"a\": 1,\n  \"b\" 2\n}") == NULL, "a missing colon is refused");
	is_text(cx.error.detail, "Line 3, column 7: ':' expected near '2'.", "with line and column");
	ok(mg_json_parse(&cx, "nul", mg_span("[1]\0", 4)) == NULL, "a zero byte behind the document is refused");
	parse("[\xc3\xa9]");
	ok(strchr(cx.error.detail, '\xc3') == NULL && strstr(cx.error.detail, "??") != NULL,
	   "a quote of the file is ASCII");
}

static void
check_limits(void)
{
	char deep[2 * MG_JSON_MAX_DEPTH + 3];

	memset(deep, '[', MG_JSON_MAX_DEPTH);
	memset(deep + MG_JSON_MAX_DEPTH, ']', MG_JSON_MAX_DEPTH);
	deep[2 * MG_JSON_MAX_DEPTH] = '\0';
	ok(parse(deep) != NULL, "%d levels are read", MG_JSON_MAX_DEPTH);
	memset(deep, '[', MG_JSON_MAX_DEPTH + 1);
	memset(deep + MG_JSON_MAX_DEPTH + 1, ']', MG_JSON_MAX_DEPTH + 1);
	deep[2 * MG_JSON_MAX_DEPTH + 2] = '\0';
	ok(parse(deep) == NULL && cx.error.code == MG_TOO_LARGE, "one more is refused");
	is_text(cx.error.detail, "At line 1, column 65 it exceeds the limit of 64 levels.", "with the limit and the place");
	ok(parse("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[\"]") != NULL,
	   "brackets in a string are no levels");

	size_t size = 2 * (size_t) MG_JSON_MAX_VALUES + 2;
	char *many = malloc(size);

	for (size_t i = 0; i < size; i++)
		many[i] = i % 2 == 0 ? '1' : ',';
	many[0] = '[';
	ok(mg_json_parse(&cx, "many", mg_span(many, size)) == NULL, "too many values are refused");
	mg_ctx_reset(&cx);
	mg_json_parse(&cx, "many", mg_span(many, size));
	is_text(cx.error.message, "file \"many\" has too many JSON values", "by their number, before the parser runs");
	free(many);
}

static void
check_members(void)
{
	const MgJson *root;
	size_t size = 5;
	float number = 0.5f;
	bool flag = true;
	MgSpan text = mg_span_of("kept");

	root = parse("{\"size\": 12, \"number\": 1e-12, \"flag\": false, \"text\": \"t\", \"list\": []}");
	ok(mg_json_get_size(&cx, "a.json", root, "none", 1, 9, &size) && size == 5, "a missing size keeps the default");
	ok(mg_json_get_float(&cx, "a.json", root, "none", &number) && number == 0.5f, "a missing number keeps the default");
	ok(mg_json_get_bool(&cx, "a.json", root, "none", &flag) && flag, "a missing flag keeps the default");
	ok(mg_json_get_string(&cx, "a.json", root, "none", &text) && mg_span_is(text, "kept"), "a missing string too");
	ok(mg_json_get_size(&cx, "a.json", root, "size", 12, 12, &size) && size == 12, "a size");
	ok(mg_json_get_float(&cx, "a.json", root, "number", &number) && number == 1e-12f, "a number");
	ok(mg_json_get_float(&cx, "a.json", root, "size", &number) && number == 12, "an integer is a number");
	ok(mg_json_get_bool(&cx, "a.json", root, "flag", &flag) && !flag, "a flag");
	ok(mg_json_get_string(&cx, "a.json", root, "text", &text) && mg_span_is(text, "t"), "a string");

	ok(!mg_json_get_size(&cx, "a.json", root, "size", 1, 11, &size), "a size out of range is refused");
	is_text(cx.error.message, "file \"a.json\" has \"size\" 12, expected an integer from 1 to 11",
			"with file, key, value and range");
	root = parse("{\"text\": \"t\", \"minus\": -1, \"huge\": 1e39, \"list\": []}");
	ok(!mg_json_get_size(&cx, "a.json", root, "text", 0, 9, &size), "a string is no size");
	is_text(cx.error.message, "file \"a.json\" has \"text\" \"t\", expected an integer from 0 to 9", "and is shown");
	mg_ctx_reset(&cx);
	root = parse("{\"text\": \"t\", \"minus\": -1, \"huge\": 1e39, \"list\": []}");
	ok(!mg_json_get_size(&cx, "a.json", root, "minus", 0, SIZE_MAX, &size), "a negative size is refused");
	ok(!mg_json_get_float(&cx, "a.json", root, "huge", &number), "what float32 cannot hold is refused");
	ok(!mg_json_get_bool(&cx, "a.json", root, "minus", &flag), "a number is no flag");
	ok(!mg_json_get_string(&cx, "a.json", root, "list", &text), "an array is no string");
}

static void
check_strings(void)
{
	const MgJson *root = parse("[\"\\ud83d\\ude00\\u20AC\\/\\b\\f\\r\\t\\\\\", \"\xf0\x9f\x98\x80\x7f\"]");

	ok(root != NULL && root->n == 2, "strings of all kinds are read (%s)", cx.error.detail);
	if (root == NULL)
		return;
	is_text((const char *) root->items[0].string.data, "\xf0\x9f\x98\x80\xe2\x82\xac/\b\f\r\t\\", "escapes");
	is_text((const char *) root->items[1].string.data, "\xf0\x9f\x98\x80\x7f", "characters as they are");
}

/* Objects of few and of many members look for equal keys in ways of their own. */
static void
check_keys(void)
{
	char *text = malloc(20 * 4000 + 40);

	for (int n = 2; n <= 4000; n = n == 2 ? 40 : n * 10)
		for (int twice = 0; twice < 2; twice++)
		{
			size_t size = (size_t) sprintf(text, "{");

			for (int i = 0; i < n; i++)
				size += (size_t) sprintf(text + size, "%s\"key %d\": %d", i > 0 ? ", " : "", twice && i == n - 1 ? n / 2 - 1 : i, i);
			sprintf(text + size, "}");
			ok((parse(text) == NULL) == (twice == 1), "%d keys, %s", n, twice ? "one of them twice" : "all different");
		}
	free(text);
}

/* A large document, as a vocabulary is one: a cancel is heard soon wherever it comes, and memory is what the header says. */
static void
check_large(void)
{
	const size_t n = 300000, long_size = 4 * 1024 * 1024;
	char *text = malloc(n * 24 + long_size + 40);
	size_t size = (size_t) sprintf(text, "{\"vocab\": {");
	const MgJson *root;
	TestHost counted;
	MgCtx large;

	for (size_t i = 0; i < n; i++)
		size += (size_t) sprintf(text + size, "\"token%zu\":%zu,", i, i);
	size += (size_t) sprintf(text + size, "\"long\":\"");
	memset(text + size, 'x', long_size);
	size += long_size;
	size += (size_t) sprintf(text + size, "\"}}");
	test_host_init(&counted);
	mg_ctx_init(&large, &counted.host);
	root = mg_json_parse(&large, "large", mg_span(text, size));
	ok(root != NULL && mg_json_get(root, "vocab")->n == n + 1, "a large document is read (%s)", large.error.detail);
	ok(counted.n_polls >= (long) (2 * size / (256 * 1024)), "with a poll at least each 256 kB of both passes: %ld in %zu bytes",
	   counted.n_polls, size);
	/* Text, values, keys and the table of keys; an arena's blocks are up to twice what is asked for. */
	ok(mg_ctx_size(&large) < 2 * (size + n * (24 + 16) + 16 * n), "in memory of %zu bytes", mg_ctx_size(&large));
	mg_ctx_free(&large);
	free(text);
}

static bool
swept(MgCtx *swept_cx, void *user)
{
	const MgJson *root = mg_json_parse(swept_cx, "a.json", mg_span_of(user));

	return root != NULL && root->n == 2;
}

int
main(void)
{
	test_host_init(&host);
	mg_ctx_init(&cx, &host.host);
	check_values();
	check_numbers();
	check_refused();
	check_limits();
	check_members();
	check_strings();
	check_keys();
	check_large();
	sweep("json", swept, "{\"a\": [1, 2, {\"b\": \"c\"}], \"d\": 1.5}", 1);
	mg_ctx_free(&cx);
	is_int(host.live, 0, "nothing is left");
	return done();
}
