/*
 * Pages of an index and the slots on them. README.md has the picture.
 *
 *   block 0    the metapage (meta.h)
 *   others     nodes (entries of level 0) in slots of one size, then upper entries in slots of another, if there is room; or,
 *              if that is not room enough for all, pages of upper entries alone
 *
 * An entry's id is its block << slot_bits | slot. A slot whose first byte is 0
 * is free; mg_entry_valid refuses it. pd_lower lies behind the highest slot
 * that was ever used, since WAL leaves out what is between pd_lower and pd_upper.
 */
#ifndef MASKGEN_PG_HNSW_PAGE_H
#define MASKGEN_PG_HNSW_PAGE_H

#include "postgres.h"
#include "access/generic_xlog.h"
#include "hnsw/layout.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"

#define HNSW_PAGE_ID 0x4D47 /* in the last two bytes, where pg_filedump and the like look */

typedef enum HnswPageKind
{
	HNSW_PAGE_META = 1,
	HNSW_PAGE_NODES,
	HNSW_PAGE_UPPER,
	HNSW_PAGE_DIRECTORY, /* list.h */
	HNSW_PAGE_LIST
} HnswPageKind;

typedef struct HnswSpecial
{
	BlockNumber next_free[2]; /* the next page that has free slots for nodes, for upper entries; see HnswMeta.free_pages; of a list: of its chain */
	uint8 listed[2];		  /* 1: is on that list */
	uint8 unused[2];
	uint16 unused_too;
	uint16 page_id;
} HnswSpecial;

/* Bytes of a page that slots can have. */
#define HNSW_PAGE_ROOM (BLCKSZ - MAXALIGN(SizeOfPageHeaderData) - MAXALIGN(sizeof(HnswSpecial)))

/* How entries lie on pages: all that is needed to find one. */
typedef struct HnswPlaces
{
	uint32 slot_bits;
	uint32 entry_size[2]; /* by [level > 0] */
	uint32 slot_size[2];  /* with what aligns the next one */
	uint32 n_nodes;		  /* slots for nodes on a page of nodes; behind them are those for upper entries */
	uint32 n_slots[2];	  /* on a page of nodes, on one of upper entries */
} HnswPlaces;

/* Upper entries have no pages of their own. */
static inline bool
hnsw_places_mixed(const HnswPlaces *places)
{
	return places->n_slots[0] > places->n_nodes;
}

/* Whether a slot is for upper entries; form: what hnsw_page_form says of its page. */
static inline int
hnsw_place_upper(const HnswPlaces *places, int form, uint32 slot)
{
	return form == 1 || slot >= places->n_nodes;
}

/* False when an entry is larger than a page. */
bool hnsw_places_init(HnswPlaces *places, const MgEntryLayout *layout);

static inline BlockNumber
hnsw_place_block(const HnswPlaces *places, uint32 id)
{
	return id >> places->slot_bits;
}

static inline uint32
hnsw_place_slot(const HnswPlaces *places, uint32 id)
{
	return id & ((1u << places->slot_bits) - 1);
}

static inline uint32
hnsw_place_id(const HnswPlaces *places, BlockNumber block, uint32 slot)
{
	return block << places->slot_bits | slot;
}

static inline HnswSpecial *
hnsw_page_special(Page page)
{
	return (HnswSpecial *) PageGetSpecialPointer(page);
}

static inline uint8 *
hnsw_page_slot(const HnswPlaces *places, Page page, int form, uint32 slot)
{
	uint8 *slots = (uint8 *) page + MAXALIGN(SizeOfPageHeaderData);

	if (form == 0 && slot >= places->n_nodes)
		return slots + places->n_nodes * places->slot_size[0] + (slot - places->n_nodes) * places->slot_size[1];
	return slots + slot * places->slot_size[form];
}

/* 0 for a page of nodes, 1 for one of upper entries alone, -1 for another: new, damaged, of lists or the metapage. */
static inline int
hnsw_page_form(Page page)
{
	TransactionId kind = ((PageHeader) page)->pd_prune_xid;

	return kind == HNSW_PAGE_NODES ? 0 : kind == HNSW_PAGE_UPPER ? 1 : -1;
}

/* Whether it is one of the lists or their directory. */
static inline bool
hnsw_page_is_listed(Page page)
{
	TransactionId kind = ((PageHeader) page)->pd_prune_xid;

	return kind == HNSW_PAGE_DIRECTORY || kind == HNSW_PAGE_LIST;
}

/* Whether it is one of ours, by its last bytes. */
bool hnsw_page_is_ours(Page page);

void hnsw_page_init(Page page, HnswPageKind kind);

/* Writes an entry into a slot, which may be beyond pd_lower. */
void hnsw_page_write(const HnswPlaces *places, Page page, uint32 slot, const uint8 *entry);

/* The first free slot for a node, or for an upper entry; or -1. */
int hnsw_page_free_slot(const HnswPlaces *places, Page page, int upper);

/*
 * A change of up to two pages whose buffers are locked exclusively. Logged, or,
 * while an index is built, made on the buffers themselves: the build logs whole pages at
 * its end.
 */
typedef struct HnswChange
{
	GenericXLogState *xlog; /* NULL: built */
	Buffer buffers[2];
	int n;
} HnswChange;

void hnsw_change_begin(HnswChange *change, Relation index, bool building);
Page hnsw_change_page(HnswChange *change, Buffer buffer, bool whole); /* whole: log all of it */
void hnsw_change_apply(HnswChange *change);
void hnsw_change_abandon(HnswChange *change); /* only before anything was changed */

#endif
