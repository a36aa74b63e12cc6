/* Searches that go on: order, completeness, radius, bounds, and failures at each point. */
#include "hnsw/search.h"

#include "unit/hnsw/world.h"
#include "unit/host.h"

/* All batches: how many results, whether each is new and each batch in order; counts batches. */
static void
read_all(World *world, const MgSearchOptions *options, uint32_t q, bool *seen, size_t *n_results, size_t *n_batches,
		 bool *bounded)
{
	MgQuery query;
	MgSearch *search = NULL;
	const MgFound *found;
	size_t n;
	bool fine, in_order = true, fresh = true;

	*n_results = *n_batches = 0;
	memset(seen, 0, world->n * sizeof *seen);
	mg_ctx_reset(&world->scratch);
	fine = world_query(world, &world->scratch, world->vectors + (size_t) q * world->dims, &query) &&
		(search = mg_search_begin(&world->scratch, &world->graph, &query, options)) != NULL;
	while ((fine = fine && mg_search_next(&world->scratch, search, &found, &n)) && n > 0)
	{
		++*n_batches;
		for (size_t i = 0; i < n; i++)
		{
			in_order = in_order && (i == 0 || found[i - 1].distance <= found[i].distance);
			for (uint32_t k = 0; k < found[i].n_items; k++, ++*n_results)
			{
				uint32_t row;

				memcpy(&row, found[i].items + k * sizeof row, sizeof row);
				fresh = fresh && row < world->n && !seen[row];
				seen[row] = true;
			}
		}
	}
	ok(fine && in_order && fresh, "ef %u: each batch is in order, nothing comes twice", options->ef);
	*bounded = mg_search_bounded(search);
	ok(mg_search_next(&world->scratch, search, &found, &n) && n == 0, "ef %u: the end stays the end", options->ef);
}

static void
test_resume(MgGraphMetric metric)
{
	World *world = world_open(metric, 600, 40, 8, 0);
	bool *seen = malloc(world->n * sizeof *seen), bounded;
	size_t n_results, n_batches;
	MgChecked checked;
	MgSearchOptions options = {.ef = 7, .radius = -INFINITY};

	ok(world_build(world, 0, 600), "a graph");
	world_check(world, &checked);
	read_all(world, &options, 5, seen, &n_results, &n_batches, &bounded);
	is_int(n_results, 600 - checked.unreachable, "all that can be reached is found in the end");
	ok(n_batches >= 600 / 7 && !bounded, "in batches of at most 7, not bounded");

	options.widest_ef = 1000;
	read_all(world, &options, 5, seen, &n_results, &n_batches, &bounded);
	is_int(n_results, 600 - checked.unreachable, "as much in batches that grow");
	ok(n_batches <= 7, "which are few: 7 + 14 + ... + 448");
	options.widest_ef = 14;
	read_all(world, &options, 5, seen, &n_results, &n_batches, &bounded);
	ok(n_results == 600 - checked.unreachable && n_batches > 600 / 14, "or as they may grow");
	options.widest_ef = 0;

	options.max_expanded = 100;
	read_all(world, &options, 5, seen, &n_results, &n_batches, &bounded);
	ok(bounded && n_results <= 100 && n_results > 50, "100 expansions give up to so many results (%zu), and say so",
	   n_results);
	options.max_expanded = 0;
	options.max_memory = 20000;
	read_all(world, &options, 5, seen, &n_results, &n_batches, &bounded);
	ok(bounded && n_results < 600 && n_results > 0, "20 kB of memory bound it as well (%zu)", n_results);
	free(seen);
	world_close(world);
}

static void
test_limit(void)
{
	World *world = world_open(MG_GRAPH_L2, 300, 24, 8, 0);
	MgSearch *search = NULL;
	const MgFound *found;
	MgQuery query;
	size_t n = 0;
	bool fine = world_build(world, 0, 300) && world_query(world, &world->scratch, world->vectors, &query) &&
		(search = mg_search_begin(&world->scratch, &world->graph, &query, &(MgSearchOptions){.ef = 7, .radius = -INFINITY})) != NULL &&
		mg_search_next(&world->scratch, search, &found, &n);

	ok(fine && n == 7 && !mg_search_bounded(search), "without a bound");
	mg_search_limit(search, 1);
	ok(mg_search_next(&world->scratch, search, &found, &n) && mg_search_bounded(search), "with one from the next batch on");
	world_close(world);
}

/* Far from the query most nodes are measured by their first bytes alone, few are expanded. */
static void
test_far(void)
{
	World *world = world_open(MG_GRAPH_L2, 2000, 64, 8, 0);
	MgSearchOptions options = {.ef = 8, .radius = -INFINITY, .widest_ef = 100};
	MgSearch *search = NULL;
	const MgFound *found;
	MgCounts first;
	MgQuery query;
	uint64_t entries, estimates;
	size_t n = 0;
	bool fine = world_build(world, 0, 2000) && world_query(world, &world->scratch, world->vectors, &query) &&
		(search = mg_search_begin(&world->scratch, &world->graph, &query, &options)) != NULL &&
		mg_search_next(&world->scratch, search, &found, &n);

	first = *mg_search_counts(search);
	mg_search_narrow(search, 100);
	fine = fine && mg_search_next(&world->scratch, search, &found, &n);
	ok(fine && n == 100, "a batch far from the query");
	entries = mg_search_counts(search)->entries - first.entries;
	estimates = mg_search_counts(search)->estimates - first.estimates;
	ok(estimates * first.entries < 6 * entries * first.estimates / 10, "it expands few nodes: %zu estimates of %zu entries, before %zu of %zu",
	   (size_t) estimates, (size_t) entries, (size_t) first.estimates, (size_t) first.entries);
	world_close(world);
}

static void
test_radius(void)
{
	World *world = world_open(MG_GRAPH_L2, 1000, 40, 12, 0);
	bool *seen = malloc(world->n * sizeof *seen);
	size_t n_within = 0, n_found = 0, n_queries = 40;

	ok(world_build(world, 0, 1000), "a graph");
	for (uint32_t q = 0; q < n_queries; q++)
	{
		/* The distance of the 60th: ef alone would give 10. */
		Hit *hits = malloc(world->n * sizeof *hits);
		const MgFound *found;
		MgSearch *search;
		MgQuery query;
		size_t n;

		for (uint32_t row = 0; row < world->n; row++)
			hits[row] = (Hit){world_exact(world, world->vectors + (size_t) q * world->dims, row), row};
		qsort(hits, world->n, sizeof *hits, hit_compare);
		memset(seen, 0, world->n * sizeof *seen);
		mg_ctx_reset(&world->scratch);
		world_query(world, &world->scratch, world->vectors + (size_t) q * world->dims, &query);
		/* Own codes err by some per cent, so a caller asks for that much more and ranks exactly. */
		search = mg_search_begin(&world->scratch, &world->graph, &query,
								 &(MgSearchOptions){.ef = 10, .radius = 1.1f * (float) hits[59].distance});
		mg_search_next(&world->scratch, search, &found, &n);
		for (size_t i = 0; i < n; i++)
			for (uint32_t k = 0; k < found[i].n_items; k++)
			{
				uint32_t row;

				memcpy(&row, found[i].items + k * sizeof row, sizeof row);
				seen[row] = true;
			}
		for (size_t i = 0; i < 60; i++, n_within++)
			n_found += seen[hits[i].row];
		free(hits);
	}
	ok((double) n_found >= 0.97 * (double) n_within, "a batch has what is within the radius (%zu of %zu)", n_found,
	   n_within);
	free(seen);
	world_close(world);
}

/* Deleted nodes are passed through, not returned. */
static void
test_deleted(void)
{
	World *world = world_open(MG_GRAPH_L2, 800, 40, 8, 0);
	bool dead_found = false;

	ok(world_build(world, 0, 800), "a graph");
	for (uint32_t i = 0; i < 800; i++)
		world->alive[i] = i % 3 == 0;
	for (uint32_t id = 0; id < world->memstore.n; id++)
		if (mg_entry_level(world->memstore.entries[id]) == 0)
			mg_entry_remove_items(&world->layout, world->memstore.entries[id], world_is_gone, world);
	for (uint32_t q = 0; q < 20; q++)
	{
		const MgFound *found;
		MgQuery query;
		size_t n;

		mg_ctx_reset(&world->scratch);
		world_query(world, &world->scratch, world->vectors + (size_t) q * world->dims, &query);
		mg_search_next(&world->scratch,
					   mg_search_begin(&world->scratch, &world->graph, &query,
									   &(MgSearchOptions){.ef = 20, .radius = -INFINITY}),
					   &found, &n);
		for (size_t i = 0; i < n; i++)
			dead_found = dead_found || found[i].n_items == 0;
	}
	ok(!dead_found, "a node without items is not returned");
	ok(world_recall(world, 40, 50) > 0.9, "what lives is found through what is dead");
	world_close(world);
}

static void
test_empty(void)
{
	World *world = world_open(MG_GRAPH_L2, 10, 8, 4, 0);
	const MgFound *found;
	MgQuery query;
	size_t n = 7;

	world_query(world, &world->scratch, world->vectors, &query);
	ok(mg_search_next(&world->scratch,
					  mg_search_begin(&world->scratch, &world->graph, &query,
									  &(MgSearchOptions){.ef = 20, .radius = -INFINITY}),
					  &found, &n) &&
	   n == 0, "an empty graph has nothing");
	world->memstore.entry_point = 4000;
	ok(mg_search_next(&world->scratch,
					  mg_search_begin(&world->scratch, &world->graph, &query,
									  &(MgSearchOptions){.ef = 20, .radius = -INFINITY}),
					  &found, &n) &&
	   n == 0, "nor has one whose entry point is gone");
	world_close(world);
}

static bool
search_body(MgCtx *cx, void *user)
{
	World *world = user;
	MgQuery query;
	const MgFound *found;
	size_t n, total = 0;
	MgSearch *search;

	if (!world_query(world, cx, world->vectors, &query) ||
		(search = mg_search_begin(cx, &world->graph, &query, &(MgSearchOptions){.ef = 30, .radius = -INFINITY})) ==
			NULL)
		return false;
	do
	{
		if (!mg_search_next(cx, search, &found, &n))
			return false;
		total += n;
	} while (n > 0);
	return total > 0 || mg_fail(cx, MG_BAD_ARGUMENT, "found nothing");
}

/* A store that knows what it was asked for ahead. */
#define AHEAD_NODES 2000

typedef struct Ahead
{
	MgStore store;
	bool slow, asked[2 * AHEAD_NODES], read[2 * AHEAD_NODES];
	size_t n_asked, n_useful, n_late; /* ids asked for; of these read since; read without */
} Ahead;

static bool
ahead_entry_point(void *user, MgCtx *cx, uint32_t *id, int *level)
{
	Ahead *ahead = user;

	return ahead->store.entry_point(ahead->store.user, cx, id, level);
}

static bool
ahead_read(void *user, MgCtx *cx, uint32_t id, uint8_t *entry, bool *found)
{
	Ahead *ahead = user;

	if (id < 2 * AHEAD_NODES && !ahead->read[id])
	{
		*(ahead->asked[id] ? &ahead->n_useful : &ahead->n_late) += 1;
		ahead->read[id] = true;
	}
	return ahead->store.read(ahead->store.user, cx, id, entry, found);
}

static bool
ahead_prefetch(void *user, uint32_t id, bool whole)
{
	Ahead *ahead = user;

	(void) whole;
	if (id < 2 * AHEAD_NODES && !ahead->asked[id] && !ahead->read[id])
	{
		ahead->asked[id] = true;
		ahead->n_asked++;
	}
	return ahead->slow;
}

/* The ids of a batch of 20. */
static bool
search_ahead(World *world, Ahead *ahead, bool slow, uint32_t *ids)
{
	MgGraph graph = world->graph;
	MgSearch *search = NULL;
	const MgFound *found;
	MgQuery query;
	size_t n = 0;
	bool fine;

	*ahead = (Ahead){.store = graph.store, .slow = slow};
	graph.store = (MgStore){ahead, ahead_entry_point, ahead_read, graph.store.distance, ahead_prefetch, NULL};
	mg_ctx_reset(&world->scratch);
	fine = world_query(world, &world->scratch, world->vectors, &query) &&
		(search = mg_search_begin(&world->scratch, &graph, &query, &(MgSearchOptions){.ef = 20, .radius = -INFINITY})) != NULL &&
		mg_search_next(&world->scratch, search, &found, &n);
	for (size_t i = 0; fine && i < n; i++)
		ids[i] = found[i].id;
	return fine && n == 20;
}

/* Where a store says that reads take long, most are asked for before they are wanted, and what is found is the same. */
static void
test_ahead(void)
{
	World *world = world_open(MG_GRAPH_L2, AHEAD_NODES, 64, 8, 0);
	Ahead fast, slow;
	uint32_t ids[2][20];

	ok(world_build(world, 0, AHEAD_NODES) && search_ahead(world, &fast, false, ids[0]) && search_ahead(world, &slow, true, ids[1]),
	   "searches of a store that tells how long reads take");
	ok(memcmp(ids[0], ids[1], sizeof ids[0]) == 0, "what is found is the same");
	ok(10 * slow.n_late < 9 * fast.n_late, "fewer reads have to be waited for: %zu, %zu before", slow.n_late, fast.n_late);
	ok(slow.n_asked < slow.n_useful + 24, "few are asked for in vain: %zu of %zu", slow.n_asked - slow.n_useful, slow.n_asked);
	world_close(world);
}

int
main(void)
{
	World *world;

	test_resume(MG_GRAPH_L2);
	test_resume(MG_GRAPH_PLAIN);
	test_limit();
	test_far();
	test_ahead();
	test_radius();
	test_deleted();
	test_empty();
	world = world_open(MG_GRAPH_L2, 500, 64, 8, 0);
	ok(world_build(world, 0, 500), "a graph to fail on");
	sweep("search", search_body, world, 1);
	world_close(world);
	return done();
}
