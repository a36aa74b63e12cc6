/*
 * Free slots. The metapage has the heads of two lists of pages that may have
 * some, one for nodes and one for upper entries; a page's special space has the next of each.
 *
 * An insert fills the page at the head, and takes it off when it is full; then
 * it goes on with the next one, or with a new page. Vacuum puts pages on. So
 * inserters meet on one page for as long as it takes to copy an entry, and the
 * metapage is written once in a page's life. Where two locks are held, the
 * metapage's came first.
 */
#include "pg/hnsw/slot.h"

#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/hnsw/meta.h"

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

/* Writes the entry into a free slot of a page; false when it has none. */
static bool
place_on(Relation index, const HnswPlaces *places, bool building, Buffer buffer, const uint8 *entry, uint32 *id)
{
	int upper = mg_entry_level(entry) > 0, slot;
	HnswChange change;

	slot = hnsw_page_free_slot(places, BufferGetPage(buffer), upper);
	if (slot < 0)
		return false;
	hnsw_change_begin(&change, index, building);
	hnsw_page_write(places, hnsw_change_page(&change, buffer, false), (uint32) slot, entry);
	hnsw_change_apply(&change);
	*id = hnsw_place_id(places, BufferGetBlockNumber(buffer), (uint32) slot);
	return true;
}

static uint32
place_on_new_page(Relation index, const HnswPlaces *places, bool building, const uint8 *entry)
{
	bool mixed = hnsw_places_mixed(places);
	int upper = mg_entry_level(entry) > 0;
	uint32 slot = upper && mixed ? places->n_nodes : 0;
	Buffer buffer = extend_relation(index, MAIN_FORKNUM);
	BlockNumber block = BufferGetBlockNumber(buffer);
	HnswChange change;
	Page page;

	if (block > (MG_NO_NODE >> places->slot_bits) - 1)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("index \"%s\" cannot have more than %u pages", RelationGetRelationName(index), block)));
	hnsw_change_begin(&change, index, building);
	page = hnsw_change_page(&change, buffer, true);
	hnsw_page_init(page, upper && !mixed ? HNSW_PAGE_UPPER : HNSW_PAGE_NODES);
	hnsw_page_write(places, page, slot, entry);
	hnsw_change_apply(&change);
	UnlockReleaseBuffer(buffer);
	hnsw_slot_offer_page(index, places, building, block);
	return hnsw_place_id(places, block, slot);
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

uint32
hnsw_slot_place(Relation index, const HnswPlaces *places, bool building, const uint8 *entry)
{
	int upper = mg_entry_level(entry) > 0;
	uint32 id;

	for (;;)
	{
		BlockNumber head = first_free_page(index, upper);
		Buffer buffer;
		bool placed;

		CHECK_FOR_INTERRUPTS();
		if (head == InvalidBlockNumber)
			return place_on_new_page(index, places, building, entry);
		buffer = ReadBuffer(index, head);
		LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
		placed = place_on(index, places, building, buffer, entry, &id);
		UnlockReleaseBuffer(buffer);
		if (placed)
			return id;
		take_off(index, places, building, upper, head);
	}
}

/* Whether a page is to be put on a list. */
static bool
belongs_on(const HnswPlaces *places, Page page, int upper)
{
	return !hnsw_page_special(page)->listed[upper] && hnsw_page_free_slot(places, page, upper) >= 0;
}

void
hnsw_slot_offer_page(Relation index, const HnswPlaces *places, bool building, BlockNumber block)
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
			hnsw_page_init(page, HNSW_PAGE_NODES);
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
