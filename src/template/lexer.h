/*
 * A template's text as tokens. White space goes as the reference has it: the newline behind a statement or comment (trim_blocks), blanks
 * before one at the start of a line (lstrip_blocks), all that "-" says, and one newline at the very end; "+" keeps it.
 */
#ifndef MG_TEMPLATE_LEXER_H
#define MG_TEMPLATE_LEXER_H

#include "core/ctx.h"

typedef enum MgLexKind
{
	MG_LEX_TEXT,	  /* outside of tags; never empty */
	MG_LEX_OUTPUT,	  /* {{ */
	MG_LEX_OUTPUT_END,
	MG_LEX_BLOCK,	  /* {% */
	MG_LEX_BLOCK_END,
	MG_LEX_NAME,
	MG_LEX_STRING,	  /* escapes undone */
	MG_LEX_INTEGER,
	MG_LEX_REAL,
	MG_LEX_OPERATOR,  /* text: one or two characters */
	MG_LEX_END
} MgLexKind;

typedef struct MgLex
{
	MgLexKind kind;
	unsigned line;
	MgSpan text;
	int64_t integer;
	double real;
} MgLex;

/* tokens [*n], the last one MG_LEX_END; lines count from first_line. Arena memory. False after an error. */
bool mg_lex(MgCtx *cx, MgSpan source, unsigned first_line, MgLex **tokens, size_t *n);

/* White space as Python's str has it. */
bool mg_is_space(uint32_t code);

#endif
