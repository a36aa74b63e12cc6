/*
 * Random schedules: several inserts, repairs and searches under way at once,
 * each doing one step of its protocol at a time, so that plans are applied to
 * entries that others changed meanwhile. Vacuums as repair.h tells.
 */
#include "hnsw/insert.h"

#include "unit/hnsw/world.h"

#define WRITERS 5

/* One backend: what it is about to do next. */
typedef struct Writer
{
	bool busy, placed;
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

static void
begin(Schedule *schedule, Writer *writer)
{
	World *world = schedule->world;

	if (schedule->n_added == world->n)
		return;
	mg_ctx_reset(&writer->cx);
	writer->row = schedule->n_added++;
	writer->busy = true;
	writer->placed = writer->has_edge = false;
	writer->next = 0;
	schedule->fine = schedule->fine &&
		world_query(world, &writer->cx, world->vectors + (size_t) writer->row * world->dims, &writer->query) &&
		mg_insert_plan(&writer->cx, &world->graph, &writer->query, &writer->row,
					   mg_level(&world->layout, world_random(world)), 40, true, &writer->plan);
}

static void
place(Schedule *schedule, Writer *writer)
{
	World *world = schedule->world;
	MgMemstore *memstore = &world->memstore;

	if (writer->plan.equal != MG_NO_NODE)
	{
		schedule->n_equal++;
		if (mg_entry_add_item(&world->layout, mg_memstore_at(memstore, writer->plan.equal), &writer->row))
		{
			world->alive[writer->row] = true;
			writer->busy = false;
			return;
		}
		schedule->fine = schedule->fine &&
			mg_insert_plan(&writer->cx, &world->graph, &writer->query, &writer->row, writer->plan.level, 40, false,
						   &writer->plan);
		return;
	}
	for (int level = 0; level <= writer->plan.level; level++)
		mg_insert_placed(&writer->plan, level, mg_memstore_add(memstore, writer->plan.entries[level]));
	writer->placed = true;
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
	if (writer->next < mg_insert_n_edges(&writer->plan))
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
	else if (!writer->placed)
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
