/* A set of ids: open addressing in arena memory, at most half full. */
#ifndef MG_HNSW_SEEN_H
#define MG_HNSW_SEEN_H

#include "hnsw/layout.h"

typedef struct MgSeen
{
	uint32_t *slots; /* [mask + 1]: id + 1, 0 when empty; so MG_NO_NODE cannot be a member */
	uint32_t mask;
	uint32_t n;
} MgSeen;

/* Room for n_expected ids before it grows. */
bool mg_seen_init(MgCtx *cx, MgSeen *seen, uint32_t n_expected);

/* Adds an id that is not there. False: out of memory, an error was recorded. */
bool mg_seen_add(MgCtx *cx, MgSeen *seen, uint32_t id);

void mg_seen_clear(MgSeen *seen);

static inline uint32_t
mg_seen_start(const MgSeen *seen, uint32_t id)
{
	return (id * 2654435769u >> 7) & seen->mask;
}

static inline bool
mg_seen_has(const MgSeen *seen, uint32_t id)
{
	for (uint32_t at = mg_seen_start(seen, id); seen->slots[at] != 0; at = (at + 1) & seen->mask)
		if (seen->slots[at] == id + 1)
			return true;
	return false;
}

#endif
