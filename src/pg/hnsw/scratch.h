/*
 * Arenas for the graph's library, kept from use to use: fresh pages of memory
 * cost more than a search. One for each scan or insert that is under way.
 */
#ifndef MASKGEN_PG_HNSW_SCRATCH_H
#define MASKGEN_PG_HNSW_SCRATCH_H

#include "postgres.h"
#include "core/ctx.h"

typedef struct HnswScratch HnswScratch;

/* Empty. Given back by hnsw_scratch_give, or when owner is reset or deleted. */
HnswScratch *hnsw_scratch_take(MemoryContext owner);
void hnsw_scratch_give(HnswScratch *scratch);

MgCtx *hnsw_scratch_cx(HnswScratch *scratch);

/* Throw instead of returning NULL or false. */
void *hnsw_alloc(MgCtx *cx, size_t n, size_t piece_size);
#define hnsw_must(cx, succeeded) ((succeeded) ? (void) 0 : host_throw(cx))

#endif
