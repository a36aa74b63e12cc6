/*
 * After a build: ways (ways.h), which join all nodes of a level to a tree.
 *
 *   1. breadth first from the entry point, over links that have one back: most nodes, and no list changes but in its order
 *   2. a node u that is not in the tree, but has a link to a v that is and has room for a way: v gets a link to u
 *   3. a node whose links lead to no such v, as in a cluster of near copies that has lost all links to the outside: a v is
 *      looked for by distance, from the entry point along links to the next nearer node of the tree, and then for room along ways
 *
 * Whatever joins the tree in 2 or 3 brings those with it that 1 finds from there. A link that has to make room is
 * the last one in the list that is no way.
 */
#include "hnsw/reach.h"

#include "hnsw/ways.h"

#define POLL_EVERY 512

typedef struct Reach
{
	MgBuild *build;
	const MgEntryLayout *layout;
	MgBlockSpace space;
	int level;
	uint8_t *marks;	 /* a bit for each unit of the block: in the tree */
	uint32_t *queue; /* [nodes]: marked, in this order */
	uint32_t n, done; /* of the queue: all, and those whose links were looked at */
} Reach;

static bool
is_marked(const Reach *reach, uint32_t id)
{
	return reach->marks[id / 8] >> id % 8 & 1;
}

static BuildList *
links_of(const Reach *reach, uint32_t id)
{
	return block_list(reach->layout, block_node(reach->build, id), reach->level);
}

static bool
has_room(const Reach *reach, uint32_t id)
{
	return links_of(reach, id)->n_ways < mg_ways_most(reach->layout, reach->level);
}

static void
mark(Reach *reach, uint32_t id)
{
	reach->marks[id / 8] |= (uint8_t) (1 << id % 8);
	reach->queue[reach->n++] = id;
}

/* The place of a link, n when there is none. */
static uint32_t
find(const BuildList *list, uint32_t id)
{
	uint32_t i = 0;

	while (i < list->n && list->nodes[i] != id)
		i++;
	return i;
}

/* Makes the link to an id a way. */
static void
add_way(const Reach *reach, uint32_t from, uint32_t to)
{
	BuildList *list = links_of(reach, from);
	uint32_t at = find(list, to), first = list->n_ways;

	if (at == list->n && list->n == mg_entry_slots(reach->layout, reach->level))
		at = list->n - 1u;
	else if (at == list->n)
		list->n++;
	list->nodes[at] = list->nodes[first];
	list->nodes[first] = to;
	list->n_ways++;
}

/* A node that is in no tree joins, by a way from one that is, and has room. */
static void
join(Reach *reach, uint32_t id, uint32_t to)
{
	add_way(reach, to, id);
	add_way(reach, id, to);
	mark(reach, id);
}

/* 1, from what has been marked since. */
static bool
spread(MgCtx *cx, Reach *reach)
{
	for (; reach->done < reach->n; reach->done++)
	{
		uint32_t id = reach->queue[reach->done];
		const BuildList *list = links_of(reach, id);

		/* Each way that is made comes to the front of the list, and what was there behind it: nothing is passed over. */
		for (uint32_t i = 0; i < list->n && has_room(reach, id); i++)
		{
			uint32_t other = list->nodes[i];
			const BuildList *others = links_of(reach, other);

			if (!is_marked(reach, other) && find(others, id) < others->n)
				join(reach, other, id);
		}
		if (reach->done % POLL_EVERY == 0 && !mg_poll(cx))
			return false;
	}
	return true;
}

/* 2: a neighbour in the tree that has room; 0 when there is none. */
static uint32_t
find_neighbour(const Reach *reach, uint32_t id)
{
	const BuildList *list = links_of(reach, id);

	for (uint32_t i = 0; i < list->n; i++)
		if (is_marked(reach, list->nodes[i]) && has_room(reach, list->nodes[i]))
			return list->nodes[i];
	return 0;
}

static float
distance(const Reach *reach, uint32_t a, uint32_t b)
{
	BuildNode *left = block_node(reach->build, a), *right = block_node(reach->build, b);

	return mg_block_distance(&reach->space, block_value(reach->layout, left), left->value_size,
							 block_value(reach->layout, right), right->value_size);
}

/* 3: the node of the tree that greedy steps from its root lead to, then along ways to one with room. */
static uint32_t
find_nearest(const Reach *reach, uint32_t id)
{
	uint32_t at = reach->queue[0], before = 0, next;
	float least = distance(reach, id, at);

	do
	{
		const BuildList *list = links_of(reach, at);

		next = 0;
		for (uint32_t i = 0; i < list->n; i++)
		{
			float apart = is_marked(reach, list->nodes[i]) ? distance(reach, id, list->nodes[i]) : least;

			if (apart < least)
			{
				least = apart;
				next = list->nodes[i];
			}
		}
		at = next != 0 ? next : at;
	} while (next != 0);
	/* Away from where it came from each step leads nearer to a leaf, which has room. */
	for (uint64_t random = id; !has_room(reach, at); at = next)
	{
		const BuildList *list = links_of(reach, at);
		uint32_t way;

		random = random * 6364136223846793005u + 1442695040888963407u;
		way = (uint32_t) (random >> 33) % list->n_ways;
		next = list->nodes[list->nodes[way] != before ? way : (way + 1) % list->n_ways];
		before = at;
	}
	return at;
}

/* The node after this one that has the level, in the order of insertion. */
static uint32_t
next_node(const Reach *reach, uint32_t id)
{
	do
		id = mg_block_next(reach->build, reach->layout, id);
	while (id != 0 && block_node(reach->build, id)->level < reach->level);
	return id;
}

/* Joins what has a neighbour in the tree; *first: a node that is left, or 0. */
static bool
join_neighbours(MgCtx *cx, Reach *reach, uint32_t *first)
{
	uint64_t n = 0;

	*first = 0;
	for (uint32_t id = next_node(reach, 0); id != 0; id = next_node(reach, id))
	{
		uint32_t neighbour = is_marked(reach, id) ? 0 : find_neighbour(reach, id);

		if (++n % POLL_EVERY == 0 && !mg_poll(cx))
			return false;
		if (neighbour != 0)
			join(reach, id, neighbour);
		else if (!is_marked(reach, id) && *first == 0)
			*first = id;
		if (!spread(cx, reach))
			return false;
	}
	return true;
}

/* Of what is left, each node by itself, with what its links then bring. */
static bool
join_others(MgCtx *cx, Reach *reach, uint32_t first)
{
	for (uint32_t id = first; id != 0; id = next_node(reach, id))
	{
		uint32_t neighbour;

		if (is_marked(reach, id))
			continue;
		neighbour = find_neighbour(reach, id);
		join(reach, id, neighbour != 0 ? neighbour : find_nearest(reach, id));
		if (!spread(cx, reach) || !mg_poll(cx))
			return false;
	}
	return true;
}

bool
mg_build_reach(MgCtx *cx, MgBuild *build, const MgGraph *graph)
{
	Reach reach = {.build = build, .layout = graph->layout, .space = mg_block_space(graph)};
	uint64_t n_units = mg_build_used(build) / MG_BLOCK_UNIT;

	if (build->entry_point == 0)
		return true;
	reach.marks = mg_alloc(cx, n_units / 8 + 1);
	reach.queue = mg_alloc_array(cx, mg_build_nodes(build), sizeof *reach.queue);
	if (reach.marks == NULL || reach.queue == NULL)
		return false;
	for (reach.level = build->entry_level; reach.level >= 0; reach.level--)
	{
		uint32_t first;

		memset(reach.marks, 0, n_units / 8 + 1);
		reach.n = reach.done = 0;
		mark(&reach, build->entry_point);
		if (!spread(cx, &reach) || !join_neighbours(cx, &reach, &first) || !join_others(cx, &reach, first))
			return false;
	}
	return true;
}
