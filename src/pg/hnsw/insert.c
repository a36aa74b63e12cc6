/*
 * Inserts. A plan is made without locks, then applied page by page, one lock
 * at a time (hnsw/insert.h).
 *
 * For as long as ids of a plan may be used, the index's heavyweight lock is held in share mode;
 * vacuum takes it exclusively, for a moment, between two of its steps. Two kinds of nodes are inserted under the exclusive
 * lock, since two of them at once would not know of each other: those that open a new level, and those without
 * any neighbour, into an empty graph or one whose nodes are all deleted.
 *
 * Before that comes a lock on the value's fingerprint, so that equal values come in one after the other, and find each other.
 *
 * An update that leaves the vector as it was looks for the node that has it by
 * a search of JOIN_WIDTH instead of ef_construction, and adds its tuple there: one
 * page is changed, and nothing is linked.
 */
#include "pg/hnsw/insert.h"

#include <math.h>

#include "common/pg_prng.h"
#include "hnsw/insert.h"
#include "hnsw/search.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/hnsw/items.h"
#include "pg/hnsw/list.h"
#include "pg/hnsw/scratch.h"
#include "pg/hnsw/store.h"
#include "pg/host.h"
#include "storage/lmgr.h"

#define JOIN_WIDTH 8

struct HnswInserter
{
	HnswStore store;
	HnswScratch *scratch;
	MgMark start; /* behind what all inserts share */
};

/* One value on its way in. */
typedef struct Insertion
{
	HnswStore *store;
	MgCtx *cx;
	MgQuery query;
	const uint8 *item; /* the heap tuple, as cover.h has it */
} Insertion;

HnswInserter *
hnsw_inserter_begin(Relation index, MemoryContext owner, bool building)
{
	HnswInserter *inserter = MemoryContextAllocZero(owner, sizeof *inserter);
	MemoryContext before = MemoryContextSwitchTo(owner);

	inserter->scratch = hnsw_scratch_take(owner);
	hnsw_store_open(&inserter->store, hnsw_scratch_cx(inserter->scratch), index);
	inserter->store.building = building;
	inserter->start = mg_mark(hnsw_scratch_cx(inserter->scratch));
	MemoryContextSwitchTo(before);
	return inserter;
}

/* Whether an entry is of this value. */
static bool
is_same(const Insertion *insertion, const uint8 *entry)
{
	const MgEntryLayout *layout = &insertion->store->layout;

	if (layout->coded)
		return mg_entry_fingerprint(layout, entry) == insertion->query.fingerprint;
	return mg_entry_value_size(entry) == insertion->query.value_size &&
		memcmp(mg_entry_value(entry), insertion->query.value, insertion->query.value_size) == 0;
}

/* Adds the tuple to the node that has the same value, if a narrow search meets it. */
static bool
join_equal(const Insertion *insertion)
{
	const HnswStore *store = insertion->store;
	MgSearchOptions options = {.ef = JOIN_WIDTH, .radius = -INFINITY};
	uint8 *entry = hnsw_alloc(insertion->cx, mg_entry_size(&store->layout, 0), 1);
	MgSearch *search = mg_search_begin(insertion->cx, &store->graph, &insertion->query, &options);
	const MgFound *found;
	size_t n;

	hnsw_must(insertion->cx, search != NULL && mg_search_next(insertion->cx, search, &found, &n));
	for (size_t i = 0; i < n; i++)
	{
		bool exists;

		hnsw_must(insertion->cx, store->graph.store.read(insertion->store, insertion->cx, found[i].id, entry, &exists));
		if (exists && is_same(insertion, entry) && hnsw_items_add(insertion->store, found[i].id, insertion->item))
			return true;
	}
	return false;
}

/* Offers each neighbour a link back. */
static void
link_back(const Insertion *insertion, MgInsert *plan)
{
	uint32 n_edges = mg_insert_n_edges(&insertion->store->graph, plan);

	for (uint32 i = 0; i < n_edges; i++)
	{
		MgApplied applied;
		int attempts = 0;

		do
		{
			MgMark mark = mg_mark(insertion->cx);
			MgEdge edge;
			bool wanted;

			hnsw_must(insertion->cx,
					  mg_insert_edge(insertion->cx, &insertion->store->graph, plan, i, &edge, &wanted));
			applied = wanted ? hnsw_store_apply(insertion->store, &edge, 1) : MG_NOT_NEEDED;
			mg_rewind(insertion->cx, mark);
		} while (applied == MG_CHANGED && hnsw_store_again(insertion->store, plan->ids[0], &attempts));
	}
}

/* Whether a new entry has a neighbour. */
static bool
has_links(const MgInsert *plan)
{
	return mg_entry_n_links(plan->entries[0]) > 0;
}

/* Stores the entry of a level together with the way to it. */
static void
store_entry(const Insertion *insertion, MgInsert *plan, int level)
{
	HnswStore *store = insertion->store;
	MgApplied applied;
	int attempts = 0;
	uint32 id, neighbour = 0;

	do
	{
		MgMark mark = mg_mark(insertion->cx);
		MgEdge way;
		bool found;

		hnsw_must(insertion->cx, mg_insert_way(insertion->cx, &store->graph, plan, level, &way, &found));
		if (!found && mg_entry_n_links(plan->entries[level]) > 0)
			ereport(ERROR, (errcode(ERRCODE_INDEX_CORRUPTED),
							errmsg("no entry of index \"%s\" has room for a way to another",
								   RelationGetRelationName(store->index)),
							errhint("REINDEX INDEX makes it anew from the table.")));
		neighbour = found ? way.target : neighbour;
		applied = hnsw_slot_place(store, plan->entries[level], found ? &way : NULL, &id);
		mg_rewind(insertion->cx, mark);
	} while (applied == MG_CHANGED && hnsw_store_again(store, neighbour, &attempts));
	mg_insert_placed(plan, level, id);
}

/* Stores a node and links to it. Without a neighbour, and with all others kept out, it becomes the entry point whatever its level. */
static void
store_node(const Insertion *insertion, MgInsert *plan)
{
	HnswStore *store = insertion->store;
	HnswMeta meta;

	for (int level = 0; level <= plan->level; level++)
		store_entry(insertion, plan, level);
	link_back(insertion, plan);
	hnsw_meta_read(store->index, &meta);
	if (!has_links(plan))
		hnsw_meta_set_entry_point(store->index, store->building, meta.entry_point, plan->ids[plan->level], plan->level);
	else if (plan->level > meta.entry_level)
		hnsw_meta_raise_entry_point(store->index, store->building, plan->ids[plan->level], plan->level);
}

/* A node without a neighbour begins the graph anew, and may only if nothing is left of it: not because it cannot be read. */
static void
check_entry_point(HnswStore *store)
{
	Buffer buffer;
	HnswMeta meta;
	uint8 *entry;

	hnsw_meta_read(store->index, &meta);
	if (meta.entry_point == MG_NO_NODE)
		return;
	if (!hnsw_store_lock(store, meta.entry_point, BUFFER_LOCK_SHARE, &buffer, &entry))
		hnsw_store_throw_damaged(store, meta.entry_point);
	UnlockReleaseBuffer(buffer);
}

/* False: the node has no neighbour, so it must not be inserted unless all others are kept out. */
static bool
insert_node(const Insertion *insertion, int level, bool alone)
{
	HnswStore *store = insertion->store;
	MgInsert plan;
	int attempts = 0;

	for (;;)
	{
		hnsw_must(insertion->cx, mg_insert_plan(insertion->cx, &store->graph, &insertion->query, insertion->item, level,
												store->ef_construction, &plan));
		if (plan.equal == MG_NO_NODE)
			break;
		if (hnsw_items_add(store, plan.equal, insertion->item))
			return true;
		/* It was deleted meanwhile; a search that begins now passes it by. */
		hnsw_store_again(store, plan.equal, &attempts);
	}
	if (!alone && !has_links(&plan))
		return false;
	if (!has_links(&plan))
		check_entry_point(store);
	store_node(insertion, &plan);
	return true;
}

/* Stands for a fingerprint among the locks on pages of an index. */
static BlockNumber
lock_of(uint64 fingerprint)
{
	return HNSW_META_BLOCK + 1 + (BlockNumber) (fingerprint % (MaxBlockNumber - 1));
}

static void
insert_locked(const Insertion *insertion, int level)
{
	Relation index = insertion->store->index;
	BlockNumber equals = lock_of(insertion->query.fingerprint);
	bool inserted;
	HnswMeta meta;

	LockPage(index, equals, ExclusiveLock);
	LockPage(index, HNSW_META_BLOCK, ShareLock);
	hnsw_meta_read(index, &meta);
	/* Processes of one build do not keep each other out by such locks in all versions: none of them opens a level. */
	if (insertion->store->building && meta.entry_point != MG_NO_NODE)
		level = Min(level, meta.entry_level);
	inserted = level <= meta.entry_level && insert_node(insertion, level, false);
	UnlockPage(index, HNSW_META_BLOCK, ShareLock);
	if (!inserted)
	{
		LockPage(index, HNSW_META_BLOCK, ExclusiveLock);
		insert_node(insertion, level, true);
		UnlockPage(index, HNSW_META_BLOCK, ExclusiveLock);
	}
	UnlockPage(index, equals, ExclusiveLock);
}

void
hnsw_inserter_add(HnswInserter *inserter, const Datum *values, const bool *nulls, const ItemPointerData *tid, bool unchanged)
{
	HnswStore *store = &inserter->store;
	MgCtx *cx = hnsw_scratch_cx(inserter->scratch);
	uint8 item[HNSW_MOST_ITEM];
	Insertion insertion = {.store = store, .cx = cx, .item = item};
	Datum detoasted = hnsw_kind_detoast(store->kind, values[0]);

	if (!hnsw_kind_is_ordinary(store->kind, detoasted))
		hnsw_meta_take_complete(store->index, store->building, HNSW_NEEDS_NUMBERS);
	mg_rewind(cx, inserter->start);
	hnsw_cover_pack(store->cover, tid, values, nulls, item);
	if (hnsw_store_query(store, cx, detoasted, &insertion.query))
	{
		bool joined = false;

		/* A build makes the lists at its end. */
		if (!store->building && hnsw_lists_exist(store))
			hnsw_list_add(store, cx, item, &insertion.query);
		if (unchanged)
		{
			LockPage(store->index, HNSW_META_BLOCK, ShareLock);
			joined = join_equal(&insertion);
			UnlockPage(store->index, HNSW_META_BLOCK, ShareLock);
		}
		if (!joined)
			insert_locked(&insertion, mg_level(&store->layout, pg_prng_uint64(&pg_global_prng_state)));
	}
	if (detoasted != values[0])
		pfree(DatumGetPointer(detoasted));
}

bool
hnsw_insert(Relation index, Datum *values, bool *isnull, ItemPointer tid, Relation heap, IndexUniqueCheck unique,
			bool unchanged, IndexInfo *info)
{
	HnswInserter *inserter = info->ii_AmCache;

	if (isnull[0])
	{
		hnsw_meta_take_complete(index, false, HNSW_NEEDS_NULLS);
		return false;
	}
	if (inserter == NULL)
		inserter = info->ii_AmCache = hnsw_inserter_begin(index, info->ii_Context, false);
	inserter->store.index = index;
	hnsw_inserter_add(inserter, values, isnull, tid, unchanged);
	return false;
}
