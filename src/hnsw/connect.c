/*
 * Linking the nodes of the block, when all are in it.
 *
 * First the nodes that are above level 0, one in mg_level_ratio(m), in the order in which they came: a graph of a random sample. Then
 * each other node looks for the nearest one of level 1, in whose neighbourhood it is; and neighbourhood by neighbourhood, as tour.c
 * orders them, nodes are linked on level 0. So one after another looks at the same nodes, which are in the caches by then, and nobody
 * searches from the top twice. That in three rounds, of a sixteenth, three and twelve: what is linked first shall have links to all
 * neighbourhoods around it, not only to those that were complete by then.
 */
#include "hnsw/builder.h"

#include <math.h>

#include "hnsw/select.h"
#include "hnsw/tour.h"

#define POLL_EVERY 512
#define MOST_PREFETCHED 512 /* bytes of a node; the CPU sees the pattern by then */
#define BEFORE_VALUE 64		/* header and items of a node, about */

static float
distance_to(MgBuilder *builder, uint32_t id)
{
	BuildNode *node = block_node(builder->build, id);

	builder->since_poll++;
	return mg_block_distance(&builder->pruner.space, builder->value, builder->value_size,
							 block_value(builder->graph->layout, node), node->value_size);
}

/*
 * The same, or INFINITY if it is more than a bound as far as the first bytes tell. Rotated dimensions are exchangeable: the part of |q - x|^2 in n of N
 * has a relative deviation of sqrt(2 / n (1 - n / N)), 0.1 for 128 of 384.
 */
static float
distance_within(MgBuilder *builder, uint32_t id, float bound)
{
	const MgBlockSpace *space = &builder->pruner.space;
	const uint8_t *other = block_value(builder->graph->layout, block_node(builder->build, id));
	uint32_t n = builder->n_first;
	float right[2], product, squares, distance;

	if (n == 0 || bound == INFINITY)
		return distance_to(builder, id);
	builder->since_poll++;
	memcpy(right, other, sizeof right);
	product = mg_block_bytes(space, builder->value, other, n);
	squares = right[0] * right[0] * mg_block_bytes(space, other, other, n);
	if ((builder->first_square + squares - 2 * builder->scale * right[0] * product) * builder->far > bound)
		return INFINITY;
	product += mg_block_bytes(space, builder->value + n, other + n, space->n - n);
	distance = builder->square + right[1] - 2 * builder->scale * right[0] * product;
	return distance < 0 ? 0 : distance;
}

/* Into near, if it is among the ef best. Its place there; n_near when it is not. */
static uint32_t
offer(MgBuilder *builder, uint32_t ef, float distance, uint32_t node)
{
	MgNear *near = builder->near;
	uint32_t low = 0, high = builder->n_near;

	if (isnan(distance) || (builder->n_near == ef && !(distance < near[ef - 1].distance)))
		return builder->n_near;
	while (low < high)
	{
		uint32_t middle = (low + high) / 2;

		if (near[middle].distance <= distance)
			low = middle + 1;
		else
			high = middle;
	}
	if (builder->n_near < ef)
		builder->n_near++;
	memmove(near + low + 1, near + low, (builder->n_near - 1 - low) * sizeof *near);
	near[low] = (MgNear){distance, node, false};
	return low;
}

/* A copy of a list. */
static uint32_t
copy_list(MgBuilder *builder, uint32_t id, int level)
{
	BuildNode *node = block_node(builder->build, id);
	const BuildList *list;
	uint32_t n;

	mg_spin_lock(&node->lock);
	list = block_list(builder->graph->layout, node, level);
	n = list->n;
	memcpy(builder->nodes, list->nodes, n * sizeof *builder->nodes);
	mg_spin_unlock(&node->lock);
	return n;
}

static void
prefetch_list(const MgBuilder *builder, uint32_t id, int level)
{
	const MgEntryLayout *layout = builder->graph->layout;
	const uint8_t *at = (const uint8_t *) block_list(layout, block_node(builder->build, id), level);

	for (uint32_t i = 0; i < block_slots(layout, level) * sizeof(uint32_t); i += 64)
		__builtin_prefetch(at + i);
}

/* Those of a list that were not seen yet, to the front of nodes: of each the first line is on its way. */
static bool
keep_fresh(MgCtx *cx, MgBuilder *builder, uint32_t n, uint32_t *n_fresh)
{
	*n_fresh = 0;
	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t id = builder->nodes[i];

		if (mg_seen_has(&builder->seen, id))
			continue;
		if (!mg_seen_add(cx, &builder->seen, id))
			return false;
		__builtin_prefetch(block_node(builder->build, id));
		builder->nodes[(*n_fresh)++] = id;
	}
	return true;
}

/* The rest of what will be looked at: of one node ahead, for a core has some dozen line buffers. */
static void
prefetch_node(const MgBuilder *builder, uint32_t id)
{
	const uint8_t *at = (const uint8_t *) block_node(builder->build, id);
	uint32_t size = (builder->n_first > 0 ? builder->n_first : builder->value_size) + BEFORE_VALUE;

	for (uint32_t i = 64; i < size && i < MOST_PREFETCHED; i += 64)
		__builtin_prefetch(at + i);
}

/* Fills near with the ef best of a level, starting from what is in it. Polls. */
static bool
search_level(MgCtx *cx, MgBuilder *builder, int level, uint32_t ef)
{
	mg_seen_clear(&builder->seen);
	for (uint32_t i = 0; i < builder->n_near; i++)
	{
		builder->near[i].expanded = false;
		if (!mg_seen_add(cx, &builder->seen, builder->near[i].node))
			return false;
	}
	for (uint32_t at = 0; at < builder->n_near;)
	{
		uint32_t n, fresh;

		if (builder->near[at].expanded)
		{
			at++;
			continue;
		}
		builder->near[at].expanded = true;
		n = copy_list(builder, builder->near[at].node, level);
		if (!keep_fresh(cx, builder, n, &fresh))
			return false;
		for (uint32_t i = 0; i < fresh; i++)
		{
			float bound = builder->n_near == ef ? builder->near[ef - 1].distance : INFINITY;
			uint32_t id = builder->nodes[i], place;

			if (i + 1 < fresh)
				prefetch_node(builder, builder->nodes[i + 1]);
			place = offer(builder, ef, distance_within(builder, id, bound), id);
			/* Perhaps the next to be expanded. */
			if (place <= at + 1 && place < builder->n_near)
				prefetch_list(builder, id, level);
			/* Something nearer now stands before. */
			if (place < at)
				at = place;
		}
		if (builder->since_poll >= POLL_EVERY)
		{
			builder->since_poll = 0;
			if (!mg_poll(cx))
				return false;
		}
	}
	return true;
}

static float
between(void *user, uint32_t i, uint32_t j)
{
	MgBuilder *builder = user;
	BuildNode *a = block_node(builder->build, builder->near[i].node), *b = block_node(builder->build, builder->near[j].node);
	const MgEntryLayout *layout = builder->graph->layout;

	return mg_block_distance(&builder->pruner.space, block_value(layout, a), a->value_size, block_value(layout, b),
							 b->value_size);
}

static void
link_back(MgBuilder *builder, uint32_t to, int level, uint32_t node)
{
	BuildNode *other = block_node(builder->build, to);
	const MgEntryLayout *layout = builder->graph->layout;
	BuildList *list;

	mg_spin_lock(&other->lock);
	list = block_list(layout, other, level);
	if (list->n == block_slots(layout, level))
		mg_pruner_cut(&builder->pruner, builder->build, other, level, mg_entry_slots(layout, level));
	list->nodes[list->n++] = node;
	mg_spin_unlock(&other->lock);
}

/* The best of near will be the node's links of a level. */
static void
choose_links(MgBuilder *builder, int level)
{
	uint32_t n = builder->n_near < MG_SELECT_MOST ? builder->n_near : MG_SELECT_MOST;
	uint32_t *chosen = builder->chosen[level];

	for (uint32_t i = 0; i < n; i++)
		builder->select_distances[i] = builder->near[i].distance;
	builder->n_chosen[level] = mg_select(builder->select_distances, n, mg_entry_slots(builder->graph->layout, level),
										 between, builder, chosen);
	for (uint32_t i = 0; i < builder->n_chosen[level]; i++)
		chosen[i] = builder->near[chosen[i]].node;
}

/* Links of all levels at once: a node that is found on one of them has those of the others. */
static void
take_links(MgBuilder *builder, uint32_t id, int highest)
{
	const MgEntryLayout *layout = builder->graph->layout;
	BuildNode *node = block_node(builder->build, id);

	mg_spin_lock(&node->lock);
	for (int level = 0; level <= highest; level++)
	{
		BuildList *list = block_list(layout, node, level);

		list->n = (uint16_t) builder->n_chosen[level];
		memcpy(list->nodes, builder->chosen[level], list->n * sizeof *list->nodes);
	}
	mg_spin_unlock(&node->lock);
	for (int level = highest; level >= 0; level--)
		for (uint32_t i = 0; i < builder->n_chosen[level]; i++)
			link_back(builder, builder->chosen[level][i], level, id);
}

static void
raise_entry_point(MgBuild *build, uint32_t node, int level)
{
	mg_spin_lock(&build->lock);
	if (build->entry_point == 0 || level > build->entry_level)
	{
		build->entry_point = node;
		build->entry_level = level;
	}
	mg_spin_unlock(&build->lock);
}

/* near becomes the best node of `level`, from the entry point on. False: an error. */
static bool
descend(MgCtx *cx, MgBuilder *builder, uint32_t entry_point, int from, int level)
{
	builder->n_near = 0;
	offer(builder, 1, distance_to(builder, entry_point), entry_point);
	for (; from > level; from--)
		if (!search_level(cx, builder, from, 1))
			return false;
	return true;
}

/* The entry point now, and its level. */
static uint32_t
entry_point(MgBuild *build, int *level)
{
	uint32_t id;

	mg_spin_lock(&build->lock);
	id = build->entry_point;
	*level = build->entry_level;
	mg_spin_unlock(&build->lock);
	return id;
}

static void
turn_to(MgBuilder *builder, uint32_t id)
{
	BuildNode *node = block_node(builder->build, id);

	builder->value = block_value(builder->graph->layout, node);
	builder->value_size = node->value_size;
	if (builder->n_first > 0)
	{
		memcpy(&builder->scale, builder->value, sizeof builder->scale);
		memcpy(&builder->square, builder->value + 4, sizeof builder->square);
		builder->first_square = builder->scale * builder->scale *
			mg_block_bytes(&builder->pruner.space, builder->value, builder->value, builder->n_first);
	}
}

/* A node of the frame, on each of its levels. Nothing leads to it before; a level that the graph has not got yet begins with it. */
static bool
link_upper(MgCtx *cx, MgBuilder *builder, uint32_t id)
{
	int top, level = block_node(builder->build, id)->level;
	uint32_t from = entry_point(builder->build, &top);

	block_list(builder->graph->layout, block_node(builder->build, id), 0)->placed = id;
	if (level == 0 || id == from)
		return true;
	turn_to(builder, id);
	if (!descend(cx, builder, from, top, level))
		return false;
	for (int l = level < top ? level : top; l >= 0; l--)
	{
		if (!search_level(cx, builder, l, builder->ef))
			return false;
		choose_links(builder, l);
	}
	take_links(builder, id, level < top ? level : top);
	raise_entry_point(builder->build, id, level);
	return true;
}

/* Notes the node's neighbourhood: where its search of level 0 begins. */
static bool
assign(MgCtx *cx, MgBuilder *builder, uint32_t id)
{
	BuildNode *node = block_node(builder->build, id);
	int top;
	uint32_t from = entry_point(builder->build, &top);

	if (node->level > 0)
		return true;
	turn_to(builder, id);
	if (!descend(cx, builder, from, top, 0))
		return false;
	block_list(builder->graph->layout, node, 0)->placed = builder->n_near > 0 ? builder->near[0].node : from;
	return true;
}

static bool
link_lower(MgCtx *cx, MgBuilder *builder, uint32_t id)
{
	BuildNode *node = block_node(builder->build, id);
	uint32_t from = block_list(builder->graph->layout, node, 0)->placed;

	if (node->level > 0 || id == builder->build->entry_point)
		return true;
	turn_to(builder, id);
	builder->n_near = 0;
	offer(builder, builder->ef, distance_to(builder, from), from);
	if (!search_level(cx, builder, 0, builder->ef))
		return false;
	choose_links(builder, 0);
	take_links(builder, id, 0);
	return true;
}

bool
mg_connect_begin(MgCtx *cx, MgBuild *build, const MgGraph *graph, MgConnectStep step, uint32_t *n_ranges)
{
	if (step == MG_CONNECT_FEW && !mg_build_tour(cx, build, graph))
		return false;
	if (step == MG_CONNECT_UPPER)
	{
		/* The first of the highest level, so that no other raises it. */
		for (uint32_t id = mg_block_next(build, graph->layout, 0), n = 0; id != 0; id = mg_block_next(build, graph->layout, id), n++)
		{
			if (build->entry_point == 0 || block_node(build, id)->level > build->entry_level)
				raise_entry_point(build, id, block_node(build, id)->level);
			if (n % POLL_EVERY == 0 && !mg_poll(cx))
				return false;
		}
	}
	return mg_block_split(cx, build, graph->layout, n_ranges);
}

/* Whether the node that is n-th in the order is linked in this step. */
static bool
is_due(MgConnectStep step, uint64_t n)
{
	switch (step)
	{
		case MG_CONNECT_FEW:
			return n % 16 == 0;
		case MG_CONNECT_SOME:
			return n % 4 == 0 && n % 16 != 0;
		case MG_CONNECT_REST:
			return n % 4 != 0;
		default:
			return true;
	}
}

bool
mg_connect(MgCtx *cx, MgBuilder *builder, MgConnectStep step, uint32_t range)
{
	MgBlockWalk walk = mg_block_walk(builder->build, builder->graph->layout, range);
	bool (*each)(MgCtx * cx, MgBuilder * builder, uint32_t id) = step == MG_CONNECT_UPPER ? link_upper
		: step == MG_CONNECT_ASSIGN														  ? assign
																						  : link_lower;
	uint64_t n = walk.first;
	uint32_t id;

	for (; (id = mg_block_walk_next(&walk)) != 0; n++)
		if (is_due(step, n) && !each(cx, builder, id))
			return false;
	return mg_poll(cx);
}

bool
mg_build_connect(MgCtx *cx, MgBuilder *builder)
{
	for (MgConnectStep step = 0; step < MG_CONNECT_STEPS; step++)
	{
		uint32_t n_ranges;

		if (!mg_connect_begin(cx, builder->build, builder->graph, step, &n_ranges))
			return false;
		for (uint32_t range = 0; range < n_ranges; range++)
			if (!mg_connect(cx, builder, step, range))
				return false;
	}
	return true;
}
