/* Statements. */
#include "template/parse.h"

#include <stdio.h>

#include "template/calls.h"
#include "text/utf8.h"

#define NODES_AT_ONCE 128

MgNode *
mg_node(MgParser *parser, MgNodeKind kind)
{
	MgNode *node;

	if (parser->n_chunk == 0)
	{
		parser->chunk = mg_poll(parser->cx) ? mg_alloc_zeroed(parser->cx, NODES_AT_ONCE, sizeof *node) : NULL;
		if (parser->chunk == NULL)
			return NULL;
		parser->n_chunk = NODES_AT_ONCE;
	}
	node = parser->chunk++;
	parser->n_chunk--;
	node->kind = (uint8_t) kind;
	node->line = parser->tokens->line;
	return node;
}

MgNode *
mg_parse_fail(MgParser *parser, MgCode code, const char *format, ...)
{
	char words[MG_MESSAGE_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof words, format, args);
	va_end(args);
	mg_fail(parser->cx, code, "%s", words);
	mg_detail(parser->cx, "This is in line %u of the chat template.", parser->tokens->line);
	return NULL;
}

MgNode *
mg_parse_unexpected(MgParser *parser, const char *wanted)
{
	MgLex *token = parser->tokens;

	if (token->kind == MG_LEX_NAME || token->kind == MG_LEX_OPERATOR)
		return mg_parse_fail(parser, MG_BAD_FILE, "chat template is malformed: it has \"%.*s\" instead of %s", MG_SPAN_ARGS(token->text), wanted);
	return mg_parse_fail(parser, MG_BAD_FILE, "chat template is malformed: it lacks %s", wanted);
}

bool
mg_sees(const MgParser *parser, const char *op)
{
	return parser->tokens->kind == MG_LEX_OPERATOR && mg_span_is(parser->tokens->text, op);
}

bool
mg_sees_name(const MgParser *parser, const char *name)
{
	return parser->tokens->kind == MG_LEX_NAME && mg_span_is(parser->tokens->text, name);
}

bool
mg_take(MgParser *parser, const char *op)
{
	bool sees = mg_sees(parser, op);

	parser->tokens += sees;
	return sees;
}

bool
mg_take_name(MgParser *parser, const char *name)
{
	bool sees = mg_sees_name(parser, name);

	parser->tokens += sees;
	return sees;
}

bool
mg_want(MgParser *parser, const char *op)
{
	char wanted[8];

	if (mg_take(parser, op))
		return true;
	snprintf(wanted, sizeof wanted, "\"%s\"", op);
	mg_parse_unexpected(parser, wanted);
	return false;
}

void
mg_parse_sets(MgParser *parser, MgNode *name)
{
	name->or_else = parser->names;
	parser->names = name;
}

static bool
want_end(MgParser *parser)
{
	if (parser->tokens->kind == MG_LEX_BLOCK_END)
	{
		parser->tokens++;
		return true;
	}
	mg_parse_unexpected(parser, "the end of a statement");
	return false;
}

/* One name, or a member of a namespace. */
static MgNode *
parse_target_name(MgParser *parser, bool members)
{
	MgNode *node = mg_node(parser, MG_NODE_NAME), *member;

	if (node == NULL)
		return NULL;
	if (parser->tokens->kind != MG_LEX_NAME)
		return mg_parse_unexpected(parser, "a name");
	node->name = parser->tokens++->text;
	if (!members || !mg_take(parser, "."))
	{
		mg_parse_sets(parser, node);
		return node;
	}
	member = mg_node(parser, MG_NODE_MEMBER);
	if (member == NULL)
		return NULL;
	if (parser->tokens->kind != MG_LEX_NAME)
		return mg_parse_unexpected(parser, "a name");
	member->first = node;
	member->name = parser->tokens++->text;
	return member;
}

MgNode *
mg_parse_target(MgParser *parser, bool members)
{
	MgNode *names = NULL, **end = &names, *tuple;
	bool more;

	if (parser->depth++ >= MG_TEMPLATE_MAX_DEPTH)
		return mg_parse_fail(parser, MG_TOO_LARGE, "chat template is nested deeper than %d", MG_TEMPLATE_MAX_DEPTH);
	do
	{
		if (mg_take(parser, "("))
		{
			*end = mg_parse_target(parser, members);
			if (*end == NULL || !mg_want(parser, ")"))
				return NULL;
		}
		else if ((*end = parse_target_name(parser, members)) == NULL)
			return NULL;
		end = &(*end)->next;
		more = mg_take(parser, ",");
	} while (more);
	parser->depth--;
	if (names->next == NULL)
		return names;
	tuple = mg_node(parser, MG_NODE_TUPLE);
	if (tuple != NULL)
		tuple->first = names;
	return tuple;
}

static bool parse_body(MgParser *parser, const char *const *ends, MgNode **body);

/* A body up to "{% end %}", which is taken whole. */
static bool
parse_block(MgParser *parser, const char *end, MgNode **body)
{
	const char *const ends[] = {end, NULL};

	if (!want_end(parser) || !parse_body(parser, ends, body))
		return false;
	parser->tokens++;
	return want_end(parser);
}

static MgNode *
parse_if(MgParser *parser)
{
	static const char *const ends[] = {"elif", "else", "endif", NULL};
	MgNode *node = mg_node(parser, MG_NODE_IF);

	if (node == NULL || (node->first = mg_parse_tuple(parser, false)) == NULL || !want_end(parser) || !parse_body(parser, ends, &node->body))
		return NULL;
	if (mg_take_name(parser, "elif"))
	{
		if (parser->depth++ >= MG_TEMPLATE_MAX_DEPTH)
			return mg_parse_fail(parser, MG_TOO_LARGE, "chat template has more than %d elif in a row", MG_TEMPLATE_MAX_DEPTH);
		node->or_else = parse_if(parser);
		parser->depth--;
		return node->or_else != NULL ? node : NULL;
	}
	if (mg_take_name(parser, "else"))
		return parse_block(parser, "endif", &node->or_else) ? node : NULL;
	parser->tokens++;
	return want_end(parser) ? node : NULL;
}

static MgNode *
parse_for(MgParser *parser)
{
	static const char *const ends[] = {"else", "endfor", NULL};
	MgNode *node = mg_node(parser, MG_NODE_FOR);

	if (node == NULL || (node->first = mg_parse_target(parser, false)) == NULL)
		return NULL;
	if (!mg_take_name(parser, "in"))
		return mg_parse_unexpected(parser, "\"in\"");
	node->second = mg_parse_tuple(parser, true);
	if (node->second == NULL || (mg_take_name(parser, "if") && (node->third = mg_parse_expression(parser, false)) == NULL))
		return NULL;
	if (mg_sees_name(parser, "recursive"))
		return mg_parse_fail(parser, MG_UNSUPPORTED, "chat template has a recursive loop, which is not supported");
	parser->loops++;
	if (!want_end(parser) || !parse_body(parser, ends, &node->body))
		return NULL;
	parser->loops--;
	if (mg_take_name(parser, "else"))
		return parse_block(parser, "endfor", &node->or_else) ? node : NULL;
	parser->tokens++;
	return want_end(parser) ? node : NULL;
}

static MgNode *
parse_set(MgParser *parser)
{
	MgNode *node = mg_node(parser, MG_NODE_SET);

	if (node == NULL || (node->first = mg_parse_target(parser, true)) == NULL)
		return NULL;
	if (mg_take(parser, "="))
		return (node->second = mg_parse_tuple(parser, false)) != NULL && want_end(parser) ? node : NULL;
	node->kind = MG_NODE_SET_BLOCK;
	node->third = mg_node(parser, MG_NODE_EMPTY);
	if (node->third == NULL || (node->third = mg_parse_filters(parser, node->third)) == NULL)
		return NULL;
	return parse_block(parser, "endset", &node->body) ? node : NULL;
}

static MgNode *
parse_macro(MgParser *parser)
{
	MgNode *node = mg_node(parser, MG_NODE_MACRO);
	unsigned loops = parser->loops;
	bool fine;

	if (node == NULL)
		return NULL;
	if (parser->tokens->kind != MG_LEX_NAME)
		return mg_parse_unexpected(parser, "a macro's name");
	node->name = parser->tokens++->text;
	mg_parse_sets(parser, node);
	parser->loops = 0;
	fine = mg_parse_arguments(parser, true, &node->first) && parse_block(parser, "endmacro", &node->body);
	parser->loops = loops;
	return fine ? node : NULL;
}

static MgNode *
parse_with(MgParser *parser)
{
	MgNode *node = mg_node(parser, MG_NODE_WITH), **end;

	if (node == NULL)
		return NULL;
	for (end = &node->first; parser->tokens->kind != MG_LEX_BLOCK_END; end = &(*end)->next)
	{
		if (end != &node->first && !mg_want(parser, ","))
			return NULL;
		*end = mg_node(parser, MG_NODE_SET);
		if (*end == NULL || ((*end)->first = mg_parse_target(parser, false)) == NULL || !mg_want(parser, "=") ||
			((*end)->second = mg_parse_expression(parser, false)) == NULL)
			return NULL;
	}
	return parse_block(parser, "endwith", &node->body) ? node : NULL;
}

static MgNode *
parse_filtered(MgParser *parser)
{
	MgNode *node = mg_node(parser, MG_NODE_FILTERED), *empty = node != NULL ? mg_node(parser, MG_NODE_EMPTY) : NULL;
	MgLex *token = parser->tokens;

	if (empty == NULL)
		return NULL;
	/* The first filter stands without a "|": the token in front of it, "filter", serves as one. */
	token[-1] = (MgLex){.kind = MG_LEX_OPERATOR, .line = token->line, .text = mg_span_of("|")};
	parser->tokens--;
	node->first = mg_parse_filters(parser, empty);
	return node->first != NULL && parse_block(parser, "endfilter", &node->body) ? node : NULL;
}

static MgNode *
parse_simple(MgParser *parser, MgNodeKind kind)
{
	MgNode *node = mg_node(parser, kind);

	if (node == NULL)
		return NULL;
	if (kind == MG_NODE_GROUP)
		return parse_block(parser, "endgeneration", &node->body) ? node : NULL;
	if (parser->loops == 0)
		return mg_parse_unexpected(parser, "a loop around break or continue");
	return want_end(parser) ? node : NULL;
}

/* Behind "{%". */
static MgNode *
parse_statement(MgParser *parser)
{
	if (parser->tokens->kind != MG_LEX_NAME)
		return mg_parse_unexpected(parser, "a statement");
	if (mg_take_name(parser, "if"))
		return parse_if(parser);
	if (mg_take_name(parser, "for"))
		return parse_for(parser);
	if (mg_take_name(parser, "set"))
		return parse_set(parser);
	if (mg_take_name(parser, "macro"))
		return parse_macro(parser);
	if (mg_take_name(parser, "with"))
		return parse_with(parser);
	if (mg_take_name(parser, "filter"))
		return parse_filtered(parser);
	if (mg_take_name(parser, "generation"))
		return parse_simple(parser, MG_NODE_GROUP);
	if (mg_take_name(parser, "break"))
		return parse_simple(parser, MG_NODE_BREAK);
	if (mg_take_name(parser, "continue"))
		return parse_simple(parser, MG_NODE_CONTINUE);
	return mg_parse_fail(parser, MG_UNSUPPORTED, "chat template has statement \"%.*s\", which is not supported here", MG_SPAN_ARGS(parser->tokens->text));
}

static MgNode *
parse_piece(MgParser *parser)
{
	MgLex *token = parser->tokens;
	MgNode *node;

	if (token->kind == MG_LEX_BLOCK)
	{
		parser->tokens++;
		return parse_statement(parser);
	}
	node = mg_node(parser, token->kind == MG_LEX_TEXT ? MG_NODE_TEXT : MG_NODE_OUTPUT);
	if (node == NULL)
		return NULL;
	parser->tokens++;
	if (token->kind == MG_LEX_TEXT)
	{
		node->text = mg_marked(token->text);
		return node;
	}
	node->first = mg_parse_tuple(parser, false);
	if (node->first == NULL)
		return NULL;
	if (parser->tokens->kind != MG_LEX_OUTPUT_END)
		return mg_parse_unexpected(parser, "\"}}\"");
	parser->tokens++;
	return node;
}

/* Up to one of ends, whose "{%" is taken; ends NULL: up to the end of the template. */
static bool
parse_body(MgParser *parser, const char *const *ends, MgNode **body)
{
	MgNode **end = body;

	*body = NULL;
	if (parser->depth++ >= MG_TEMPLATE_MAX_DEPTH)
		return mg_parse_fail(parser, MG_TOO_LARGE, "chat template is nested deeper than %d", MG_TEMPLATE_MAX_DEPTH) != NULL;
	for (;;)
	{
		if (parser->tokens->kind == MG_LEX_END)
		{
			parser->depth--;
			return ends == NULL || mg_parse_fail(parser, MG_BAD_FILE, "chat template is malformed: it lacks \"%s\"",
												 ends[1] != NULL && ends[2] != NULL ? ends[2] : ends[1] != NULL ? ends[1] : ends[0]) != NULL;
		}
		if (parser->tokens->kind == MG_LEX_BLOCK && ends != NULL)
		{
			parser->tokens++;
			for (size_t i = 0; ends[i] != NULL; i++)
				if (mg_sees_name(parser, ends[i]))
				{
					parser->depth--;
					return true;
				}
			parser->tokens--;
		}
		*end = parse_piece(parser);
		if (*end == NULL)
			return false;
		end = &(*end)->next;
	}
}

/* A name that is called is a function's, or is set somewhere. */
static bool
check_calls(MgParser *parser)
{
	for (MgNode *call = parser->calls; call != NULL; call = call->or_else)
	{
		MgNode *name = parser->names;

		if (!mg_poll(parser->cx))
			return false;
		while (name != NULL && !mg_span_equal(name->name, call->first->name))
			name = name->or_else;
		if (name != NULL || mg_function_is_known(call->first->name))
			continue;
		mg_fail(parser->cx, MG_UNSUPPORTED, "chat template calls function \"%.*s\", which is not supported", MG_SPAN_ARGS(call->first->name));
		return mg_detail(parser->cx, "This is in line %u of the chat template.", call->line);
	}
	return true;
}

/* By mg_template_with_tokens: lines are counted from the second one, which is the template's own first. */
static bool
begins_with_tokens(MgSpan source)
{
	static const char *const lines[] = {"{% set bos_token = '", "{% set eos_token = '"};

	for (size_t i = 0; i < 2; i++)
		if (source.size >= strlen(lines[i]) && memcmp(source.data, lines[i], strlen(lines[i])) == 0)
			return true;
	return false;
}

const MgTemplate *
mg_template_parse(MgCtx *cx, MgSpan source)
{
	MgTemplate *template = mg_alloc(cx, sizeof *template);
	MgParser parser = {.cx = cx};
	size_t n;

	if (template == NULL)
		return NULL;
	if (source.size > MG_TEMPLATE_MAX_SIZE)
	{
		mg_fail(cx, MG_TOO_LARGE, "chat template has %zu bytes, at most %zu are possible", source.size, MG_TEMPLATE_MAX_SIZE);
		return NULL;
	}
	if (mg_utf8_check(source) != source.size)
	{
		mg_fail(cx, MG_BAD_FILE, "chat template is not valid UTF-8");
		return NULL;
	}
	if (!mg_lex(cx, source, begins_with_tokens(source) ? 0 : 1, &parser.tokens, &n) || !parse_body(&parser, NULL, &template->body) || !check_calls(&parser))
		return NULL;
	return template;
}

/* Writes a string as a template has it. */
static size_t
put_string(uint8_t *into, MgSpan text)
{
	size_t n = 0;

	into[n++] = '\'';
	for (size_t i = 0; i < text.size; i++)
	{
		if (text.data[i] == '\\' || text.data[i] == '\'')
			into[n++] = '\\';
		into[n++] = text.data[i];
	}
	into[n++] = '\'';
	return n;
}

bool
mg_template_with_tokens(MgCtx *cx, MgSpan source, MgSpan bos, MgSpan eos, MgSpan *whole)
{
	static const char *const names[] = {"bos_token", "eos_token"};
	const MgSpan tokens[] = {bos, eos};
	size_t size, n = 0;
	uint8_t *into;

	*whole = source;
	if (source.size == 0 || source.size > MG_TEMPLATE_MAX_SIZE || bos.size + eos.size == 0)
		return true;
	if (bos.size > MG_TEMPLATE_MAX_SIZE / 4 || eos.size > MG_TEMPLATE_MAX_SIZE / 4)
		return mg_fail(cx, MG_BAD_FILE, "token of %zu bytes begins or ends texts", bos.size > eos.size ? bos.size : eos.size);
	size = source.size + 2 * (bos.size + eos.size) + 100;
	into = mg_alloc(cx, size);
	if (into == NULL)
		return false;
	for (size_t i = 0; i < 2; i++)
		if (tokens[i].size > 0)
		{
			n += (size_t) snprintf((char *) into + n, size - n, "{%% set %s = ", names[i]);
			n += put_string(into + n, tokens[i]);
			memcpy(into + n, " %}", 3);
			n += 3;
		}
	into[n++] = '\n'; /* goes by trim_blocks */
	memcpy(into + n, source.data, source.size);
	*whole = mg_span(into, n + source.size);
	return true;
}
