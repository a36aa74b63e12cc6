/* Expressions. */
#include "template/evaluate.h"

#include "text/utf8.h"

bool
mg_variable(MgRender *render, MgSpan name, MgValue *value)
{
	MgMarked *text;

	for (const MgScope *scope = render->scope; scope != NULL; scope = scope->parent)
		for (const MgVariable *variable = scope->variables; variable != NULL; variable = variable->next)
		{
			if (!mg_span_equal(variable->name, name))
				continue;
			*value = variable->value;
			return true;
		}
	text = mg_render_alloc(render, 1, sizeof *text);
	if (text == NULL)
		return false;
	*text = mg_marked(name);
	*value = (MgValue){.kind = MG_VALUE_UNDEFINED, .text = text};
	return true;
}

/* loop.index and its kin. */
static bool
loop_member(MgRender *render, const MgLoop *loop, MgSpan name, MgValue *value)
{
	size_t at = loop->at, n = loop->list->n;
	const struct
	{
		const char *name;
		MgValue value;
	} members[] = {{"index", mg_value_integer((int64_t) at + 1)},
				   {"index0", mg_value_integer((int64_t) at)},
				   {"revindex", mg_value_integer((int64_t) (n - at))},
				   {"revindex0", mg_value_integer((int64_t) (n - at) - 1)},
				   {"first", mg_value_bool(at == 0)},
				   {"last", mg_value_bool(at + 1 == n)},
				   {"length", mg_value_integer((int64_t) n)},
				   {"depth", mg_value_integer(1)}, /* counts recursive loops alone */
				   {"depth0", mg_value_integer(0)},
				   {"previtem", at > 0 ? loop->list->items[at - 1] : MG_UNDEFINED_VALUE},
				   {"nextitem", at + 1 < n ? loop->list->items[at + 1] : MG_UNDEFINED_VALUE}};

	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		if (mg_span_is(name, members[i].name))
		{
			*value = members[i].value;
			return true;
		}
	return mg_render_fail(render, MG_UNSUPPORTED, "chat template asks for loop.%.*s, which is not supported", MG_SPAN_ARGS(name));
}

static bool
fail_undefined(MgRender *render, MgValue value)
{
	if (value.text == NULL)
		return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template uses a value that is undefined");
	return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template uses \"%.*s\", which is undefined", MG_SPAN_ARGS(mg_marked_span(value.text)));
}

/* Undefined under a name that lives as long as the template. */
static bool
undefined(MgRender *render, MgSpan name, MgValue *value)
{
	MgMarked *text = mg_render_alloc(render, 1, sizeof *text);

	if (text == NULL)
		return false;
	*text = mg_marked(name);
	*value = (MgValue){.kind = MG_VALUE_UNDEFINED, .text = text};
	return true;
}

bool
mg_member(MgRender *render, MgValue of, MgSpan name, MgValue *value)
{
	const MgValue *found;

	if (of.kind == MG_VALUE_UNDEFINED)
		return fail_undefined(render, of);
	if (of.kind == MG_VALUE_LOOP)
		return loop_member(render, of.loop, name, value);
	if (mg_value_is_dict(of))
	{
		found = mg_dict_find(of.dict, name);
		if (!mg_render_step(render, of.dict->n / 8))
			return false;
		if (found != NULL)
		{
			*value = *found;
			return true;
		}
	}
	return undefined(render, name, value);
}

static bool
string_item(MgRender *render, const MgMarked *text, int64_t index, MgValue *value)
{
	MgSpan span = mg_marked_span(text);
	size_t at = 0, from, n;

	if (!mg_value_length(render, (MgValue){.kind = MG_VALUE_STRING, .text = text}, &n))
		return false;
	*value = MG_UNDEFINED_VALUE;
	if (index < 0)
		index += (int64_t) n;
	if (index < 0 || (uint64_t) index >= n)
		return true;
	for (; index > 0; index--)
		mg_utf8_next(span, &at);
	from = at;
	mg_utf8_next(span, &at);
	return mg_value_string(render, mg_marked_slice(text, from, at), value);
}

bool
mg_item(MgRender *render, MgValue of, MgValue index, MgValue *value)
{
	*value = MG_UNDEFINED_VALUE;
	if (of.kind == MG_VALUE_UNDEFINED)
		return fail_undefined(render, of);
	if (index.kind == MG_VALUE_STRING)
		return mg_member(render, of, mg_marked_span(index.text), value);
	if (index.kind != MG_VALUE_INTEGER)
		return true;
	if (of.kind == MG_VALUE_STRING)
		return string_item(render, of.text, index.integer, value);
	if (mg_value_is_list(of))
	{
		int64_t n = (int64_t) of.list->n, at = index.integer < 0 ? index.integer + n : index.integer;

		if (at >= 0 && at < n)
			*value = of.list->items[at];
	}
	return true;
}

static bool
evaluate_slice(MgRender *render, const MgNode *node, MgValue *value)
{
	const MgNode *nodes[3] = {node->second, node->third, node->body};
	MgValue of, bounds[3];

	if (!mg_evaluate(render, node->first, &of))
		return false;
	for (int i = 0; i < 3; i++)
	{
		bounds[i] = MG_NONE_VALUE;
		if (nodes[i]->kind != MG_NODE_EMPTY && !mg_evaluate(render, nodes[i], &bounds[i]))
			return false;
	}
	return of.kind == MG_VALUE_UNDEFINED ? fail_undefined(render, of) : mg_slice(render, of, bounds, value);
}

bool
mg_evaluate_arguments(MgRender *render, const MgNode *node, MgArguments *arguments)
{
	arguments->n = arguments->n_named = 0;
	for (; node != NULL; node = node->next)
	{
		bool named = node->name.size > 0;

		if ((named ? arguments->n_named : arguments->n) == MG_MAX_ARGUMENTS)
			return mg_render_fail(render, MG_UNSUPPORTED, "chat template passes more than %d arguments", MG_MAX_ARGUMENTS);
		if (!mg_evaluate(render, node->first, named ? &arguments->named[arguments->n_named] : &arguments->values[arguments->n]))
			return false;
		if (named)
			arguments->names[arguments->n_named++] = node->name;
		else
			arguments->n++;
	}
	return true;
}

static bool
call_name(MgRender *render, MgSpan name, const MgArguments *arguments, MgValue *value)
{
	MgValue callee;

	if (!mg_variable(render, name, &callee))
		return false;
	if (callee.kind == MG_VALUE_MACRO)
		return mg_run_macro(render, callee.macro, arguments, value);
	if (callee.kind != MG_VALUE_UNDEFINED)
		return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template calls \"%.*s\", which is %s", MG_SPAN_ARGS(name), mg_value_kind(callee));
	return mg_function(render, name, arguments, value);
}

static bool
evaluate_call(MgRender *render, const MgNode *node, MgValue *value)
{
	MgArguments arguments;
	MgValue of;

	if (node->first->kind == MG_NODE_NAME)
		return mg_evaluate_arguments(render, node->second, &arguments) && call_name(render, node->first->name, &arguments, value);
	if (!mg_evaluate(render, node->first->first, &of) || !mg_evaluate_arguments(render, node->second, &arguments))
		return false;
	if (of.kind == MG_VALUE_UNDEFINED)
		return fail_undefined(render, of);
	return mg_method(render, of, node->first->name, &arguments, value);
}

static bool
evaluate_items(MgRender *render, const MgNode *node, MgValue *value)
{
	if (!mg_value_list(render, 0, value))
		return false;
	for (const MgNode *item = node->first; item != NULL; item = item->next)
	{
		MgValue one;

		if (!mg_evaluate(render, item, &one) || !mg_list_add(render, value->list, one))
			return false;
	}
	value->kind = node->kind == MG_NODE_TUPLE ? MG_VALUE_TUPLE : MG_VALUE_LIST;
	return true;
}

static bool
evaluate_dict(MgRender *render, const MgNode *node, MgValue *value)
{
	if (!mg_value_dict(render, MG_VALUE_DICT, value))
		return false;
	for (const MgNode *item = node->first; item != NULL; item = item->next->next)
	{
		MgValue key, one;

		if (!mg_evaluate(render, item, &key) || !mg_evaluate(render, item->next, &one))
			return false;
		if (key.kind != MG_VALUE_STRING)
			return mg_render_fail(render, MG_UNSUPPORTED, "chat template has a dictionary with %s as a key, which is not supported", mg_value_kind(key));
		if (!mg_dict_set(render, value->dict, key.text, one))
			return false;
	}
	return true;
}

static bool
evaluate_test(MgRender *render, const MgNode *node, MgValue *value)
{
	MgArguments arguments;
	MgValue of;
	bool passed;

	if (!mg_evaluate(render, node->first, &of) || !mg_evaluate_arguments(render, node->second, &arguments) ||
		!mg_test(render, node->number, of, &arguments, &passed))
		return false;
	*value = mg_value_bool(passed != node->negated);
	return true;
}

static bool
evaluate_filter(MgRender *render, const MgNode *node, MgValue of, MgValue *value)
{
	MgArguments arguments;

	return mg_evaluate_arguments(render, node->second, &arguments) && mg_filter(render, node->number, of, &arguments, value);
}

bool
mg_evaluate_filters(MgRender *render, const MgNode *filters, MgValue *value)
{
	MgValue of = *value;

	if (filters->kind == MG_NODE_EMPTY)
		return true;
	if (filters->kind != MG_NODE_FILTER)
		return mg_render_fail(render, MG_UNSUPPORTED, "chat template puts a block through what is no filter");
	render->line = filters->line;
	if (render->depth++ >= MG_RENDER_MAX_DEPTH)
		return mg_render_fail(render, MG_TOO_LARGE, "chat template is nested deeper than %d", MG_RENDER_MAX_DEPTH);
	if (!mg_evaluate_filters(render, filters->first, &of) || !evaluate_filter(render, filters, of, value))
		return false;
	render->depth--;
	return true;
}

static bool
evaluate_comparison(MgRender *render, const MgNode *node, MgValue *value)
{
	MgValue left, right;
	bool holds = true;

	if (!mg_evaluate(render, node->first, &left))
		return false;
	for (const MgNode *compared = node->second; compared != NULL && holds; compared = compared->next, left = right)
		if (!mg_evaluate(render, compared->first, &right) || !mg_compare(render, (MgOp) compared->op, left, right, &holds))
			return false;
	*value = mg_value_bool(holds);
	return true;
}

static bool
evaluate_binary(MgRender *render, const MgNode *node, MgValue *value)
{
	MgValue left, right;

	return mg_evaluate(render, node->first, &left) && mg_evaluate(render, node->second, &right) &&
		   mg_operate(render, (MgOp) node->op, left, right, value);
}

/* and, or, not, choice, signs: what evaluates one side first. */
static bool
evaluate_logic(MgRender *render, const MgNode *node, MgValue *value)
{
	if (!mg_evaluate(render, node->kind == MG_NODE_CHOICE ? node->second : node->first, value))
		return false;
	switch (node->kind)
	{
		case MG_NODE_NOT:
			*value = mg_value_bool(!mg_value_truth(*value));
			return true;
		case MG_NODE_MINUS:
			return mg_negate(render, *value, value);
		case MG_NODE_PLUS:
			return true;
		case MG_NODE_CHOICE:
			return mg_evaluate(render, mg_value_truth(*value) ? node->first : node->third, value);
		default:
			return mg_value_truth(*value) == (node->kind == MG_NODE_OR) || mg_evaluate(render, node->second, value);
	}
}

static bool
evaluate_member(MgRender *render, const MgNode *node, MgValue *value)
{
	MgValue of;

	if (!mg_evaluate(render, node->first, &of))
		return false;
	if (of.kind != MG_VALUE_NAMESPACE && mg_method_of(of, node->name))
	{
		*value = (MgValue){.kind = MG_VALUE_METHOD, .method = node};
		return true;
	}
	return mg_member(render, of, node->name, value);
}

static bool
evaluate(MgRender *render, const MgNode *node, MgValue *value)
{
	MgValue of, index;

	switch (node->kind)
	{
		case MG_NODE_CONST:
			*value = node->value;
			return true;
		case MG_NODE_NAME:
			return mg_variable(render, node->name, value);
		case MG_NODE_LIST:
		case MG_NODE_TUPLE:
			return evaluate_items(render, node, value);
		case MG_NODE_DICT:
			return evaluate_dict(render, node, value);
		case MG_NODE_MEMBER:
			return evaluate_member(render, node, value);
		case MG_NODE_ITEM:
			return mg_evaluate(render, node->first, &of) && mg_evaluate(render, node->second, &index) && mg_item(render, of, index, value);
		case MG_NODE_SLICE:
			return evaluate_slice(render, node, value);
		case MG_NODE_CALL:
			return evaluate_call(render, node, value);
		case MG_NODE_FILTER:
			return mg_evaluate(render, node->first, &of) && evaluate_filter(render, node, of, value);
		case MG_NODE_TEST:
			return evaluate_test(render, node, value);
		case MG_NODE_BINARY:
			return evaluate_binary(render, node, value);
		case MG_NODE_COMPARE:
			return evaluate_comparison(render, node, value);
		default:
			return evaluate_logic(render, node, value);
	}
}

bool
mg_evaluate(MgRender *render, const MgNode *node, MgValue *value)
{
	unsigned line = render->line;
	bool fine;

	*value = MG_UNDEFINED_VALUE;
	if (node == NULL)
		return true;
	render->line = node->line;
	if (render->depth++ >= MG_RENDER_MAX_DEPTH)
		return mg_render_fail(render, MG_TOO_LARGE, "chat template is nested deeper than %d", MG_RENDER_MAX_DEPTH);
	fine = mg_render_step(render, 1) && evaluate(render, node, value);
	render->depth--;
	if (fine)
		render->line = line;
	return fine;
}
