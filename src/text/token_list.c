/* A growing list of tokens. */
#include "text/token_list.h"

static bool
set_capacity(MgCtx *cx, MgTokenList *list, size_t capacity)
{
	MgTokens *tokens = &list->tokens;
	int32_t *ids = mg_alloc_array(cx, capacity, sizeof *ids);
	uint32_t *starts = mg_alloc_array(cx, capacity, sizeof *starts);
	uint32_t *stops = mg_alloc_array(cx, capacity, sizeof *stops);

	if (ids == NULL || starts == NULL || stops == NULL)
		return false;
	if (tokens->n > 0)
	{
		memcpy(ids, tokens->ids, tokens->n * sizeof *ids);
		memcpy(starts, tokens->starts, tokens->n * sizeof *starts);
		memcpy(stops, tokens->stops, tokens->n * sizeof *stops);
	}
	tokens->ids = ids;
	tokens->starts = starts;
	tokens->stops = stops;
	list->capacity = capacity;
	return true;
}

bool
mg_token_list_init(MgCtx *cx, MgTokenList *list, size_t text_size)
{
	memset(list, 0, sizeof *list);
	return set_capacity(cx, list, text_size / 4 + 16);
}

bool
mg_token_list_grow(MgCtx *cx, MgTokenList *list)
{
	return set_capacity(cx, list, list->capacity * 2);
}
