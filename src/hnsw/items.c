#include "hnsw/items.h"

static void
set_n(uint8_t *chunk, uint32_t n)
{
	uint16_t narrow = (uint16_t) n;

	memcpy(chunk + 4, &narrow, sizeof narrow);
}

bool
mg_chunk_valid(const MgEntryLayout *layout, const uint8_t *chunk, size_t size)
{
	return size >= layout->entry_size[0] && chunk[0] == MG_ENTRY_CHUNK && mg_chunk_n_items(chunk) <= layout->chunk_items;
}

void
mg_chunk_start(const MgEntryLayout *layout, uint8_t *chunk)
{
	memset(chunk, 0, layout->entry_size[0]);
	chunk[0] = MG_ENTRY_CHUNK;
	mg_chunk_set_next(chunk, MG_NO_NODE);
	mg_chunk_set_owner(chunk, MG_NO_NODE);
}

void
mg_chunk_link(uint8_t *chunk, uint32_t owner, uint32_t next, uint32_t next_order)
{
	uint32_t order = next_order + 1;

	mg_chunk_set_owner(chunk, owner);
	mg_chunk_set_next(chunk, next);
	memcpy(chunk + 16, &order, sizeof order);
}

void
mg_chunk_set_next(uint8_t *chunk, uint32_t next)
{
	memcpy(chunk + 8, &next, sizeof next);
}

void
mg_chunk_set_owner(uint8_t *chunk, uint32_t owner)
{
	memcpy(chunk + 12, &owner, sizeof owner);
}

bool
mg_chunk_add(const MgEntryLayout *layout, uint8_t *chunk, const void *item)
{
	uint32_t n = mg_chunk_n_items(chunk);

	if (n >= layout->chunk_items)
		return false;
	memcpy(mg_chunk_item(layout, chunk, n), item, layout->shape.item_size);
	set_n(chunk, n + 1);
	return true;
}

uint32_t
mg_chunk_remove(const MgEntryLayout *layout, uint8_t *chunk, bool (*gone)(void *user, const void *item), void *user)
{
	uint32_t n = mg_chunk_n_items(chunk), kept = 0;

	for (uint32_t i = 0; i < n; i++)
	{
		uint8_t *item = mg_chunk_item(layout, chunk, i);

		if (gone(user, item))
			continue;
		if (kept < i)
			memcpy(mg_chunk_item(layout, chunk, kept), item, layout->shape.item_size);
		kept++;
	}
	set_n(chunk, kept);
	return n - kept;
}
