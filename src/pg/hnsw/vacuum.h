/* VACUUM: ambulkdelete, amvacuumcleanup, and what its steps share. */
#ifndef MASKGEN_PG_HNSW_VACUUM_H
#define MASKGEN_PG_HNSW_VACUUM_H

#include "postgres.h"
#include "access/genam.h"
#include "hnsw/repair.h"
#include "pg/hnsw/scratch.h"
#include "pg/hnsw/store.h"

IndexBulkDeleteResult *hnsw_bulk_delete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
										IndexBulkDeleteCallback callback, void *callback_state);
IndexBulkDeleteResult *hnsw_vacuum_cleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats);

/* What ways join (mend.c). */
typedef struct HnswForest HnswForest;

/* One run of ambulkdelete. */
typedef struct HnswVacuum
{
	IndexVacuumInfo *info;
	IndexBulkDeleteResult *stats;
	IndexBulkDeleteCallback callback;
	void *callback_state;
	HnswStore store;
	HnswScratch *scratch;
	MgMark start;
	BlockNumber n_blocks; /* when it began */
	MgDead dead;
	uint8 *bits; /* [n_ids / 8]: the deleted entries, and the chunks without an owner, as of step 1 */
	uint8 *owners; /* [n_ids / 8]: nodes that have an empty chunk */
	uint64 n_ids;
	uint64 n_dead; /* entries among bits */
	uint64 n_chunks; /* chunks among bits */
	uint32 trimmed;	 /* the node whose chain is looked at */
	HnswForest *forest; /* of all entries, as of step 1 */
} HnswVacuum;

static inline bool
hnsw_vacuum_is_dead(const HnswVacuum *vacuum, uint32 id)
{
	return id < vacuum->n_ids && (vacuum->bits[id / 8] & 1 << id % 8) != 0;
}

/* A page with entries, its buffer locked. */
typedef struct HnswVacuumPage
{
	BlockNumber block;
	Buffer buffer;
	Page page;
	int form;
} HnswVacuumPage;

/* vacuum.c: sleeps as vacuum does; false, and nothing locked, for a page without entries. */
bool hnsw_vacuum_lock(HnswVacuum *vacuum, BlockNumber block, int mode, HnswVacuumPage *page);

/* The valid entry in a slot, or NULL, and its id. */
uint8 *hnsw_vacuum_entry(const HnswVacuum *vacuum, const HnswVacuumPage *page, uint32 slot, uint32 *id);

/* The valid chunk in a slot, or NULL, and its id. */
uint8 *hnsw_vacuum_chunk(const HnswVacuum *vacuum, const HnswVacuumPage *page, uint32 slot, uint32 *id);

/* An entry that was noted is not to be freed after all. */
void hnsw_vacuum_spare(HnswVacuum *vacuum, uint32 id);

/* dead.c: step 1 */
void hnsw_vacuum_find_dead(HnswVacuum *vacuum);

/* list_vacuum.c: the lists, at any time before the end */
void hnsw_vacuum_lists(HnswVacuum *vacuum);

/* mend.c: notes the ways of a page's entries; when all are noted, mends those that are broken. */
void hnsw_forest_note(HnswVacuum *vacuum, const HnswVacuumPage *page);
void hnsw_vacuum_mend(HnswVacuum *vacuum);

/* relink.c: steps 2 to 6 */
void hnsw_vacuum_relink(HnswVacuum *vacuum);

#endif
