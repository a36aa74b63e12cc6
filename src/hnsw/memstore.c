#include "hnsw/memstore.h"

#include "hnsw/items.h"
#include "hnsw/ways.h"

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
	*found = at != NULL && at[0] != MG_ENTRY_CHUNK;
	if (*found)
		memcpy(entry, at, mg_entry_size(memstore->layout, mg_entry_level(at)));
	return true;
}

static bool
peek_entry(void *user, MgCtx *cx, uint32_t id, uint8_t *entry, bool *found)
{
	MgMemstore *memstore = user;
	const uint8_t *at = mg_memstore_at(memstore, id);

	(void) cx;
	memstore->reads++;
	*found = at != NULL && at[0] != MG_ENTRY_CHUNK;
	if (*found)
		memcpy(entry, at, memstore->layout->links_at[mg_entry_level(at) > 0]);
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
	graph->store.peek = peek_entry;
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

/* Step 2 of insert.h. */
static bool
place_plan(MgCtx *scratch, MgMemstore *memstore, const MgGraph *graph, MgInsert *plan)
{
	for (int level = 0; level <= plan->level; level++)
	{
		MgApplied applied = MG_CHANGED;
		uint32_t id = reserve(memstore, level);

		if (id == MG_NO_NODE)
			return false;
		while (applied == MG_CHANGED)
		{
			MgEdge edge;
			bool found;

			if (!mg_insert_way(scratch, graph, plan, level, &edge, &found))
				return false;
			applied = MG_APPLIED;
			if (found)
			{
				memcpy(edge.link, &id, sizeof id);
				applied = mg_way_add(memstore->layout, memstore->entries[edge.target], &edge,
									 mg_ways_most(memstore->layout, level), false);
			}
		}
		memcpy(memstore->entries[id], plan->entries[level], mg_entry_size(memstore->layout, level));
		mg_insert_placed(plan, level, id);
	}
	return true;
}

bool
mg_memstore_finish(MgCtx *scratch, MgMemstore *memstore, const MgGraph *graph, MgInsert *plan)
{
	uint32_t n;

	if (!place_plan(scratch, memstore, graph, plan))
		return false;
	n = mg_insert_n_edges(graph, plan);
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
mg_memstore_join(MgMemstore *memstore, uint32_t id, const void *item)
{
	const MgEntryLayout *layout = memstore->layout;
	uint8_t *entry = mg_memstore_at(memstore, id), *head;
	uint32_t more, newer;

	if (entry == NULL || mg_entry_deleted(entry))
		return false;
	more = mg_entry_more(entry);
	head = more == MG_NO_NODE ? NULL : memstore->entries[more];
	if (mg_entry_add_item(layout, entry, item) || (head != NULL && mg_chunk_add(layout, head, item)))
		return true;
	newer = reserve(memstore, 0);
	if (newer == MG_NO_NODE)
		return false;
	mg_chunk_start(layout, memstore->entries[newer]);
	mg_chunk_link(memstore->entries[newer], id, more, head == NULL ? 0 : mg_chunk_order(head));
	mg_entry_set_more(entry, newer);
	return mg_chunk_add(layout, memstore->entries[newer], item);
}

bool
mg_memstore_insert(MgCtx *scratch, MgMemstore *memstore, const MgGraph *graph, const MgQuery *query, const void *item,
				   int level, uint32_t ef_construction)
{
	MgMark mark = mg_mark(scratch);
	MgInsert plan;
	bool fine = mg_insert_plan(scratch, graph, query, item, level, ef_construction, &plan);

	if (fine && plan.equal != MG_NO_NODE)
		fine = mg_memstore_join(memstore, plan.equal, item);
	else
		fine = fine && mg_memstore_finish(scratch, memstore, graph, &plan);
	mg_rewind(scratch, mark);
	return fine;
}

static bool
is_dead(void *user, uint32_t id)
{
	const uint8_t *entry = mg_memstore_at(user, id);

	return entry == NULL || entry[0] == MG_ENTRY_CHUNK || mg_entry_deleted(entry);
}

static void
free_entry(MgMemstore *memstore, uint32_t id)
{
	memstore->entries[id] = NULL;
	memstore->free[memstore->n_free++] = id;
}

/* Of a node and its chunks; empty ones are freed. */
static void
remove_items(MgMemstore *memstore, uint8_t *entry, bool (*gone)(void *user, const void *item), void *user)
{
	uint8_t *before = NULL;

	for (uint32_t id = mg_entry_more(entry), next; id != MG_NO_NODE; id = next)
	{
		uint8_t *chunk = memstore->entries[id];

		next = mg_chunk_next(chunk);
		mg_chunk_remove(memstore->layout, chunk, gone, user);
		if (mg_chunk_n_items(chunk) > 0)
		{
			before = chunk;
			continue;
		}
		if (before == NULL)
			mg_entry_set_more(entry, next);
		else
			mg_chunk_set_next(before, next);
		free_entry(memstore, id);
	}
	mg_entry_remove_items(memstore->layout, entry, gone, user);
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
		if (memstore->entries[id] != NULL && memstore->entries[id][0] != MG_ENTRY_CHUNK &&
			(lowest == NULL || mg_entry_deleted(lowest)))
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

/* Step 4 of repair.h. */
static bool
bypass(MgCtx *scratch, MgMemstore *memstore, const MgGraph *graph, uint32_t id)
{
	const MgEntryLayout *layout = memstore->layout;

	for (;;)
	{
		MgMark mark = mg_mark(scratch);
		MgCounts counts = {0};
		MgBypass step;
		uint8_t *moved;
		bool wanted;

		if (!mg_bypass_plan(scratch, graph, id, &step, &wanted, &counts))
			return false;
		if (!wanted)
			return true;
		moved = memstore->entries[step.moved.target];
		if (step.last)
			mg_way_drop(layout, moved, id);
		else if (step.host.link == NULL ||
				 mg_way_add(layout, memstore->entries[step.host.target], &step.host, 2 * MG_MAX_M, true) != MG_APPLIED ||
				 mg_way_replace(layout, moved, id, step.moved.link) != MG_APPLIED)
			return mg_fail(scratch, MG_BAD_FILE, "there is no way around entry %u", id);
		mg_rewind(scratch, mark);
	}
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
		if (!is_dead(memstore, id) && mg_entry_level(memstore->entries[id]) == 0)
			remove_items(memstore, memstore->entries[id], gone, user);
	delete_above(memstore);
	if (!replace_entry_point(scratch, memstore, graph, &dead))
		return false;
	for (uint32_t id = 0; id < memstore->n; id++)
		if (memstore->entries[id] != NULL && is_dead(memstore, id) && !bypass(scratch, memstore, graph, id))
			return false;
	for (uint32_t id = 0; id < memstore->n; id++)
	{
		MgMark mark = mg_mark(scratch);

		if (!is_dead(memstore, id) && !repair_entry(scratch, memstore, graph, &dead, id, ef_construction))
			return false;
		mg_rewind(scratch, mark);
	}
	for (uint32_t id = 0; id < memstore->n; id++)
		if (memstore->entries[id] != NULL && memstore->entries[id][0] != MG_ENTRY_CHUNK && is_dead(memstore, id))
			free_entry(memstore, id);
	return true;
}

bool
mg_memstore_next(void *user, MgCtx *cx, uint32_t *id)
{
	MgMemstoreCursor *cursor = user;

	(void) cx;
	while (cursor->next < cursor->memstore->n &&
		   (cursor->memstore->entries[cursor->next] == NULL || cursor->memstore->entries[cursor->next][0] == MG_ENTRY_CHUNK))
		cursor->next++;
	*id = cursor->next < cursor->memstore->n ? cursor->next++ : MG_NO_NODE;
	return true;
}
