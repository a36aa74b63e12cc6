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

/* Has the system read a block that is in no buffer. False: it is in one, or cannot be read ahead. The block exists. */
bool hnsw_recent_read_ahead(HnswRecent *recent, Relation index, BlockNumber block);

/* Fetches what reading a block touches first, and size bytes of its page at an offset, ahead; it may be another block by now. */
void hnsw_recent_prefetch(const HnswRecent *recent, BlockNumber block, Size offset, Size size);

#endif
