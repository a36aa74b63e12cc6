#include "hnsw/seen.h"

bool
mg_seen_init(MgCtx *cx, MgSeen *seen, uint32_t n_expected)
{
	size_t size = 64;

	while (size < 2 * (size_t) n_expected)
		size *= 2;
	*seen = (MgSeen){.mask = (uint32_t) (size - 1)};
	seen->slots = mg_alloc_zeroed(cx, size, sizeof *seen->slots);
	return seen->slots != NULL;
}

static void
place(MgSeen *seen, uint32_t id)
{
	uint32_t at = mg_seen_start(seen, id);

	while (seen->slots[at] != 0)
		at = (at + 1) & seen->mask;
	seen->slots[at] = id + 1;
	seen->n++;
}

bool
mg_seen_add(MgCtx *cx, MgSeen *seen, uint32_t id)
{
	if (2 * (size_t) (seen->n + 1) > seen->mask)
	{
		MgSeen wider;

		if (!mg_seen_init(cx, &wider, seen->mask + 1))
			return false;
		for (size_t at = 0; at <= seen->mask; at++)
			if (seen->slots[at] != 0)
				place(&wider, seen->slots[at] - 1);
		*seen = wider;
	}
	place(seen, id);
	return true;
}

void
mg_seen_clear(MgSeen *seen)
{
	memset(seen->slots, 0, ((size_t) seen->mask + 1) * sizeof *seen->slots);
	seen->n = 0;
}
