/*
 * After a build: a way to each node.
 *
 * A new node is linked from its neighbours, until they find nearer ones: in a
 * graph of vectors without clusters some nodes of a hundred lose all links to
 * them that way, and no search would find them. So all that level 0 leads to
 * from the entry point is marked; a node u that is not gets a link from a
 * neighbour v that is. When v has no room, u takes the place of v's last
 * link w, and leads to w instead:
 *
 *   v -> w    becomes    v -> u -> w
 *
 * which loses no way to any node, for u's own links were part of none.
 */
#include "hnsw/reach.h"

#define POLL_EVERY 512

typedef struct Reach
{
	MgBuild *build;
	const MgEntryLayout *layout;
	uint8_t *marks;	 /* a bit for each unit of the block */
	uint32_t *queue; /* [nodes]: marked, in this order */
	uint32_t n, done; /* of the queue: all, and those whose links are marked, too */
} Reach;

static bool
is_marked(const Reach *reach, uint32_t id)
{
	return reach->marks[id / 8] >> id % 8 & 1;
}

static BuildList *
links_of(const Reach *reach, uint32_t id)
{
	return block_list(reach->layout, block_node(reach->build, id), 0);
}

static void
mark(Reach *reach, uint32_t id)
{
	reach->marks[id / 8] |= (uint8_t) (1 << id % 8);
	reach->queue[reach->n++] = id;
}

/* Marks all that marked nodes lead to. */
static bool
spread(MgCtx *cx, Reach *reach)
{
	for (; reach->done < reach->n; reach->done++)
	{
		const BuildList *list = links_of(reach, reach->queue[reach->done]);

		for (uint32_t i = 0; i < list->n; i++)
			if (!is_marked(reach, list->nodes[i]))
				mark(reach, list->nodes[i]);
		if (reach->done % POLL_EVERY == 0 && !mg_poll(cx))
			return false;
	}
	return true;
}

/* Adds a link, if there is room. */
static bool
append(const Reach *reach, BuildList *list, uint32_t to)
{
	if (list->n == mg_entry_slots(reach->layout, 0))
		return false;
	list->nodes[list->n++] = to;
	return true;
}

/* A marked neighbour, one with room if there is such; 0 when none is marked. */
static uint32_t
find_neighbour(const Reach *reach, uint32_t id)
{
	const BuildList *list = links_of(reach, id);
	uint32_t found = 0;

	for (uint32_t i = 0; i < list->n; i++)
	{
		if (!is_marked(reach, list->nodes[i]))
			continue;
		if (links_of(reach, list->nodes[i])->n < mg_entry_slots(reach->layout, 0))
			return list->nodes[i];
		found = found == 0 ? list->nodes[i] : found;
	}
	return found;
}

/* Makes an unmarked node, whose list leads to a marked one, lead to that node instead, unless it does or there is room. */
static void
lead_on(const Reach *reach, BuildList *list, uint32_t to)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < list->n; i++)
		if (list->nodes[i] == to)
			return;
	if (append(reach, list, to))
		return;
	for (uint32_t i = 0; i < list->n; i++)
		at = is_marked(reach, list->nodes[i]) ? i : at;
	list->nodes[at] = to;
}

static void
attach(Reach *reach, uint32_t id, uint32_t neighbour)
{
	BuildList *list = links_of(reach, neighbour);

	if (!append(reach, list, id))
	{
		uint32_t last = list->nodes[list->n - 1];

		list->nodes[list->n - 1] = id;
		lead_on(reach, links_of(reach, id), last);
	}
	mark(reach, id);
}

/* Attaches what has a marked neighbour, in the order of insertion; counts what is left. */
static bool
attach_all(MgCtx *cx, Reach *reach, uint64_t *n_left)
{
	uint64_t n = 0;

	*n_left = 0;
	for (uint32_t id = mg_block_next(reach->build, reach->layout, 0); id != 0;
		 id = mg_block_next(reach->build, reach->layout, id))
	{
		uint32_t neighbour;

		if (++n % POLL_EVERY == 0 && !mg_poll(cx))
			return false;
		if (is_marked(reach, id))
			continue;
		neighbour = find_neighbour(reach, id);
		*n_left += neighbour == 0;
		if (neighbour != 0)
			attach(reach, id, neighbour);
		if (!spread(cx, reach))
			return false;
	}
	return true;
}

bool
mg_build_reach(MgCtx *cx, MgBuild *build, const MgEntryLayout *layout)
{
	Reach reach = {.build = build, .layout = layout};
	uint64_t n_left = mg_build_nodes(build), before;

	if (build->entry_point == 0)
		return true;
	reach.marks = mg_alloc_zeroed(cx, mg_build_used(build) / MG_BLOCK_UNIT / 8 + 1, 1);
	reach.queue = mg_alloc_array(cx, n_left, sizeof *reach.queue);
	if (reach.marks == NULL || reach.queue == NULL)
		return false;
	mark(&reach, build->entry_point);
	if (!spread(cx, &reach))
		return false;
	/* A node whose neighbours come after it waits for another round. */
	do
	{
		before = n_left;
		if (!attach_all(cx, &reach, &n_left))
			return false;
	} while (n_left > 0 && n_left < before);
	return true;
}
