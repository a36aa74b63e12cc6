/* Steps 2 to 6 of vacuum: waits for inserts, replaces the entry point, ways of deleted entries and links to them. */
#include "pg/hnsw/vacuum.h"

#include "commands/vacuum.h"
#include "pg/compat.h"
#include "pg/host.h"
#include "storage/lmgr.h"

/* ---- 3: the entry point */

/* By looking at all entries; MG_NO_NODE when none is left. */
static uint32
highest_live(HnswVacuum *vacuum, int *level)
{
	BlockNumber n_blocks = RelationGetNumberOfBlocks(vacuum->store.index);
	uint32 highest = MG_NO_NODE, id;

	*level = -1;
	for (BlockNumber block = HNSW_META_BLOCK + 1; block < n_blocks; block++)
	{
		HnswVacuumPage page;

		if (!hnsw_vacuum_lock(vacuum, block, BUFFER_LOCK_SHARE, &page))
			continue;
		for (uint32 slot = 0; slot < vacuum->store.places.n_slots[page.form]; slot++)
		{
			uint8 *entry = hnsw_vacuum_entry(vacuum, &page, slot, &id);

			if (entry == NULL || mg_entry_deleted(entry) || mg_entry_level(entry) <= *level)
				continue;
			highest = id;
			*level = mg_entry_level(entry);
		}
		UnlockReleaseBuffer(page.buffer);
	}
	return highest;
}

/* With all inserts kept out, for they would link to what is found here, or to nothing. */
static void
replace_entry_point(HnswVacuum *vacuum)
{
	Relation index = vacuum->store.index;
	MgCtx *cx = hnsw_scratch_cx(vacuum->scratch);
	HnswMeta meta;

	LockPage(index, HNSW_META_BLOCK, ExclusiveLock);
	hnsw_meta_read(index, &meta);
	if (meta.entry_point != MG_NO_NODE && hnsw_vacuum_is_dead(vacuum, meta.entry_point))
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

/* ---- 5: ways */

#define MOST_STEPS 10000  /* around one entry: it has at most 2 m ways, and each step that fails does so for an insert that came between */
#define MOST_LACKING 10 /* steps for which nothing had room: it is looked for a long way */

/* Leads all ways past a deleted entry. One for which that fails stays as it is, for the next vacuum. */
static void
bypass_entry(HnswVacuum *vacuum, uint32 id)
{
	MgCtx *cx = hnsw_scratch_cx(vacuum->scratch);
	bool wanted = true;
	int n_lacking = 0;

	for (int i = 0; wanted && i < MOST_STEPS && n_lacking < MOST_LACKING; i++)
	{
		MgCounts counts = {0};
		MgBypass step;

		mg_rewind(cx, vacuum->start);
		hnsw_must(cx, mg_bypass_plan(cx, &vacuum->store.graph, id, &step, &wanted, &counts));
		if (wanted)
			hnsw_store_bypass(&vacuum->store, &step);
		n_lacking += wanted && !step.last && step.host.link == NULL;
		vacuum_pause();
	}
	if (wanted)
		hnsw_vacuum_spare(vacuum, id);
	mg_rewind(cx, vacuum->start);
}

static void
bypass_all(HnswVacuum *vacuum)
{
	for (uint64 byte = 0; byte <= vacuum->n_ids / 8; byte++)
		for (int bit = 0; vacuum->bits[byte] >> bit != 0; bit++)
			if ((vacuum->bits[byte] >> bit & 1) != 0)
				bypass_entry(vacuum, (uint32) (byte * 8) + (uint32) bit);
}

/* ---- 6: links */

static void
offer_link_back(HnswVacuum *vacuum, uint32 id, uint32 neighbour)
{
	MgCtx *cx = hnsw_scratch_cx(vacuum->scratch);
	MgApplied applied;
	int attempts = 0;

	do
	{
		MgMark mark = mg_mark(cx);
		MgEdge edge;
		bool wanted;

		hnsw_must(cx, mg_repair_offer(cx, &vacuum->store.graph, id, neighbour, &edge, &wanted));
		applied = wanted ? hnsw_store_apply(&vacuum->store, &edge, 1) : MG_NOT_NEEDED;
		mg_rewind(cx, mark);
	} while (applied == MG_CHANGED && hnsw_store_again(&vacuum->store, neighbour, &attempts));
}

static void
repair_entry(HnswVacuum *vacuum, uint32 id)
{
	MgCtx *cx = hnsw_scratch_cx(vacuum->scratch);
	MgApplied applied;
	int attempts = 0;

	do
	{
		MgRepair repair;

		mg_rewind(cx, vacuum->start);
		hnsw_must(cx, mg_repair_plan(cx, &vacuum->store.graph, &vacuum->dead, id, vacuum->store.ef_construction, &repair));
		applied = repair.n_edges > 0 ? hnsw_store_apply(&vacuum->store, repair.edges, repair.n_edges) : MG_NOT_NEEDED;
		for (uint32 i = 0; applied != MG_CHANGED && i < repair.n_offers; i++)
			offer_link_back(vacuum, id, repair.offers[i]);
	} while (applied == MG_CHANGED && hnsw_store_again(&vacuum->store, id, &attempts));
	mg_rewind(cx, vacuum->start);
}

static bool
needs_repair(const HnswVacuum *vacuum, const uint8 *entry)
{
	if (mg_entry_deleted(entry))
		return false;
	for (uint32 slot = 0; slot < mg_entry_n_links(entry); slot++)
		if (hnsw_vacuum_is_dead(vacuum, mg_entry_link_id(&vacuum->store.layout, entry, slot)))
			return true;
	return false;
}

static void
repair_page(HnswVacuum *vacuum, BlockNumber block, uint32 *ids)
{
	uint32 n = 0, id;
	HnswVacuumPage page;

	if (!hnsw_vacuum_lock(vacuum, block, BUFFER_LOCK_SHARE, &page))
		return;
	for (uint32 slot = 0; slot < vacuum->store.places.n_slots[page.form]; slot++)
	{
		uint8 *entry = hnsw_vacuum_entry(vacuum, &page, slot, &id);

		if (entry != NULL && needs_repair(vacuum, entry))
			ids[n++] = id;
	}
	UnlockReleaseBuffer(page.buffer);
	for (uint32 i = 0; i < n; i++)
		repair_entry(vacuum, ids[i]);
}

void
hnsw_vacuum_relink(HnswVacuum *vacuum)
{
	uint32 *ids = palloc((Size) sizeof *ids << vacuum->store.places.slot_bits);
	BlockNumber n_blocks;

	replace_entry_point(vacuum); /* waits for inserts first */
	hnsw_vacuum_mend(vacuum);
	if (vacuum->n_dead == 0)
	{
		/* Chunks alone: no link leads to these. */
		pfree(ids);
		return;
	}
	bypass_all(vacuum);
	n_blocks = RelationGetNumberOfBlocks(vacuum->store.index); /* with what they have added */
	for (BlockNumber block = HNSW_META_BLOCK + 1; block < n_blocks; block++)
		repair_page(vacuum, block, ids);
	pfree(ids);
}
