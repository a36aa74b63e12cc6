/* Filters: what stands behind "|". */
#include <math.h>
#include <stdlib.h>

#include "template/calls.h"
#include "template/evaluate.h"
#include "template/list_filters.h"
#include "template/print.h"
#include "template/strings.h"

/* All of a table take what one of them needs. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

/* Most filters take a string, or what str() makes of something else. */
static bool
trim(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	const MgMarked *text, *chars = NULL;

	return mg_value_text(render, of, &text) && mg_argument_text(render, arguments, 0, "chars", &chars) &&
		   mg_string_strip(render, text, chars, true, true, result);
}

static bool
change_case(MgRender *render, MgValue of, MgCase to, MgValue *result)
{
	const MgMarked *text;

	return mg_value_text(render, of, &text) && mg_string_case(render, text, to, result);
}

static bool
upper(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	return change_case(render, of, MG_CASE_UPPER, result);
}

static bool
lower(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	return change_case(render, of, MG_CASE_LOWER, result);
}

static bool
title(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	return change_case(render, of, MG_CASE_TITLE, result);
}

static bool
capitalize(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	return change_case(render, of, MG_CASE_CAPITAL, result);
}

static bool
safe(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	const MgMarked *text;
	MgMarked marked;

	if (!mg_value_text(render, of, &text))
		return false;
	marked = *text;
	marked.safe = true;
	return mg_value_string(render, marked, result);
}

static bool
string(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	const MgMarked *text;

	if (!mg_value_text(render, of, &text))
		return false;
	*result = (MgValue){.kind = MG_VALUE_STRING, .text = text};
	return true;
}

static bool
length(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	size_t n;

	if (!mg_value_length(render, of, &n))
		return false;
	*result = mg_value_integer((int64_t) n);
	return true;
}

static bool
otherwise(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	const MgValue *value = mg_argument(arguments, 0, "default_value"), *falsy = mg_argument(arguments, 1, "boolean");
	MgMarked *empty;

	*result = of;
	if (of.kind != MG_VALUE_UNDEFINED && !(falsy != NULL && mg_value_truth(*falsy) && !mg_value_truth(of)))
		return true;
	if (value != NULL)
	{
		*result = *value;
		return true;
	}
	empty = mg_render_alloc(render, 1, sizeof *empty);
	if (empty == NULL)
		return false;
	return mg_value_string(render, mg_marked(mg_span_of("")), result);
}

static bool
replace(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	const MgMarked *text, *old = NULL, *new = NULL;
	int64_t most = -1;

	if (!mg_value_text(render, of, &text) || !mg_argument_text(render, arguments, 0, "old", &old) ||
		!mg_argument_text(render, arguments, 1, "new", &new) || !mg_argument_integer(render, arguments, 2, "count", &most))
		return false;
	if (old == NULL || new == NULL)
		return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template has filter \"replace\" with too few arguments");
	return mg_string_replace(render, text, old, new, most, result);
}

static bool
tojson(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	const MgMarked comma = mg_marked(mg_span_of(", ")), bare = mg_marked(mg_span_of(",")), colon = mg_marked(mg_span_of(": "));
	const MgValue *ascii = mg_argument(arguments, 0, "ensure_ascii"), *separators = mg_argument(arguments, 2, "separators"),
				  *sort = mg_argument(arguments, 3, "sort_keys"), *named = mg_argument(arguments, -1, "indent");
	MgJsonForm form = {-1, ascii != NULL && mg_value_truth(*ascii), sort != NULL && mg_value_truth(*sort), &comma, &colon};
	int64_t indent = -1;
	MgPuts puts = {0};

	if (!mg_argument_integer(render, arguments, named != NULL ? -1 : 1, "indent", &indent))
		return false;
	if (indent > 64)
		return mg_render_fail(render, MG_UNSUPPORTED, "chat template indents by more than 64");
	form.indent = (int) (indent < 0 ? -1 : indent);
	if (form.indent >= 0)
		form.between = &bare;
	if (separators != NULL && mg_value_is_list(*separators) && separators->list->n == 2 && separators->list->items[0].kind == MG_VALUE_STRING &&
		separators->list->items[1].kind == MG_VALUE_STRING)
	{
		form.between = separators->list->items[0].text;
		form.behind_key = separators->list->items[1].text;
	}
	else if (separators != NULL && separators->kind != MG_VALUE_NONE)
		return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template has separators of JSON that are not two strings");
	return mg_puts_json(render, &puts, of, &form) && mg_puts_end(render, &puts, result);
}

/* A string that is JSON. Its strings are data, wherever it came from. */
static bool
from_json(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	const MgJson *json;

	if (of.kind != MG_VALUE_STRING)
		return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template reads %s as JSON", mg_value_kind(of));
	/* The tree takes at most 40 bytes for each of the text's: counted, since it is not the rendering's own memory. */
	if (!mg_render_step(render, 1 + of.text->size) || mg_render_alloc(render, of.text->size, 40) == NULL)
		return false;
	json = mg_json_parse(render->cx, "from_json", mg_marked_span(of.text));
	return json != NULL && mg_value_of_json(render, json, result);
}

static bool
integer(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	int64_t value = 0;
	char digits[24], *end;

	if (!mg_argument_integer(render, arguments, 0, "default", &value))
		return false;
	if (of.kind == MG_VALUE_INTEGER || of.kind == MG_VALUE_BOOL)
		value = of.kind == MG_VALUE_BOOL ? of.truth : of.integer;
	else if (of.kind == MG_VALUE_REAL && fabs(of.real) < 9e18)
		value = (int64_t) of.real;
	else if (of.kind == MG_VALUE_STRING && of.text->size > 0 && of.text->size < 19)
	{
		memcpy(digits, of.text->bytes, of.text->size);
		digits[of.text->size] = '\0';
		value = strtod(digits, &end) < 9e18 && *end == '\0' ? (int64_t) strtod(digits, NULL) : value;
	}
	*result = mg_value_integer(value);
	return true;
}

static bool
real(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	char digits[64], *end;
	double value = 0;

	if (of.kind == MG_VALUE_INTEGER || of.kind == MG_VALUE_BOOL)
		value = of.kind == MG_VALUE_BOOL ? of.truth : (double) of.integer;
	else if (of.kind == MG_VALUE_REAL)
		value = of.real;
	else if (of.kind == MG_VALUE_STRING && of.text->size > 0 && of.text->size < sizeof digits)
	{
		memcpy(digits, of.text->bytes, of.text->size);
		digits[of.text->size] = '\0';
		value = strtod(digits, &end);
		value = *end == '\0' ? value : 0;
	}
	*result = (MgValue){.kind = MG_VALUE_REAL, .real = value};
	return true;
}

static bool
absolute(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	*result = of;
	if ((of.kind == MG_VALUE_INTEGER && of.integer < 0) || (of.kind == MG_VALUE_REAL && of.real < 0))
		return mg_negate(render, of, result);
	return of.kind == MG_VALUE_INTEGER || of.kind == MG_VALUE_REAL ||
		   mg_render_fail(render, MG_BAD_ARGUMENT, "chat template takes the absolute value of %s", mg_value_kind(of));
}

/* Blanks before each line but the first and empty ones, unless the arguments say otherwise. */
static bool
indent(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	const MgValue *width = mg_argument(arguments, 0, "width"), *first_too = mg_argument(arguments, 1, "first"),
				  *blank_too = mg_argument(arguments, 2, "blank");
	const MgMarked four = mg_marked(mg_span_of("    ")), space = mg_marked(mg_span_of(" ")), newline = mg_marked(mg_span_of("\n")), *text;
	MgPuts puts = {0};
	MgValue by = {.kind = MG_VALUE_STRING, .text = &four}, lines;

	if (!mg_value_text(render, of, &text))
		return false;
	if (width != NULL && width->kind == MG_VALUE_STRING)
		by = *width;
	else if (width != NULL && !mg_operate(render, MG_OP_MULTIPLY, (MgValue){.kind = MG_VALUE_STRING, .text = &space}, *width, &by))
		return false;
	if (!mg_string_split(render, text, &newline, -1, false, &lines))
		return false;
	for (size_t i = 0; i < lines.list->n; i++)
	{
		const MgMarked *line = lines.list->items[i].text;
		bool indents = i == 0 ? first_too != NULL && mg_value_truth(*first_too) : line->size > 0 || (blank_too != NULL && mg_value_truth(*blank_too));

		if ((i > 0 && !mg_puts(render, &puts, newline)) || (indents && !mg_puts(render, &puts, *by.text)) || !mg_puts(render, &puts, *line))
			return false;
	}
	return mg_puts_end(render, &puts, result);
}

static const struct
{
	const char *name;
	MgFilter *filter;
} filters[] = {{"trim", trim}, {"tojson", tojson}, {"from_json", from_json}, {"length", length}, {"count", length}, {"default", otherwise}, {"d", otherwise},
			   {"upper", upper}, {"lower", lower}, {"title", title}, {"capitalize", capitalize}, {"string", string}, {"safe", safe},
			   {"list", mg_filter_list}, {"first", mg_filter_first}, {"last", mg_filter_last}, {"reverse", mg_filter_reverse}, {"join", mg_filter_join}, {"replace", replace},
			   {"int", integer}, {"float", real}, {"abs", absolute}, {"items", mg_filter_items}, {"dictsort", mg_filter_dictsort}, {"sort", mg_filter_sort},
			   {"unique", mg_filter_unique}, {"map", mg_filter_map}, {"select", mg_filter_select_items}, {"reject", mg_filter_reject_items}, {"selectattr", mg_filter_select_attribute},
			   {"rejectattr", mg_filter_reject_attribute}, {"sum", mg_filter_sum}, {"min", mg_filter_least}, {"max", mg_filter_most}, {"indent", indent}};

int
mg_filter_find(MgSpan name)
{
	for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++)
		if (mg_span_is(name, filters[i].name))
			return (int) i;
	return -1;
}

bool
mg_filter(MgRender *render, unsigned number, MgValue value, const MgArguments *arguments, MgValue *result)
{
	return mg_render_step(render, 1) && filters[number].filter(render, value, arguments, result);
}
