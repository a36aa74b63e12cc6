/*
 * Vacuum, in the steps of hnsw/repair.h:
 *
 *   0. heap tuples that are gone leave the lists, which know nothing of nodes (list.h)
 *   1. heap tuples that are gone leave their nodes and chunks; empty chunks are linked out; a node without any tuple is marked as
 *      deleted, and so are its entries above
 *   2. all inserts that are under way end: one of them may have chosen a deleted node as a neighbour just before it was marked,
 *      or hold a chunk that it has not linked in yet
 *   3. the entry point is replaced if it is deleted
 *   4. ways that were found broken are mended, which should never be (mend.c)
 *   5. ways of deleted entries are led past them
 *   6. links to deleted entries are replaced, page by page
 *   7. slots of deleted entries, and of chunks without an owner, become free
 *
 * Scans and inserts go on all the time; only 2, 3 and, if something is broken, 4 hold the index's heavyweight lock. A scan may come by an id that step 7
 * frees; what it finds there then is another entry or none (hnsw/graph.h). A vacuum that ends early leaves entries
 * marked; the next one takes them up with its own.
 */
#include "pg/hnsw/vacuum.h"

#include "commands/vacuum.h"
#include "hnsw/items.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "utils/memutils.h"

static bool
is_dead(void *user, uint32_t id)
{
	return hnsw_vacuum_is_dead(user, id);
}

bool
hnsw_vacuum_lock(HnswVacuum *vacuum, BlockNumber block, int mode, HnswVacuumPage *page)
{
	vacuum_pause();
	page->block = block;
	page->buffer = ReadBufferExtended(vacuum->store.index, MAIN_FORKNUM, block, RBM_NORMAL, vacuum->info->strategy);
	LockBuffer(page->buffer, mode);
	page->page = BufferGetPage(page->buffer);
	page->form = hnsw_page_form(page->page);
	if (page->form >= 0)
		return true;
	if (!PageIsNew(page->page) && !hnsw_page_is_listed(page->page))
		hnsw_store_throw_damaged(&vacuum->store, hnsw_place_id(&vacuum->store.places, block, 0));
	UnlockReleaseBuffer(page->buffer);
	return false;
}

uint8 *
hnsw_vacuum_entry(const HnswVacuum *vacuum, const HnswVacuumPage *page, uint32 slot, uint32 *id)
{
	const HnswPlaces *places = &vacuum->store.places;
	uint8 *entry = hnsw_page_slot(places, page->page, page->form, slot);

	*id = hnsw_place_id(places, page->block, slot);
	if (hnsw_store_is_damaged(&vacuum->store, page->page, *id))
		hnsw_store_throw_damaged(&vacuum->store, *id);
	return mg_entry_valid(&vacuum->store.layout, entry, places->entry_size[hnsw_place_upper(places, page->form, slot)])
		? entry
		: NULL;
}

uint8 *
hnsw_vacuum_chunk(const HnswVacuum *vacuum, const HnswVacuumPage *page, uint32 slot, uint32 *id)
{
	const HnswPlaces *places = &vacuum->store.places;
	uint8 *chunk = hnsw_page_slot(places, page->page, page->form, slot);

	*id = hnsw_place_id(places, page->block, slot);
	return mg_chunk_valid(&vacuum->store.layout, chunk, places->entry_size[hnsw_place_upper(places, page->form, slot)])
		? chunk
		: NULL;
}

void
hnsw_vacuum_spare(HnswVacuum *vacuum, uint32 id)
{
	vacuum->bits[id / 8] &= (uint8) ~(1 << id % 8);
}

/* Whether what was noted in a slot is to be freed: an insert may have linked in what was a chunk without an owner. */
static bool
is_free(const HnswVacuum *vacuum, const HnswVacuumPage *page, uint32 slot, int upper)
{
	uint32 id;
	uint8 *entry = hnsw_vacuum_entry(vacuum, page, slot, &id), *chunk = hnsw_vacuum_chunk(vacuum, page, slot, &id);

	if (!hnsw_vacuum_is_dead(vacuum, id) || hnsw_place_upper(&vacuum->store.places, page->form, slot) != upper)
		return false;
	return (entry != NULL && mg_entry_deleted(entry)) || (chunk != NULL && mg_chunk_owner(chunk) == MG_NO_NODE);
}

/* Step 7. Nothing leads to these any more. Upper ones first, so that no entry is ever above a node that is gone. */
static void
free_slots(HnswVacuum *vacuum, BlockNumber block, int upper)
{
	HnswChange change;
	bool freed = false;
	HnswVacuumPage page;

	if (!hnsw_vacuum_lock(vacuum, block, BUFFER_LOCK_EXCLUSIVE, &page))
		return;
	hnsw_change_begin(&change, vacuum->store.index, false);
	page.page = hnsw_change_page(&change, page.buffer, false);
	for (uint32 slot = 0; slot < vacuum->store.places.n_slots[page.form]; slot++)
	{
		if (!is_free(vacuum, &page, slot, upper))
			continue;
		*hnsw_page_slot(&vacuum->store.places, page.page, page.form, slot) = 0;
		freed = true;
	}
	if (freed)
		hnsw_change_apply(&change);
	else
		hnsw_change_abandon(&change);
	UnlockReleaseBuffer(page.buffer);
	if (freed)
		hnsw_slot_offer_page(vacuum->store.index, &vacuum->store.places, false, block);
}

/* Whether a page had something dead in step 1. */
static bool
has_dead(const HnswVacuum *vacuum, BlockNumber block)
{
	for (uint32 slot = 0; slot < 1u << vacuum->store.places.slot_bits; slot++)
		if (hnsw_vacuum_is_dead(vacuum, hnsw_place_id(&vacuum->store.places, block, slot)))
			return true;
	return false;
}

IndexBulkDeleteResult *
hnsw_bulk_delete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats, IndexBulkDeleteCallback callback,
				 void *callback_state)
{
	MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "maskgen_hnsw vacuum", ALLOCSET_DEFAULT_SIZES);
	HnswVacuum *vacuum = MemoryContextAllocZero(memory, sizeof *vacuum);
	MemoryContext before = MemoryContextSwitchTo(memory);

	if (stats == NULL)
		stats = MemoryContextAllocZero(before, sizeof *stats);
	stats->num_index_tuples = 0;
	vacuum->n_blocks = RelationGetNumberOfBlocks(info->index);
	vacuum->info = info;
	vacuum->stats = stats;
	vacuum->callback = callback;
	vacuum->callback_state = callback_state;
	vacuum->scratch = hnsw_scratch_take(memory);
	hnsw_store_open(&vacuum->store, hnsw_scratch_cx(vacuum->scratch), info->index);
	vacuum->start = mg_mark(hnsw_scratch_cx(vacuum->scratch));
	vacuum->dead = (MgDead){is_dead, vacuum};
	vacuum->n_ids = (uint64) vacuum->n_blocks << vacuum->store.places.slot_bits;
	vacuum->bits = MemoryContextAllocExtended(memory, vacuum->n_ids / 8 + 1, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	vacuum->owners = MemoryContextAllocExtended(memory, vacuum->n_ids / 8 + 1, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	vacuum->store.n_blocks = vacuum->n_blocks;
	hnsw_vacuum_lists(vacuum);
	hnsw_vacuum_find_dead(vacuum);
	if (vacuum->n_dead + vacuum->n_chunks == 0)
		hnsw_vacuum_mend(vacuum);
	else
	{
		hnsw_vacuum_relink(vacuum);
		for (int upper = 1; upper >= 0; upper--)
			for (BlockNumber block = HNSW_META_BLOCK + 1; block < vacuum->n_blocks; block++)
				if (has_dead(vacuum, block))
					free_slots(vacuum, block, upper);
	}
	MemoryContextSwitchTo(before);
	MemoryContextDelete(memory);
	return stats;
}

IndexBulkDeleteResult *
hnsw_vacuum_cleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats)
{
	if (info->analyze_only)
		return stats;
	if (stats == NULL)
	{
		stats = palloc0(sizeof *stats);
		stats->num_index_tuples = info->num_heap_tuples;
		stats->estimated_count = true; /* rows without a vector are not in the index */
	}
	stats->num_pages = RelationGetNumberOfBlocks(info->index);
	return stats;
}
