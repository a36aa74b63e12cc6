/*
 * Neighbourhoods are those of the nodes of level 1, one after another in a walk along the links of that level, to the nearest
 * that was not met yet, and back where there is none. A node comes with its neighbourhood.
 *
 * The lists of level 1 have in `placed`: during the walk whether the node was met, then how many nodes there are in its
 * neighbourhood, and at last where in the table the next of them goes.
 */
#include "hnsw/tour.h"

#define POLL_EVERY 4096

typedef struct Tour
{
	MgBuild *build;
	const MgEntryLayout *layout;
	uint32_t *order, *path; /* [nodes of level 1]; when pages are packed, [nodes] */
	uint32_t n, n_upper;
} Tour;

static BuildList *
list_of(const Tour *tour, uint32_t id, int level)
{
	return block_list(tour->layout, block_node(tour->build, id), level);
}

/* Calls each() for all nodes, in the order of insertion. Polls. */
static bool
walk_all(MgCtx *cx, Tour *tour, void (*each)(Tour *tour, uint32_t id))
{
	uint32_t n = 0;

	for (uint32_t id = mg_block_next(tour->build, tour->layout, 0); id != 0; id = mg_block_next(tour->build, tour->layout, id))
	{
		each(tour, id);
		if (++n % POLL_EVERY == 0 && !mg_poll(cx))
			return false;
	}
	return true;
}

static void
count_upper(Tour *tour, uint32_t id)
{
	if (block_node(tour->build, id)->level == 0)
		return;
	tour->n_upper++;
	list_of(tour, id, 1)->placed = 0;
}

static void
meet(Tour *tour, uint32_t id)
{
	list_of(tour, id, 1)->placed = 1;
	tour->order[tour->n++] = id;
}

/* From a node of level 1 to all that its links lead to. */
static void
walk_from(Tour *tour, uint32_t id)
{
	uint32_t depth = 0;

	if (block_node(tour->build, id)->level == 0 || list_of(tour, id, 1)->placed != 0)
		return;
	meet(tour, id);
	tour->path[depth++] = id;
	while (depth > 0)
	{
		const BuildList *list = list_of(tour, tour->path[depth - 1], 1);
		uint32_t i = 0;

		while (i < list->n && list_of(tour, list->nodes[i], 1)->placed != 0)
			i++;
		if (i == list->n)
			depth--;
		else
		{
			meet(tour, list->nodes[i]);
			tour->path[depth++] = list->nodes[i];
		}
	}
}

static void
count(Tour *tour, uint32_t id)
{
	list_of(tour, list_of(tour, id, 0)->placed, 1)->placed++;
}

static void
enter(Tour *tour, uint32_t id)
{
	uint32_t *next = &list_of(tour, list_of(tour, id, 0)->placed, 1)->placed;

	atomic_store_explicit(&tour->build->table[(*next)++], id, memory_order_relaxed);
}

bool
mg_build_tour(MgCtx *cx, MgBuild *build, const MgGraph *graph)
{
	Tour tour = {.build = build, .layout = graph->layout};
	uint32_t at = 0;

	build->ordered = build->entry_point != 0 && build->entry_level > 0 && mg_build_nodes(build) <= build->table_mask;
	if (!build->ordered)
		return true;
	if (!walk_all(cx, &tour, count_upper))
		return false;
	tour.order = mg_alloc_array(cx, tour.n_upper, sizeof *tour.order);
	tour.path = mg_alloc_array(cx, tour.n_upper, sizeof *tour.path);
	if (tour.order == NULL || tour.path == NULL)
		return false;
	walk_from(&tour, build->entry_point);
	if (!walk_all(cx, &tour, walk_from))
		return false;
	for (uint32_t i = 0; i < tour.n; i++)
		list_of(&tour, tour.order[i], 1)->placed = 0;
	if (!walk_all(cx, &tour, count))
		return false;
	for (uint32_t i = 0; i < tour.n; i++)
	{
		uint32_t n = list_of(&tour, tour.order[i], 1)->placed;

		list_of(&tour, tour.order[i], 1)->placed = at;
		at += n;
	}
	return walk_all(cx, &tour, enter);
}

/* ---- pages */

static void
take(Tour *tour, uint32_t id)
{
	list_of(tour, id, 0)->placed = 1;
	tour->order[tour->n++] = id;
}

/* The first of a node's links that was not taken yet: links come nearest first. 0: none. */
static uint32_t
find_free(const Tour *tour, uint32_t id)
{
	const BuildList *list = list_of(tour, id, 0);

	for (uint32_t i = 0; i < list->n; i++)
		if (list_of(tour, list->nodes[i], 0)->placed == 0)
			return list->nodes[i];
	return 0;
}

/* A node and its nearest, or what is nearest to the one taken last. */
static void
take_page(Tour *tour, uint32_t id, uint32_t together)
{
	take(tour, id);
	for (uint32_t n = 1, next; n < together; n++)
	{
		if ((next = find_free(tour, id)) == 0 && (next = find_free(tour, tour->order[tour->n - 1])) == 0)
			return;
		take(tour, next);
	}
}

bool
mg_build_pack(MgCtx *cx, MgBuild *build, const MgGraph *graph, uint32_t together)
{
	Tour tour = {.build = build, .layout = graph->layout};
	uint64_t n = mg_build_nodes(build);

	if (!build->ordered || together < 2)
		return true;
	tour.order = mg_alloc_array(cx, n, sizeof *tour.order);
	if (tour.order == NULL)
		return false;
	for (uint64_t i = 0; i < n; i++)
	{
		list_of(&tour, atomic_load_explicit(&build->table[i], memory_order_relaxed), 0)->placed = 0;
		if (i % POLL_EVERY == 0 && !mg_poll(cx))
			return false;
	}
	for (uint64_t i = 0; i < n; i++)
	{
		uint32_t id = atomic_load_explicit(&build->table[i], memory_order_relaxed);

		if (list_of(&tour, id, 0)->placed == 0)
			take_page(&tour, id, together);
		if (i % POLL_EVERY == 0 && !mg_poll(cx))
			return false;
	}
	for (uint64_t i = 0; i < n; i++)
		atomic_store_explicit(&build->table[i], tour.order[i], memory_order_relaxed);
	return true;
}
