/*
 * From the block to entries. First every entry gets its place, since a link
 * holds the id of its target; then ways are laid (reach.c), and
 * each is made whole and written.
 */
#include "hnsw/items.h"
#include "hnsw/reach.h"

#define POLL_EVERY 64 /* entries: some 0.5 ms */

typedef struct Emitter
{
	MgBuild *build;
	const MgGraph *graph;
	MgPruner pruner;
	float *centre, *neighbour; /* [padded] */
	uint8_t *value;			   /* own code */
	uint8_t *entry, *link;
} Emitter;

/* Calls each() for every node in the order in which they were added. Polls. */
static bool
walk(MgCtx *cx, Emitter *emitter, const MgPlacer *placer,
	 bool (*each)(MgCtx *cx, Emitter *emitter, const MgPlacer *placer, BuildNode *node))
{
	const MgBuild *build = emitter->build;
	const MgEntryLayout *layout = emitter->graph->layout;
	uint64_t n = 0;

	for (uint32_t id = mg_block_next(build, layout, 0); id != 0; id = mg_block_next(build, layout, id))
		if (!each(cx, emitter, placer, block_node(build, id)) || (++n % POLL_EVERY == 0 && !mg_poll(cx)))
			return false;
	return true;
}

static bool
place_node(MgCtx *cx, Emitter *emitter, const MgPlacer *placer, BuildNode *node)
{
	const MgEntryLayout *layout = emitter->graph->layout;

	for (int level = 0; level <= node->level; level++)
	{
		mg_pruner_cut(&emitter->pruner, emitter->build, node, level, mg_entry_slots(layout, level));
		if (!placer->place(placer->user, cx, level, &block_list(layout, node, level)->placed))
			return false;
	}
	for (uint32_t id = node->more; id != 0; id = block_chunk(emitter->build, id)->next)
		if (!placer->place(placer->user, cx, 0, &block_chunk(emitter->build, id)->placed))
			return false;
	return true;
}

static void
widen(Emitter *emitter, BuildNode *node, float *to)
{
	const uint8_t *value = block_value(emitter->graph->layout, node);
	float scale;

	memcpy(&scale, value, sizeof scale);
	emitter->graph->kernels->widen((const int8_t *) value + 8, scale, to, emitter->graph->layout->padded);
}

static void
add_links(Emitter *emitter, BuildNode *node, int level)
{
	const MgGraph *graph = emitter->graph;
	const BuildList *list = block_list(graph->layout, node, level);

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
add_items(Emitter *emitter, BuildNode *node)
{
	const MgEntryLayout *layout = emitter->graph->layout;

	for (uint32_t i = 0; i < node->n_items; i++)
		mg_entry_add_item(layout, emitter->entry, block_items(node) + i * layout->shape.item_size);
	if (node->more != 0)
		mg_entry_set_more(emitter->entry, block_chunk(emitter->build, node->more)->placed);
}

static bool
write_chunks(MgCtx *cx, Emitter *emitter, const MgPlacer *placer, BuildNode *node)
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
write_node(MgCtx *cx, Emitter *emitter, const MgPlacer *placer, BuildNode *node)
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
mg_build_emit(MgCtx *cx, MgBuild *build, const MgGraph *graph, const MgPlacer *placer, uint32_t *entry_point,
			  int *level)
{
	const MgEntryLayout *layout = graph->layout;
	Emitter emitter = {.build = build, .graph = graph};

	*entry_point = MG_NO_NODE;
	*level = build->entry_level;
	emitter.centre = mg_alloc_array(cx, layout->padded, sizeof(float));
	emitter.neighbour = mg_alloc_array(cx, layout->padded, sizeof(float));
	emitter.value = mg_alloc(cx, layout->value_size);
	emitter.entry = mg_alloc(cx, layout->entry_size[0]);
	emitter.link = mg_alloc(cx, layout->link_size);
	if (emitter.centre == NULL || emitter.neighbour == NULL || emitter.value == NULL || emitter.entry == NULL ||
		emitter.link == NULL || !mg_pruner_init(cx, &emitter.pruner, graph) ||
		!walk(cx, &emitter, placer, place_node) || !mg_build_reach(cx, build, graph) ||
		!walk(cx, &emitter, placer, write_node))
		return false;
	if (build->entry_point != 0)
		*entry_point = block_list(layout, block_node(build, build->entry_point), build->entry_level)->placed;
	return true;
}
