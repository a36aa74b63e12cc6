#include "hnsw/memstore.h"

static bool
entry_point(void *user, MgCtx *cx, uint32_t *id, int *level)
{
	MgMemstore *memstore = user;

	(void) cx;
	*id = memstore->entry_point;
	*level = memstore->entry_level;
	return true;
}

static bool
read_entry(void *user, MgCtx *cx, uint32_t id, uint8_t *entry, bool *found)
{
	MgMemstore *memstore = user;
	const uint8_t *at = mg_memstore_at(memstore, id);

	(void) cx;
	memstore->reads++;
	*found = at != NULL;
	if (*found)
		memcpy(entry, at, mg_entry_size(memstore->layout, mg_entry_level(at)));
	return true;
}

void
mg_memstore_init(MgCtx *cx, MgMemstore *memstore, const MgEntryLayout *layout, MgGraph *graph)
{
	*memstore = (MgMemstore){.cx = cx, .layout = layout, .entry_point = MG_NO_NODE};
	graph->store.user = memstore;
	graph->store.entry_point = entry_point;
	graph->store.read = read_entry;
	graph->store.prefetch = NULL;
}

uint8_t *
mg_memstore_at(MgMemstore *memstore, uint32_t id)
{
	return id < memstore->n ? memstore->entries[id] : NULL;
}

static bool
make_room(MgMemstore *memstore)
{
	uint32_t room = memstore->room == 0 ? 64 : 2 * memstore->room;
	uint8_t **entries = mg_alloc_array(memstore->cx, room, sizeof *entries);
	uint32_t *free = mg_alloc_array(memstore->cx, room, sizeof *free);

	if (entries == NULL || free == NULL)
		return false;
	if (memstore->n > 0)
		memcpy(entries, memstore->entries, memstore->n * sizeof *entries);
	if (memstore->n_free > 0)
		memcpy(free, memstore->free, memstore->n_free * sizeof *free);
	memstore->entries = entries;
	memstore->free = free;
	memstore->room = room;
	return true;
}

/* A place for an entry of a level. */
static uint32_t
reserve(MgMemstore *memstore, int level)
{
	uint32_t id;

	if (memstore->n_free > 0)
		id = memstore->free[--memstore->n_free];
	else
	{
		if (memstore->n == memstore->room && !make_room(memstore))
			return MG_NO_NODE;
		id = memstore->n++;
	}
	memstore->entries[id] = mg_alloc(memstore->cx, mg_entry_size(memstore->layout, level));
	return memstore->entries[id] == NULL ? MG_NO_NODE : id;
}

uint32_t
mg_memstore_add(MgMemstore *memstore, const uint8_t *entry)
{
	uint32_t id = reserve(memstore, mg_entry_level(entry));

	if (id != MG_NO_NODE)
		memcpy(memstore->entries[id], entry, mg_entry_size(memstore->layout, mg_entry_level(entry)));
	return id;
}

static bool
place(void *user, MgCtx *cx, int level, uint32_t *id)
{
	(void) cx;
	*id = reserve(user, level);
	return *id != MG_NO_NODE;
}

static bool
write_entry(void *user, MgCtx *cx, uint32_t id, int level, const uint8_t *entry)
{
	MgMemstore *memstore = user;

	(void) cx;
	memcpy(memstore->entries[id], entry, mg_entry_size(memstore->layout, level));
	return true;
}

MgPlacer
mg_memstore_placer(MgMemstore *memstore)
{
	return (MgPlacer){.user = memstore, .place = place, .write = write_entry};
}

/* One edge until it is done: between plan and apply nothing happens here, but the protocol is kept. */
static bool
apply(MgMemstore *memstore, const MgEdge *edge, MgApplied *applied)
{
	uint8_t *entry = mg_memstore_at(memstore, edge->target);

	*applied = entry == NULL ? MG_NOT_NEEDED : mg_edge_apply(memstore->layout, entry, edge);
	return true;
}

static bool
place_plan(MgMemstore *memstore, MgInsert *plan)
{
	for (int level = 0; level <= plan->level; level++)
	{
		uint32_t id = mg_memstore_add(memstore, plan->entries[level]);

		if (id == MG_NO_NODE)
			return false;
		mg_insert_placed(plan, level, id);
	}
	return true;
}

bool
mg_memstore_finish(MgCtx *scratch, MgMemstore *memstore, const MgGraph *graph, MgInsert *plan)
{
	uint32_t n = mg_insert_n_edges(plan);

	if (!place_plan(memstore, plan))
		return false;
	for (uint32_t i = 0; i < n; i++)
	{
		MgMark mark = mg_mark(scratch);
		MgApplied applied;

		do
		{
			MgEdge edge;
			bool wanted;

			applied = MG_NOT_NEEDED;
			if (!mg_insert_edge(scratch, graph, plan, i, &edge, &wanted) ||
				(wanted && !apply(memstore, &edge, &applied)))
				return false;
		} while (applied == MG_CHANGED);
		mg_rewind(scratch, mark);
	}
	if (memstore->entry_point == MG_NO_NODE || plan->level > memstore->entry_level)
	{
		memstore->entry_point = plan->ids[plan->level];
		memstore->entry_level = plan->level;
	}
	return true;
}

bool
mg_memstore_insert(MgCtx *scratch, MgMemstore *memstore, const MgGraph *graph, const MgQuery *query, const void *item,
				   int level, uint32_t ef_construction)
{
	MgMark mark = mg_mark(scratch);
	MgInsert plan;
	bool fine = mg_insert_plan(scratch, graph, query, item, level, ef_construction, true, &plan);

	if (fine && plan.equal != MG_NO_NODE)
		fine = mg_entry_add_item(memstore->layout, mg_memstore_at(memstore, plan.equal), item);
	else
		fine = fine && mg_memstore_finish(scratch, memstore, graph, &plan);
	mg_rewind(scratch, mark);
	return fine;
}

static bool
is_dead(void *user, uint32_t id)
{
	const uint8_t *entry = mg_memstore_at(user, id);

	return entry == NULL || mg_entry_deleted(entry);
}

/* Entries above level 0 follow the node that they belong to. */
static void
delete_above(MgMemstore *memstore)
{
	for (uint32_t id = 0; id < memstore->n; id++)
	{
		const uint8_t *lowest = mg_memstore_at(memstore, id);

		while (lowest != NULL && mg_entry_level(lowest) > 0)
			lowest = mg_memstore_at(memstore, mg_entry_below(lowest));
		if (memstore->entries[id] != NULL && (lowest == NULL || mg_entry_deleted(lowest)))
			mg_entry_delete(memstore->entries[id]);
	}
}

static bool
replace_entry_point(MgCtx *scratch, MgMemstore *memstore, const MgGraph *graph, const MgDead *dead)
{
	uint32_t id;
	int level;

	if (memstore->entry_point == MG_NO_NODE || !is_dead(memstore, memstore->entry_point))
		return true;
	if (!mg_repair_entry_point(scratch, graph, dead, &id, &level))
		return false;
	/* All entries are at hand: the highest live one, which the walk may have missed. */
	for (uint32_t i = 0; i < memstore->n; i++)
		if (!is_dead(memstore, i) && (id == MG_NO_NODE || mg_entry_level(memstore->entries[i]) > level))
		{
			id = i;
			level = mg_entry_level(memstore->entries[i]);
		}
	memstore->entry_point = id;
	memstore->entry_level = id == MG_NO_NODE ? 0 : level;
	return true;
}

static bool
repair_entry(MgCtx *scratch, MgMemstore *memstore, const MgGraph *graph, const MgDead *dead, uint32_t id,
			 uint32_t ef_construction)
{
	MgRepair repair;
	MgApplied applied;
	bool again;

	do
	{
		if (!mg_repair_plan(scratch, graph, dead, id, ef_construction, &repair))
			return false;
		again = false;
		for (uint32_t i = 0; i < repair.n_edges; i++)
		{
			apply(memstore, &repair.edges[i], &applied);
			again = again || applied == MG_CHANGED;
		}
	} while (again);
	for (uint32_t i = 0; i < repair.n_offers; i++)
	{
		MgEdge edge;
		bool wanted;

		if (!mg_repair_offer(scratch, graph, id, repair.offers[i], &edge, &wanted))
			return false;
		if (wanted)
			apply(memstore, &edge, &applied);
	}
	return true;
}

bool
mg_memstore_vacuum(MgCtx *scratch, MgMemstore *memstore, const MgGraph *graph,
				   bool (*gone)(void *user, const void *item), void *user, uint32_t ef_construction)
{
	MgDead dead = {.is_dead = is_dead, .user = memstore};

	for (uint32_t id = 0; id < memstore->n; id++)
		if (memstore->entries[id] != NULL && mg_entry_level(memstore->entries[id]) == 0 &&
			!mg_entry_deleted(memstore->entries[id]))
			mg_entry_remove_items(memstore->layout, memstore->entries[id], gone, user);
	delete_above(memstore);
	if (!replace_entry_point(scratch, memstore, graph, &dead))
		return false;
	for (uint32_t id = 0; id < memstore->n; id++)
	{
		MgMark mark = mg_mark(scratch);

		if (!is_dead(memstore, id) && !repair_entry(scratch, memstore, graph, &dead, id, ef_construction))
			return false;
		mg_rewind(scratch, mark);
	}
	for (uint32_t id = 0; id < memstore->n; id++)
		if (memstore->entries[id] != NULL && mg_entry_deleted(memstore->entries[id]))
		{
			memstore->entries[id] = NULL;
			memstore->free[memstore->n_free++] = id;
		}
	return true;
}

bool
mg_memstore_next(void *user, MgCtx *cx, uint32_t *id)
{
	MgMemstoreCursor *cursor = user;

	(void) cx;
	while (cursor->next < cursor->memstore->n && cursor->memstore->entries[cursor->next] == NULL)
		cursor->next++;
	*id = cursor->next < cursor->memstore->n ? cursor->next++ : MG_NO_NODE;
	return true;
}
