/* The options of create_model: what a user says beyond, or instead of, a model's files. */
#include "format/json.h"
#include "model/checkpoint.h"

static const char *const known[] = {"dtype",		  "pooling", "normalized", "normalize", "max_tokens", "template", "prompts", "calibrate",
									"chat_template", "base", NULL};

static bool
bad_value(MgCtx *cx, const char *key, MgSpan value, const char *hint)
{
	mg_fail(cx, MG_BAD_ARGUMENT, "option \"%s\" has value \"%.*s\"", key, MG_SPAN_ARGS(value));
	return mg_hint(cx, "%s", hint);
}

static bool
check_keys(MgCtx *cx, const MgJson *object)
{
	if (object->kind != MG_JSON_OBJECT)
		return mg_fail(cx, MG_BAD_ARGUMENT, "options are not a JSON object");
	for (size_t i = 0; i < object->n; i++)
	{
		const char *const *key = known;

		while (*key != NULL && !mg_span_is(object->keys[i], *key))
			key++;
		if (*key == NULL)
		{
			mg_fail(cx, MG_BAD_ARGUMENT, "option \"%.*s\" is not known", MG_SPAN_ARGS(object->keys[i]));
			return mg_hint(cx, "Options are dtype, pooling, normalized, max_tokens, template, prompts, calibrate, chat_template and base.");
		}
	}
	return true;
}

static bool
parse_dtype(MgCtx *cx, MgSpan name, int *dtype)
{
	for (int i = 0; i < MG_N_DTYPES; i++)
		if (mg_span_is(name, mg_dtype_name((MgDtype) i)))
		{
			*dtype = i;
			return true;
		}
	return name.size == 0 || bad_value(cx, "dtype", name, "Types are f32, f16, bf16, int8, q8 and q4.");
}

/* "normalized", as the argument of embed() is called; "normalize" is its name in 0.1.0. */
static bool
parse_normalized(MgCtx *cx, const MgJson *object, int *normalize)
{
	bool value = true;

	if (mg_json_get(object, "normalized") != NULL && mg_json_get(object, "normalize") != NULL)
		return mg_fail(cx, MG_BAD_ARGUMENT, "options \"normalized\" and \"normalize\" are two names of one");
	if (!mg_json_get_bool(cx, NULL, object, "normalized", &value) || !mg_json_get_bool(cx, NULL, object, "normalize", &value))
		return false;
	if (mg_json_get(object, "normalized") != NULL || mg_json_get(object, "normalize") != NULL)
		*normalize = value;
	return true;
}

static bool
parse_prompts(MgCtx *cx, const MgJson *object, MgModelOptions *options)
{
	MgPrompt *prompts;

	if (object == NULL)
		return true;
	if (object->kind != MG_JSON_OBJECT)
	{
		mg_fail(cx, MG_BAD_ARGUMENT, "option \"prompts\" is not a JSON object");
		return mg_hint(cx, "It looks like {\"query\": \"query: \", \"document\": \"passage: \"}.");
	}
	prompts = mg_alloc_array(cx, object->n, sizeof *prompts);
	if (prompts == NULL)
		return false;
	for (size_t i = 0; i < object->n; i++)
	{
		if (object->items[i].kind != MG_JSON_STRING)
			return mg_fail(cx, MG_BAD_ARGUMENT, "prompt \"%.*s\" is not a string", MG_SPAN_ARGS(object->keys[i]));
		prompts[i] = (MgPrompt){object->keys[i], object->items[i].string};
	}
	options->prompts = prompts;
	options->n_prompts = object->n;
	return true;
}

bool
mg_model_options_parse(MgCtx *cx, MgSpan json, MgModelOptions *options)
{
	const MgJson *object = mg_json_parse(cx, "options", json);
	MgSpan dtype = {NULL, 0}, pooling = {NULL, 0}, chat_template = {NULL, 0};

	*options = (MgModelOptions){.dtype = -1, .normalize = -1, .calibrate = true};
	if (object == NULL || !check_keys(cx, object) || !mg_json_get_string(cx, NULL, object, "dtype", &dtype) ||
		!parse_dtype(cx, dtype, &options->dtype) || !mg_json_get_string(cx, NULL, object, "pooling", &pooling) ||
		!parse_normalized(cx, object, &options->normalize) ||
		!mg_json_get_size(cx, NULL, object, "max_tokens", 3, MG_MAX_POSITIONS, &options->max_tokens) ||
		!mg_json_get_string(cx, NULL, object, "template", &options->template) ||
		!mg_json_get_string(cx, NULL, object, "base", &options->base) ||
		!mg_json_get_bool(cx, NULL, object, "calibrate", &options->calibrate) ||
		!mg_json_get_string(cx, NULL, object, "chat_template", &chat_template) ||
		!parse_prompts(cx, mg_json_get(object, "prompts"), options))
		return false;
	if (pooling.size > 0)
	{
		options->pooling = mg_pooling_of_name(pooling);
		if (options->pooling == MG_POOL_NONE)
			return bad_value(cx, "pooling", pooling, "Poolings are mean, cls, max, last, weighted_mean and mean_sqrt_len.");
	}
	if (mg_json_get(object, "chat_template") != NULL)
		options->chat_template = &mg_json_get(object, "chat_template")->string;
	return true;
}
