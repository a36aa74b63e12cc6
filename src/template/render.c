/* Statements, macros, and a whole rendering. */
#include "template/evaluate.h"

static bool run_body(MgRender *render, const MgNode *node);

bool
mg_set_variable(MgRender *render, MgSpan name, MgValue value)
{
	MgVariable *variable = render->scope->variables;

	while (variable != NULL && !mg_span_equal(variable->name, name))
		variable = variable->next;
	if (variable == NULL)
	{
		variable = mg_render_alloc(render, 1, sizeof *variable);
		if (variable == NULL)
			return false;
		*variable = (MgVariable){render->scope->variables, name, value};
		render->scope->variables = variable;
	}
	variable->value = value;
	return true;
}

static bool
set_target(MgRender *render, const MgNode *target, MgValue value)
{
	const MgList *items;
	size_t n = 0;
	MgValue of;

	if (target->kind == MG_NODE_NAME)
		return mg_set_variable(render, target->name, value);
	if (target->kind == MG_NODE_MEMBER)
	{
		MgMarked name = mg_marked(target->name);
		MgValue key;

		if (!mg_variable(render, target->first->name, &of))
			return false;
		if (of.kind != MG_VALUE_NAMESPACE)
			return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template sets a member of \"%.*s\", which is %s and no namespace",
								  MG_SPAN_ARGS(target->first->name), mg_value_kind(of));
		return mg_value_string(render, name, &key) && mg_dict_set(render, of.dict, key.text, value);
	}
	if (!mg_value_items(render, value, &items))
		return false;
	for (const MgNode *name = target->first; name != NULL; name = name->next)
		n++;
	if (n != items->n)
		return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template sets %zu names to %zu values", n, items->n);
	n = 0;
	for (const MgNode *name = target->first; name != NULL; name = name->next)
		if (!set_target(render, name, items->items[n++]))
			return false;
	return true;
}

/* Runs a body with an output of its own. */
static bool
capture(MgRender *render, const MgNode *body, MgValue *value)
{
	MgPuts puts = {0}, *out = render->out;
	bool fine;

	render->out = &puts;
	fine = run_body(render, body);
	render->out = out;
	return fine && mg_puts_end(render, &puts, value);
}

/* The items that a loop is to go through, without those that its condition drops. */
static bool
loop_items(MgRender *render, const MgNode *node, const MgList **items)
{
	MgScope scope = {render->scope, NULL};
	MgValue of, kept, holds;

	if (!mg_evaluate(render, node->second, &of) || !mg_value_items(render, of, items))
		return false;
	if (node->third == NULL)
		return true;
	if (!mg_value_list(render, 0, &kept))
		return false;
	render->scope = &scope;
	for (size_t i = 0; i < (*items)->n; i++)
	{
		if (!set_target(render, node->first, (*items)->items[i]) || !mg_evaluate(render, node->third, &holds) ||
			(mg_value_truth(holds) && !mg_list_add(render, kept.list, (*items)->items[i])))
			return false;
	}
	render->scope = scope.parent;
	*items = kept.list;
	return true;
}

static bool
run_for(MgRender *render, const MgNode *node)
{
	const MgList *items;
	MgScope *parent = render->scope;
	MgLoop *loop = mg_render_alloc(render, 1, sizeof *loop);

	if (loop == NULL || !loop_items(render, node, &items))
		return false;
	*loop = (MgLoop){items, 0, MG_UNDEFINED_VALUE};
	for (; loop->at < items->n; loop->at++)
	{
		/* Macros that are made here keep it. */
		MgScope *scope = mg_render_alloc(render, 1, sizeof *scope);

		if (scope == NULL)
			return false;
		*scope = (MgScope){parent, NULL};
		render->scope = scope;
		if (!mg_render_step(render, 1) || !mg_set_variable(render, mg_span_of("loop"), (MgValue){.kind = MG_VALUE_LOOP, .loop = loop}) ||
			!set_target(render, node->first, items->items[loop->at]) || !run_body(render, node->body))
			return false;
		render->scope = parent;
		if (render->flow == MG_FLOW_BREAK)
		{
			render->flow = MG_FLOW_ON;
			return true;
		}
		render->flow = MG_FLOW_ON;
	}
	return items->n > 0 || run_body(render, node->or_else);
}

static bool
run_if(MgRender *render, const MgNode *node)
{
	MgValue condition;

	if (!mg_evaluate(render, node->first, &condition))
		return false;
	return run_body(render, mg_value_truth(condition) ? node->body : node->or_else);
}

static bool
run_with(MgRender *render, const MgNode *node)
{
	MgScope *scope = mg_render_alloc(render, 1, sizeof *scope), *parent = render->scope;
	MgValue value;

	if (scope == NULL)
		return false;
	*scope = (MgScope){parent, NULL};
	for (const MgNode *set = node->first; set != NULL; set = set->next)
	{
		/* Values are those of the scope around it. */
		if (!mg_evaluate(render, set->second, &value))
			return false;
		render->scope = scope;
		if (!set_target(render, set->first, value))
			return false;
		render->scope = parent;
	}
	render->scope = scope;
	if (!run_body(render, node->body))
		return false;
	render->scope = parent;
	return true;
}

static bool
run_set(MgRender *render, const MgNode *node)
{
	MgScope scope = {render->scope, NULL};
	MgValue value;

	if (node->kind == MG_NODE_SET)
		return mg_evaluate(render, node->second, &value) && set_target(render, node->first, value);
	render->scope = &scope;
	if (!capture(render, node->body, &value))
		return false;
	render->scope = scope.parent;
	return mg_evaluate_filters(render, node->third, &value) && set_target(render, node->first, value);
}

static bool
run_macro_statement(MgRender *render, const MgNode *node)
{
	MgMacro *macro = mg_render_alloc(render, 1, sizeof *macro);

	if (macro == NULL)
		return false;
	*macro = (MgMacro){node, render->scope};
	return mg_set_variable(render, node->name, (MgValue){.kind = MG_VALUE_MACRO, .macro = macro});
}

static bool
run_output(MgRender *render, const MgNode *node)
{
	MgValue value;

	return mg_evaluate(render, node->first, &value) && mg_puts_value(render, render->out, value);
}

static bool
run_filtered(MgRender *render, const MgNode *node)
{
	MgValue value;

	return capture(render, node->body, &value) && mg_evaluate_filters(render, node->first, &value) && mg_puts_value(render, render->out, value);
}

static bool
run_statement(MgRender *render, const MgNode *node)
{
	switch (node->kind)
	{
		case MG_NODE_TEXT:
			return mg_puts(render, render->out, node->text);
		case MG_NODE_OUTPUT:
			return run_output(render, node);
		case MG_NODE_IF:
			return run_if(render, node);
		case MG_NODE_FOR:
			return run_for(render, node);
		case MG_NODE_SET:
		case MG_NODE_SET_BLOCK:
			return run_set(render, node);
		case MG_NODE_MACRO:
			return run_macro_statement(render, node);
		case MG_NODE_WITH:
			return run_with(render, node);
		case MG_NODE_FILTERED:
			return run_filtered(render, node);
		case MG_NODE_GROUP:
			return run_body(render, node->body);
		default:
			render->flow = node->kind == MG_NODE_BREAK ? MG_FLOW_BREAK : MG_FLOW_CONTINUE;
			return true;
	}
}

/* A chain of statements, until one breaks or continues a loop. An else's IF is a chain of one. */
static bool
run_body(MgRender *render, const MgNode *node)
{
	if (render->depth++ >= MG_RENDER_MAX_DEPTH)
		return mg_render_fail(render, MG_TOO_LARGE, "chat template is nested deeper than %d", MG_RENDER_MAX_DEPTH);
	for (; node != NULL && render->flow == MG_FLOW_ON; node = node->next)
	{
		render->line = node->line;
		if (!mg_render_step(render, 1) || !run_statement(render, node))
			return false;
	}
	render->depth--;
	return true;
}

/* Parameters by place, by name, by default; what is left is undefined. */
static bool
set_parameters(MgRender *render, const MgNode *macro, const MgArguments *arguments)
{
	size_t place = 0, n_used = 0;

	for (const MgNode *parameter = macro->first; parameter != NULL; parameter = parameter->next, place++)
	{
		MgValue value = MG_UNDEFINED_VALUE;
		bool found = place < arguments->n;

		if (found)
			value = arguments->values[place];
		for (size_t i = 0; i < arguments->n_named; i++)
			if (mg_span_equal(arguments->names[i], parameter->name))
			{
				if (found)
					return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template passes \"%.*s\" to a macro twice", MG_SPAN_ARGS(parameter->name));
				value = arguments->named[i];
				found = true;
				n_used++;
			}
		if (!found && parameter->first->kind != MG_NODE_EMPTY && !mg_evaluate(render, parameter->first, &value))
			return false;
		if (!mg_set_variable(render, parameter->name, value))
			return false;
	}
	if (arguments->n > place || n_used < arguments->n_named)
		return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template passes an argument that macro \"%.*s\" does not take", MG_SPAN_ARGS(macro->name));
	return true;
}

bool
mg_run_macro(MgRender *render, const MgMacro *macro, const MgArguments *arguments, MgValue *result)
{
	MgScope *scope = mg_render_alloc(render, 1, sizeof *scope), *caller = render->scope;

	if (scope == NULL)
		return false;
	*scope = (MgScope){macro->scope, NULL};
	render->scope = scope;
	if (!set_parameters(render, macro->node, arguments) || !capture(render, macro->node->body, result))
		return false;
	render->scope = caller;
	return true;
}

/* Runs of bytes that are data. */
static bool
find_data(MgCtx *cx, const MgPuts *puts, MgRendered *rendered)
{
	size_t n = 0, at = 0;
	MgDataRange *ranges;

	for (size_t i = 0; i < puts->size; i++)
		n += puts->marks[i] && (i == 0 || !puts->marks[i - 1]);
	ranges = mg_alloc_array(cx, n, sizeof *ranges);
	if (ranges == NULL)
		return false;
	for (size_t i = 0; i < puts->size; i++)
	{
		if (puts->marks[i] && (i == 0 || !puts->marks[i - 1]))
			ranges[at++].start = i;
		if (puts->marks[i])
			ranges[at - 1].stop = i + 1;
	}
	*rendered = (MgRendered){mg_span(puts->bytes, puts->size), n, ranges};
	return true;
}

bool
mg_template_render(MgCtx *cx, const MgTemplate *parsed, const MgTemplateVariable *variables, size_t n, MgRendered *rendered)
{
	MgScope scope = {NULL, NULL};
	MgPuts puts = {0};
	MgRender render = {.cx = cx, .line = 1, .scope = &scope, .out = &puts};

	for (size_t i = 0; i < n; i++)
	{
		MgValue value;

		if (variables[i].json != NULL ? !mg_value_of_json(&render, variables[i].json, &value)
									  : !mg_value_string(&render, mg_marked(variables[i].text), &value))
			return false;
		if (!mg_set_variable(&render, mg_span_of(variables[i].name), value))
			return false;
	}
	return run_body(&render, parsed->body) && find_data(cx, &puts, rendered);
}
