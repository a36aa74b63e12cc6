/* Heap tuples of a node: those in its entry, and those in its chunks (hnsw/items.h, README.md). */
#ifndef MASKGEN_PG_HNSW_ITEMS_H
#define MASKGEN_PG_HNSW_ITEMS_H

#include "pg/hnsw/store.h"

/* Adds a heap tuple (cover.h) to a node; false when that is deleted. */
bool hnsw_items_add(HnswStore *store, uint32 node, const uint8 *item);

/* Reading a chain, chunk by chunk: all its heap tuples have the same exact distance as those in the node's entry. */
typedef struct HnswChain
{
	HnswStore *store;
	uint32 node, next; /* next: MG_NO_NODE: at its end */
	uint64 order;	   /* all read so far have at least this; UINT64_MAX: none is read */
	uint8 *chunk;	   /* [entry_size[0]]: a copy of the last one read */
} HnswChain;

/* more: as the node's entry had it. The chunk's memory is taken from cx, unless chain->chunk is some already. */
void hnsw_chain_begin(HnswChain *chain, HnswStore *store, MgCtx *cx, uint32 node, uint32 more);

/* Copies the next chunk that has items; false at the end. */
bool hnsw_chain_next(HnswChain *chain);

/*
 * For vacuum: links the empty chunks of a node out, which then have no owner; the node is deleted if nothing is left.
 * drop hears of each chunk, and of the node.
 */
void hnsw_items_trim(HnswStore *store, uint32 node, void (*drop)(void *user, uint32 id), void *user);

#endif
