/*
 * From the block to entries. First all lists are cut to what an entry holds, in ranges of nodes. Then every entry gets its place,
 * since a link holds the id of its target, and ways are laid (reach.c). At last each is made
 * whole and written, in ranges again.
 */
#include "hnsw/builder.h"
#include "hnsw/items.h"
#include "hnsw/reach.h"
#include "hnsw/tour.h"

#define POLL_EVERY 16 /* nodes that are cut or written: some 0.2 ms */

struct MgEmitter
{
	MgBuild *build;
	const MgGraph *graph;
	MgPruner pruner;
	float *centre, *neighbour; /* [padded] */
	uint8_t *value;			   /* own code */
	uint8_t *entry, *link;
};

/* Calls each() for every node of a range. Polls. */
static bool
walk(MgCtx *cx, MgEmitter *emitter, uint32_t range, const MgPlacer *placer,
	 bool (*each)(MgCtx *cx, MgEmitter *emitter, const MgPlacer *placer, BuildNode *node))
{
	MgBlockWalk nodes = mg_block_walk(emitter->build, emitter->graph->layout, range);
	uint32_t id, n = 0;

	while ((id = mg_block_walk_next(&nodes)) != 0)
		if (!each(cx, emitter, placer, block_node(emitter->build, id)) || (n++ % POLL_EVERY == 0 && !mg_poll(cx)))
			return false;
	return true;
}

bool
mg_emit_begin(MgCtx *cx, MgBuild *build, const MgGraph *graph, uint32_t *n_ranges)
{
	return mg_block_split(cx, build, graph->layout, n_ranges);
}

static bool
cut_node(MgCtx *cx, MgEmitter *emitter, const MgPlacer *placer, BuildNode *node)
{
	(void) cx;
	(void) placer;
	for (int level = 0; level <= node->level; level++)
		mg_pruner_cut(&emitter->pruner, emitter->build, node, level, mg_entry_slots(emitter->graph->layout, level));
	return true;
}

bool
mg_emit_cut(MgCtx *cx, MgEmitter *emitter, uint32_t range)
{
	return walk(cx, emitter, range, NULL, cut_node);
}

static bool
place_node(MgCtx *cx, const MgBuild *build, const MgEntryLayout *layout, const MgPlacer *placer, BuildNode *node)
{
	for (int level = 0; level <= node->level; level++)
		if (!placer->place(placer->user, cx, level, &block_list(layout, node, level)->placed))
			return false;
	for (uint32_t id = node->more; id != 0; id = block_chunk(build, id)->next)
		if (!placer->place(placer->user, cx, 0, &block_chunk(build, id)->placed) || !mg_poll(cx))
			return false;
	return true;
}

bool
mg_emit_place(MgCtx *cx, MgBuild *build, const MgGraph *graph, const MgPlacer *placer, uint32_t *entry_point, int *level)
{
	const MgEntryLayout *layout = graph->layout;
	uint32_t n_ranges, id;

	*entry_point = MG_NO_NODE;
	*level = build->entry_level;
	if (!mg_build_pack(cx, build, graph, placer->together) || !mg_emit_begin(cx, build, graph, &n_ranges))
		return false;
	for (uint32_t range = 0; range < n_ranges; range++)
	{
		MgBlockWalk nodes = mg_block_walk(build, layout, range);

		while ((id = mg_block_walk_next(&nodes)) != 0)
			if (!place_node(cx, build, layout, placer, block_node(build, id)))
				return false;
		if (!mg_poll(cx))
			return false;
	}
	if (build->entry_point != 0)
		*entry_point = block_list(layout, block_node(build, build->entry_point), build->entry_level)->placed;
	return mg_build_reach(cx, build, graph);
}

static void
widen(MgEmitter *emitter, BuildNode *node, float *to)
{
	const uint8_t *value = block_value(emitter->graph->layout, node);
	float scale;

	memcpy(&scale, value, sizeof scale);
	emitter->graph->kernels->widen((const int8_t *) value + 8, scale, to, emitter->graph->layout->padded);
}

static void
add_links(MgEmitter *emitter, BuildNode *node, int level)
{
	const MgGraph *graph = emitter->graph;
	const BuildList *list = block_list(graph->layout, node, level);

	for (uint32_t i = 0; i < list->n; i++)
		__builtin_prefetch(block_value(graph->layout, block_node(emitter->build, list->nodes[i])));
	for (uint32_t i = 0; i < list->n; i++)
	{
		BuildNode *other = block_node(emitter->build, list->nodes[i]);
		uint32_t id = block_list(graph->layout, other, level)->placed;

		if (graph->layout->coded)
		{
			widen(emitter, other, emitter->neighbour);
			mg_code_link(graph->layout, graph->kernels, emitter->centre, emitter->neighbour, id, emitter->link);
		}
		else
			memcpy(emitter->link, &id, sizeof id);
		mg_entry_append_link(graph->layout, emitter->entry, emitter->link);
	}
	mg_entry_set_n_ways(emitter->entry, list->n_ways);
}

static void
add_items(MgEmitter *emitter, BuildNode *node)
{
	const MgEntryLayout *layout = emitter->graph->layout;

	for (uint32_t i = 0; i < node->n_items; i++)
		mg_entry_add_item(layout, emitter->entry, block_items(node) + i * layout->shape.item_size);
	if (node->more != 0)
		mg_entry_set_more(emitter->entry, block_chunk(emitter->build, node->more)->placed);
}

static bool
write_chunks(MgCtx *cx, MgEmitter *emitter, const MgPlacer *placer, BuildNode *node)
{
	const MgEntryLayout *layout = emitter->graph->layout;
	uint32_t n = 0, owner = block_list(layout, node, 0)->placed;

	for (uint32_t id = node->more; id != 0; id = block_chunk(emitter->build, id)->next)
		n++;
	for (uint32_t id = node->more; id != 0; id = block_chunk(emitter->build, id)->next)
	{
		BuildChunk *chunk = block_chunk(emitter->build, id);
		uint32_t next = chunk->next == 0 ? MG_NO_NODE : block_chunk(emitter->build, chunk->next)->placed;

		mg_chunk_start(layout, emitter->entry);
		mg_chunk_link(emitter->entry, owner, next, --n);
		for (uint32_t i = 0; i < chunk->n_items; i++)
			mg_chunk_add(layout, emitter->entry, chunk->items + (size_t) i * layout->shape.item_size);
		if (!placer->write(placer->user, cx, chunk->placed, 0, emitter->entry) || !mg_poll(cx))
			return false;
	}
	return true;
}

static bool
write_node(MgCtx *cx, MgEmitter *emitter, const MgPlacer *placer, BuildNode *node)
{
	const MgEntryLayout *layout = emitter->graph->layout;
	const uint8_t *value = block_value(layout, node);
	uint32_t value_size = node->value_size, below = MG_NO_NODE;

	if (layout->coded)
	{
		widen(emitter, node, emitter->neighbour);
		mg_code_encode(layout, emitter->neighbour, emitter->value);
		memcpy(emitter->value + layout->value_size - 8, value + 8 + layout->padded, 8); /* the fingerprint */
		mg_code_decode(layout, emitter->value, emitter->centre);
		value = emitter->value;
		value_size = layout->value_size;
	}
	for (int level = 0; level <= node->level; level++)
	{
		uint32_t id = block_list(layout, node, level)->placed;

		mg_entry_start(layout, emitter->entry, level, value, value_size);
		mg_entry_set_below(emitter->entry, below);
		if (level == 0)
			add_items(emitter, node);
		add_links(emitter, node, level);
		if (!placer->write(placer->user, cx, id, level, emitter->entry))
			return false;
		below = id;
	}
	return write_chunks(cx, emitter, placer, node);
}

bool
mg_emit_write(MgCtx *cx, MgEmitter *emitter, uint32_t range, const MgPlacer *placer)
{
	return walk(cx, emitter, range, placer, write_node);
}

MgEmitter *
mg_emitter_attach(MgCtx *cx, MgBuild *build, const MgGraph *graph)
{
	const MgEntryLayout *layout = graph->layout;
	MgEmitter *emitter = mg_alloc_zeroed(cx, 1, sizeof *emitter);

	if (emitter == NULL || !mg_pruner_init(cx, &emitter->pruner, graph))
		return NULL;
	emitter->build = build;
	emitter->graph = graph;
	emitter->centre = mg_alloc_array(cx, layout->padded, sizeof(float));
	emitter->neighbour = mg_alloc_array(cx, layout->padded, sizeof(float));
	emitter->value = mg_alloc(cx, layout->value_size);
	emitter->entry = mg_alloc(cx, layout->entry_size[0]);
	emitter->link = mg_alloc(cx, layout->link_size);
	if (emitter->centre == NULL || emitter->neighbour == NULL || emitter->value == NULL || emitter->entry == NULL ||
		emitter->link == NULL)
		return NULL;
	return emitter;
}

bool
mg_build_emit(MgCtx *cx, MgBuilder *builder, const MgPlacer *placer, uint32_t *entry_point, int *level)
{
	MgBuild *build = builder->build;
	MgEmitter *emitter = mg_emitter_attach(cx, build, builder->graph);
	uint32_t n_ranges;

	if (emitter == NULL || !mg_emit_begin(cx, build, builder->graph, &n_ranges))
		return false;
	for (uint32_t range = 0; range < n_ranges; range++)
		if (!mg_emit_cut(cx, emitter, range))
			return false;
	if (!mg_emit_place(cx, build, builder->graph, placer, entry_point, level))
		return false;
	for (uint32_t range = 0; range < n_ranges; range++)
		if (!mg_emit_write(cx, emitter, range, placer))
			return false;
	return true;
}
