/* The parser's state, for its two files: statements (parse.c) and expressions (expression.c). */
#ifndef MG_TEMPLATE_PARSE_H
#define MG_TEMPLATE_PARSE_H

#include "template/lexer.h"
#include "template/node.h"

typedef struct MgParser
{
	MgCtx *cx;
	MgLex *tokens; /* the current one, and those behind it up to MG_LEX_END */
	unsigned depth, loops;
	MgNode *chunk;	  /* nodes to come */
	size_t n_chunk;
	MgNode *calls;	  /* of names, by or_else: looked at when all names that are set are known */
	MgNode *names;	  /* that are set, by or_else */
} MgParser;

MgNode *mg_node(MgParser *parser, MgNodeKind kind);

/* Whether the current token is this; then it is taken. */
bool mg_take(MgParser *parser, const char *op);
bool mg_take_name(MgParser *parser, const char *name);
bool mg_sees(const MgParser *parser, const char *op);
bool mg_sees_name(const MgParser *parser, const char *name);

/* The same, or an error. */
bool mg_want(MgParser *parser, const char *op);

/* Errors with the line; they return NULL. */
MgNode *mg_parse_fail(MgParser *parser, MgCode code, const char *format, ...) __attribute__((format(printf, 3, 4)));
MgNode *mg_parse_unexpected(MgParser *parser, const char *wanted);

/* An expression; without_choice: "if" ends it, as in a for. NULL on an error. */
MgNode *mg_parse_expression(MgParser *parser, bool without_choice);

/* Expressions between commas are a tuple. */
MgNode *mg_parse_tuple(MgParser *parser, bool without_choice);

/* Behind of: "| filter" again and again. */
MgNode *mg_parse_filters(MgParser *parser, MgNode *of);

/* What is set: a name, a member of a namespace, or several names. */
MgNode *mg_parse_target(MgParser *parser, bool members);

/* Takes "(a, b=c)" behind a call or a macro's name: ARGUMENT nodes. of_macro: names, with EMPTY where there is no default. */
bool mg_parse_arguments(MgParser *parser, bool of_macro, MgNode **arguments);

/* Notes that a name is set somewhere. */
void mg_parse_sets(MgParser *parser, MgNode *name);

#endif
