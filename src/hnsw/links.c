#include "hnsw/links.h"

#include <math.h>

#include "hnsw/select.h"

bool
mg_links_init(MgCtx *cx, MgLinks *links, const MgGraph *graph, const uint8_t *entry, uint32_t room, MgCounts *counts)
{
	const MgEntryLayout *layout = graph->layout;
	const uint8_t *value = mg_entry_value(entry);

	*links = (MgLinks){.cx = cx, .graph = graph, .entry = entry, .room = room, .counts = counts};
	links->items = mg_alloc_array(cx, room, sizeof *links->items);
	if (links->items == NULL)
		return false;
	if (!layout->coded)
	{
		links->centre = (MgQuery){.value = value, .value_size = mg_entry_value_size(entry)};
		links->scratch = mg_alloc(cx, layout->entry_size[0]);
		return links->scratch != NULL;
	}
	links->decoded = mg_alloc_array(cx, layout->padded, sizeof *links->decoded);
	if (links->decoded == NULL)
		return false;
	mg_code_decode(layout, value, links->decoded);
	memcpy(&links->own_square, value + 4, sizeof links->own_square);
	return mg_query_planes(cx, layout, links->decoded, &links->centre);
}

/* cos(pi x) for x in 0..1, good to 2e-4: sin(pi y) = y (pi - pi^3/6 y^2 + ...), the last term fitted. */
static float
cosine(float x)
{
	float y = 0.5f - x, square = y * y;

	return y * (3.14159f + square * (-5.16771f + square * (2.55006f - 0.5771f * square)));
}

static float
plain_distance(MgLinks *links, const void *value, uint32_t value_size)
{
	const MgStore *store = &links->graph->store;

	links->counts->distances++;
	return store->distance(store->user, links->centre.value, links->centre.value_size, value, value_size);
}

/* What a coded link says of its neighbour. */
static void
measure(MgLinks *links, MgLink *link)
{
	const MgEntryLayout *layout = links->graph->layout;
	const MgCodeKernels *kernels = links->graph->kernels;

	link->square = mg_code_link_square(layout, kernels, &links->centre, link->bytes);
	link->length = sqrtf(link->square);
	if (layout->shape.metric == MG_GRAPH_IP)
		link->along = mg_code_link_product(layout, kernels, &links->centre, link->bytes);
	link->distance = layout->shape.metric == MG_GRAPH_IP ? -(links->own_square + link->along) : link->square;
	if (!isfinite(link->distance))
		link->distance = INFINITY;
}

static bool
copy_value(MgLinks *links, MgLink *link, const void *value, uint32_t value_size)
{
	uint8_t *copy = mg_alloc(links->cx, value_size);

	if (copy == NULL)
		return false;
	memcpy(copy, value, value_size);
	link->value = copy;
	link->value_size = value_size;
	link->distance = plain_distance(links, value, value_size);
	return true;
}

bool
mg_links_add_slot(MgLinks *links, uint32_t slot, bool *alive)
{
	const MgGraph *graph = links->graph;
	MgLink link = {.slot = slot, .bytes = (uint8_t *) mg_entry_link(graph->layout, links->entry, slot)};

	link.id = mg_entry_u32(link.bytes);
	*alive = true;
	if (graph->layout->coded)
		measure(links, &link);
	else
	{
		links->counts->entries++;
		if (!graph->store.read(graph->store.user, links->cx, link.id, links->scratch, alive))
			return false;
		*alive = *alive && !mg_entry_deleted(links->scratch);
		if (*alive && !copy_value(links, &link, mg_entry_value(links->scratch), mg_entry_value_size(links->scratch)))
			return false;
	}
	if (*alive)
		links->items[links->n++] = link;
	return true;
}

bool
mg_links_add(MgLinks *links, uint32_t id, const void *value, uint32_t value_size)
{
	const MgEntryLayout *layout = links->graph->layout;
	MgLink link = {.id = id, .slot = MG_NO_SLOT};
	uint8_t *bytes = mg_alloc(links->cx, layout->link_size);

	if (bytes == NULL)
		return false;
	link.bytes = bytes;
	if (layout->coded)
	{
		mg_code_link(layout, links->graph->kernels, links->decoded, value, id, bytes);
		measure(links, &link);
	}
	else
	{
		memcpy(bytes, &id, sizeof id);
		if (!copy_value(links, &link, value, value_size))
			return false;
	}
	links->items[links->n++] = link;
	return true;
}

bool
mg_links_have(const MgLinks *links, uint32_t id)
{
	for (uint32_t i = 0; i < links->n; i++)
		if (links->items[i].id == id)
			return true;
	return false;
}

static float
between(void *user, uint32_t i, uint32_t j)
{
	MgLinks *links = user;
	const MgLink *a = &links->items[i], *b = &links->items[j];
	const MgGraph *graph = links->graph;
	uint32_t bits = graph->layout->shape.code_bits, different;
	float product;

	if (!graph->layout->coded)
	{
		links->counts->distances++;
		return graph->store.distance(graph->store.user, a->value, a->value_size, b->value, b->value_size);
	}
	different = graph->kernels->different(a->bytes + MG_LINK_HEADER, b->bytes + MG_LINK_HEADER, bits);
	product = a->length * b->length * cosine((float) different / (float) bits);
	if (graph->layout->shape.metric == MG_GRAPH_IP)
		return -(links->own_square + a->along + b->along + product);
	return a->square + b->square - 2 * product;
}

uint32_t
mg_links_select(MgLinks *links, uint32_t most, uint32_t *chosen)
{
	float distances[MG_SELECT_MOST];

	for (uint32_t i = 1; i < links->n; i++)
	{
		MgLink moved = links->items[i];
		uint32_t at = i;

		for (; at > 0 && links->items[at - 1].distance > moved.distance; at--)
			links->items[at] = links->items[at - 1];
		links->items[at] = moved;
	}
	for (uint32_t i = 0; i < links->n; i++)
		distances[i] = links->items[i].distance;
	return mg_select(distances, links->n, most, between, links, chosen);
}

/*
 * Whose place the offered link takes: of those that were not chosen, then of those chosen last. A way keeps its place, and
 * an offered link that is itself the least gets none, unless it is to be a way.
 */
static void
choose_loser(const MgLinks *links, const uint32_t *chosen, uint32_t n_chosen, bool way, MgEdge *edge, bool *wanted)
{
	uint32_t order[2 * MG_MAX_M + 1], n = 0, n_ways = mg_entry_n_ways(links->entry);
	bool kept[2 * MG_MAX_M + 1] = {false};

	for (uint32_t i = 0; i < n_chosen; i++)
		kept[chosen[i]] = true;
	for (uint32_t i = links->n; i-- > 0;)
		if (!kept[i])
			order[n++] = i;
	for (uint32_t i = n_chosen; i-- > 0;)
		order[n++] = chosen[i];
	*wanted = false;
	for (uint32_t i = 0; i < n && !*wanted; i++)
	{
		edge->slot = links->items[order[i]].slot;
		if (edge->slot == MG_NO_SLOT && !way)
			return;
		*wanted = edge->slot != MG_NO_SLOT && edge->slot >= n_ways;
	}
}

/* Of a full node, the link that gives way to the offered one. */
static bool
find_loser(MgLinks *links, const MgOffer *offer, MgEdge *edge, bool *wanted)
{
	uint32_t n = mg_entry_n_links(links->entry), chosen[2 * MG_MAX_M], n_chosen;
	bool alive;

	for (uint32_t slot = 0; slot < n; slot++)
	{
		if (!mg_links_add_slot(links, slot, &alive))
			return false;
		if (!alive && slot >= mg_entry_n_ways(links->entry))
		{
			/* It leads nowhere: there is no better one to lose. */
			edge->slot = slot;
			return mg_links_add(links, offer->source, offer->value, offer->value_size);
		}
	}
	if (!mg_links_add(links, offer->source, offer->value, offer->value_size))
		return false;
	n_chosen = mg_links_select(links, n, chosen);
	choose_loser(links, chosen, n_chosen, offer->most_ways > 0, edge, wanted);
	return true;
}

static uint8_t *
offered_bytes(const MgLinks *links)
{
	for (uint32_t i = 0; i < links->n; i++)
		if (links->items[i].slot == MG_NO_SLOT)
			return links->items[i].bytes;
	return NULL;
}

/* Whether an entry may have the link at all. */
static bool
may_have(const MgEntryLayout *layout, const uint8_t *entry, const MgOffer *offer)
{
	if (mg_entry_level(entry) != offer->level || (mg_entry_deleted(entry) && !offer->deleted_too) ||
		offer->target == offer->source)
		return false;
	if (offer->most_ways > 0)
		return mg_entry_n_ways(entry) < offer->most_ways;
	return mg_entry_find_link(layout, entry, offer->source) == MG_NO_NODE;
}

bool
mg_links_offer(MgCtx *cx, const MgGraph *graph, const MgOffer *offer, MgEdge *edge, bool *wanted, MgCounts *counts)
{
	const MgEntryLayout *layout = graph->layout;
	uint8_t *entry = mg_alloc(cx, layout->entry_size[0]);
	uint32_t n;
	MgLinks links;

	*wanted = false;
	counts->entries++;
	if (entry == NULL || !graph->store.read(graph->store.user, cx, offer->target, entry, wanted))
		return false;
	*wanted = *wanted && may_have(layout, entry, offer);
	if (!*wanted)
		return true;
	n = mg_entry_n_links(entry);
	*edge = (MgEdge){.target = offer->target, .slot = n, .expected = MG_NO_NODE};
	if (!mg_links_init(cx, &links, graph, entry, n + 1, counts))
		return false;
	if (n < mg_entry_slots(layout, offer->level))
	{
		if (!mg_links_add(&links, offer->source, offer->value, offer->value_size))
			return false;
	}
	else
	{
		if (!find_loser(&links, offer, edge, wanted))
			return false;
		if (*wanted)
			edge->expected = mg_entry_link_id(layout, entry, edge->slot);
	}
	edge->link = offered_bytes(&links);
	return true;
}
