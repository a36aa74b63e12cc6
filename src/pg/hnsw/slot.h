/* Free slots: where a new entry goes. */
#ifndef MASKGEN_PG_HNSW_SLOT_H
#define MASKGEN_PG_HNSW_SLOT_H

#include "pg/hnsw/page.h"

struct HnswStore;

/*
 * Stores a complete entry, or a chunk, in a free slot of a page of its kind, a new page if there is none; *id: which.
 * way: the edge of the way to it, whose link gets the id, added in the same record; NULL: none. MG_CHANGED, and nothing
 * stored, when that cannot be.
 */
MgApplied hnsw_slot_place(struct HnswStore *store, const uint8 *entry, const MgEdge *way, uint32 *id);

/* Puts a page on the lists that it has free slots for, unless it is on them. A page of zeros, which a crash left, becomes one of nodes. */
void hnsw_slot_offer_page(Relation index, const HnswPlaces *places, bool building, BlockNumber block);

#endif
