/*
 * A store in memory, for tests and benchmarks: the shortest honest caller of
 * insert.h, repair.h and build.h. Ids are places in an array; freed ones
 * are used again. One thread.
 */
#ifndef MG_HNSW_MEMSTORE_H
#define MG_HNSW_MEMSTORE_H

#include "hnsw/build.h"
#include "hnsw/graph.h"
#include "hnsw/insert.h"
#include "hnsw/repair.h"

typedef struct MgMemstore
{
	MgCtx *cx; /* where its memory comes from: never rewound while it lives */
	const MgEntryLayout *layout;
	uint8_t **entries; /* [room]; NULL: free */
	uint32_t n, room;
	uint32_t *free;	   /* [n_free] */
	uint32_t n_free;
	uint32_t entry_point;
	int entry_level;
	uint64_t reads;
} MgMemstore;

/* Fills graph->store but its distance. */
void mg_memstore_init(MgCtx *cx, MgMemstore *memstore, const MgEntryLayout *layout, MgGraph *graph);

/* A placer that fills an empty memstore. */
MgPlacer mg_memstore_placer(MgMemstore *memstore);

/* Stores a copy of an entry. MG_NO_NODE: out of memory, an error was recorded. */
uint32_t mg_memstore_add(MgMemstore *memstore, const uint8_t *entry);

/* NULL when there is no such entry. */
uint8_t *mg_memstore_at(MgMemstore *memstore, uint32_t id);

/* Adds an item to a node, in a chunk if need be; false when it is deleted. */
bool mg_memstore_join(MgMemstore *memstore, uint32_t id, const void *item);

/* All steps of insert.h. scratch is rewound. */
bool mg_memstore_insert(MgCtx *scratch, MgMemstore *memstore, const MgGraph *graph, const MgQuery *query,
						const void *item, int level, uint32_t ef_construction);

/* Steps 2 to 4 of insert.h, for a plan that did not find an equal node: so that something may happen after its step 1. */
bool mg_memstore_finish(MgCtx *scratch, MgMemstore *memstore, const MgGraph *graph, MgInsert *plan);

/* All steps of repair.h for items that gone() names. */
bool mg_memstore_vacuum(MgCtx *scratch, MgMemstore *memstore, const MgGraph *graph,
						bool (*gone)(void *user, const void *item), void *user, uint32_t ef_construction);

/* For mg_check: user is an MgMemstore and a position. */
typedef struct MgMemstoreCursor
{
	const MgMemstore *memstore;
	uint32_t next;
} MgMemstoreCursor;
bool mg_memstore_next(void *user, MgCtx *cx, uint32_t *id);

#endif
