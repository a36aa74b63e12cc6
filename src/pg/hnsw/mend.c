/*
 * Ways that are broken (hnsw/ways.h): nothing that we write leaves such, but disks do.
 *
 * While vacuum reads all entries it notes what ways join (a forest of ids) and, by a sum of pairs in which each way cancels the one back,
 * which ways may have none back. Inserts go on meanwhile, so that this is a suspicion. It is a fact when a way has none back on
 * both pages at once, or when two parts of a level are complete, each without an entry that was not read. Only then are inserts
 * kept out, and all entries read again: a way without its way back becomes a link, and parts are joined.
 */
#include "pg/hnsw/vacuum.h"

#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/host.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"

#define BUCKETS 65536
#define MOST_IDLE 3 /* rounds that join nothing */

/* Of an id. */
#define TOUCHED 1  /* an entry, or a way leads there */
#define READ 2
#define LIVE 4
/* Of a part, at its root. */
#define OPEN 8	   /* one of its entries was not read */
#define HAS_LIVE 16

struct HnswForest
{
	uint32 *parents; /* [n_ids + 1]; the last stands for all that are beyond */
	uint8 *flags;	 /* [n_ids + 1] */
	uint64 n_ids;
	uint64 balance[BUCKETS];
};

/* A way, in either direction. */
typedef struct Way
{
	uint32 from, to;
	bool live; /* the entry that it is of */
} Way;

static HnswForest *
new_forest(uint64 n_ids)
{
	HnswForest *forest = palloc0(sizeof *forest);

	forest->n_ids = n_ids;
	forest->parents = MemoryContextAllocHuge(CurrentMemoryContext, (n_ids + 1) * sizeof *forest->parents);
	forest->flags = MemoryContextAllocExtended(CurrentMemoryContext, n_ids + 1, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	return forest;
}

static void
free_forest(HnswForest *forest)
{
	pfree(forest->parents);
	pfree(forest->flags);
	pfree(forest);
}

static uint32
root_of(HnswForest *forest, uint32 id)
{
	while (forest->parents[id] != id)
		id = forest->parents[id] = forest->parents[forest->parents[id]];
	return id;
}

static uint32
touch(HnswForest *forest, uint32 id)
{
	if (id > forest->n_ids)
		id = (uint32) forest->n_ids;
	if (forest->flags[id] == 0)
	{
		forest->flags[id] = TOUCHED;
		forest->parents[id] = id;
	}
	return id;
}

static void
join(HnswForest *forest, uint32 a, uint32 b)
{
	a = root_of(forest, touch(forest, a));
	b = root_of(forest, touch(forest, b));
	forest->parents[Max(a, b)] = Min(a, b);
}

static uint64
mix(uint32 a, uint32 b)
{
	uint64 pair = ((uint64) Max(a, b) << 32 | Min(a, b)) * UINT64CONST(0x9E3779B97F4A7C15);

	return (pair ^ pair >> 29) * UINT64CONST(0xBF58476D1CE4E5B9);
}

static uint64 *
balance_of(HnswForest *forest, uint32 a, uint32 b)
{
	return &forest->balance[mix(a, b) >> 48];
}

void
hnsw_forest_note(HnswVacuum *vacuum, const HnswVacuumPage *page)
{
	const MgEntryLayout *layout = &vacuum->store.layout;
	uint32 id;

	if (vacuum->forest == NULL)
		vacuum->forest = new_forest(vacuum->n_ids);
	for (uint32 slot = 0; slot < vacuum->store.places.n_slots[page->form]; slot++)
	{
		const uint8 *entry = hnsw_vacuum_entry(vacuum, page, slot, &id);

		if (entry == NULL || id >= vacuum->n_ids)
			continue;
		touch(vacuum->forest, id);
		vacuum->forest->flags[id] |= mg_entry_deleted(entry) ? READ : READ | LIVE;
		for (uint32 way = 0; way < mg_entry_n_ways(entry); way++)
		{
			uint32 to = mg_entry_link_id(layout, entry, way);

			join(vacuum->forest, id, to);
			*balance_of(vacuum->forest, id, to) ^= mix(id, to);
		}
	}
}

/* Ways of the entries on a page that are wanted; their number. ways: room for all. */
static uint32
list_ways(HnswVacuum *vacuum, BlockNumber block, bool (*wanted)(HnswVacuum *vacuum, const Way *way), Way *ways)
{
	HnswVacuumPage page;
	uint32 n = 0, id;

	if (!hnsw_vacuum_lock(vacuum, block, BUFFER_LOCK_SHARE, &page))
		return 0;
	for (uint32 slot = 0; slot < vacuum->store.places.n_slots[page.form]; slot++)
	{
		const uint8 *entry = hnsw_vacuum_entry(vacuum, &page, slot, &id);

		for (uint32 i = 0; entry != NULL && i < mg_entry_n_ways(entry); i++)
		{
			ways[n] = (Way){id, mg_entry_link_id(&vacuum->store.layout, entry, i), !mg_entry_deleted(entry)};
			n += wanted(vacuum, &ways[n]);
		}
	}
	UnlockReleaseBuffer(page.buffer);
	return n;
}

static Way *
room_for_ways(const HnswVacuum *vacuum)
{
	return palloc(((Size) sizeof(Way) << vacuum->store.places.slot_bits) * vacuum->store.layout.n_slots[0]);
}

/* ---- suspicions */

/* Whether an entry still has a way, and what it leads to has one back or not, as both pages say at once. */
static bool
is_way(HnswVacuum *vacuum, const Way *way, bool back)
{
	HnswStore *store = &vacuum->store;
	BlockNumber from = hnsw_place_block(&store->places, way->from), to = hnsw_place_block(&store->places, way->to);
	const uint8 *entry, *other;
	HnswPair pair;
	bool is;

	if (way->to == MG_NO_NODE || !hnsw_store_has_block(store, to))
		return !back;
	hnsw_pair_lock(&pair, store, from, to);
	entry = hnsw_store_entry_on(store, BufferGetPage(pair.buffers[0]), way->from);
	other = hnsw_store_entry_on(store, BufferGetPage(pair.buffers[1]), way->to);
	is = entry != NULL && mg_way_is(&store->layout, entry, way->to) &&
		(other != NULL && mg_way_is(&store->layout, other, way->from)) == back;
	hnsw_pair_unlock(&pair);
	return is;
}

/* Those of deleted entries stay behind where a vacuum that ended early has led others past them. */
static bool
is_unbalanced(HnswVacuum *vacuum, const Way *way)
{
	return way->live && *balance_of(vacuum->forest, way->from, way->to) != 0;
}

static bool
any_one_sided(HnswVacuum *vacuum)
{
	Way *ways = room_for_ways(vacuum);
	bool found = false, suspicion = false;

	for (int i = 0; i < BUCKETS; i++)
		suspicion |= vacuum->forest->balance[i] != 0;
	for (BlockNumber block = HNSW_META_BLOCK + 1; suspicion && !found && block < vacuum->n_blocks; block++)
	{
		uint32 n = list_ways(vacuum, block, is_unbalanced, ways);

		for (uint32 i = 0; i < n && !found; i++)
			found = is_way(vacuum, &ways[i], false);
	}
	pfree(ways);
	return found;
}

/* The level of an entry; -1 when it is gone. */
static int
level_of(HnswVacuum *vacuum, uint32 id)
{
	Buffer buffer;
	uint8 *entry;
	int level;

	if (!hnsw_store_lock(&vacuum->store, id, BUFFER_LOCK_SHARE, &buffer, &entry))
		return -1;
	level = mg_entry_level(entry);
	UnlockReleaseBuffer(buffer);
	return level;
}

static bool
any_apart(HnswVacuum *vacuum)
{
	HnswForest *forest = vacuum->forest;
	bool found[MG_MAX_LEVEL + 1] = {false}, twice = false;

	for (uint64 id = 0; id <= forest->n_ids; id++)
		if (forest->flags[id] != 0)
			forest->flags[root_of(forest, (uint32) id)] |=
				((forest->flags[id] & READ) == 0 ? OPEN : 0) | ((forest->flags[id] & LIVE) != 0 ? HAS_LIVE : 0);
	for (uint64 id = 0; id < forest->n_ids && !twice; id++)
	{
		int level;

		if (id % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		if (forest->flags[id] == 0 || forest->parents[id] != id || (forest->flags[id] & (OPEN | HAS_LIVE)) != HAS_LIVE)
			continue;
		level = level_of(vacuum, (uint32) id);
		twice = level >= 0 && found[level];
		if (level >= 0)
			found[level] = true;
	}
	return twice;
}

/* ---- mending, with inserts kept out */

static bool
any_way(HnswVacuum *vacuum, const Way *way)
{
	return true;
}

static void
make_link(HnswVacuum *vacuum, const Way *way)
{
	MgBypass step = {.around = way->to, .last = true, .moved = {.target = way->from}};

	hnsw_store_bypass(&vacuum->store, &step);
}

/* The forest of ways that have one back; the others are links from now on, those of deleted entries too: walks follow them. */
static HnswForest *
read_ways(HnswVacuum *vacuum, BlockNumber n_blocks)
{
	HnswForest *forest = new_forest((uint64) n_blocks << vacuum->store.places.slot_bits);
	Way *ways = room_for_ways(vacuum);

	for (BlockNumber block = HNSW_META_BLOCK + 1; block < n_blocks; block++)
	{
		uint32 n = list_ways(vacuum, block, any_way, ways);

		for (uint32 i = 0; i < n; i++)
			if (is_way(vacuum, &ways[i], true))
				join(forest, ways[i].from, ways[i].to);
			else
				make_link(vacuum, &ways[i]);
	}
	pfree(ways);
	return forest;
}

/* The edge of a way from an entry to another one. */
static bool
plan_way(HnswVacuum *vacuum, uint32 from, uint32 to, MgEdge *edge)
{
	const MgEntryLayout *layout = &vacuum->store.layout;
	MgCtx *cx = hnsw_scratch_cx(vacuum->scratch);
	uint8 *other = hnsw_alloc(cx, layout->entry_size[0], 1);
	float *decoded = layout->coded ? hnsw_alloc(cx, layout->padded, sizeof *decoded) : NULL;
	MgCounts counts = {0};
	MgOffer offer = {.target = from, .source = to, .deleted_too = true};
	bool found;

	hnsw_must(cx, vacuum->store.graph.store.read(&vacuum->store, cx, to, other, &found));
	if (!found)
		return false;
	if (layout->coded)
		mg_code_decode(layout, mg_entry_value(other), decoded);
	offer.level = mg_entry_level(other);
	offer.value = layout->coded ? (const void *) decoded : mg_entry_value(other);
	offer.value_size = mg_entry_value_size(other);
	offer.most_ways = mg_entry_slots(layout, offer.level);
	hnsw_must(cx, mg_links_offer(cx, &vacuum->store.graph, &offer, edge, &found, &counts));
	return found;
}

/* A way between two entries; false when one has no room. */
static bool
lay_way(HnswVacuum *vacuum, uint32 a, uint32 b, int level)
{
	HnswStore *store = &vacuum->store;
	uint32 most = mg_entry_slots(&store->layout, level);
	MgEdge there, back;
	uint8 *from, *to;
	HnswChange change;
	HnswPair pair;
	bool laid;

	mg_rewind(hnsw_scratch_cx(vacuum->scratch), vacuum->start);
	if (!plan_way(vacuum, a, b, &there) || !plan_way(vacuum, b, a, &back))
		return false;
	hnsw_pair_lock(&pair, store, hnsw_place_block(&store->places, a), hnsw_place_block(&store->places, b));
	hnsw_pair_change(&pair, &change, store);
	from = hnsw_store_entry_on(store, pair.pages[0], a);
	to = hnsw_store_entry_on(store, pair.pages[1], b);
	laid = from != NULL && to != NULL && mg_way_add(&store->layout, from, &there, most, true) == MG_APPLIED &&
		mg_way_add(&store->layout, to, &back, most, true) == MG_APPLIED;
	if (laid)
		hnsw_change_apply(&change);
	else
		hnsw_change_abandon(&change);
	hnsw_pair_unlock(&pair);
	return laid;
}

/* Of each level: the part that all others join, and the entry of it that was met last and has room. */
typedef struct Trunk
{
	uint32 root, host;
} Trunk;

/* Joins what is on a page to the trunks of its levels, deleted entries too, which alone may have room in their part; the number of entries that have to wait until there is a host. */
static uint32
join_page(HnswVacuum *vacuum, HnswForest *forest, Trunk *trunks, BlockNumber block, uint32 *ids, uint64 *n_joined)
{
	uint32 n = 0, n_waiting = 0, id;
	HnswVacuumPage page;

	if (!hnsw_vacuum_lock(vacuum, block, BUFFER_LOCK_SHARE, &page))
		return 0;
	for (uint32 slot = 0; slot < vacuum->store.places.n_slots[page.form]; slot++)
	{
		const uint8 *entry = hnsw_vacuum_entry(vacuum, &page, slot, &id);

		if (entry != NULL && mg_entry_n_ways(entry) < mg_entry_slots(&vacuum->store.layout, mg_entry_level(entry)))
			ids[n++] = id;
	}
	UnlockReleaseBuffer(page.buffer);
	for (uint32 i = 0; i < n; i++)
	{
		int level = level_of(vacuum, ids[i]);
		Trunk *trunk = &trunks[Max(level, 0)];
		uint32 root = root_of(forest, touch(forest, ids[i]));

		if (level < 0)
			continue;
		if (trunk->root == MG_NO_NODE)
			trunk->root = root;
		if (root != root_of(forest, trunk->root))
		{
			if (trunk->host == MG_NO_NODE || !lay_way(vacuum, trunk->host, ids[i], level))
			{
				trunk->host = MG_NO_NODE;
				n_waiting++;
				continue;
			}
			join(forest, ids[i], trunk->root);
			++*n_joined;
		}
		trunk->host = ids[i];
	}
	return n_waiting;
}

static uint64
join_parts(HnswVacuum *vacuum, HnswForest *forest, BlockNumber n_blocks)
{
	uint32 *ids = palloc((Size) sizeof *ids << vacuum->store.places.slot_bits);
	uint64 n_joined = 0, n_waiting, before;
	int idle = 0;
	Trunk trunks[MG_MAX_LEVEL + 1];

	for (int level = 0; level <= MG_MAX_LEVEL; level++)
		trunks[level] = (Trunk){MG_NO_NODE, MG_NO_NODE};
	do
	{
		before = n_joined;
		n_waiting = 0;
		for (BlockNumber block = HNSW_META_BLOCK + 1; block < n_blocks; block++)
			n_waiting += join_page(vacuum, forest, trunks, block, ids, &n_joined);
		/* A host that has got its last way is given up, and the next one may come behind those that wait. */
		idle = n_joined > before ? 0 : idle + 1;
	} while (n_waiting > 0 && idle < MOST_IDLE);
	pfree(ids);
	return n_joined;
}

void
hnsw_vacuum_mend(HnswVacuum *vacuum)
{
	Relation index = vacuum->store.index;
	BlockNumber n_blocks;
	HnswForest *forest;
	uint64 n_joined;

	if (vacuum->forest == NULL || (!any_one_sided(vacuum) && !any_apart(vacuum)))
		return;
	LockPage(index, HNSW_META_BLOCK, ExclusiveLock);
	n_blocks = RelationGetNumberOfBlocks(index);
	forest = read_ways(vacuum, n_blocks);
	n_joined = join_parts(vacuum, forest, n_blocks);
	free_forest(forest);
	UnlockPage(index, HNSW_META_BLOCK, ExclusiveLock);
	mg_rewind(hnsw_scratch_cx(vacuum->scratch), vacuum->start);
	ereport(WARNING, (errcode(ERRCODE_INDEX_CORRUPTED),
					  errmsg("index \"%s\" was damaged: ways between its entries were broken", RelationGetRelationName(index)),
					  errdetail(UINT64_FORMAT " parts of it, which searches might not have found, are joined to the others again.", n_joined),
					  errhint("index_check() tells whether anything else is wrong.")));
}
