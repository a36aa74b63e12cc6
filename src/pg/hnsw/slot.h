/* Free slots: where a new entry goes. */
#ifndef MASKGEN_PG_HNSW_SLOT_H
#define MASKGEN_PG_HNSW_SLOT_H

#include "pg/hnsw/page.h"

/* Stores a complete entry in a free slot of a page of its kind, a new page if there is none; its id. */
uint32 hnsw_slot_place(Relation index, const HnswPlaces *places, bool building, const uint8 *entry);

/* Puts a page on the lists that it has free slots for, unless it is on them. A page of zeros, which a crash left, becomes one of nodes. */
void hnsw_slot_offer_page(Relation index, const HnswPlaces *places, bool building, BlockNumber block);

#endif
