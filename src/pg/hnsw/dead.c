/* Step 1 of vacuum: heap tuples that are gone leave their nodes; which nodes, and entries above them, are deleted. */
#include "pg/hnsw/vacuum.h"

#include "commands/vacuum.h"
#include "hnsw/items.h"
#include "pg/compat.h"
#include "pg/hnsw/items.h"
#include "pg/host.h"

static void
note_dead(HnswVacuum *vacuum, uint32 id)
{
	if (id >= vacuum->n_ids || hnsw_vacuum_is_dead(vacuum, id))
		return;
	vacuum->bits[id / 8] |= (uint8) (1 << id % 8);
	vacuum->n_dead++;
}

/* A chunk without an owner: linked out, or reserved by an insert that ended early, or by one that is under way. */
static void
note_loose(HnswVacuum *vacuum, uint32 id)
{
	if (id >= vacuum->n_ids || hnsw_vacuum_is_dead(vacuum, id))
		return;
	vacuum->bits[id / 8] |= (uint8) (1 << id % 8);
	vacuum->n_chunks++;
}

static void
note_empty(HnswVacuum *vacuum, const uint8 *chunk, uint32 id)
{
	uint32 owner = mg_chunk_owner(chunk);

	if (owner == MG_NO_NODE)
		note_loose(vacuum, id);
	else if (mg_chunk_n_items(chunk) == 0 && owner < vacuum->n_ids)
		vacuum->owners[owner / 8] |= (uint8) (1 << owner % 8);
}

static bool
is_gone(void *user, const void *item)
{
	HnswVacuum *vacuum = user;
	ItemPointerData tid;

	memcpy(&tid, item, sizeof tid);
	return vacuum->callback(&tid, vacuum->callback_state);
}

static bool
has_gone_item(HnswVacuum *vacuum, const uint8 *items, uint32 n)
{
	for (uint32 i = 0; i < n; i++)
		if (is_gone(vacuum, items + i * vacuum->store.layout.shape.item_size))
			return true;
	return false;
}

/* Nodes that are deleted already, and chunks that are empty, are noted; whether any other has something to remove. */
static bool
look_at_nodes(HnswVacuum *vacuum, const HnswVacuumPage *page)
{
	const MgEntryLayout *layout = &vacuum->store.layout;
	bool found = false;
	uint32 id;

	for (uint32 slot = 0; slot < vacuum->store.places.n_nodes; slot++)
	{
		uint8 *entry = hnsw_vacuum_entry(vacuum, page, slot, &id), *chunk = hnsw_vacuum_chunk(vacuum, page, slot, &id);

		if (chunk != NULL)
		{
			note_empty(vacuum, chunk, id);
			found |= has_gone_item(vacuum, mg_chunk_item(layout, chunk, 0), mg_chunk_n_items(chunk));
		}
		else if (entry != NULL && mg_entry_deleted(entry))
			note_dead(vacuum, id);
		else if (entry != NULL)
			found |= has_gone_item(vacuum, mg_entry_item(layout, entry, 0), mg_entry_n_items(entry));
	}
	return found;
}

static void
remove_items(HnswVacuum *vacuum, const HnswVacuumPage *locked)
{
	HnswVacuumPage page = *locked;
	HnswChange change;
	uint32 id;

	hnsw_change_begin(&change, vacuum->store.index, false);
	page.page = hnsw_change_page(&change, page.buffer, false);
	for (uint32 slot = 0; slot < vacuum->store.places.n_nodes; slot++)
	{
		uint8 *entry = hnsw_vacuum_entry(vacuum, &page, slot, &id), *chunk = hnsw_vacuum_chunk(vacuum, &page, slot, &id);

		if (chunk != NULL)
		{
			vacuum->stats->tuples_removed += mg_chunk_remove(&vacuum->store.layout, chunk, is_gone, vacuum);
			note_empty(vacuum, chunk, id);
		}
		if (entry == NULL || mg_entry_deleted(entry))
			continue;
		vacuum->stats->tuples_removed += mg_entry_remove_items(&vacuum->store.layout, entry, is_gone, vacuum);
		if (mg_entry_deleted(entry))
			note_dead(vacuum, id);
	}
	hnsw_change_apply(&change);
}

static void
clean_nodes(HnswVacuum *vacuum, BlockNumber block)
{
	HnswVacuumPage page;
	uint32 id;

	if (!hnsw_vacuum_lock(vacuum, block, BUFFER_LOCK_SHARE, &page))
		return;
	if (page.form == 0 && look_at_nodes(vacuum, &page))
	{
		LockBuffer(page.buffer, BUFFER_LOCK_UNLOCK);
		LockBuffer(page.buffer, BUFFER_LOCK_EXCLUSIVE);
		remove_items(vacuum, &page);
	}
	for (uint32 slot = 0; page.form == 0 && slot < vacuum->store.places.n_nodes; slot++)
	{
		uint8 *entry = hnsw_vacuum_entry(vacuum, &page, slot, &id), *chunk = hnsw_vacuum_chunk(vacuum, &page, slot, &id);

		vacuum->stats->num_index_tuples += entry != NULL ? mg_entry_n_items(entry) : 0;
		vacuum->stats->num_index_tuples += chunk != NULL ? mg_chunk_n_items(chunk) : 0;
	}
	UnlockReleaseBuffer(page.buffer);
}

/* ---- chunks */

static void
drop(void *user, uint32 id)
{
	HnswVacuum *vacuum = user;

	if (vacuum->trimmed == id)
		note_dead(vacuum, id);
	else
		note_loose(vacuum, id);
}

/* Links out the chunks that are empty now; what nodes are deleted with the last of them. */
static void
trim_chains(HnswVacuum *vacuum)
{
	for (uint64 byte = 0; byte <= vacuum->n_ids / 8; byte++)
		for (int bit = 0; vacuum->owners[byte] >> bit != 0; bit++)
			if ((vacuum->owners[byte] >> bit & 1) != 0)
			{
				vacuum->trimmed = (uint32) (byte * 8) + (uint32) bit;
				vacuum_pause();
				hnsw_items_trim(&vacuum->store, vacuum->trimmed, drop, vacuum);
			}
}

/* ---- entries above level 0 */

/* Whether the node of an upper entry is deleted, or is not there: a chain of `below` that ends above level 0. */
static bool
has_dead_node(HnswVacuum *vacuum, uint32 below, uint8 *entry)
{
	MgStore *store = &vacuum->store.graph.store;
	MgCtx *cx = hnsw_scratch_cx(vacuum->scratch);

	for (int i = 0; i <= MG_MAX_LEVEL && below != MG_NO_NODE; i++)
	{
		bool exists;

		if (hnsw_vacuum_is_dead(vacuum, below))
			return true;
		hnsw_must(cx, store->read(store->user, cx, below, entry, &exists));
		if (!exists)
			return true;
		if (mg_entry_level(entry) == 0)
			return mg_entry_deleted(entry);
		below = mg_entry_below(entry);
	}
	return true;
}

static void
delete_upper(HnswVacuum *vacuum, uint32 id)
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

/* ids and belows: of the upper entries on a page that are not deleted yet. Notes ways on the way. */
static uint32
list_upper(HnswVacuum *vacuum, BlockNumber block, uint32 *ids, uint32 *belows)
{
	HnswVacuumPage page;
	uint32 n = 0, id;

	if (!hnsw_vacuum_lock(vacuum, block, BUFFER_LOCK_SHARE, &page))
		return 0;
	hnsw_forest_note(vacuum, &page);
	for (uint32 slot = 0; slot < vacuum->store.places.n_slots[page.form]; slot++)
	{
		uint8 *entry = hnsw_place_upper(&vacuum->store.places, page.form, slot)
			? hnsw_vacuum_entry(vacuum, &page, slot, &id)
			: NULL;

		if (entry == NULL)
			continue;
		if (mg_entry_deleted(entry))
		{
			note_dead(vacuum, id);
			continue;
		}
		ids[n] = id;
		belows[n++] = mg_entry_below(entry);
	}
	UnlockReleaseBuffer(page.buffer);
	return n;
}

void
hnsw_vacuum_find_dead(HnswVacuum *vacuum)
{
	uint32 most = 1u << vacuum->store.places.slot_bits, *ids = palloc(2 * most * sizeof *ids);
	uint8 *entry = palloc(mg_entry_size(&vacuum->store.layout, 0) + mg_entry_size(&vacuum->store.layout, 1));

	for (BlockNumber block = HNSW_META_BLOCK + 1; block < vacuum->n_blocks; block++)
		clean_nodes(vacuum, block);
	trim_chains(vacuum);
	for (BlockNumber block = HNSW_META_BLOCK + 1; block < vacuum->n_blocks; block++)
	{
		uint32 n = list_upper(vacuum, block, ids, ids + most);

		for (uint32 i = 0; i < n; i++)
			if (has_dead_node(vacuum, ids[most + i], entry))
				delete_upper(vacuum, ids[i]);
	}
	pfree(entry);
	pfree(ids);
}
