/*
 * Which buffer a block was in when it was last read: a hint, so that reading
 * it again needs no look-up in the table of buffers, and fetching its memory ahead needs
 * no pin. Kept by backend for the few indexes that were used last.
 */
#ifndef MASKGEN_PG_HNSW_RECENT_H
#define MASKGEN_PG_HNSW_RECENT_H

#include "postgres.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"

typedef struct HnswRecent HnswRecent;

HnswRecent *hnsw_recent_of(Relation index);

/* As ReadBuffer. */
Buffer hnsw_recent_read(HnswRecent *recent, Relation index, BlockNumber block);

/* The page of a block, or NULL; it may be another's by now, or be about to: its address is good for prefetching only. */
const char *hnsw_recent_page(const HnswRecent *recent, BlockNumber block);

#endif
