/* Functions that need no definition, and arguments of whatever is called. */
#include "template/calls.h"

/* All of a table take what one of them needs. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

const MgValue *
mg_argument(const MgArguments *arguments, int place, const char *name)
{
	if (place >= 0 && (size_t) place < arguments->n)
		return &arguments->values[place];
	for (size_t i = 0; name != NULL && i < arguments->n_named; i++)
		if (mg_span_is(arguments->names[i], name))
			return &arguments->named[i];
	return NULL;
}

bool
mg_argument_integer(MgRender *render, const MgArguments *arguments, int place, const char *name, int64_t *value)
{
	const MgValue *argument = mg_argument(arguments, place, name);

	if (argument == NULL || argument->kind == MG_VALUE_NONE)
		return true;
	if (argument->kind != MG_VALUE_INTEGER && argument->kind != MG_VALUE_BOOL)
		return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template passes %s where an integer is expected", mg_value_kind(*argument));
	*value = argument->kind == MG_VALUE_BOOL ? argument->truth : argument->integer;
	return true;
}

bool
mg_argument_text(MgRender *render, const MgArguments *arguments, int place, const char *name, const MgMarked **value)
{
	const MgValue *argument = mg_argument(arguments, place, name);

	if (argument == NULL || argument->kind == MG_VALUE_NONE)
		return true;
	if (argument->kind != MG_VALUE_STRING)
		return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template passes %s where a string is expected", mg_value_kind(*argument));
	*value = argument->text;
	return true;
}

static bool
raise_exception(MgRender *render, const MgArguments *arguments, MgValue *result)
{
	const MgMarked *words;

	if (arguments->n < 1 || !mg_value_text(render, arguments->values[0], &words))
		return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template refuses these messages");
	return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template refuses these messages: %.*s", MG_SPAN_ARGS(mg_marked_span(words)));
}

/* namespace() and dict(): of another dictionary, and named arguments. */
static bool
make_dict(MgRender *render, MgValueKind kind, const MgArguments *arguments, MgValue *result)
{
	if (!mg_value_dict(render, kind, result))
		return false;
	for (size_t i = 0; i < arguments->n; i++)
	{
		const MgValue *from = &arguments->values[i];

		if (!mg_value_is_dict(*from))
			return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template makes a dictionary of %s", mg_value_kind(*from));
		for (size_t k = 0; k < from->dict->n; k++)
			if (!mg_dict_set(render, result->dict, from->dict->keys[k], from->dict->values[k]))
				return false;
	}
	for (size_t i = 0; i < arguments->n_named; i++)
	{
		MgValue key;

		if (!mg_value_string(render, mg_marked(arguments->names[i]), &key) || !mg_dict_set(render, result->dict, key.text, arguments->named[i]))
			return false;
	}
	return true;
}

static bool
make_namespace(MgRender *render, const MgArguments *arguments, MgValue *result)
{
	return make_dict(render, MG_VALUE_NAMESPACE, arguments, result);
}

static bool
make_plain_dict(MgRender *render, const MgArguments *arguments, MgValue *result)
{
	return make_dict(render, MG_VALUE_DICT, arguments, result);
}

/* The sandbox of the reference has the same limit. */
#define MAX_RANGE 100000

static bool
range(MgRender *render, const MgArguments *arguments, MgValue *result)
{
	int64_t bounds[3] = {0, 0, 1};

	if (arguments->n == 0)
		return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template calls range() without a number");
	for (int i = 0; i < 3; i++)
		if (!mg_argument_integer(render, arguments, i, NULL, &bounds[arguments->n == 1 ? 1 : i]))
			return false;
		else if (arguments->n == 1)
			break;
	if (bounds[2] == 0 || bounds[2] > INT32_MAX || bounds[2] < -INT32_MAX || bounds[0] > INT32_MAX || bounds[0] < -INT32_MAX)
		return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template calls range() with a number that is out of range");
	if (!mg_value_list(render, 0, result))
		return false;
	for (int64_t i = bounds[0]; bounds[2] > 0 ? i < bounds[1] : i > bounds[1]; i += bounds[2])
	{
		if (result->list->n == MAX_RANGE)
			return mg_render_fail(render, MG_TOO_LARGE, "chat template makes a range of more than %d numbers", MAX_RANGE);
		if (!mg_render_step(render, 1) || !mg_list_add(render, result->list, mg_value_integer(i)))
			return false;
	}
	return true;
}

static bool
strftime_now(MgRender *render, const MgArguments *arguments, MgValue *result)
{
	mg_render_fail(render, MG_UNSUPPORTED, "chat template asks for the time of day, which is not supported");
	return mg_hint(render->cx, "Results depend on arguments alone.");
}

static const struct
{
	const char *name;
	bool (*function)(MgRender *render, const MgArguments *arguments, MgValue *result);
} functions[] = {{"raise_exception", raise_exception}, {"namespace", make_namespace}, {"dict", make_plain_dict}, {"range", range},
				 {"strftime_now", strftime_now}};

bool
mg_function_is_known(MgSpan name)
{
	for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
		if (mg_span_is(name, functions[i].name))
			return true;
	return false;
}

bool
mg_function(MgRender *render, MgSpan name, const MgArguments *arguments, MgValue *result)
{
	for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
		if (mg_span_is(name, functions[i].name))
			return mg_render_step(render, 1) && functions[i].function(render, arguments, result);
	return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template calls \"%.*s\", which is undefined", MG_SPAN_ARGS(name));
}
