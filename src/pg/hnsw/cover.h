/*
 * Included columns: CREATE INDEX ... (embedding) INCLUDE (tenant, price). Each heap tuple of a node, an item, has them behind its TID, so that
 * conditions on them are tested before the table is touched (covered.h).
 *
 *   an item: TID, 6 bytes | a bit for each column that is NULL | the columns, packed
 *
 * A column is kept as it is if its type has one width of at most HNSW_MOST_KEPT bytes; else as its hash of 8 bytes, by which it
 * can be compared for equality alone. Rows of the index never change what they have, an update of an included column makes a new one.
 */
#ifndef MASKGEN_PG_HNSW_COVER_H
#define MASKGEN_PG_HNSW_COVER_H

#include "postgres.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "storage/itemptr.h"
#include "utils/rel.h"

#define HNSW_MOST_KEPT 16
#define HNSW_NULL_KEY 0 /* stands for NULL among hashes, beside what hashes to it */
#define HNSW_MOST_ITEM 64 /* bytes that an item may have (hnsw/layout.h) */

typedef struct HnswColumn
{
	AttrNumber column; /* of the table */
	int16 width;	   /* in the item */
	uint32 at;		   /* where it begins in the item */
	bool kept;		   /* as it is; else as its hash */
	bool by_value;
	Oid collation;	 /* of the table's column: what its hash goes by */
	Oid hash_family; /* InvalidOid: its type has no equality by hash */
	FmgrInfo hash;	 /* extended, of 64 bits */
} HnswColumn;

typedef struct HnswCover
{
	int n; /* at least 1 */
	uint32 item_size;
	uint32 values_at; /* in an item */
	HnswColumn columns[FLEXIBLE_ARRAY_MEMBER];
} HnswCover;

/* In the current memory context; NULL for an index without such columns. Throws when one cannot be included. */
HnswCover *hnsw_cover_of(Relation index);

/* Bytes of an item; cover may be NULL. */
static inline uint32
hnsw_cover_item_size(const HnswCover *cover)
{
	return cover != NULL ? cover->item_size : (uint32) sizeof(ItemPointerData);
}

/* values and nulls are the index's columns, as aminsert gets them. item [HNSW_MOST_ITEM]. */
void hnsw_cover_pack(const HnswCover *cover, const ItemPointerData *tid, const Datum *values, const bool *nulls, uint8 *item);

/* Room for the values of columns that are not passed by value: aligned as no type of so few bytes can want more. */
typedef struct HnswCoverRoom
{
	uint64 words[HNSW_MOST_KEPT / sizeof(uint64)];
} HnswCoverRoom;

/* Puts the kept columns into a virtual slot of the table's shape; others are left. Values may point into rooms [cover->n]. */
void hnsw_cover_fill(const HnswCover *cover, const uint8 *item, TupleTableSlot *slot, HnswCoverRoom *rooms);

/* A kept column that is passed by value; false: it is NULL. */
bool hnsw_cover_value(const HnswCover *cover, const uint8 *item, int column, Datum *value);

bool hnsw_cover_is_null(const HnswCover *cover, const uint8 *item, int column);

/* The hash of a column, which has one, and is not NULL. */
uint64 hnsw_cover_hash(HnswCover *cover, const uint8 *item, int column);

#endif
