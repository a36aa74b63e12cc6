/*
 * Random schedules: several inserts, repairs and searches under way at once,
 * each doing one step of its protocol at a time, so that plans are applied to
 * entries that others changed meanwhile. Vacuums as repair.h tells.
 */
#include "hnsw/insert.h"

#include "hnsw/ways.h"
#include "unit/hnsw/world.h"

#define WRITERS 5

/* One backend: what it is about to do next. */
typedef struct Writer
{
	bool busy;
	int placed; /* levels */
	MgCtx cx;
	uint32_t row, next;
	MgQuery query;
	MgInsert plan;
	MgEdge edge; /* planned, not applied */
	bool has_edge;
} Writer;

typedef struct Schedule
{
	World *world;
	Writer writers[WRITERS];
	uint32_t n_added;
	uint64_t n_changed, n_applied, n_equal;
	bool fine;
} Schedule;

static void step(Schedule *schedule, Writer *writer);

/* An insert into an empty graph, or one that opens a level, is alone, as under the lock of whoever calls insert.h. */
static bool
insert_alone(Schedule *schedule, int level)
{
	World *world = schedule->world;
	uint32_t row = schedule->n_added;
	MgQuery query;

	if (world->memstore.entry_point != MG_NO_NODE && level <= world->memstore.entry_level)
		return false;
	for (int i = 0; i < WRITERS; i++)
		while (schedule->writers[i].busy)
			step(schedule, &schedule->writers[i]);
	schedule->n_added++;
	mg_ctx_reset(&world->scratch);
	world->alive[row] = world_query(world, &world->scratch, world->vectors + (size_t) row * world->dims, &query) &&
		mg_memstore_insert(&world->scratch, &world->memstore, &world->graph, &query, &row, level, 40);
	schedule->fine = schedule->fine && world->alive[row];
	return true;
}

static void
begin(Schedule *schedule, Writer *writer)
{
	World *world = schedule->world;
	int level = mg_level(&world->layout, world_random(world));

	if (schedule->n_added == world->n || insert_alone(schedule, level))
		return;
	mg_ctx_reset(&writer->cx);
	writer->row = schedule->n_added++;
	writer->busy = true;
	writer->has_edge = false;
	writer->placed = 0;
	writer->next = 0;
	schedule->fine = schedule->fine &&
		world_query(world, &writer->cx, world->vectors + (size_t) writer->row * world->dims, &writer->query) &&
		mg_insert_plan(&writer->cx, &world->graph, &writer->query, &writer->row, level, 40, &writer->plan);
}

/* Stores the entry of the next level with the way that was planned, if that still can be; or plans it. */
static void
place(Schedule *schedule, Writer *writer)
{
	World *world = schedule->world;
	MgMemstore *memstore = &world->memstore;
	uint8_t *entry;
	uint32_t id;

	if (writer->plan.equal != MG_NO_NODE)
	{
		schedule->n_equal++;
		world->alive[writer->row] = mg_memstore_join(memstore, writer->plan.equal, &writer->row);
		schedule->fine = schedule->fine && world->alive[writer->row];
		writer->busy = false;
		return;
	}
	if (!writer->has_edge)
	{
		schedule->fine = schedule->fine &&
			mg_insert_way(&writer->cx, &world->graph, &writer->plan, writer->placed, &writer->edge, &writer->has_edge);
		schedule->fine = schedule->fine && writer->has_edge;
		return;
	}
	writer->has_edge = false;
	entry = mg_memstore_at(memstore, writer->edge.target);
	id = mg_memstore_add(memstore, writer->plan.entries[writer->placed]);
	memcpy(writer->edge.link, &id, sizeof id);
	if (mg_way_add(&world->layout, entry, &writer->edge, mg_ways_most(&world->layout, writer->placed), false) == MG_CHANGED)
	{
		schedule->n_changed++;
		memstore->entries[id] = NULL;
		memstore->free[memstore->n_free++] = id;
		return;
	}
	mg_insert_placed(&writer->plan, writer->placed, id);
	writer->placed++;
}

/* Plans the next edge, applies the one that was planned, or ends. */
static void
link_one(Schedule *schedule, Writer *writer)
{
	World *world = schedule->world;
	MgMemstore *memstore = &world->memstore;
	uint8_t *entry;

	if (writer->has_edge)
	{
		entry = mg_memstore_at(memstore, writer->edge.target);
		writer->has_edge = false;
		if (entry != NULL && mg_edge_apply(&world->layout, entry, &writer->edge) == MG_CHANGED)
			schedule->n_changed++;
		else
		{
			schedule->n_applied++;
			writer->next++;
		}
		return;
	}
	if (writer->next < mg_insert_n_edges(&world->graph, &writer->plan))
	{
		schedule->fine = schedule->fine &&
			mg_insert_edge(&writer->cx, &world->graph, &writer->plan, writer->next, &writer->edge, &writer->has_edge);
		writer->next += !writer->has_edge;
		return;
	}
	if (memstore->entry_point == MG_NO_NODE || writer->plan.level > memstore->entry_level)
	{
		memstore->entry_point = writer->plan.ids[writer->plan.level];
		memstore->entry_level = writer->plan.level;
	}
	world->alive[writer->row] = true;
	writer->busy = false;
}

static void
step(Schedule *schedule, Writer *writer)
{
	if (!writer->busy)
		begin(schedule, writer);
	else if (writer->placed <= writer->plan.level)
		place(schedule, writer);
	else
		link_one(schedule, writer);
}

/* Items die at any time; entries are repaired and freed when no insert is under way. */
static void
vacuum(Schedule *schedule)
{
	World *world = schedule->world;

	for (int i = 0; i < WRITERS; i++)
		while (schedule->writers[i].busy)
			step(schedule, &schedule->writers[i]);
	for (uint32_t row = 0; row < world->n; row++)
		if (world->alive[row] && world_random(world) % 4 == 0)
			world->alive[row] = false;
	schedule->fine = schedule->fine && world_vacuum(world);
}

static void
run(MgGraphMetric metric, uint32_t dims, int n_steps)
{
	Schedule schedule = {.world = world_open(metric, 900, dims, 4, 0), .fine = true};
	World *world = schedule.world;
	MgChecked checked;
	double recall;

	/* Some vectors are equal, so that nodes are shared. */
	for (uint32_t row = 1; row < world->n; row++)
		if (world_random(world) % 6 == 0)
			memcpy(world->vectors + (size_t) row * dims,
				   world->vectors + world_random(world) % row * dims, dims * sizeof(float));
	for (int i = 0; i < WRITERS; i++)
		mg_ctx_init(&schedule.writers[i].cx, &cli_host);
	for (int i = 0; i < n_steps && schedule.fine; i++)
	{
		step(&schedule, &schedule.writers[world_random(world) % WRITERS]);
		if (world_random(world) % 6000 == 0)
			vacuum(&schedule);
		if (world_random(world) % 1000 == 0)
			schedule.fine = schedule.fine && world_recall(world, 10, 1) >= 0;
	}
	vacuum(&schedule);
	ok(schedule.fine, "metric %d: a schedule of %d steps", metric, n_steps);
	ok(schedule.n_changed > 0 && schedule.n_equal > 0, "plans met changes (%llu of %llu) and equal nodes (%llu)",
	   (unsigned long long) schedule.n_changed, (unsigned long long) schedule.n_applied,
	   (unsigned long long) schedule.n_equal);
	is_int(world_check(world, &checked), 0, "no violations");
	is_int(checked.dead_links, 0, "no links to the dead");
	recall = world_recall(world, 60, 100);
	ok(recall > 0.9, "what is alive is found");
	printf("# recall %.3f, %llu nodes, %llu unreachable\n", recall, (unsigned long long) checked.nodes,
		   (unsigned long long) checked.unreachable);
	for (int i = 0; i < WRITERS; i++)
		mg_ctx_free(&schedule.writers[i].cx);
	world_close(world);
}

int
main(void)
{
	run(MG_GRAPH_L2, 40, 20000);
	run(MG_GRAPH_PLAIN, 12, 20000);
	run(MG_GRAPH_IP, 40, 20000);
	return done();
}
