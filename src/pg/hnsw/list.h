/*
 * Lists: all rows of one value of the first included column, a tenant's say, with their codes. A scan that asks for one tenant goes through its
 * list and needs neither the graph nor other tenants' entries (list_scan.h).
 *
 *   directory   pages of HnswListHead, one for each bucket of keys; a key is the hash of the column (cover.h), its first bits are its bucket
 *   page        records of one size; next_free[0] of its special space is the next page of its chain
 *   record      a row: key, item, value as an entry has it; or a head: key, HnswListHead of a chain that has this key alone
 *
 * A bucket's chain has the first rows of its keys, up to a page of each; the others of a key are in a chain of its own, whose head is in the bucket's. So
 * small tenants share pages, large ones do not get in their way, and no record ever moves.
 *
 * A chain begins with its newest page, the others stay in their order. `fill` is the page where a free slot is looked for first: from there on down
 * the chain, then on a new page. Vacuum sets it back to the newest where it made room.
 *
 * Who adds holds the heavyweight lock on the bucket, and no other; vacuum takes it to set `fill`. Scans read page by page.
 */
#ifndef MASKGEN_PG_HNSW_LIST_H
#define MASKGEN_PG_HNSW_LIST_H

#include "pg/hnsw/store.h"
#include "port/pg_bitutils.h"

typedef struct HnswListHead
{
	BlockNumber newest, fill; /* InvalidBlockNumber: no page yet */
	uint32 n_pages;
} HnswListHead;

typedef enum HnswRecordForm
{
	HNSW_RECORD_FREE, /* and whatever a page of zeros has */
	HNSW_RECORD_ROW,
	HNSW_RECORD_HEAD
} HnswRecordForm;

typedef struct HnswRecord
{
	uint8 form; /* HnswRecordForm */
	uint8 unused;
	uint16 value_size;
	uint32 unused_too;
	uint64 key;
	uint8 rest[FLEXIBLE_ARRAY_MEMBER]; /* a row: item, value; a head: HnswListHead */
} HnswRecord;

#define HNSW_LEAST_LISTS 1024
#define HNSW_MOST_LISTS (1024 * 1024)
#define HNSW_HEADS_A_PAGE ((uint32) (HNSW_PAGE_ROOM / sizeof(HnswListHead)))

/* Whether the first included column has an equality, so that an index of that cover has lists. */
static inline bool
hnsw_lists_wanted(const HnswCover *cover)
{
	return cover != NULL && OidIsValid(cover->columns[0].hash_family);
}

static inline bool
hnsw_lists_exist(const HnswStore *store)
{
	return store->n_lists > 0;
}

static inline Size
hnsw_record_size(const HnswStore *store)
{
	Size row = store->layout.shape.item_size + store->layout.value_size;

	return MAXALIGN(offsetof(HnswRecord, rest) + Max(row, sizeof(HnswListHead)));
}

static inline uint32
hnsw_records_a_page(const HnswStore *store)
{
	return (uint32) (HNSW_PAGE_ROOM / hnsw_record_size(store));
}

static inline HnswRecord *
hnsw_record_of(const HnswStore *store, Page page, uint32 slot)
{
	return (HnswRecord *) ((char *) page + MAXALIGN(SizeOfPageHeaderData) + slot * hnsw_record_size(store));
}

static inline uint8 *
hnsw_record_value(const HnswStore *store, HnswRecord *record)
{
	return record->rest + store->layout.shape.item_size;
}

static inline uint32
hnsw_list_bucket(uint32 n_lists, uint64 key)
{
	/* n_lists is a power of two above 1. */
	return (uint32) (key >> (64 - pg_leftmost_one_pos32(n_lists)));
}

/* The key of an item. */
static inline uint64
hnsw_list_key(const HnswCover *cover, const uint8 *item)
{
	return hnsw_cover_is_null(cover, item, 0) ? HNSW_NULL_KEY : hnsw_cover_hash((HnswCover *) cover, item, 0);
}

/* Lists for so many rows; a power of two. */
uint32 hnsw_lists_for(const HnswStore *store, double n_rows);

/* Appends an empty directory to a fork; its first block. Logged if that fork is to survive a crash by itself. */
BlockNumber hnsw_lists_create(Relation index, ForkNumber fork, uint32 n_lists);

/* Where a head is: in the directory, or in a record of a bucket's chain. */
typedef struct HnswListPlace
{
	BlockNumber block;
	uint32 offset; /* bytes, in the page */
} HnswListPlace;

HnswListPlace hnsw_list_place(const HnswStore *store, uint32 bucket);
HnswListHead hnsw_list_head(const HnswStore *store, HnswListPlace place);

/* Has room looked for from the newest page on. */
void hnsw_list_refill(const HnswStore *store, uint32 bucket, HnswListPlace place);

/* A copy of a page of a chain, of which *n_read were read; its next. Throws when it is none, at interrupts, and when the chain has no end. */
BlockNumber hnsw_list_read(const HnswStore *store, BlockNumber block, PGAlignedBlock *copy, uint32 *n_read);

/* A row of a record on a page, whoever wrote that; NULL if it is none. */
HnswRecord *hnsw_list_row(const HnswStore *store, Page page, uint32 slot);

/* Fills record [hnsw_record_size] for a row. */
void hnsw_list_make_row(const HnswStore *store, HnswRecord *record, uint64 key, const uint8 *item, const void *value, uint32 value_size);

/* Adds a row; query: of its value. */
void hnsw_list_add(HnswStore *store, MgCtx *cx, const uint8 *item, const MgQuery *query);

/* list_build.c: the lists of an index that is complete but for them, by one process, not logged. */
void hnsw_lists_build(Relation index);

#endif
