#include "hnsw/builder.h"

#include "hnsw/items.h"
/* How much less than the first bytes of a value say its distance may be: one and a half deviations (connect.c). No recall is lost at 1.1. */
#define MARGIN 1.15f

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

	if (builder == NULL || !mg_pruner_init(cx, &builder->pruner, graph) || !mg_seen_init(cx, &builder->seen, 2048))
		return NULL;
	builder->build = build;
	builder->graph = graph;
	builder->ef = build->ef_construction;
	if (layout->coded && layout->shape.metric == MG_GRAPH_L2 && layout->padded >= 256)
	{
		builder->n_first = layout->padded / 3 / 64 * 64;
		builder->far = (float) layout->padded / (float) builder->n_first / MARGIN;
	}
	builder->near = mg_alloc_array(cx, builder->ef + 1, sizeof *builder->near);
	builder->nodes = mg_alloc_array(cx, block_slots(layout, 0), sizeof *builder->nodes);
	builder->taken = mg_alloc(cx, kept_size(layout, layout->value_size));
	builder->rotated = mg_alloc_array(cx, layout->coded ? layout->padded : 1, sizeof *builder->rotated);
	builder->select_distances = mg_alloc_array(cx, builder->ef, sizeof *builder->select_distances);
	if (builder->near == NULL || builder->nodes == NULL || builder->taken == NULL || builder->rotated == NULL ||
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
		memcpy(builder->taken, value->vector, value->size);
		return;
	}
	mg_rotate(builder->graph->rotation, value->vector, builder->rotated);
	scale = mg_bytes_encode(builder->rotated, layout->padded, (int8_t *) builder->taken + 8);
	square = scale * scale * mg_block_bytes(&builder->pruner.space, builder->taken, builder->taken, layout->padded);
	memcpy(builder->taken, &scale, sizeof scale);
	memcpy(builder->taken + 4, &square, sizeof square);
	memcpy(builder->taken + 8 + layout->padded, &value->fingerprint, sizeof value->fingerprint);
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

/* A node without links; 0 when the block is full. */
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
	memcpy(block_value(layout, node), builder->taken, builder->value_size);
	atomic_fetch_add(&build->n_nodes, 1);
	return id;
}

MgBuilt
mg_builder_add(MgBuilder *builder, const MgBuildValue *value, const void *item, uint64_t random)
{
	uint32_t node, slot;

	if ((node = find_equal(builder, value, &slot)) != 0)
		return join(builder, node, item);
	take_value(builder, value);
	node = add_node(builder, mg_level(builder->graph->layout, random), item);
	if (node == 0)
		return MG_BUILT_FULL;
	enter_table(builder, value, node);
	return MG_BUILT_NODE;
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
