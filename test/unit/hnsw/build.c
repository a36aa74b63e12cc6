/* Building: several threads at once, a block that fills up, equal vectors, failures at each point. */
#include "hnsw/build.h"

#include <pthread.h>

#include "unit/hnsw/world.h"
#include "unit/host.h"

#define THREADS 4

/* What THREADS threads do at once: each its part of the values, or every THREADS-th range, the last first. */
typedef enum Task
{
	TASK_ADD,
	TASK_CONNECT,
	TASK_CUT,
	TASK_WRITE
} Task;

typedef struct Hand
{
	World *world;
	MgBuild *build;
	Task task;
	MgConnectStep step;
	MgPlacer placer;
	uint32_t first, n_ranges;
	bool fine;
	pthread_t thread;
} Hand;

static bool
add_some(Hand *hand, MgBuilder *builder)
{
	for (uint32_t i = hand->first; i < hand->world->n; i += THREADS)
	{
		MgBuildValue value = world_value(hand->world, i);

		if (mg_builder_add(builder, &value, &i, (i + 1) * 0x9E3779B97F4A7C15u) == MG_BUILT_FULL)
			return false;
	}
	return true;
}

static bool
do_range(MgCtx *cx, Hand *hand, MgBuilder *builder, MgEmitter *emitter, uint32_t range)
{
	if (hand->task == TASK_CONNECT)
		return mg_connect(cx, builder, hand->step, range);
	return hand->task == TASK_CUT ? mg_emit_cut(cx, emitter, range) : mg_emit_write(cx, emitter, range, &hand->placer);
}

static void *
work(void *argument)
{
	Hand *hand = argument;
	MgBuilder *builder;
	MgEmitter *emitter;
	MgCtx cx;

	mg_ctx_init(&cx, &cli_host);
	builder = mg_builder_attach(&cx, hand->build, &hand->world->graph);
	emitter = mg_emitter_attach(&cx, hand->build, &hand->world->graph);
	hand->fine = builder != NULL && emitter != NULL && (hand->task != TASK_ADD || add_some(hand, builder));
	for (uint32_t i = hand->n_ranges; hand->fine && i-- > 0;)
		if (i % THREADS == hand->first)
			hand->fine = do_range(&cx, hand, builder, emitter, i);
	mg_ctx_free(&cx);
	return NULL;
}

/* By as many threads, or one after another. */
static bool
work_together(Hand hand, bool at_once)
{
	Hand hands[THREADS];
	bool fine = true;

	hand.placer = mg_memstore_placer(&hand.world->memstore);
	for (uint32_t t = 0; t < THREADS; t++)
	{
		hands[t] = hand;
		hands[t].first = t;
		if (at_once)
			fine = fine && pthread_create(&hands[t].thread, NULL, work, &hands[t]) == 0;
		else
			work(&hands[t]);
	}
	for (uint32_t t = 0; t < THREADS; t++)
	{
		if (at_once)
			pthread_join(hands[t].thread, NULL);
		fine = fine && hands[t].fine;
	}
	return fine;
}

/* All values into the block, and their links. */
static bool
fill(World *world, MgBuild *build, bool at_once)
{
	bool fine = work_together((Hand){.world = world, .build = build, .task = TASK_ADD}, at_once);

	for (MgConnectStep step = 0; fine && step < MG_CONNECT_STEPS; step++)
	{
		Hand hand = {.world = world, .build = build, .task = TASK_CONNECT, .step = step};

		fine = mg_connect_begin(&world->scratch, build, &world->graph, step, &hand.n_ranges) && work_together(hand, at_once);
	}
	return fine;
}

static bool
emit(World *world, MgBuild *build, uint32_t together)
{
	MgPlacer placer = mg_memstore_placer(&world->memstore);
	MgBuilder *builder = mg_builder_attach(&world->scratch, build, &world->graph);

	placer.together = together;
	return builder != NULL &&
		mg_build_emit(&world->scratch, builder, &placer, &world->memstore.entry_point, &world->memstore.entry_level);
}

/* A block for n nodes, to be freed; NULL when it cannot be set up. */
static MgBuild *
new_build(World *world, uint64_t n, uint32_t ef_construction)
{
	size_t size = mg_build_size(&world->layout, n, 0);
	MgBuild *build = aligned_alloc(64, (size + 63) / 64 * 64);
	MgBuildOptions options = {.ef_construction = ef_construction, .size = size};

	if (mg_build_init(&world->scratch, build, &world->layout, &options))
		return build;
	free(build);
	return NULL;
}

/* Several threads and one thread make the same bytes of a block. */
static void
test_shares(void)
{
	World *world = world_open(MG_GRAPH_IP, 2000, 48, 8, 0);
	size_t size = (mg_build_size(&world->layout, world->n, 0) + 63) / 64 * 64;
	MgBuild *build = new_build(world, world->n, 20), *copy = aligned_alloc(64, size);
	MgMemstore *memstore = &world->memstore, alone;
	MgGraph graph = world->graph;
	MgPlacer placer;
	MgBuilder *builder;
	Hand hand = {.world = world, .build = build};
	uint32_t entry_point, different = 0;
	int level;
	bool fine = build != NULL;

	fine = fine && fill(world, build, false);
	memcpy(copy, build, size);
	mg_memstore_init(&world->scratch, &alone, &world->layout, &graph);
	placer = mg_memstore_placer(&alone);
	ok(fine && (builder = mg_builder_attach(&world->scratch, copy, &world->graph)) != NULL &&
	   mg_build_emit(&world->scratch, builder, &placer, &entry_point, &level), "one thread emits a block");
	placer = mg_memstore_placer(memstore);
	fine = mg_emit_begin(&world->scratch, build, &world->graph, &hand.n_ranges);
	ok(fine && hand.n_ranges > THREADS, "there are %u ranges", hand.n_ranges);
	hand.task = TASK_CUT;
	fine = work_together(hand, true) &&
		mg_emit_place(&world->scratch, build, &world->graph, &placer, &memstore->entry_point, &memstore->entry_level);
	hand.task = TASK_WRITE;
	ok(fine && work_together(hand, true), "%d threads emit it", THREADS);
	for (uint32_t i = 0; i < memstore->n && i < alone.n; i++)
		different += memcmp(memstore->entries[i], alone.entries[i],
							mg_entry_size(&world->layout, mg_entry_level(alone.entries[i]))) != 0;
	is_int(memstore->n, alone.n, "as many entries");
	is_int(different, 0, "of the same bytes");
	ok(memstore->entry_point == entry_point && memstore->entry_level == level, "the same entry point");
	free(build);
	free(copy);
	world_close(world);
}

static void
test_threads(void)
{
	World *world = world_open(MG_GRAPH_L2, 3000, 48, 8, 0);
	size_t size = mg_build_size(&world->layout, world->n, 0);
	MgBuild *build = new_build(world, world->n, 40);
	MgChecked checked;
	bool fine = build != NULL && fill(world, build, true);
	double recall;

	ok(fine, "%d threads build one graph", THREADS);
	is_int(mg_build_nodes(build), world->n, "each vector has its node");
	ok(mg_build_used(build) <= size, "the block is as large as was estimated (%zu of %zu)", mg_build_used(build), size);
	ok(emit(world, build, 0), "it is emitted");
	is_int(world_check(world, &checked), 0, "no violations");
	is_int(checked.nodes, world->n, "all are there");
	is_int(checked.unreachable, 0, "each can be reached");
	memset(world->alive, true, world->n);
	recall = world_recall(world, 40, 100);
	ok(recall > 0.95, "recall %.3f", recall);
	free(build);
	world_close(world);
}

/* Vectors without clusters, of few links each: some lose all that lead to them. */
static void
test_reach(MgGraphMetric metric)
{
	World *world = world_open(metric, 2000, 64, 4, 0);
	MgBuild *build = new_build(world, world->n, 20);
	MgChecked checked;
	bool fine = build != NULL;

	for (size_t i = 0; i < (size_t) world->n * world->dims; i++)
		world->vectors[i] = (float) (world_random(world) >> 40) / 16777216.0f;
	ok(fine && fill(world, build, false) && emit(world, build, 0), "metric %d: a graph without clusters", (int) metric);
	is_int(world_check(world, &checked), 0, "metric %d: no violations", (int) metric);
	is_int(checked.nodes, world->n, "metric %d: all are there", (int) metric);
	is_int(checked.unreachable, 0, "metric %d: each can be reached", (int) metric);
	free(build);
	world_close(world);
}

/* Rows of clusters that come in turn: their nodes lie together, so that what a search reads is on few pages. */
static void
test_order(void)
{
	World *world = world_open(MG_GRAPH_L2, 3000, 48, 8, 0);
	MgBuild *build = new_build(world, world->n, 20);
	uint32_t n_clusters = 30, leaps = 0, before = n_clusters;
	bool fine = build != NULL;

	for (uint32_t i = 0; i < world->n; i++)
		for (uint32_t d = 0; d < world->dims; d++)
			world->vectors[(size_t) i * world->dims + d] =
				i < n_clusters ? (float) (world_random(world) >> 40) / 16777216.0f
							   : world->vectors[(size_t) (i % n_clusters) * world->dims + d] + 0.05f * (float) (world_random(world) >> 40) / 16777216.0f;
	ok(fine && fill(world, build, false) && emit(world, build, 0), "rows of %u clusters, in turn", n_clusters);
	for (uint32_t id = 0; id < world->memstore.n; id++)
	{
		uint8_t *entry = mg_memstore_at(&world->memstore, id);
		uint32_t row;

		if (mg_entry_level(entry) > 0)
			continue;
		memcpy(&row, mg_entry_item(&world->layout, entry, 0), sizeof row);
		leaps += row % n_clusters != before;
		before = row % n_clusters;
	}
	ok(leaps < world->n / 10, "are stored cluster by cluster: the next one is of another %u times", leaps);
	free(build);
	world_close(world);
}

/* Of the links of level 0 those to a node on the same page, if so many are on each. */
static double
links_within(uint32_t page, uint32_t together)
{
	World *world = world_open(MG_GRAPH_L2, 3000, 48, 8, 0);
	MgBuild *build = new_build(world, world->n, 40);
	double n = 0, within = 0;

	if (build != NULL && fill(world, build, false) && emit(world, build, together))
		for (uint32_t id = 0; id < world->memstore.n; id++)
		{
			const uint8_t *entry = mg_memstore_at(&world->memstore, id);

			for (uint32_t i = 0; mg_entry_level(entry) == 0 && i < mg_entry_n_links(entry); i++, n++)
				within += mg_entry_link_id(&world->layout, entry, i) / page == id / page;
		}
	free(build);
	world_close(world);
	return n > 0 ? within / n : 0;
}

static void
test_pages(void)
{
	double by_order = links_within(5, 0), packed = links_within(5, 5);

	ok(packed > 1.2 * by_order, "nodes of a page are neighbours: %.3f of the links stay on it, by order alone %.3f", packed, by_order);
}

static void
test_full(void)
{
	World *world = world_open(MG_GRAPH_L2, 500, 48, 8, 0);
	MgBuild *build = new_build(world, 100, 40);
	MgBuildOptions options = {.ef_construction = 40, .size = 64};
	MgBuilder *builder = NULL;
	MgBuilt built = MG_BUILT_NODE;
	MgChecked checked;
	uint32_t i;
	bool fine = build != NULL &&
		(builder = mg_builder_attach(&world->scratch, build, &world->graph)) != NULL;

	for (i = 0; fine && i < world->n; i++)
	{
		MgBuildValue value = world_value(world, i);

		built = mg_builder_add(builder, &value, &i, world_random(world));
		if (built == MG_BUILT_FULL)
			break;
		world->alive[i] = true;
	}
	ok(fine && built == MG_BUILT_FULL && i >= 100 && i < 130, "a block for 100 nodes takes %u, then says that it is full", i);
	fine = fine && mg_build_connect(&world->scratch, builder) && emit(world, build, 0);
	for (; i < world->n; i++)
		fine = fine && world_insert(world, i);
	ok(fine, "the others go in by plans");
	is_int(world_check(world, &checked), 0, "no violations");
	ok(world_recall(world, 40, 50) > 0.95, "recall");
	free(build);

	build = aligned_alloc(64, 4096);
	ok(!mg_build_init(&world->scratch, build, &world->layout, &options), "a block without room for its header is refused");
	free(build);
	world_close(world);
}

static void
test_equal(void)
{
	World *world = world_open(MG_GRAPH_L2, 300, 48, 8, 0);
	MgChecked checked;

	for (uint32_t i = 100; i < 300; i++)
		memcpy(world->vectors + i * 48, world->vectors + i % 100 * 48, 48 * sizeof(float));
	ok(world_build(world, 0, 300), "three of each vector");
	is_int(world_check(world, &checked), 0, "no violations");
	is_int(checked.nodes, 100, "share a node");
	world_close(world);

	world = world_open(MG_GRAPH_L2, 300, 48, 8, 0);
	for (uint32_t i = 1; i < 300; i++)
		memcpy(world->vectors + i * 48, world->vectors, 48 * sizeof(float));
	ok(world_build(world, 0, 150), "half of 300 equal vectors are built");
	for (uint32_t i = 150; i < 300; i++)
		world_insert(world, i);
	is_int(world_check(world, &checked), 0, "the others inserted; no violations");
	is_int(checked.nodes, 1, "they share a node");
	is_int(world_count_items(world, 0), 300, "which has them all");
	for (uint32_t i = 0; i < 300; i++)
		world->alive[i] = i == 7 || i == 200;
	ok(world_vacuum(world) && world_count_items(world, 0) == 2, "all but two are vacuumed");
	is_int(world_check(world, &checked), 0, "no violations");
	world->alive[7] = world->alive[200] = false;
	ok(world_vacuum(world), "and these");
	is_int(world->memstore.n_free, world->memstore.n, "nothing is left, of chunks neither");
	world_close(world);
}

static void
test_estimate(void)
{
	World *world = world_open(MG_GRAPH_L2, 10, 384, 16, 0);

	ok(mg_build_size(&world->layout, 1000000, 0) > 500000000 && mg_build_size(&world->layout, 1000000, 0) < 700000000,
	   "a million nodes of 384 dimensions need some 0.6 GB");
	ok(mg_build_size(&world->layout, UINT64_MAX / 2, 0) == SIZE_MAX, "too many overflow");
	world_close(world);
}

static bool
build_body(MgCtx *cx, void *user)
{
	World *world = user;
	size_t size = mg_build_size(&world->layout, world->n, 0);
	MgBuildOptions options = {.ef_construction = 20, .size = size};
	MgBuild *build = mg_alloc(cx, size);
	MgMemstore memstore;
	MgGraph graph = world->graph;
	MgPlacer placer;
	MgBuilder *builder;
	uint32_t entry_point;
	int level;

	mg_memstore_init(cx, &memstore, &world->layout, &graph);
	placer = mg_memstore_placer(&memstore);
	if (build == NULL || !mg_build_init(cx, build, &world->layout, &options) ||
		(builder = mg_builder_attach(cx, build, &graph)) == NULL)
		return false;
	for (uint32_t i = 0; i < world->n; i++)
	{
		MgBuildValue value = world_value(world, i);

		if (mg_builder_add(builder, &value, &i, (i + 1) * 0x9E3779B97F4A7C15u) == MG_BUILT_FULL)
			return false;
	}
	return mg_build_connect(cx, builder) && mg_build_emit(cx, builder, &placer, &entry_point, &level);
}

int
main(void)
{
	World *world = world_open(MG_GRAPH_L2, 150, 40, 6, 0);

	sweep("build", build_body, world, 1);
	world_close(world);
	test_threads();
	test_shares();
	test_reach(MG_GRAPH_L2);
	test_reach(MG_GRAPH_IP);
	test_order();
	test_pages();
	test_full();
	test_equal();
	test_estimate();
	return done();
}
