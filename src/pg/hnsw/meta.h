/*
 * The metapage: what an index is, where searches start, where there is room.
 *
 * The first part is written once. Of the second part the entry point changes
 * rarely, and the heads of the lists whenever a page is full or was emptied.
 */
#ifndef MASKGEN_PG_HNSW_META_H
#define MASKGEN_PG_HNSW_META_H

#include "pg/hnsw/order.h"
#include "pg/hnsw/page.h"

#define HNSW_META_BLOCK 0
#define HNSW_MAGIC 0x484D474D /* "MGMH" on little-endian machines */
#define HNSW_FORMAT_VERSION 3 /* 2: without ways, chunks and fingerprints */

typedef struct HnswMeta
{
	uint32 magic, version;
	uint64 seed; /* of the rotation and of fingerprints */
	MgShape shape;
	uint32 kind; /* HnswKindId of the operator class that the index was made for */
	uint32 ef_construction;

	uint32 entry_point; /* MG_NO_NODE: the graph is empty */
	int32 entry_level;
	BlockNumber free_pages[2]; /* lists of pages of nodes and of upper entries that may have free slots */

	BlockNumber lists_at; /* the directory of lists (list.h) */
	uint32 n_lists;		  /* 0: there are none */

	/* Which rows the index has not left out since it was built: HNSW_NEEDS_NULLS those without a value, HNSW_NEEDS_NUMBERS those with a
	 * distance of NaN (of length 0 under cosine, or too long for float32). Bits are only ever taken away. 0 in older indexes. */
	uint32 complete;
} HnswMeta;

/* The metapage of an empty graph, as block 0 of a fork that has no blocks. */
void hnsw_meta_create(Relation index, ForkNumber fork, const HnswMeta *meta);

/* A copy. Throws, with a hint to REINDEX, unless it is a metapage of this version. */
void hnsw_meta_read(Relation index, HnswMeta *meta);

/* Where the directory of lists is, written once, by a build. */
void hnsw_meta_set_lists(Relation index, BlockNumber first, uint32 n);

/* The metapage in a page that the caller has locked; not checked. */
static inline HnswMeta *
hnsw_meta_of(Page page)
{
	return (HnswMeta *) PageGetContents(page);
}

/* Makes an entry the entry point if it still is the expected one. Whether it was. */
bool hnsw_meta_set_entry_point(Relation index, bool building, uint32 expected, uint32 id, int level);

/* Makes an entry the entry point if there is none, or one on a lower level. */
void hnsw_meta_raise_entry_point(Relation index, bool building, uint32 id, int level);

/*
 * Takes a bit of complete away, and has plans made anew that were right with it. Before the row is in the index, or left out of it: so a scan
 * that reads the metapage with a snapshot that sees the row sees the bit gone.
 */
void hnsw_meta_take_complete(Relation index, bool building, int bit);

/* What the planner may build on: the bits that an index has; none where it cannot be read. */
int hnsw_meta_complete(Oid index);

/* Throws unless the index has all these bits, so that the statement is planned anew. */
void hnsw_meta_check(Relation index, int bits);

#endif
