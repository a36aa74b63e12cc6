/* A growing list of tokens. */
#include "text/token_list.h"

/* Bytes that are copied between two polls: the arrays of a long text have hundreds of megabytes. */
#define COPY_STEP ((size_t) 4 * 1024 * 1024)

static bool
copy(MgCtx *cx, void *into, const void *from, size_t size)
{
	for (size_t done = 0; done < size; done += COPY_STEP)
	{
		memcpy((char *) into + done, (const char *) from + done, size - done < COPY_STEP ? size - done : COPY_STEP);
		if (!mg_poll(cx))
			return false;
	}
	return true;
}

static bool
set_capacity(MgCtx *cx, MgTokenList *list, size_t capacity)
{
	MgTokens *tokens = &list->tokens;
	int32_t *ids = mg_alloc_array(cx, capacity, sizeof *ids);
	uint32_t *starts = mg_alloc_array(cx, capacity, sizeof *starts);
	uint32_t *stops = mg_alloc_array(cx, capacity, sizeof *stops);

	if (ids == NULL || starts == NULL || stops == NULL)
		return false;
	if (!copy(cx, ids, tokens->ids, tokens->n * sizeof *ids) ||
		!copy(cx, starts, tokens->starts, tokens->n * sizeof *starts) ||
		!copy(cx, stops, tokens->stops, tokens->n * sizeof *stops))
		return false;
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
