/* The tokens of a text while they are found: a list in arena memory that grows. */
#ifndef MG_TEXT_TOKEN_LIST_H
#define MG_TEXT_TOKEN_LIST_H

#include "text/tokenizer.h"

typedef struct MgTokenList
{
	MgTokens tokens;
	size_t capacity;
} MgTokenList;

/* Room for the tokens of an English text of text_size bytes, which have 4 to 5 bytes each. */
bool mg_token_list_init(MgCtx *cx, MgTokenList *list, size_t text_size);

/* Makes room for one more. */
bool mg_token_list_grow(MgCtx *cx, MgTokenList *list);

static inline bool
mg_token_list_push(MgCtx *cx, MgTokenList *list, int32_t id, uint32_t start, uint32_t stop)
{
	if (list->tokens.n == list->capacity && !mg_token_list_grow(cx, list))
		return false;
	list->tokens.ids[list->tokens.n] = id;
	list->tokens.starts[list->tokens.n] = start;
	list->tokens.stops[list->tokens.n] = stop;
	list->tokens.n++;
	return true;
}

#endif
