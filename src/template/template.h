/*
 * Chat templates: the part of Jinja that public ones use, interpreted.
 *
 *   statements  if, for (with else, if, break, continue, loop.*), set (also of a block and of a namespace's member), macro, with, filter, raw,
 *               generation; white space control; trim_blocks and lstrip_blocks, as the reference has them
 *   values      undefined, none, true, false, integers of 64 bits, floats, strings, lists, tuples, dictionaries with strings as keys,
 *               namespace(), macros
 *   operators   all of Jinja but the % of strings
 *   names       filters, tests, methods and functions: the tables of filters.c, tests.c, methods.c, calls.c
 *
 * A template and its values are other people's. What is not known is refused by name when a template is parsed. Rendering is bounded in steps,
 * depth and memory, polls, changes nothing, and knows neither time nor chance: strftime_now is undefined.
 *
 * Each byte of what is rendered is the template's or data's: what came from a variable's JSON, through whatever filters, is data. So a tokeniser
 * can leave special tokens in a message's text alone (MgData in text/tokenizer.h): no message ends its turn.
 */
#ifndef MG_TEMPLATE_TEMPLATE_H
#define MG_TEMPLATE_TEMPLATE_H

#include "format/json.h"
#include "text/tokenizer.h"

#define MG_TEMPLATE_MAX_SIZE ((size_t) 256 * 1024) /* bytes of a template */
#define MG_TEMPLATE_MAX_DEPTH 100				   /* of expressions and blocks in each other, and of calls */
#define MG_TEMPLATE_MAX_STEPS ((size_t) 8000000)   /* of nodes, and 64 bytes of text each: about half a second */
#define MG_TEMPLATE_MAX_MEMORY ((size_t) 192 * 1024 * 1024)

typedef struct MgTemplate MgTemplate;

/* A parsed template in arena memory; source outlives it. NULL on an error, which says the line. */
const MgTemplate *mg_template_parse(MgCtx *cx, MgSpan source);

/* What a template finds under a name. */
typedef struct MgTemplateVariable
{
	const char *name;
	const MgJson *json; /* NULL: text of the model's own, which is no data */
	MgSpan text;
} MgTemplateVariable;

typedef struct MgRendered
{
	MgSpan text;
	size_t n_data;
	const MgDataRange *data; /* [n_data], ascending, apart */
} MgRendered;

/* Renders with variables [n]. Arena memory. False after an error: one of the limits, what the template itself raises, or what it cannot do. */
bool mg_template_render(MgCtx *cx, const MgTemplate *parsed, const MgTemplateVariable *variables, size_t n, MgRendered *rendered);

/*
 * A template with the model's tokens as bos_token and eos_token, which its files have elsewhere: a first line that sets them. Arena memory;
 * those that are empty are left out.
 */
bool mg_template_with_tokens(MgCtx *cx, MgSpan source, MgSpan bos, MgSpan eos, MgSpan *whole);

#endif
