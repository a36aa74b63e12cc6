/*
 * The metapage: what an index is, where searches start, where there is room.
 *
 * The first part is written once. Of the second part the entry point changes
 * rarely, and the heads of the lists whenever a page is full or was emptied.
 */
#ifndef MASKGEN_PG_HNSW_META_H
#define MASKGEN_PG_HNSW_META_H

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

#endif
