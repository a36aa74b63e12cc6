/*
 * Expressions, in Jinja's order: choice, or, and, not, comparisons, + -, ~, * / // %, **, signs, and then what stands behind a value:
 * members, items, calls, filters, tests.
 */
#include "template/calls.h"
#include "template/parse.h"

static MgNode *parse_choice(MgParser *parser, bool without_choice);
static MgNode *parse_unary(MgParser *parser, bool with_filters);

/* Deeper than this is refused: each level is some frames of the stack here, and again when it is rendered. */
static bool
enter(MgParser *parser)
{
	if (parser->depth++ < MG_TEMPLATE_MAX_DEPTH)
		return true;
	mg_parse_fail(parser, MG_TOO_LARGE, "chat template is nested deeper than %d", MG_TEMPLATE_MAX_DEPTH);
	return false;
}

static MgNode *
two(MgParser *parser, MgNodeKind kind, MgOp op, MgNode *first, MgNode *second)
{
	MgNode *node = second != NULL ? mg_node(parser, kind) : NULL;

	if (node == NULL)
		return NULL;
	node->op = (uint8_t) op;
	node->first = first;
	node->second = second;
	return node;
}

static MgNode *
constant(MgParser *parser, MgValue value)
{
	MgNode *node = mg_node(parser, MG_NODE_CONST);

	if (node != NULL)
		node->value = value;
	return node;
}

/* Adjacent strings are one. */
static MgNode *
parse_string(MgParser *parser)
{
	MgNode *node = mg_node(parser, MG_NODE_CONST);
	MgLex *first = parser->tokens;
	size_t size = 0, n = 0;
	uint8_t *bytes;

	if (node == NULL)
		return NULL;
	for (; parser->tokens->kind == MG_LEX_STRING; parser->tokens++, n++)
		size += parser->tokens->text.size;
	node->text = mg_marked(first->text);
	if (n > 1)
	{
		bytes = mg_alloc(parser->cx, size);
		if (bytes == NULL)
			return NULL;
		node->text = mg_marked(mg_span(bytes, size));
		for (; n > 0; n--, first++)
		{
			memcpy(bytes, first->text.data, first->text.size);
			bytes += first->text.size;
		}
	}
	node->value = (MgValue){.kind = MG_VALUE_STRING, .text = &node->text};
	return node;
}

/* Items up to the closing bracket, which is taken. */
static bool
parse_items(MgParser *parser, const char *close, MgNode **items)
{
	MgNode **end = items;

	while (!mg_take(parser, close))
	{
		if (end != items && (!mg_want(parser, ",") || mg_take(parser, close)))
			return parser->cx->error.code == MG_OK;
		*end = mg_parse_expression(parser, false);
		if (*end == NULL)
			return false;
		end = &(*end)->next;
	}
	return true;
}

static MgNode *
parse_dict(MgParser *parser)
{
	MgNode *node = mg_node(parser, MG_NODE_DICT), **end;

	if (node == NULL)
		return NULL;
	for (end = &node->first; !mg_take(parser, "}"); end = &(*end)->next)
	{
		if (end != &node->first)
		{
			if (!mg_want(parser, ","))
				return NULL;
			if (mg_take(parser, "}"))
				break;
		}
		*end = mg_parse_expression(parser, false);
		if (*end == NULL || !mg_want(parser, ":"))
			return NULL;
		if ((*end)->kind == MG_NODE_CONST && (*end)->value.kind != MG_VALUE_STRING)
			return mg_parse_fail(parser, MG_UNSUPPORTED, "chat template has a dictionary whose keys are no strings, which is not supported");
		end = &(*end)->next;
		*end = mg_parse_expression(parser, false);
		if (*end == NULL)
			return NULL;
	}
	return node;
}

/* Behind "(": one expression in parentheses, or a tuple. */
static MgNode *
parse_parentheses(MgParser *parser)
{
	MgNode *node = NULL;

	if (!mg_sees(parser, ")"))
	{
		node = mg_parse_expression(parser, false);
		if (node == NULL || mg_take(parser, ")"))
			return node;
		if (!mg_want(parser, ","))
			return NULL;
	}
	{
		MgNode *tuple = mg_node(parser, MG_NODE_TUPLE);

		if (tuple == NULL)
			return NULL;
		tuple->first = node;
		return parse_items(parser, ")", node != NULL ? &node->next : &tuple->first) ? tuple : NULL;
	}
}

static MgNode *
parse_name(MgParser *parser)
{
	static const struct
	{
		const char *name;
		MgValue value;
	} constants[] = {{"true", {.kind = MG_VALUE_BOOL, .truth = true}}, {"True", {.kind = MG_VALUE_BOOL, .truth = true}},
					 {"false", {.kind = MG_VALUE_BOOL}}, {"False", {.kind = MG_VALUE_BOOL}},
					 {"none", {.kind = MG_VALUE_NONE}}, {"None", {.kind = MG_VALUE_NONE}}};
	MgNode *node;

	for (size_t i = 0; i < sizeof constants / sizeof constants[0]; i++)
		if (mg_take_name(parser, constants[i].name))
			return constant(parser, constants[i].value);
	node = mg_node(parser, MG_NODE_NAME);
	if (node != NULL)
		node->name = parser->tokens++->text;
	return node;
}

static MgNode *
parse_primary(MgParser *parser)
{
	MgLex *token = parser->tokens;
	MgNode *node;

	if (token->kind == MG_LEX_NAME)
		return parse_name(parser);
	if (token->kind == MG_LEX_STRING)
		return parse_string(parser);
	if (token->kind == MG_LEX_INTEGER || token->kind == MG_LEX_REAL)
	{
		parser->tokens++;
		return constant(parser, token->kind == MG_LEX_INTEGER ? mg_value_integer(token->integer)
															  : (MgValue){.kind = MG_VALUE_REAL, .real = token->real});
	}
	if (mg_take(parser, "("))
		return parse_parentheses(parser);
	if (mg_take(parser, "{"))
		return parse_dict(parser);
	if (!mg_take(parser, "["))
		return mg_parse_unexpected(parser, "an expression");
	node = mg_node(parser, MG_NODE_LIST);
	return node != NULL && parse_items(parser, "]", &node->first) ? node : NULL;
}

bool
mg_parse_arguments(MgParser *parser, bool of_macro, MgNode **arguments)
{
	MgNode **end = arguments;
	bool named = false;

	*arguments = NULL;
	if (!mg_want(parser, "("))
		return false;
	while (!mg_take(parser, ")"))
	{
		MgLex *token = parser->tokens;

		if (end != arguments && (!mg_want(parser, ",") || mg_take(parser, ")")))
			return parser->cx->error.code == MG_OK;
		token = parser->tokens;
		if (mg_sees(parser, "*") || mg_sees(parser, "**"))
			return mg_parse_fail(parser, MG_UNSUPPORTED, "chat template passes arguments by \"%.*s\", which is not supported",
								 MG_SPAN_ARGS(token->text)) != NULL;
		*end = mg_node(parser, MG_NODE_ARGUMENT);
		if (*end == NULL)
			return false;
		if (token->kind == MG_LEX_NAME && token[1].kind == MG_LEX_OPERATOR && mg_span_is(token[1].text, "="))
		{
			(*end)->name = token->text;
			parser->tokens += 2;
			(*end)->first = mg_parse_expression(parser, false);
			named = true;
		}
		else if (named)
			return mg_parse_unexpected(parser, "a named argument") != NULL;
		else if (of_macro)
		{
			if (token->kind != MG_LEX_NAME)
				return mg_parse_unexpected(parser, "a name") != NULL;
			(*end)->name = parser->tokens++->text;
			(*end)->first = mg_node(parser, MG_NODE_EMPTY);
		}
		else
			(*end)->first = mg_parse_expression(parser, false);
		if ((*end)->first == NULL)
			return false;
		if (of_macro)
			mg_parse_sets(parser, *end);
		end = &(*end)->next;
	}
	return true;
}

static MgNode *
parse_call(MgParser *parser, MgNode *callee)
{
	MgNode *node = mg_node(parser, MG_NODE_CALL);

	if (node == NULL || !mg_parse_arguments(parser, false, &node->second))
		return NULL;
	node->first = callee;
	if (callee->kind == MG_NODE_NAME)
	{
		node->or_else = parser->calls;
		parser->calls = node;
	}
	else if (callee->kind != MG_NODE_MEMBER)
		return mg_parse_fail(parser, MG_UNSUPPORTED, "chat template calls what has no name, which is not supported");
	else if (!mg_method_is_known(callee->name))
		return mg_parse_fail(parser, MG_UNSUPPORTED, "chat template calls method \"%.*s\", which is not supported", MG_SPAN_ARGS(callee->name));
	return node;
}

/* A part of "[start:stop:step]": an expression, or none. */
static MgNode *
parse_bound(MgParser *parser)
{
	return mg_sees(parser, ":") || mg_sees(parser, "]") ? mg_node(parser, MG_NODE_EMPTY) : mg_parse_expression(parser, false);
}

/* Behind "[". */
static MgNode *
parse_item(MgParser *parser, MgNode *of)
{
	MgNode *start = parse_bound(parser), *node;

	if (start == NULL)
		return NULL;
	if (!mg_take(parser, ":"))
	{
		if (start->kind == MG_NODE_EMPTY)
			return mg_parse_unexpected(parser, "an expression");
		return mg_want(parser, "]") ? two(parser, MG_NODE_ITEM, 0, of, start) : NULL;
	}
	node = two(parser, MG_NODE_SLICE, 0, of, start);
	if (node == NULL || (node->third = parse_bound(parser)) == NULL)
		return NULL;
	node->body = mg_take(parser, ":") ? parse_bound(parser) : mg_node(parser, MG_NODE_EMPTY);
	return node->body != NULL && mg_want(parser, "]") ? node : NULL;
}

static MgNode *
parse_postfix(MgParser *parser, MgNode *node)
{
	while (node != NULL)
	{
		if (mg_take(parser, "["))
			node = parse_item(parser, node);
		else if (mg_sees(parser, "("))
			node = parse_call(parser, node);
		else if (mg_take(parser, "."))
		{
			MgLex *token = parser->tokens++;

			if (token->kind == MG_LEX_INTEGER)
				node = two(parser, MG_NODE_ITEM, 0, node, constant(parser, mg_value_integer(token->integer)));
			else if (token->kind == MG_LEX_NAME)
			{
				MgNode *member = mg_node(parser, MG_NODE_MEMBER);

				if (member == NULL)
					return NULL;
				member->first = node;
				member->name = token->text;
				node = member;
			}
			else
			{
				parser->tokens--;
				return mg_parse_unexpected(parser, "a name");
			}
		}
		else
			return node;
	}
	return NULL;
}

static MgNode *
parse_filter(MgParser *parser, MgNode *of)
{
	MgNode *node = mg_node(parser, MG_NODE_FILTER);
	int number;

	if (node == NULL)
		return NULL;
	if (parser->tokens->kind != MG_LEX_NAME)
		return mg_parse_unexpected(parser, "a filter");
	node->name = parser->tokens++->text;
	number = mg_filter_find(node->name);
	if (number < 0)
		return mg_parse_fail(parser, MG_UNSUPPORTED, "chat template uses filter \"%.*s\", which is not supported", MG_SPAN_ARGS(node->name));
	node->number = (uint16_t) number;
	node->first = of;
	return !mg_sees(parser, "(") || mg_parse_arguments(parser, false, &node->second) ? node : NULL;
}

/* A test's argument may stand without parentheses: one value. */
static bool
parse_test_argument(MgParser *parser, MgNode *test)
{
	MgLex *token = parser->tokens;
	bool begins = token->kind == MG_LEX_NAME || token->kind == MG_LEX_STRING || token->kind == MG_LEX_INTEGER || token->kind == MG_LEX_REAL ||
				  mg_sees(parser, "[") || mg_sees(parser, "{");

	if (mg_sees(parser, "("))
		return mg_parse_arguments(parser, false, &test->second);
	if (!begins || mg_sees_name(parser, "else") || mg_sees_name(parser, "or") || mg_sees_name(parser, "and") || mg_sees_name(parser, "is") ||
		mg_sees_name(parser, "if") || mg_sees_name(parser, "in") || mg_sees_name(parser, "not"))
		return true;
	test->second = mg_node(parser, MG_NODE_ARGUMENT);
	if (test->second == NULL)
		return false;
	test->second->first = parse_postfix(parser, parse_primary(parser));
	return test->second->first != NULL;
}

/* Behind "is". */
static MgNode *
parse_test(MgParser *parser, MgNode *of)
{
	MgNode *node = mg_node(parser, MG_NODE_TEST);
	int number;

	if (node == NULL)
		return NULL;
	node->first = of;
	node->negated = mg_take_name(parser, "not");
	if (parser->tokens->kind != MG_LEX_NAME)
		return mg_parse_unexpected(parser, "a test");
	node->name = parser->tokens++->text;
	number = mg_test_find(node->name);
	if (number < 0)
		return mg_parse_fail(parser, MG_UNSUPPORTED, "chat template uses test \"%.*s\", which is not supported", MG_SPAN_ARGS(node->name));
	node->number = (uint16_t) number;
	return parse_test_argument(parser, node) ? node : NULL;
}

MgNode *
mg_parse_filters(MgParser *parser, MgNode *of)
{
	while (of != NULL)
	{
		if (mg_take(parser, "|"))
			of = parse_filter(parser, of);
		else if (mg_take_name(parser, "is"))
			of = parse_test(parser, of);
		else if (mg_sees(parser, "("))
			of = parse_call(parser, of);
		else
			return of;
	}
	return NULL;
}

static MgNode *
parse_unary(MgParser *parser, bool with_filters)
{
	MgNode *node;

	if (!enter(parser))
		return NULL;
	if (mg_sees(parser, "-") || mg_sees(parser, "+"))
	{
		bool minus = mg_take(parser, "-");

		parser->tokens += !minus;
		node = mg_node(parser, minus ? MG_NODE_MINUS : MG_NODE_PLUS);
		if (node != NULL && (node->first = parse_unary(parser, false)) == NULL)
			node = NULL;
	}
	else
		node = parse_primary(parser);
	if (node != NULL)
		node = parse_postfix(parser, node);
	if (node != NULL && with_filters)
		node = mg_parse_filters(parser, node);
	parser->depth--;
	return node;
}

/* Operators of two sides, from those that bind least; all go from left to right. */
static const struct Level
{
	struct
	{
		const char *text;
		MgOp op;
	} ops[5];
} levels[] = {{{{"+", MG_OP_ADD}, {"-", MG_OP_SUBTRACT}}},
			  {{{"~", MG_OP_JOIN}}},
			  {{{"*", MG_OP_MULTIPLY}, {"/", MG_OP_DIVIDE}, {"//", MG_OP_FLOOR}, {"%", MG_OP_MODULO}}},
			  {{{"**", MG_OP_POWER}}}};

#define N_LEVELS (sizeof levels / sizeof levels[0])

static MgNode *
parse_binary(MgParser *parser, size_t level)
{
	MgNode *left = level == N_LEVELS ? parse_unary(parser, true) : parse_binary(parser, level + 1);
	bool found = level < N_LEVELS;

	while (left != NULL && found)
	{
		found = false;
		for (size_t i = 0; levels[level].ops[i].text != NULL && !found; i++)
			if (mg_take(parser, levels[level].ops[i].text))
			{
				left = two(parser, MG_NODE_BINARY, levels[level].ops[i].op, left, parse_binary(parser, level + 1));
				found = true;
			}
	}
	return left;
}

static bool
take_comparison(MgParser *parser, MgOp *op)
{
	static const char *const names[] = {"==", "!=", "<", "<=", ">", ">="};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (mg_take(parser, names[i]))
		{
			*op = (MgOp) (MG_OP_EQ + i);
			return true;
		}
	*op = MG_OP_IN;
	if (mg_take_name(parser, "in"))
		return true;
	if (!mg_sees_name(parser, "not") || parser->tokens[1].kind != MG_LEX_NAME || !mg_span_is(parser->tokens[1].text, "in"))
		return false;
	parser->tokens += 2;
	*op = MG_OP_NOT_IN;
	return true;
}

static MgNode *
parse_comparison(MgParser *parser)
{
	MgNode *left = parse_binary(parser, 0), *node, **end;
	MgOp op;

	if (left == NULL || !take_comparison(parser, &op))
		return left;
	node = mg_node(parser, MG_NODE_COMPARE);
	if (node == NULL)
		return NULL;
	node->first = left;
	end = &node->second;
	do
	{
		*end = mg_node(parser, MG_NODE_COMPARED);
		if (*end == NULL || ((*end)->first = parse_binary(parser, 0)) == NULL)
			return NULL;
		(*end)->op = (uint8_t) op;
		end = &(*end)->next;
	} while (take_comparison(parser, &op));
	return node;
}

static MgNode *
parse_not(MgParser *parser)
{
	MgNode *node;

	if (!mg_take_name(parser, "not"))
		return parse_comparison(parser);
	if (!enter(parser))
		return NULL;
	node = mg_node(parser, MG_NODE_NOT);
	if (node != NULL && (node->first = parse_not(parser)) == NULL)
		node = NULL;
	parser->depth--;
	return node;
}

static MgNode *
parse_and(MgParser *parser)
{
	MgNode *left = parse_not(parser);

	while (left != NULL && mg_take_name(parser, "and"))
		left = two(parser, MG_NODE_AND, 0, left, parse_not(parser));
	return left;
}

static MgNode *
parse_or(MgParser *parser)
{
	MgNode *left = parse_and(parser);

	while (left != NULL && mg_take_name(parser, "or"))
		left = two(parser, MG_NODE_OR, 0, left, parse_and(parser));
	return left;
}

static MgNode *
parse_choice(MgParser *parser, bool without_choice)
{
	MgNode *node = parse_or(parser);

	while (node != NULL && !without_choice && mg_take_name(parser, "if"))
	{
		MgNode *choice = two(parser, MG_NODE_CHOICE, 0, node, parse_or(parser));

		if (choice != NULL && mg_take_name(parser, "else") && (choice->third = parse_choice(parser, false)) == NULL)
			choice = NULL;
		node = choice;
	}
	return node;
}

MgNode *
mg_parse_expression(MgParser *parser, bool without_choice)
{
	MgNode *node = enter(parser) ? parse_choice(parser, without_choice) : NULL;

	parser->depth--;
	return node;
}

MgNode *
mg_parse_tuple(MgParser *parser, bool without_choice)
{
	MgNode *first = mg_parse_expression(parser, without_choice), *tuple, **end;

	if (first == NULL || !mg_sees(parser, ","))
		return first;
	tuple = mg_node(parser, MG_NODE_TUPLE);
	if (tuple == NULL)
		return NULL;
	tuple->first = first;
	for (end = &first->next; mg_take(parser, ","); end = &(*end)->next)
	{
		if (parser->tokens->kind == MG_LEX_BLOCK_END || parser->tokens->kind == MG_LEX_OUTPUT_END)
			break;
		*end = mg_parse_expression(parser, without_choice);
		if (*end == NULL)
			return NULL;
	}
	return tuple;
}
