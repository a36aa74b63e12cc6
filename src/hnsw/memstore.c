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
