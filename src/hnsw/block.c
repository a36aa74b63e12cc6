#include "hnsw/block.h"

#include <sched.h>

#include "hnsw/select.h"

#define RANGE 8		   /* nodes */
#define WALK_POLL 4096 /* nodes that are only passed */
#define SPINS 200 /* then the holder was probably put aside */

size_t
mg_block_node_size(const MgEntryLayout *layout, uint32_t value_size, int level)
{
	size_t size = sizeof(BuildNode) + block_items_size(layout) + (value_size + 3u) / 4 * 4 +
		block_list_size(layout, 0) + (size_t) level * block_list_size(layout, 1);

	return (size + MG_BLOCK_UNIT - 1) / MG_BLOCK_UNIT * MG_BLOCK_UNIT;
}

size_t
mg_block_chunk_size(const MgEntryLayout *layout)
{
	size_t size = sizeof(BuildChunk) + (size_t) layout->chunk_items * layout->shape.item_size;

	return (size + MG_BLOCK_UNIT - 1) / MG_BLOCK_UNIT * MG_BLOCK_UNIT;
}

uint32_t
mg_block_take(MgBuild *build, uint64_t size)
{
	uint64_t at = atomic_load(&build->used);

	do
	{
		if (size > build->size - at)
			return 0;
	} while (!atomic_compare_exchange_weak(&build->used, &at, at + size));
	memset((uint8_t *) build + at, 0, size);
	return (uint32_t) (at / MG_BLOCK_UNIT);
}

/* What lies behind a node or a chunk, or comes first. */
static uint32_t
next_piece(const MgBuild *build, const MgEntryLayout *layout, uint32_t piece)
{
	uint64_t at = block_start(build->table_mask);

	if (piece != 0)
	{
		const BuildNode *last = block_node(build, piece);

		at = (uint64_t) piece * MG_BLOCK_UNIT +
			(last->level == BLOCK_CHUNK ? mg_block_chunk_size(layout)
										: mg_block_node_size(layout, last->value_size, last->level));
	}
	return at < mg_build_used(build) ? (uint32_t) (at / MG_BLOCK_UNIT) : 0;
}

uint32_t
mg_block_next(const MgBuild *build, const MgEntryLayout *layout, uint32_t node)
{
	do
		node = next_piece(build, layout, node);
	while (node != 0 && block_node(build, node)->level == BLOCK_CHUNK);
	return node;
}

/* As many as the table has room for, when values are far smaller than they may be. */
static uint64_t
range_length(const MgBuild *build)
{
	uint64_t least = build->ordered ? 1 : mg_build_nodes(build) / build->table_mask + 1;

	return least < RANGE ? RANGE : least;
}

bool
mg_block_split(MgCtx *cx, MgBuild *build, const MgEntryLayout *layout, uint32_t *n_ranges)
{
	uint64_t length = range_length(build), n = 0;

	*n_ranges = (uint32_t) ((mg_build_nodes(build) + length - 1) / length);
	if (build->ordered)
		return true;
	for (uint32_t id = mg_block_next(build, layout, 0); id != 0; id = mg_block_next(build, layout, id), n++)
	{
		if (n % length == 0)
			atomic_store_explicit(&build->table[n / length], id, memory_order_relaxed);
		if (n % WALK_POLL == 0 && !mg_poll(cx))
			return false;
	}
	return true;
}

MgBlockWalk
mg_block_walk(MgBuild *build, const MgEntryLayout *layout, uint32_t range)
{
	uint64_t length = range_length(build), first = range * length, n = mg_build_nodes(build);
	MgBlockWalk walk = {build, layout, first, n - first < length ? n - first : length, (uint32_t) first};

	if (!build->ordered)
		walk.at = atomic_load_explicit(&build->table[range], memory_order_relaxed);
	return walk;
}

uint32_t
mg_block_walk_next(MgBlockWalk *walk)
{
	uint32_t id = walk->at;

	if (walk->left == 0)
		return 0;
	walk->left--;
	if (walk->build->ordered)
		return atomic_load_explicit(&walk->build->table[walk->at++], memory_order_relaxed);
	walk->at = mg_block_next(walk->build, walk->layout, id);
	return id;
}

void
mg_spin_lock(MgSpinLock *lock)
{
	int spins = 0;

	while (atomic_exchange_explicit(lock, 1, memory_order_acquire) != 0)
		while (atomic_load_explicit(lock, memory_order_relaxed) != 0)
			if (++spins % SPINS == 0)
				sched_yield();
}

void
mg_spin_unlock(MgSpinLock *lock)
{
	atomic_store_explicit(lock, 0, memory_order_release);
}

MgBlockSpace
mg_block_space(const MgGraph *graph)
{
	MgDistance distance = {.pair = NULL};

	if (graph->layout->coded && graph->kernels->byte_sum == NULL)
		mg_distance_find(MG_ELEMENT_INT8, MG_METRIC_INNER_PRODUCT, graph->cpu, &distance);
	return (MgBlockSpace){graph, distance.pair, graph->layout->coded ? graph->layout->padded : 0,
						  graph->layout->shape.metric == MG_GRAPH_IP};
}

bool
mg_pruner_init(MgCtx *cx, MgPruner *pruner, const MgGraph *graph)
{
	uint32_t most = block_slots(graph->layout, 0) + 1;

	pruner->space = mg_block_space(graph);
	pruner->values = mg_alloc_array(cx, most, sizeof *pruner->values);
	pruner->sizes = mg_alloc_array(cx, most, sizeof *pruner->sizes);
	pruner->nodes = mg_alloc_array(cx, most, sizeof *pruner->nodes);
	pruner->chosen = mg_alloc_array(cx, most, sizeof *pruner->chosen);
	pruner->distances = mg_alloc_array(cx, most, sizeof *pruner->distances);
	return pruner->values != NULL && pruner->sizes != NULL && pruner->nodes != NULL && pruner->chosen != NULL &&
		pruner->distances != NULL;
}

static float
between(void *user, uint32_t i, uint32_t j)
{
	const MgPruner *pruner = user;

	return mg_block_distance(&pruner->space, pruner->values[i], pruner->sizes[i], pruner->values[j], pruner->sizes[j]);
}

/* By insertion: links come nearly in order. */
static void
insert_sorted(MgPruner *pruner, uint32_t n, const BuildNode *node, uint32_t id, const uint8_t *value, float distance)
{
	uint32_t at = n;

	for (; at > 0 && pruner->distances[at - 1] > distance; at--)
	{
		pruner->distances[at] = pruner->distances[at - 1];
		pruner->nodes[at] = pruner->nodes[at - 1];
		pruner->values[at] = pruner->values[at - 1];
		pruner->sizes[at] = pruner->sizes[at - 1];
	}
	pruner->distances[at] = distance;
	pruner->nodes[at] = id;
	pruner->values[at] = value;
	pruner->sizes[at] = node->value_size;
}

void
mg_pruner_cut(MgPruner *pruner, MgBuild *build, BuildNode *node, int level, uint32_t most)
{
	const MgEntryLayout *layout = pruner->space.graph->layout;
	BuildList *list = block_list(layout, node, level);
	const uint8_t *own = block_value(layout, node);

	if (list->n <= most)
		return;
	for (uint32_t i = 0; i < list->n; i++)
		__builtin_prefetch(block_value(layout, block_node(build, list->nodes[i])));
	for (uint32_t i = 0; i < list->n; i++)
	{
		BuildNode *other = block_node(build, list->nodes[i]);
		const uint8_t *value = block_value(layout, other);

		insert_sorted(pruner, i, other, list->nodes[i], value,
					  mg_block_distance(&pruner->space, own, node->value_size, value, other->value_size));
	}
	list->n = mg_select(pruner->distances, list->n, most, between, pruner, pruner->chosen);
	for (uint32_t i = 0; i < list->n; i++)
		list->nodes[i] = pruner->nodes[pruner->chosen[i]];
}
