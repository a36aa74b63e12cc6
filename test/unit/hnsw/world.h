/* A graph over synthetic clusters in a memory store, and the exact answers beside it. */
#ifndef TEST_UNIT_HNSW_WORLD_H
#define TEST_UNIT_HNSW_WORLD_H

#include <stdlib.h>

#include "cli/host.h"
#include "hnsw/check.h"
#include "hnsw/items.h"
#include "hnsw/memstore.h"
#include "hnsw/search.h"
#include "unit/tap.h"
#include "vector/distance.h"

#define WORLD_CLUSTERS 12

typedef struct World
{
	MgCtx cx, scratch;
	MgEntryLayout layout;
	MgRotation rotation;
	MgGraph graph;
	MgMemstore memstore;
	MgDistance distance; /* exact, of vectors */
	float *vectors;		 /* [n, dims] */
	bool *alive;		 /* [n]: is in the graph */
	uint32_t n, dims;
	uint64_t state;
} World;

__attribute__((unused)) static uint64_t
world_random(World *world)
{
	uint64_t z = world->state += 0x9E3779B97F4A7C15u;

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return z ^ (z >> 31);
}

__attribute__((unused)) static float
world_normal(World *world)
{
	double u = ((double) (world_random(world) >> 11) + 0.5) / 9007199254740992.0, v =
		((double) (world_random(world) >> 11) + 0.5) / 9007199254740992.0;

	return (float) (sqrt(-2 * log(u)) * cos(6.283185307179586 * v));
}

/* Plain values are rows of floats; the dimension follows from their size. */
__attribute__((unused)) static float
world_l1(void *user, const void *a, uint32_t a_size, const void *b, uint32_t b_size)
{
	float x, y, sum = 0;

	(void) user;
	(void) b_size;
	for (uint32_t i = 0; i < a_size / sizeof x; i++)
	{
		memcpy(&x, (const char *) a + i * sizeof x, sizeof x);
		memcpy(&y, (const char *) b + i * sizeof y, sizeof y);
		sum += fabsf(x - y);
	}
	return sum;
}

/* n vectors around cluster centres; none is in the graph. bits 0: as many as dimensions. */
__attribute__((unused)) static World *
world_open(MgGraphMetric metric, uint32_t n, uint32_t dims, uint32_t m, uint32_t bits)
{
	World *world = calloc(1, sizeof *world);
	bool plain = metric == MG_GRAPH_PLAIN;
	MgShape shape = {.metric = metric,
					 .dims = plain ? 0 : dims,
					 .code_bits = plain ? 0 : bits > 0 ? bits : mg_rotation_padded(dims),
					 .value_size = plain ? dims * (uint32_t) sizeof(float) : 0,
					 .m = m,
					 .item_size = sizeof(uint32_t),
					 .max_items = 3};
	float *centres = malloc(WORLD_CLUSTERS * dims * sizeof *centres);

	world->state = 11;
	world->n = n;
	world->dims = dims;
	mg_ctx_init(&world->cx, &cli_host);
	mg_ctx_init(&world->scratch, &cli_host);
	if (!mg_layout_init(&world->cx, &world->layout, &shape) ||
		(!plain && !mg_rotation_init(&world->cx, &world->rotation, dims, 5)))
		printf("Bail out! %s\n", world->cx.error.message);
	world->graph = (MgGraph){&world->layout, plain ? NULL : &world->rotation, mg_cpu_level(),
							   mg_code_kernels(mg_cpu_level()), {0}};
	mg_memstore_init(&world->cx, &world->memstore, &world->layout, &world->graph);
	world->graph.store.distance = plain ? world_l1 : NULL;
	mg_distance_find(MG_ELEMENT_F32,
					 plain ? MG_METRIC_L1 : metric == MG_GRAPH_IP ? MG_METRIC_INNER_PRODUCT : MG_METRIC_L2,
					 mg_cpu_level(), &world->distance);
	world->vectors = malloc(n * dims * sizeof *world->vectors);
	world->alive = calloc(n, sizeof *world->alive);
	for (uint32_t i = 0; i < WORLD_CLUSTERS * dims; i++)
		centres[i] = world_normal(world);
	for (uint32_t i = 0; i < n; i++)
	{
		const float *centre = centres + world_random(world) % WORLD_CLUSTERS * dims;

		for (uint32_t d = 0; d < dims; d++)
			world->vectors[i * dims + d] = centre[d] + 0.6f * world_normal(world);
	}
	free(centres);
	return world;
}

__attribute__((unused)) static void
world_close(World *world)
{
	mg_ctx_free(&world->cx);
	mg_ctx_free(&world->scratch);
	free(world->vectors);
	free(world->alive);
	free(world);
}

/* Of a vector's bytes (FNV-1a). */
__attribute__((unused)) static uint64_t
world_fingerprint(const World *world, const float *vector)
{
	const unsigned char *bytes = (const unsigned char *) vector;
	uint64_t hash = 14695981039346656037u;

	for (size_t i = 0; i < world->dims * sizeof *vector; i++)
		hash = (hash ^ bytes[i]) * 1099511628211u;
	return hash;
}

/* In the arena of cx. */
__attribute__((unused)) static bool
world_query(const World *world, MgCtx *cx, const float *vector, MgQuery *query)
{
	float *rotated;

	if (!world->layout.coded)
	{
		*query = (MgQuery){.value = vector, .value_size = world->dims * (uint32_t) sizeof *vector};
		return true;
	}
	rotated = mg_alloc_array(cx, world->layout.padded, sizeof *rotated);
	if (rotated == NULL)
		return false;
	mg_rotate(&world->rotation, vector, rotated);
	if (!mg_query_init(cx, &world->layout, rotated, query))
		return false;
	query->fingerprint = world_fingerprint(world, vector);
	return true;
}

__attribute__((unused)) static bool
world_insert(World *world, uint32_t i)
{
	MgQuery query;
	bool fine;

	mg_ctx_reset(&world->scratch);
	fine = world_query(world, &world->scratch, world->vectors + (size_t) i * world->dims, &query) &&
		mg_memstore_insert(&world->scratch, &world->memstore, &world->graph, &query, &i,
						   mg_level(&world->layout, world_random(world)), 60);
	world->alive[i] = fine;
	return fine;
}

/* A row for the builder. */
__attribute__((unused)) static MgBuildValue
world_value(const World *world, uint32_t i)
{
	const float *vector = world->vectors + (size_t) i * world->dims;

	return (MgBuildValue){vector, world->dims * (uint32_t) sizeof *vector, world_fingerprint(world, vector)};
}

/* [first, last) by the builder. */
__attribute__((unused)) static bool
world_build(World *world, uint32_t first, uint32_t last)
{
	size_t size = mg_build_size(&world->layout, last - first, world->dims * (uint32_t) sizeof(float));
	MgBuild *build = aligned_alloc(64, (size + 63) / 64 * 64);
	MgBuildOptions options = {.ef_construction = 60, .size = size};
	MgPlacer placer = mg_memstore_placer(&world->memstore);
	MgBuilder *builder = NULL;
	MgBuilt built = MG_BUILT_NODE;
	bool fine = mg_build_init(&world->scratch, build, &world->layout, &options) &&
		(builder = mg_builder_attach(&world->scratch, build, &world->graph)) != NULL;

	for (uint32_t i = first; fine && i < last; i++)
	{
		MgBuildValue value = world_value(world, i);

		built = mg_builder_add(builder, &value, &i, world_random(world));
		fine = built != MG_BUILT_FULL;
		world->alive[i] = fine;
	}
	fine = fine && mg_build_connect(&world->scratch, builder) &&
		mg_build_emit(&world->scratch, builder, &placer, &world->memstore.entry_point, &world->memstore.entry_level);
	free(build);
	return fine;
}

__attribute__((unused)) static bool
world_is_gone(void *user, const void *item)
{
	const World *world = user;
	uint32_t i;

	memcpy(&i, item, sizeof i);
	return !world->alive[i];
}

__attribute__((unused)) static bool
world_vacuum(World *world)
{
	mg_ctx_reset(&world->scratch);
	return mg_memstore_vacuum(&world->scratch, &world->memstore, &world->graph, world_is_gone, world, 60);
}

/* Of a node, with those in chunks. */
__attribute__((unused)) static uint32_t
world_count_items(const World *world, uint32_t id)
{
	uint32_t n = mg_entry_n_items(world->memstore.entries[id]);

	for (id = mg_entry_more(world->memstore.entries[id]); id != MG_NO_NODE; id = mg_chunk_next(world->memstore.entries[id]))
		n += mg_chunk_n_items(world->memstore.entries[id]);
	return n;
}

typedef struct Hit
{
	double distance;
	uint32_t row;
} Hit;

__attribute__((unused)) static int
hit_compare(const void *a, const void *b)
{
	const Hit *left = a, *right = b;

	return left->distance < right->distance ? -1 : left->distance > right->distance;
}

__attribute__((unused)) static double
world_exact(const World *world, const float *query, uint32_t row)
{
	return world->distance.pair(query, world->vectors + (size_t) row * world->dims, world->dims);
}

/* The part of the 10 nearest alive that a search with this ef finds, over so many queries near vectors. */
__attribute__((unused)) static double
world_recall(World *world, uint32_t ef, uint32_t n_queries)
{
	Hit *all = malloc(world->n * sizeof *all), *hits = malloc(world->n * sizeof *hits);
	float *query = malloc(world->dims * sizeof *query);
	size_t n_right = 0, n_wanted = 0;

	for (uint32_t q = 0; q < n_queries; q++)
	{
		const float *near = world->vectors + world_random(world) % world->n * world->dims;
		MgSearchOptions options = {.ef = ef, .radius = -INFINITY};
		size_t n_all = 0, n_hits = 0, n = 0;
		const MgFound *found = NULL;
		MgSearch *search;
		MgQuery prepared;

		for (uint32_t d = 0; d < world->dims; d++)
			query[d] = near[d] + 0.3f * world_normal(world);
		for (uint32_t row = 0; row < world->n; row++)
			if (world->alive[row])
				all[n_all++] = (Hit){world_exact(world, query, row), row};
		qsort(all, n_all, sizeof *all, hit_compare);
		mg_ctx_reset(&world->scratch);
		if (world_query(world, &world->scratch, query, &prepared) &&
			(search = mg_search_begin(&world->scratch, &world->graph, &prepared, &options)) != NULL)
			mg_search_next(&world->scratch, search, &found, &n);
		for (size_t i = 0; i < n; i++)
			for (uint32_t k = 0; k < found[i].n_items; k++)
			{
				uint32_t row;

				memcpy(&row, found[i].items + k * sizeof row, sizeof row);
				if (world->alive[row])
					hits[n_hits++] = (Hit){world_exact(world, query, row), row};
			}
		qsort(hits, n_hits, sizeof *hits, hit_compare);
		for (size_t i = 0; i < 10 && i < n_all; i++, n_wanted++)
			n_right += i < n_hits && hits[i].distance <= all[i < 10 && n_all >= 10 ? 9 : n_all - 1].distance;
	}
	free(all);
	free(hits);
	free(query);
	return n_wanted == 0 ? 1 : (double) n_right / (double) n_wanted;
}

__attribute__((unused)) static void
world_hear(void *user, uint32_t id, const char *text)
{
	int *n = user;

	if ((*n)++ < 5)
		printf("# entry %u: %s\n", id, text);
}

/* Violations; what else is counted in checked. */
__attribute__((unused)) static uint64_t
world_check(World *world, MgChecked *checked)
{
	int n = 0;
	MgComplaints complaints = {&n, world_hear};
	MgMemstoreCursor cursor = {&world->memstore, 0};

	mg_ctx_reset(&world->scratch);
	if (!mg_check(&world->scratch, &world->graph, mg_memstore_next, &cursor, &complaints, checked))
		checked->violations++;
	return checked->violations;
}

#endif
