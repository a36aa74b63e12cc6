/*
 * Chunks: heap tuples of a node that its entry has no room for. A chunk lies
 * where an entry of level 0 could, and is none (mg_entry_valid).
 *
 *   0  u8   form       MG_ENTRY_CHUNK
 *   1  u8[3]           0
 *   4  u16  n          items in use: the first ones
 *   6  u16             0
 *   8  u32  next       id of the next chunk; MG_NO_NODE: the last one
 *  12  u32  owner      id of the node's entry of level 0; MG_NO_NODE: not linked in yet, or out already
 *  16  u32  order      of the chunk in its chain: falls by at least one from each to the next
 *  20  items           [chunk_items, item_size]
 *
 * The entry's `more` leads to the newest chunk. Only that one takes items;
 * when it is full another is put before it. Vacuum takes empty ones out.
 */
#ifndef MG_HNSW_ITEMS_H
#define MG_HNSW_ITEMS_H

#include "hnsw/layout.h"

#define MG_CHUNK_HEADER 20

/* Bytes of a page are foreign: true when they are a chunk whose items keep within it. */
bool mg_chunk_valid(const MgEntryLayout *layout, const uint8_t *chunk, size_t size);

static inline uint32_t
mg_chunk_n_items(const uint8_t *chunk)
{
	return mg_entry_u16(chunk + 4);
}

static inline uint32_t
mg_chunk_next(const uint8_t *chunk)
{
	return mg_entry_u32(chunk + 8);
}

static inline uint32_t
mg_chunk_owner(const uint8_t *chunk)
{
	return mg_entry_u32(chunk + 12);
}

static inline uint32_t
mg_chunk_order(const uint8_t *chunk)
{
	return mg_entry_u32(chunk + 16);
}

static inline uint8_t *
mg_chunk_item(const MgEntryLayout *layout, uint8_t *chunk, uint32_t i)
{
	return chunk + MG_CHUNK_HEADER + i * layout->shape.item_size;
}

/* Without items or owner. chunk [mg_entry_size(0)] is set whole. */
void mg_chunk_start(const MgEntryLayout *layout, uint8_t *chunk);

/* The owner's, from now on: before `next`, whose order is given (0 when there is none). */
void mg_chunk_link(uint8_t *chunk, uint32_t owner, uint32_t next, uint32_t next_order);
void mg_chunk_set_next(uint8_t *chunk, uint32_t next);
void mg_chunk_set_owner(uint8_t *chunk, uint32_t owner);

/* False when there is no room. */
bool mg_chunk_add(const MgEntryLayout *layout, uint8_t *chunk, const void *item);

/* Removes the items for which gone() is true; the number removed. */
uint32_t mg_chunk_remove(const MgEntryLayout *layout, uint8_t *chunk, bool (*gone)(void *user, const void *item),
						 void *user);

#endif
