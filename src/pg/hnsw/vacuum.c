/*
 * Vacuum, in the steps of hnsw/repair.h:
 *
 *   1. heap tuples that are gone leave their nodes; a node without any is marked as deleted, and so are its entries above
 *   2. all inserts that are under way end: one of them may have chosen a deleted node as a neighbour just before it was marked
 *   3. the entry point is replaced if it is deleted
 *   4. links to deleted entries are replaced, page by page
 *   5. slots of deleted entries become free
 *
 * Scans and inserts go on all the time; only 2 and 3 hold the index's heavyweight lock. A scan may come by an id that step 5
 * frees; what it finds there then is another entry or none (hnsw/graph.h). A vacuum that ends early leaves entries
 * marked; the next one takes them up with its own.
 */
#include "pg/hnsw/vacuum.h"

#include "commands/vacuum.h"
#include "hnsw/repair.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/hnsw/scratch.h"
#include "pg/hnsw/slot.h"
#include "pg/hnsw/store.h"
#include "pg/host.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"

typedef struct Vacuum
{
	IndexVacuumInfo *info;
	IndexBulkDeleteResult *stats;
	IndexBulkDeleteCallback callback;
	void *callback_state;
	HnswStore store;
	HnswScratch *scratch;
	MgMark start;
	MgDead dead;
	uint8 *bits; /* [n_ids / 8]: the deleted entries, as of step 1 */
	uint64 n_ids, n_dead;
} Vacuum;

static bool
is_dead(void *user, uint32_t id)
{
	const Vacuum *vacuum = user;

	return id < vacuum->n_ids && (vacuum->bits[id / 8] & 1 << id % 8) != 0;
}

static void
note_dead(Vacuum *vacuum, uint32 id)
{
	if (id >= vacuum->n_ids || is_dead(vacuum, id))
		return;
	vacuum->bits[id / 8] |= (uint8) (1 << id % 8);
	vacuum->n_dead++;
}

/* ---- pages, one after another */

/* The buffer of a block, locked; false when it has no entries of the kind, 0 nodes, 1 upper ones, -1 any. */
static bool
lock_page(Vacuum *vacuum, BlockNumber block, int wanted, int mode, Buffer *buffer, int *upper)
{
	vacuum_pause();
	*buffer = ReadBufferExtended(vacuum->store.index, MAIN_FORKNUM, block, RBM_NORMAL, vacuum->info->strategy);
	LockBuffer(*buffer, mode);
	*upper = hnsw_page_upper(BufferGetPage(*buffer));
	if (*upper >= 0 && (wanted < 0 || *upper == wanted))
		return true;
	UnlockReleaseBuffer(*buffer);
	return false;
}

/* The entry in a slot of a page, or NULL. */
static uint8 *
entry_at(const Vacuum *vacuum, Page page, int upper, uint32 slot)
{
	uint8 *entry = hnsw_page_slot(&vacuum->store.places, page, upper, slot);

	return mg_entry_valid(&vacuum->store.layout, entry, vacuum->store.places.entry_size[upper]) ? entry : NULL;
}

/* ---- 1: heap tuples */

static bool
is_gone(void *user, const void *item)
{
	Vacuum *vacuum = user;
	ItemPointerData tid;

	memcpy(&tid, item, sizeof tid);
	return vacuum->callback(&tid, vacuum->callback_state);
}

/* Under the lock of its page: notes what is deleted already, counts what lives; whether there is something to remove. */
static bool
look_at_node(Vacuum *vacuum, uint8 *entry, uint32 id)
{
	if (mg_entry_deleted(entry))
		note_dead(vacuum, id);
	for (uint32 i = 0; i < mg_entry_n_items(entry); i++)
		if (is_gone(vacuum, mg_entry_item(&vacuum->store.layout, entry, i)))
			return true;
	return false;
}

static void
remove_items(Vacuum *vacuum, Buffer buffer, BlockNumber block)
{
	HnswChange change;
	Page page;

	hnsw_change_begin(&change, vacuum->store.index, false);
	page = hnsw_change_page(&change, buffer, false);
	for (uint32 slot = 0; slot < vacuum->store.places.n_slots[0]; slot++)
	{
		uint8 *entry = entry_at(vacuum, page, 0, slot);

		if (entry == NULL || mg_entry_deleted(entry))
			continue;
		vacuum->stats->tuples_removed += mg_entry_remove_items(&vacuum->store.layout, entry, is_gone, vacuum);
		if (mg_entry_deleted(entry))
			note_dead(vacuum, hnsw_place_id(&vacuum->store.places, block, slot));
	}
	hnsw_change_apply(&change);
}

static void
clean_nodes(Vacuum *vacuum, BlockNumber block)
{
	bool has_gone = false;
	Buffer buffer;
	Page page;
	int upper;

	if (!lock_page(vacuum, block, 0, BUFFER_LOCK_SHARE, &buffer, &upper))
		return;
	page = BufferGetPage(buffer);
	for (uint32 slot = 0; slot < vacuum->store.places.n_slots[0]; slot++)
	{
		uint8 *entry = entry_at(vacuum, page, 0, slot);

		if (entry != NULL)
			has_gone |= look_at_node(vacuum, entry, hnsw_place_id(&vacuum->store.places, block, slot));
	}
	if (has_gone)
	{
		LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
		LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
		remove_items(vacuum, buffer, block);
	}
	for (uint32 slot = 0; slot < vacuum->store.places.n_slots[0]; slot++)
	{
		uint8 *entry = entry_at(vacuum, page, 0, slot);

		vacuum->stats->num_index_tuples += entry != NULL ? mg_entry_n_items(entry) : 0;
	}
	UnlockReleaseBuffer(buffer);
}

/* Whether the node of an upper entry is deleted, or is not there: a chain of `below` that ends above level 0. */
static bool
has_dead_node(Vacuum *vacuum, uint32 below, uint8 *entry)
{
	MgStore *store = &vacuum->store.graph.store;

	for (int i = 0; i <= MG_MAX_LEVEL && below != MG_NO_NODE; i++)
	{
		bool exists;

		if (is_dead(vacuum, below))
			return true;
		hnsw_must(hnsw_scratch_cx(vacuum->scratch),
				  store->read(store->user, hnsw_scratch_cx(vacuum->scratch), below, entry, &exists));
		if (!exists)
			return true;
		if (mg_entry_level(entry) == 0)
			return mg_entry_deleted(entry);
		below = mg_entry_below(entry);
	}
	return true;
}

static void
delete_upper(Vacuum *vacuum, uint32 id)
{
	HnswChange change;
	Buffer buffer;
	uint8 *entry;

	if (!hnsw_store_lock(&vacuum->store, id, BUFFER_LOCK_EXCLUSIVE, &buffer, &entry))
		return;
	hnsw_change_begin(&change, vacuum->store.index, false);
	mg_entry_delete((uint8 *) hnsw_change_page(&change, buffer, false) + (entry - (uint8 *) BufferGetPage(buffer)));
	hnsw_change_apply(&change);
	UnlockReleaseBuffer(buffer);
	note_dead(vacuum, id);
}

static void
clean_upper(Vacuum *vacuum, BlockNumber block, uint8 *scratch_entry)
{
	uint32 n_slots = vacuum->store.places.n_slots[1], n = 0, *ids = palloc(2 * n_slots * sizeof *ids), *belows = ids + n_slots;
	Buffer buffer;
	int upper;

	if (lock_page(vacuum, block, 1, BUFFER_LOCK_SHARE, &buffer, &upper))
	{
		for (uint32 slot = 0; slot < n_slots; slot++)
		{
			uint8 *entry = entry_at(vacuum, BufferGetPage(buffer), 1, slot);

			if (entry == NULL)
				continue;
			ids[n] = hnsw_place_id(&vacuum->store.places, block, slot);
			if (mg_entry_deleted(entry))
				note_dead(vacuum, ids[n]);
			else
				belows[n++] = mg_entry_below(entry);
		}
		UnlockReleaseBuffer(buffer);
	}
	for (uint32 i = 0; i < n; i++)
		if (has_dead_node(vacuum, belows[i], scratch_entry))
			delete_upper(vacuum, ids[i]);
	pfree(ids);
}

/* ---- 3: the entry point */

/* By looking at all entries; MG_NO_NODE when none is left. */
static uint32
highest_live(Vacuum *vacuum, int *level)
{
	BlockNumber n_blocks = RelationGetNumberOfBlocks(vacuum->store.index);
	uint32 highest = MG_NO_NODE;

	*level = -1;
	for (BlockNumber block = HNSW_META_BLOCK + 1; block < n_blocks; block++)
	{
		Buffer buffer;
		int upper;

		if (!lock_page(vacuum, block, -1, BUFFER_LOCK_SHARE, &buffer, &upper))
			continue;
		for (uint32 slot = 0; slot < vacuum->store.places.n_slots[upper]; slot++)
		{
			uint8 *entry = entry_at(vacuum, BufferGetPage(buffer), upper, slot);

			if (entry == NULL || mg_entry_deleted(entry) || mg_entry_level(entry) <= *level)
				continue;
			highest = hnsw_place_id(&vacuum->store.places, block, slot);
			*level = mg_entry_level(entry);
		}
		UnlockReleaseBuffer(buffer);
	}
	return highest;
}

/* With all inserts kept out, for they would link to what is found here, or to nothing. */
static void
replace_entry_point(Vacuum *vacuum)
{
	Relation index = vacuum->store.index;
	MgCtx *cx = hnsw_scratch_cx(vacuum->scratch);
	HnswMeta meta;

	LockPage(index, HNSW_META_BLOCK, ExclusiveLock);
	hnsw_meta_read(index, &meta);
	if (meta.entry_point != MG_NO_NODE && is_dead(vacuum, meta.entry_point))
	{
		uint32 id;
		int level;

		hnsw_must(cx, mg_repair_entry_point(cx, &vacuum->store.graph, &vacuum->dead, &id, &level));
		if (id == MG_NO_NODE)
			id = highest_live(vacuum, &level);
		hnsw_meta_set_entry_point(index, false, meta.entry_point, id, level);
	}
	UnlockPage(index, HNSW_META_BLOCK, ExclusiveLock);
	mg_rewind(cx, vacuum->start);
}

/* ---- 4: links */

static void
offer_link_back(Vacuum *vacuum, uint32 id, uint32 neighbour)
{
	MgCtx *cx = hnsw_scratch_cx(vacuum->scratch);
	MgApplied applied;

	do
	{
		MgMark mark = mg_mark(cx);
		MgEdge edge;
		bool wanted;

		hnsw_must(cx, mg_repair_offer(cx, &vacuum->store.graph, id, neighbour, &edge, &wanted));
		applied = wanted ? hnsw_store_apply(&vacuum->store, &edge, 1) : MG_NOT_NEEDED;
		mg_rewind(cx, mark);
	} while (applied == MG_CHANGED);
}

static void
repair_entry(Vacuum *vacuum, uint32 id)
{
	MgCtx *cx = hnsw_scratch_cx(vacuum->scratch);
	MgApplied applied;

	do
	{
		MgRepair repair;

		mg_rewind(cx, vacuum->start);
		hnsw_must(cx, mg_repair_plan(cx, &vacuum->store.graph, &vacuum->dead, id, vacuum->store.ef_construction, &repair));
		applied = repair.n_edges > 0 ? hnsw_store_apply(&vacuum->store, repair.edges, repair.n_edges) : MG_NOT_NEEDED;
		for (uint32 i = 0; applied != MG_CHANGED && i < repair.n_offers; i++)
			offer_link_back(vacuum, id, repair.offers[i]);
	} while (applied == MG_CHANGED);
	mg_rewind(cx, vacuum->start);
}

static bool
needs_repair(const Vacuum *vacuum, const uint8 *entry)
{
	if (mg_entry_deleted(entry))
		return false;
	for (uint32 slot = 0; slot < mg_entry_n_links(entry); slot++)
		if (is_dead((void *) vacuum, mg_entry_link_id(&vacuum->store.layout, entry, slot)))
			return true;
	return false;
}

static void
repair_page(Vacuum *vacuum, BlockNumber block)
{
	uint32 n = 0, *ids;
	Buffer buffer;
	int upper;

	if (!lock_page(vacuum, block, -1, BUFFER_LOCK_SHARE, &buffer, &upper))
		return;
	ids = palloc(vacuum->store.places.n_slots[upper] * sizeof *ids);
	for (uint32 slot = 0; slot < vacuum->store.places.n_slots[upper]; slot++)
	{
		uint8 *entry = entry_at(vacuum, BufferGetPage(buffer), upper, slot);

		if (entry != NULL && needs_repair(vacuum, entry))
			ids[n++] = hnsw_place_id(&vacuum->store.places, block, slot);
	}
	UnlockReleaseBuffer(buffer);
	for (uint32 i = 0; i < n; i++)
		repair_entry(vacuum, ids[i]);
	pfree(ids);
}

/* ---- 5: slots */

/* Nothing leads to these any more. Upper ones first, so that no entry is ever above a node that is gone. */
static void
free_slots(Vacuum *vacuum, BlockNumber block, int wanted)
{
	HnswChange change;
	bool freed = false;
	Buffer buffer;
	Page page;
	int upper;

	if (!lock_page(vacuum, block, wanted, BUFFER_LOCK_EXCLUSIVE, &buffer, &upper))
		return;
	hnsw_change_begin(&change, vacuum->store.index, false);
	page = hnsw_change_page(&change, buffer, false);
	for (uint32 slot = 0; slot < vacuum->store.places.n_slots[upper]; slot++)
	{
		uint8 *entry = entry_at(vacuum, page, upper, slot);

		if (entry == NULL || !mg_entry_deleted(entry) ||
			!is_dead(vacuum, hnsw_place_id(&vacuum->store.places, block, slot)))
			continue;
		entry[0] = 0;
		freed = true;
	}
	if (freed)
		hnsw_change_apply(&change);
	else
		hnsw_change_abandon(&change);
	UnlockReleaseBuffer(buffer);
	if (freed)
		hnsw_slot_offer_page(vacuum->store.index, false, block);
}

/* ---- the whole */

static void
find_dead(Vacuum *vacuum, BlockNumber n_blocks)
{
	uint8 *entry = palloc(mg_entry_size(&vacuum->store.layout, 0) + mg_entry_size(&vacuum->store.layout, 1));

	for (BlockNumber block = HNSW_META_BLOCK + 1; block < n_blocks; block++)
		clean_nodes(vacuum, block);
	for (BlockNumber block = HNSW_META_BLOCK + 1; block < n_blocks; block++)
		clean_upper(vacuum, block, entry);
	pfree(entry);
}

static void
remove_dead(Vacuum *vacuum, BlockNumber n_blocks)
{
	BlockNumber n_blocks_now;

	replace_entry_point(vacuum); /* waits for inserts first */
	n_blocks_now = RelationGetNumberOfBlocks(vacuum->store.index);
	for (BlockNumber block = HNSW_META_BLOCK + 1; block < n_blocks_now; block++)
		repair_page(vacuum, block);
	for (int upper = 1; upper >= 0; upper--)
		for (BlockNumber block = HNSW_META_BLOCK + 1; block < n_blocks; block++)
			free_slots(vacuum, block, upper);
}

IndexBulkDeleteResult *
hnsw_bulk_delete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats, IndexBulkDeleteCallback callback,
				 void *callback_state)
{
	MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "maskgen_hnsw vacuum", ALLOCSET_DEFAULT_SIZES);
	Vacuum *vacuum = MemoryContextAllocZero(memory, sizeof *vacuum);
	BlockNumber n_blocks = RelationGetNumberOfBlocks(info->index);
	MemoryContext before = MemoryContextSwitchTo(memory);

	if (stats == NULL)
		stats = MemoryContextAllocZero(before, sizeof *stats);
	stats->num_index_tuples = 0;
	vacuum->info = info;
	vacuum->stats = stats;
	vacuum->callback = callback;
	vacuum->callback_state = callback_state;
	vacuum->scratch = hnsw_scratch_take(memory);
	hnsw_store_open(&vacuum->store, hnsw_scratch_cx(vacuum->scratch), info->index);
	vacuum->start = mg_mark(hnsw_scratch_cx(vacuum->scratch));
	vacuum->dead = (MgDead){is_dead, vacuum};
	vacuum->n_ids = (uint64) n_blocks << vacuum->store.places.slot_bits;
	vacuum->bits = MemoryContextAllocExtended(memory, vacuum->n_ids / 8 + 1, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	find_dead(vacuum, n_blocks);
	if (vacuum->n_dead > 0)
		remove_dead(vacuum, n_blocks);
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
