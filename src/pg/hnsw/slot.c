/*
 * Free slots. The metapage has the heads of two lists of pages that may have
 * some, one for nodes and one for upper entries; a page's special space has the next of each.
 *
 * An insert fills the page at the head, and takes it off when it is full; then
 * it goes on with the next one, or with a new page, which is put on first. Vacuum puts pages on. So
 * inserters meet on one page for as long as it takes to copy an entry, and the
 * metapage is written once in a page's life. Where two locks are held, the
 * metapage's came first.
 */
#include "pg/hnsw/slot.h"

#include "miscadmin.h"
#include "hnsw/ways.h"
#include "pg/compat.h"
#include "pg/hnsw/meta.h"
#include "pg/hnsw/store.h"

static BlockNumber
first_free_page(Relation index, int upper)
{
	Buffer buffer = ReadBuffer(index, HNSW_META_BLOCK);
	BlockNumber head;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	head = hnsw_meta_of(BufferGetPage(buffer))->free_pages[upper];
	UnlockReleaseBuffer(buffer);
	return head;
}

/* What became of an attempt. */
typedef enum Placed
{
	PLACED,
	PAGE_FULL,
	WAY_CHANGED
} Placed;

/* Writes the entry into a free slot of a page, and the way to it, as one change. */
static Placed
place_on(HnswStore *store, BlockNumber block, const uint8 *entry, const MgEdge *way, uint32 *id)
{
	int upper = mg_entry_level(entry) > 0, slot;
	Placed placed = PLACED;
	HnswChange change;
	HnswPair pair;

	hnsw_pair_lock(&pair, store, block, way != NULL ? hnsw_place_block(&store->places, way->target) : block);
	slot = hnsw_page_free_slot(&store->places, BufferGetPage(pair.buffers[0]), upper);
	if (slot < 0)
	{
		hnsw_pair_unlock(&pair);
		return PAGE_FULL;
	}
	*id = hnsw_place_id(&store->places, block, (uint32) slot);
	hnsw_pair_change(&pair, &change, store);
	if (way != NULL)
	{
		uint8 *target = hnsw_store_entry_on(store, pair.pages[1], way->target);

		memcpy(way->link, id, sizeof *id);
		if (target == NULL || mg_way_add(&store->layout, target, way, mg_ways_most(&store->layout, mg_entry_level(entry)),
										 false) != MG_APPLIED)
			placed = WAY_CHANGED;
	}
	if (placed == PLACED)
	{
		hnsw_page_write(&store->places, pair.pages[0], (uint32) slot, entry);
		hnsw_change_apply(&change);
	}
	else
		hnsw_change_abandon(&change);
	hnsw_pair_unlock(&pair);
	return placed;
}

static void offer_page(Relation index, const HnswPlaces *places, bool building, BlockNumber block, HnswPageKind kind);

/* A page of free slots, at the head of its lists. */
static void
add_page(HnswStore *store, int upper)
{
	Buffer buffer = extend_relation(store->index, MAIN_FORKNUM);
	BlockNumber block = BufferGetBlockNumber(buffer);

	UnlockReleaseBuffer(buffer);
	if (block > (MG_NO_NODE >> store->places.slot_bits) - 1)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("index \"%s\" cannot have more than %u pages", RelationGetRelationName(store->index), block)));
	offer_page(store->index, &store->places, store->building, block,
			   upper && !hnsw_places_mixed(&store->places) ? HNSW_PAGE_UPPER : HNSW_PAGE_NODES);
}

/* Takes a full page off its list if it is the head, as it was. */
static void
take_off(Relation index, const HnswPlaces *places, bool building, int upper, BlockNumber block)
{
	Buffer meta_buffer = ReadBuffer(index, HNSW_META_BLOCK), buffer = ReadBuffer(index, block);
	HnswSpecial *special;
	HnswChange change;

	LockBuffer(meta_buffer, BUFFER_LOCK_EXCLUSIVE);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	if (hnsw_meta_of(BufferGetPage(meta_buffer))->free_pages[upper] == block)
	{
		hnsw_change_begin(&change, index, building);
		if (hnsw_page_form(BufferGetPage(buffer)) < 0)
			/* A list that leads astray is dropped: no more than room is lost. */
			hnsw_meta_of(hnsw_change_page(&change, meta_buffer, false))->free_pages[upper] = InvalidBlockNumber;
		else if (hnsw_page_free_slot(places, BufferGetPage(buffer), upper) < 0)
		{
			special = hnsw_page_special(hnsw_change_page(&change, buffer, false));
			hnsw_meta_of(hnsw_change_page(&change, meta_buffer, false))->free_pages[upper] = special->next_free[upper];
			special->next_free[upper] = InvalidBlockNumber;
			special->listed[upper] = 0;
		}
		hnsw_change_apply(&change);
	}
	UnlockReleaseBuffer(buffer);
	UnlockReleaseBuffer(meta_buffer);
}

MgApplied
hnsw_slot_place(HnswStore *store, const uint8 *entry, const MgEdge *way, uint32 *id)
{
	int upper = mg_entry_level(entry) > 0;

	for (;;)
	{
		BlockNumber head = first_free_page(store->index, upper);

		CHECK_FOR_INTERRUPTS();
		if (head == InvalidBlockNumber)
		{
			add_page(store, upper);
			continue;
		}
		switch (place_on(store, head, entry, way, id))
		{
			case PLACED:
				return MG_APPLIED;
			case WAY_CHANGED:
				return MG_CHANGED;
			case PAGE_FULL:
				take_off(store->index, &store->places, store->building, upper, head);
		}
	}
}

/* Whether a page is to be put on a list. */
static bool
belongs_on(const HnswPlaces *places, Page page, int upper)
{
	return !hnsw_page_special(page)->listed[upper] && hnsw_page_free_slot(places, page, upper) >= 0;
}

/* kind: what a page of zeros becomes. */
static void
offer_page(Relation index, const HnswPlaces *places, bool building, BlockNumber block, HnswPageKind kind)
{
	Buffer meta_buffer = ReadBuffer(index, HNSW_META_BLOCK), buffer = ReadBuffer(index, block);
	bool is_new, ours;
	HnswChange change;
	Page page, meta;

	LockBuffer(meta_buffer, BUFFER_LOCK_EXCLUSIVE);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	page = BufferGetPage(buffer);
	is_new = PageIsNew(page);
	ours = hnsw_page_form(page) >= 0;
	if (is_new || (ours && (belongs_on(places, page, 0) || belongs_on(places, page, 1))))
	{
		hnsw_change_begin(&change, index, building);
		page = hnsw_change_page(&change, buffer, is_new);
		meta = hnsw_change_page(&change, meta_buffer, false);
		if (is_new)
			hnsw_page_init(page, kind);
		for (int upper = 0; upper < 2; upper++)
			if (belongs_on(places, page, upper))
			{
				hnsw_page_special(page)->next_free[upper] = hnsw_meta_of(meta)->free_pages[upper];
				hnsw_page_special(page)->listed[upper] = 1;
				hnsw_meta_of(meta)->free_pages[upper] = block;
			}
		hnsw_change_apply(&change);
	}
	UnlockReleaseBuffer(buffer);
	UnlockReleaseBuffer(meta_buffer);
}

void
hnsw_slot_offer_page(Relation index, const HnswPlaces *places, bool building, BlockNumber block)
{
	offer_page(index, places, building, block, HNSW_PAGE_NODES);
}
