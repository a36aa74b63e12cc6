/* An index's pages as the store of a graph (hnsw/graph.h), and what an open index is. */
#ifndef MASKGEN_PG_HNSW_STORE_H
#define MASKGEN_PG_HNSW_STORE_H

#include "hnsw/graph.h"
#include "hnsw/ways.h"
#include "pg/hnsw/cover.h"
#include "pg/hnsw/kind.h"
#include "pg/hnsw/meta.h"
#include "pg/hnsw/page.h"
#include "pg/hnsw/recent.h"
#include "pg/hnsw/slot.h"

#define HNSW_ASKED 256

/*
 * Reads that are begun ahead, while blocks are met that are in no buffer: a search from disk waits for one block after the other, and a disk is
 * as fast with several under way. The system is asked (PrefetchBuffer), so what is not needed after all takes no buffer.
 */
typedef struct HnswAhead
{
	bool allowed;	   /* effective_io_concurrency is not 0 */
	uint32 cold;	   /* reads for which it goes on; 0: all is in memory */
	int64 blocks_read; /* of pgBufferUsage, after the last read */
	BlockNumber asked[HNSW_ASKED]; /* by block modulo; the metapage: none */
} HnswAhead;

/*
 * An index that somebody works on. Copies only: relcache entries may be
 * rebuilt while it is in use.
 */
typedef struct HnswStore
{
	Relation index;
	const HnswKind *kind;
	uint32 ef_construction;
	bool building; /* changes are not logged (page.h) */
	uint64 seed;   /* of fingerprints */
	HnswPlaces places;
	MgEntryLayout layout;
	MgRotation rotation;
	MgGraph graph; /* its store is this */
	MgDistance plain; /* plain entries: of whole rows */
	bool rounded;	  /* plain entries: they are rounded (kind.h) */
	HnswCover *cover; /* NULL: no column is included */
	BlockNumber lists_at; /* the directory of lists (list.h) */
	uint32 n_lists;
	HnswRecent *recent;
	HnswAhead ahead;
	BlockNumber n_blocks; /* as it was last looked at; it never shrinks */
	bool lenient;		  /* damage is somebody's to find, and no error */
} HnswStore;

/* Sets up store; the rotation is made in the arena, cover in the current memory context. */
void hnsw_store_open(HnswStore *store, MgCtx *cx, Relation index);

/* The same for a metapage that is not written yet. */
void hnsw_store_init(HnswStore *store, MgCtx *cx, Relation index, const HnswKind *kind, const HnswMeta *meta);

/* Makes a query of a detoasted value of the index's dimensions, in the arena; false when such a value is not indexed. */
bool hnsw_store_query(HnswStore *store, MgCtx *cx, Datum value, MgQuery *query);

/*
 * Applies edges of one target under its lock, as one change, up to the first that finds it changed: then MG_CHANGED,
 * else MG_APPLIED if one was.
 */
MgApplied hnsw_store_apply(HnswStore *store, const MgEdge *edges, uint32 n_edges);

/* A step of taking a deleted entry out of the tree of ways; MG_CHANGED: plan again. */
MgApplied hnsw_store_bypass(HnswStore *store, const MgBypass *step);

/* The buffer of an entry, locked, with the entry's place in it; false (and nothing locked) when there is none. Throws at what is damaged. */
bool hnsw_store_lock(HnswStore *store, uint32 id, int mode, Buffer *buffer, uint8 **entry);

/* The same of a chunk, whoever's. */
bool hnsw_store_lock_chunk(HnswStore *store, uint32 id, int mode, Buffer *buffer, uint8 **chunk);

/* Whether a slot of a locked page is in use, and by nothing that may be there; or the page is none of ours. */
bool hnsw_store_is_damaged(const HnswStore *store, Page page, uint32 id);

/* Throws. */
void hnsw_store_throw_damaged(const HnswStore *store, uint32 id);

/* For loops that plan again what somebody changed meanwhile: true, and throws when that never ends, as only on damaged pages. */
bool hnsw_store_again(const HnswStore *store, uint32 id, int *attempts);

/* An entry or a chunk on its page, which is locked; NULL when there is none. */
uint8 *hnsw_store_entry_on(const HnswStore *store, Page page, uint32 id);
uint8 *hnsw_store_chunk_on(const HnswStore *store, Page page, uint32 id);

/* Whether such a block exists: ids that come from pages lead anywhere. */
bool hnsw_store_has_block(HnswStore *store, BlockNumber block);

/* Two pages, or twice one, locked exclusively in the order of their blocks: for what must be one record. */
typedef struct HnswPair
{
	Buffer buffers[2]; /* as they were asked for */
	Page pages[2];	   /* to be changed, after hnsw_pair_change */
} HnswPair;

/* Both blocks exist. */
void hnsw_pair_lock(HnswPair *pair, HnswStore *store, BlockNumber first, BlockNumber second);
void hnsw_pair_change(HnswPair *pair, HnswChange *change, HnswStore *store);
void hnsw_pair_unlock(HnswPair *pair);

#endif
