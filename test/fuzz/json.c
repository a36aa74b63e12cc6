/* Any text as JSON: an error, or a tree of which each part can be walked. */
#include "format/json.h"
#include "fuzz/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
walk(const MgJson *json, int depth)
{
	fuzz_require(depth <= MG_JSON_MAX_DEPTH + 1);
	if (json->kind == MG_JSON_STRING)
		fuzz_require(strlen((const char *) json->string.data) == json->string.size);
	for (size_t i = 0; i < json->n; i++)
	{
		if (json->kind == MG_JSON_OBJECT)
			fuzz_require(strlen((const char *) json->keys[i].data) == json->keys[i].size);
		walk(&json->items[i], depth + 1);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	MgCtx cx;
	const MgJson *root;
	size_t number = 0;
	float real = 0;
	bool flag = false;
	MgSpan text = {NULL, 0};

	mg_ctx_init(&cx, &fuzz_host);
	root = mg_json_parse(&cx, "input", mg_span(data, size));
	fuzz_judge(&cx, root != NULL);
	if (root != NULL)
	{
		walk(root, 1);
		(void) (mg_json_get_size(&cx, "input", root, "a", 1, 100, &number) &&
				mg_json_get_float(&cx, "input", root, "b", &real) && mg_json_get_bool(&cx, "input", root, "c", &flag) &&
				mg_json_get_string(&cx, "input", root, "d", &text));
	}
	mg_ctx_free(&cx);
	return 0;
}
