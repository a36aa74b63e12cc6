/* Pages, slots, and changes of them that are logged or not. */
#include "pg/hnsw/page.h"

#include "hnsw/graph.h"

bool
hnsw_places_init(HnswPlaces *places, const MgEntryLayout *layout)
{
	uint32 n_beside;

	for (int upper = 0; upper < 2; upper++)
	{
		places->entry_size[upper] = mg_entry_size(layout, upper);
		places->slot_size[upper] = INTALIGN(places->entry_size[upper]);
		places->n_slots[upper] = HNSW_PAGE_ROOM / places->slot_size[upper];
		if (places->n_slots[upper] == 0)
			return false;
	}
	places->n_nodes = places->n_slots[0];
	/* Of mg_level_ratio nodes one is on level 1, and of as many of these one on level 2 ... */
	n_beside = (HNSW_PAGE_ROOM - places->n_nodes * places->slot_size[0]) / places->slot_size[1];
	if (n_beside * (mg_level_ratio(layout->shape.m) - 1) >= places->n_nodes)
		places->n_slots[0] += n_beside;
	places->slot_bits = 0;
	while ((1u << places->slot_bits) < Max(places->n_slots[0], places->n_slots[1]))
		places->slot_bits++;
	return true;
}

bool
hnsw_page_is_ours(Page page)
{
	return !PageIsNew(page) && PageGetSpecialSize(page) == MAXALIGN(sizeof(HnswSpecial)) &&
		hnsw_page_special(page)->page_id == HNSW_PAGE_ID;
}

void
hnsw_page_init(Page page, HnswPageKind kind)
{
	HnswSpecial *special;

	PageInit(page, BLCKSZ, sizeof(HnswSpecial));
	special = hnsw_page_special(page);
	special->next_free[0] = special->next_free[1] = InvalidBlockNumber;
	special->page_id = HNSW_PAGE_ID;
	((PageHeader) page)->pd_prune_xid = kind;
}

void
hnsw_page_write(const HnswPlaces *places, Page page, uint32 slot, const uint8 *entry)
{
	int form = hnsw_page_form(page), upper = hnsw_place_upper(places, form, slot);
	uint8 *at = hnsw_page_slot(places, page, form, slot);
	LocationIndex end = (LocationIndex) (at - (uint8 *) page + places->slot_size[upper]);
	PageHeader header = (PageHeader) page;

	memcpy(at, entry, places->entry_size[upper]);
	header->pd_lower = Max(header->pd_lower, end);
}

int
hnsw_page_free_slot(const HnswPlaces *places, Page page, int upper)
{
	int form = hnsw_page_form(page);

	for (uint32 slot = 0; form >= 0 && slot < places->n_slots[form]; slot++)
		if (hnsw_place_upper(places, form, slot) == upper && *hnsw_page_slot(places, page, form, slot) == 0)
			return (int) slot;
	return -1;
}

void
hnsw_change_begin(HnswChange *change, Relation index, bool building)
{
	change->xlog = building ? NULL : GenericXLogStart(index);
	change->n = 0;
}

Page
hnsw_change_page(HnswChange *change, Buffer buffer, bool whole)
{
	Assert(change->n < lengthof(change->buffers));
	change->buffers[change->n++] = buffer;
	if (change->xlog == NULL)
		return BufferGetPage(buffer);
	return GenericXLogRegisterBuffer(change->xlog, buffer, whole ? GENERIC_XLOG_FULL_IMAGE : 0);
}

void
hnsw_change_apply(HnswChange *change)
{
	if (change->xlog != NULL)
		GenericXLogFinish(change->xlog);
	else
		for (int i = 0; i < change->n; i++)
			MarkBufferDirty(change->buffers[i]);
}

void
hnsw_change_abandon(HnswChange *change)
{
	if (change->xlog != NULL)
		GenericXLogAbort(change->xlog);
}
