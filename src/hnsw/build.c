#include "hnsw/block.h"

#include <math.h>

#include "hnsw/items.h"
#include "hnsw/seen.h"
#include "hnsw/select.h"

#define POLL_EVERY 512
#define PREFETCH_AHEAD 2	/* nodes: more fill the line buffers of a core, which are some dozen */
#define MOST_PREFETCHED 512 /* bytes of a node; the CPU sees the pattern by then */
#define BEFORE_VALUE 64		/* header and items of a node, about */

typedef struct Near
{
	float distance;
	uint32_t node;
	bool expanded;
} Near;

struct MgBuilder
{
	MgBuild *build;
	const MgGraph *graph;
	MgPruner pruner;
	MgSeen seen;
	Near *near; /* [ef], nearest first: the ef best that a search of a level has seen */
	uint32_t n_near, ef;
	uint32_t *nodes; /* [slots]: a copy of a list */
	uint8_t *value;	 /* of the node to insert */
	uint32_t value_size;
	float *rotated;
	float *select_distances;
	uint32_t *chosen[MG_MAX_LEVEL + 1]; /* [slots of a level]: the new node's links */
	uint32_t n_chosen[MG_MAX_LEVEL + 1];
	uint64_t since_poll;
};

/* What the block holds of a value. */
static uint32_t
kept_size(const MgEntryLayout *layout, uint32_t value_size)
{
	return layout->coded ? 16 + layout->padded : value_size;
}

int
mg_level(const MgEntryLayout *layout, uint64_t random)
{
	uint64_t ratio = mg_level_ratio(layout->shape.m);
	int level = 0;

	/* The fraction random / 2^64 below 1 / ratio, 1 / ratio^2 ... */
	for (uint64_t below = UINT64_MAX / ratio; level < MG_MAX_LEVEL && random < below; below /= ratio)
		level++;
	return level;
}

/* The mask of a table for n nodes, which may be less than four fifths full. */
static uint32_t
table_mask(uint64_t n)
{
	uint64_t slots = 64;

	while (slots < n + n / 3 && slots < MG_NO_NODE / 2)
		slots *= 2;
	return (uint32_t) (slots - 1);
}

/* Bytes of a node in the middle: those above level 0 are n / ratio + n / ratio^2 + ... */
static uint64_t
average_size(const MgEntryLayout *layout, uint32_t value_size)
{
	return mg_block_node_size(layout, kept_size(layout, value_size), 0) +
		block_list_size(layout, 1) / (mg_level_ratio(layout->shape.m) - 1) + 1;
}

size_t
mg_build_size(const MgEntryLayout *layout, uint64_t n, uint32_t value_size)
{
	uint64_t each = average_size(layout, value_size), size;

	/* One in a hundred for chance. */
	if (n >= MG_NO_NODE || __builtin_mul_overflow(n, each + each / 100, &size) ||
		__builtin_add_overflow(size, block_start(table_mask(n + n / 32)) + 4096, &size))
		return SIZE_MAX;
	return size;
}

bool
mg_build_init(MgCtx *cx, MgBuild *build, const MgEntryLayout *layout, const MgBuildOptions *options)
{
	uint64_t size = options->size < MG_BLOCK_LARGEST ? options->size : MG_BLOCK_LARGEST;
	/* As many nodes as fit beside the table. */
	uint32_t mask = table_mask(size / (average_size(layout, layout->value_size) + 8));

	if (size < block_start(mask))
		return mg_fail(cx, MG_TOO_LARGE, "memory to build a graph is too small (%zu of at least %zu bytes)",
					   options->size, (size_t) block_start(mask));
	memset(build, 0, block_start(mask));
	build->layout = *layout;
	build->ef_construction = options->ef_construction > 0 ? options->ef_construction : 1;
	build->size = size;
	build->table_mask = mask;
	atomic_store(&build->used, block_start(mask));
	return true;
}

MgBuilder *
mg_builder_attach(MgCtx *cx, MgBuild *build, const MgGraph *graph)
{
	const MgEntryLayout *layout = graph->layout;
	MgBuilder *builder = mg_alloc_zeroed(cx, 1, sizeof *builder);

	if (builder == NULL || !mg_pruner_init(cx, &builder->pruner, graph) || !mg_seen_init(cx, &builder->seen, 4096))
		return NULL;
	builder->build = build;
	builder->graph = graph;
	builder->ef = build->ef_construction;
	builder->near = mg_alloc_array(cx, builder->ef + 1, sizeof *builder->near);
	builder->nodes = mg_alloc_array(cx, block_slots(layout, 0), sizeof *builder->nodes);
	builder->value = mg_alloc(cx, kept_size(layout, layout->value_size));
	builder->rotated = mg_alloc_array(cx, layout->coded ? layout->padded : 1, sizeof *builder->rotated);
	builder->select_distances = mg_alloc_array(cx, builder->ef, sizeof *builder->select_distances);
	if (builder->near == NULL || builder->nodes == NULL || builder->value == NULL || builder->rotated == NULL ||
		builder->select_distances == NULL)
		return NULL;
	for (int level = 0; level <= MG_MAX_LEVEL; level++)
		if ((builder->chosen[level] = mg_alloc_array(cx, mg_entry_slots(layout, level), sizeof(uint32_t))) == NULL)
			return NULL;
	return builder;
}

static void
take_value(MgBuilder *builder, const MgBuildValue *value)
{
	const MgEntryLayout *layout = builder->graph->layout;
	float scale, square;

	builder->value_size = kept_size(layout, value->size);
	if (!layout->coded)
	{
		memcpy(builder->value, value->vector, value->size);
		return;
	}
	mg_rotate(builder->graph->rotation, value->vector, builder->rotated);
	scale = mg_bytes_encode(builder->rotated, layout->padded, (int8_t *) builder->value + 8);
	square = scale * scale * mg_block_bytes(&builder->pruner.space, builder->value, builder->value);
	memcpy(builder->value, &scale, sizeof scale);
	memcpy(builder->value + 4, &square, sizeof square);
	memcpy(builder->value + 8 + layout->padded, &value->fingerprint, sizeof value->fingerprint);
}

static float
distance_to(MgBuilder *builder, uint32_t id)
{
	BuildNode *node = block_node(builder->build, id);

	builder->since_poll++;
	return mg_block_distance(&builder->pruner.space, builder->value, builder->value_size,
							 block_value(builder->graph->layout, node), node->value_size);
}

/* Into near, if it is among the ef best. Its place there; n_near when it is not. */
static uint32_t
offer(MgBuilder *builder, uint32_t ef, float distance, uint32_t node)
{
	Near *near = builder->near;
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
	near[low] = (Near){distance, node, false};
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
prefetch_node(const MgBuilder *builder, uint32_t id)
{
	const uint8_t *at = (const uint8_t *) block_node(builder->build, id);
	uint32_t size = builder->value_size + BEFORE_VALUE;

	for (uint32_t i = 0; i < size && i < MOST_PREFETCHED; i += 64)
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
		uint32_t n, fresh = 0;

		if (builder->near[at].expanded)
		{
			at++;
			continue;
		}
		builder->near[at].expanded = true;
		n = copy_list(builder, builder->near[at].node, level);
		for (uint32_t i = 0; i < n; i++)
			if (!mg_seen_has(&builder->seen, builder->nodes[i]))
			{
				if (!mg_seen_add(cx, &builder->seen, builder->nodes[i]))
					return false;
				builder->nodes[fresh++] = builder->nodes[i];
			}
		for (uint32_t i = 0; i < fresh && i < PREFETCH_AHEAD; i++)
			prefetch_node(builder, builder->nodes[i]);
		for (uint32_t i = 0; i < fresh; i++)
		{
			uint32_t place;

			if (i + PREFETCH_AHEAD < fresh)
				prefetch_node(builder, builder->nodes[i + PREFETCH_AHEAD]);
			place = offer(builder, ef, distance_to(builder, builder->nodes[i]), builder->nodes[i]);
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

/* ---- equal vectors */

static bool
is_equal(const MgBuilder *builder, uint32_t id, const MgBuildValue *value)
{
	const MgEntryLayout *layout = builder->graph->layout;
	BuildNode *node = block_node(builder->build, id);
	const uint8_t *kept = block_value(layout, node);

	if (layout->coded)
		return memcmp(kept + 8 + layout->padded, &value->fingerprint, sizeof value->fingerprint) == 0;
	return node->value_size == value->size && memcmp(kept, value->vector, value->size) == 0;
}

/* The node of an equal value, 0 if none is in the table; *slot: where it would be. */
static uint32_t
find_equal(const MgBuilder *builder, const MgBuildValue *value, uint32_t *slot)
{
	MgBuild *build = builder->build;
	uint32_t node;

	*slot = (uint32_t) (value->fingerprint ^ value->fingerprint >> 32) & build->table_mask;
	while ((node = atomic_load(&build->table[*slot])) != 0 && !is_equal(builder, node, value))
		*slot = (*slot + 1) & build->table_mask;
	return node;
}

/* Lets a node be found. Two processes may have made nodes of equal values at once: then the first one is. */
static void
enter_table(const MgBuilder *builder, const MgBuildValue *value, uint32_t node)
{
	MgBuild *build = builder->build;
	uint32_t slot, none = 0;

	if (atomic_fetch_add(&build->n_in_table, 1) >= build->table_mask / 5 * 4)
		return;
	do
		none = 0;
	while (find_equal(builder, value, &slot) == 0 && !atomic_compare_exchange_weak(&build->table[slot], &none, node));
}

/* With the node's lock held. False: the block is full. */
static bool
add_to_chunk(MgBuild *build, const MgEntryLayout *layout, BuildNode *node, const void *item)
{
	uint32_t item_size = layout->shape.item_size;
	BuildChunk *chunk;

	if (node->more == 0 || block_chunk(build, node->more)->n_items == layout->chunk_items)
	{
		uint32_t newer = mg_block_take(build, mg_block_chunk_size(layout));

		if (newer == 0)
			return false;
		chunk = block_chunk(build, newer);
		chunk->level = BLOCK_CHUNK;
		chunk->next = node->more;
		node->more = newer;
	}
	chunk = block_chunk(build, node->more);
	memcpy(chunk->items + (size_t) chunk->n_items * item_size, item, item_size);
	chunk->n_items++;
	return true;
}

static MgBuilt
join(MgBuilder *builder, uint32_t id, const void *item)
{
	const MgEntryLayout *layout = builder->graph->layout;
	BuildNode *node = block_node(builder->build, id);
	bool joined = true;

	mg_spin_lock(&node->lock);
	if (node->n_items < layout->shape.max_items)
	{
		memcpy(block_items(node) + node->n_items * layout->shape.item_size, item, layout->shape.item_size);
		node->n_items++;
	}
	else
		joined = add_to_chunk(builder->build, layout, node, item);
	mg_spin_unlock(&node->lock);
	return joined ? MG_BUILT_JOINED : MG_BUILT_FULL;
}

/* ---- nodes */

/* 0 when the block is full. The node is complete, and nothing leads to it. */
static uint32_t
add_node(MgBuilder *builder, int level, const void *item)
{
	const MgEntryLayout *layout = builder->graph->layout;
	MgBuild *build = builder->build;
	uint32_t id = mg_block_take(build, mg_block_node_size(layout, builder->value_size, level));
	BuildNode *node = block_node(build, id);

	if (id == 0)
		return 0;
	node->level = (uint8_t) level;
	node->value_size = (uint16_t) builder->value_size;
	node->n_items = 1;
	memcpy(block_items(node), item, layout->shape.item_size);
	memcpy(block_value(layout, node), builder->value, builder->value_size);
	for (int l = 0; l <= level; l++)
	{
		BuildList *list = block_list(layout, node, l);

		list->n = (uint16_t) builder->n_chosen[l];
		memcpy(list->nodes, builder->chosen[l], list->n * sizeof *list->nodes);
	}
	atomic_fetch_add(&build->n_nodes, 1);
	return id;
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

/* The first node of the graph, unless another process was faster. */
static bool
add_first(MgBuilder *builder, int level, const void *item, MgBuilt *result)
{
	MgBuild *build = builder->build;
	bool added;

	mg_spin_lock(&build->lock);
	added = build->entry_point == 0;
	if (added)
	{
		build->entry_point = add_node(builder, level, item);
		build->entry_level = level;
		*result = build->entry_point == 0 ? MG_BUILT_FULL : MG_BUILT_NODE;
	}
	mg_spin_unlock(&build->lock);
	return added;
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

/* The links of a new node, on each of its levels that the graph has; near is then the neighbourhood on level 0. */
static bool
find_links(MgCtx *cx, MgBuilder *builder, int level)
{
	MgBuild *build = builder->build;
	uint32_t entry_point;
	int top;

	mg_spin_lock(&build->lock);
	entry_point = build->entry_point;
	top = build->entry_level;
	mg_spin_unlock(&build->lock);
	if (!descend(cx, builder, entry_point, top, level))
		return false;
	for (int l = level < top ? level : top; l >= 0; l--)
	{
		if (!search_level(cx, builder, l, builder->ef))
			return false;
		choose_links(builder, l);
	}
	return true;
}

bool
mg_builder_insert(MgCtx *cx, MgBuilder *builder, const MgBuildValue *value, const void *item, uint64_t random,
				  MgBuilt *result)
{
	int level = mg_level(builder->graph->layout, random);
	uint32_t node, slot;

	if ((node = find_equal(builder, value, &slot)) != 0)
	{
		*result = join(builder, node, item);
		return true;
	}
	take_value(builder, value);
	memset(builder->n_chosen, 0, sizeof builder->n_chosen);
	if (mg_build_nodes(builder->build) == 0 && add_first(builder, level, item, result))
	{
		if (*result == MG_BUILT_NODE)
			enter_table(builder, value, builder->build->entry_point);
		return true;
	}
	if (!find_links(cx, builder, level))
		return false;
	*result = MG_BUILT_FULL;
	if ((node = add_node(builder, level, item)) == 0)
		return true;
	*result = MG_BUILT_NODE;
	enter_table(builder, value, node);
	for (int l = level; l >= 0; l--)
		for (uint32_t i = 0; i < builder->n_chosen[l]; i++)
			link_back(builder, builder->chosen[l][i], l, node);
	raise_entry_point(builder->build, node, level);
	return true;
}

uint64_t
mg_build_nodes(const MgBuild *build)
{
	return atomic_load(&((MgBuild *) build)->n_nodes);
}

size_t
mg_build_used(const MgBuild *build)
{
	return atomic_load(&((MgBuild *) build)->used);
}
