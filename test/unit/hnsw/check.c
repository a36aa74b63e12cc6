/* Each violation is seen; a graph that is fine has none. */
#include "hnsw/check.h"

#include "hnsw/ways.h"

#include "unit/hnsw/world.h"

/* The first entry of a level. */
static uint8_t *
entry_of(World *world, int level, uint32_t *id)
{
	for (*id = 0; *id < world->memstore.n; ++*id)
		if (mg_entry_level(world->memstore.entries[*id]) == level)
			return world->memstore.entries[*id];
	return NULL;
}

static void
set_link_id(World *world, uint8_t *entry, uint32_t slot, uint32_t id)
{
	memcpy((uint8_t *) mg_entry_link(&world->layout, entry, slot), &id, sizeof id);
}

static void
break_self(World *world, uint8_t *entry, uint32_t id)
{
	set_link_id(world, entry, 0, id);
}

static void
break_double(World *world, uint8_t *entry, uint32_t id)
{
	(void) id;
	set_link_id(world, entry, 0, mg_entry_link_id(&world->layout, entry, 1));
}

static void
break_dangling(World *world, uint8_t *entry, uint32_t id)
{
	(void) id;
	set_link_id(world, entry, 0, 1000000);
}

static void
break_level(World *world, uint8_t *entry, uint32_t id)
{
	entry_of(world, 1, &id);
	set_link_id(world, entry, 0, id);
}

static void
break_factor(World *world, uint8_t *entry, uint32_t id)
{
	(void) id;
	memset((uint8_t *) mg_entry_link(&world->layout, entry, 0) + 6, 0xFF, 2);
}

static void
break_value(World *world, uint8_t *entry, uint32_t id)
{
	(void) world;
	(void) id;
	memset(entry + MG_ENTRY_HEADER, 0xFF, 4);
}

static void
break_items(World *world, uint8_t *entry, uint32_t id)
{
	(void) world;
	(void) id;
	entry[3] = 0;
}

static void
break_deleted(World *world, uint8_t *entry, uint32_t id)
{
	(void) world;
	(void) id;
	mg_entry_delete(entry);
}

static void
break_below(World *world, uint8_t *entry, uint32_t id)
{
	entry = entry_of(world, 1, &id);
	mg_entry_set_below(entry, id);
}

static void
break_other_below(World *world, uint8_t *entry, uint32_t id)
{
	uint32_t other;

	entry_of(world, 0, &other);
	entry = entry_of(world, 1, &id);
	mg_entry_set_below(entry, mg_entry_below(entry) == other ? other + 1 : other);
}

/* Its ways become links like others: nothing else is wrong. */
static void
break_ways(World *world, uint8_t *entry, uint32_t id)
{
	for (uint32_t way = 0; way < mg_entry_n_ways(entry); way++)
		mg_way_drop(&world->layout, world->memstore.entries[mg_entry_link_id(&world->layout, entry, way)], id);
	mg_entry_set_n_ways(entry, 0);
}

static void
break_way_back(World *world, uint8_t *entry, uint32_t id)
{
	(void) id;
	mg_way_drop(&world->layout, entry, mg_entry_link_id(&world->layout, entry, 0));
}

static void
break_form(World *world, uint8_t *entry, uint32_t id)
{
	(void) world;
	(void) id;
	entry[0] = MG_ENTRY_PLAIN;
}

static void
break_entry_point(World *world, uint8_t *entry, uint32_t id)
{
	(void) entry;
	(void) id;
	world->memstore.entry_point = 1000000;
}

static void
break_no_entry_point(World *world, uint8_t *entry, uint32_t id)
{
	(void) entry;
	(void) id;
	world->memstore.entry_point = MG_NO_NODE;
}

static void
break_entry_level(World *world, uint8_t *entry, uint32_t id)
{
	(void) entry;
	(void) id;
	world->memstore.entry_level++;
}

int
main(void)
{
	static const struct
	{
		const char *what;
		void (*damage)(World *world, uint8_t *entry, uint32_t id);
	} damages[] = {{"a link to itself", break_self},
				   {"two links to one entry", break_double},
				   {"a link to no entry", break_dangling},
				   {"a link to another level", break_level},
				   {"a factor that is no number", break_factor},
				   {"an own code that is no number", break_value},
				   {"an entry without items", break_items},
				   {"a deleted entry with items", break_deleted},
				   {"a way down to the same level", break_below},
				   {"a way down to another node", break_other_below},
				   {"an entry without ways", break_ways},
				   {"a way without its way back", break_way_back},
				   {"bytes that are no entry", break_form},
				   {"an entry point that is not there", break_entry_point},
				   {"no entry point", break_no_entry_point},
				   {"an entry point of another level", break_entry_level}};
	MgChecked checked;

	for (size_t i = 0; i < sizeof damages / sizeof *damages; i++)
	{
		World *world = world_open(MG_GRAPH_L2, 400, 40, 4, 0);
		uint32_t id;
		uint8_t *entry;

		world_build(world, 0, 400);
		entry = entry_of(world, 0, &id);
		if (world_check(world, &checked) != 0 || checked.nodes != 400 || checked.entries[1] == 0)
			ok(false, "the graph is fine before");
		damages[i].damage(world, entry, id);
		ok(world_check(world, &checked) > 0, "%s is seen", damages[i].what);
		world_close(world);
	}
	return done();
}
