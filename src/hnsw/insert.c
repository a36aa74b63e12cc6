#include "hnsw/insert.h"

#include "hnsw/beam.h"
#include "hnsw/select.h"
#include "hnsw/links.h"
#include "hnsw/ways.h"
#include "vector/distance.h"

#define LEAST_OFFERS 8 /* links back that a new node asks for, if it has so many neighbours, however small m is */

typedef struct Planner
{
	const MgGraph *graph;
	MgBeam beam;
	MgPairDistance pair;  /* coded: of decoded values */
	const uint8_t *value; /* of the new entries */
	uint32_t value_size;
	float *centre;		  /* coded: the new node's decoded own code */
	float *decoded;		  /* coded: [n, padded], of the beam's results */
} Planner;

static bool
planner_init(MgCtx *cx, Planner *planner, const MgGraph *graph, const MgQuery *query, uint32_t ef)
{
	const MgEntryLayout *layout = graph->layout;
	MgDistance distance;
	uint8_t *value;

	*planner = (Planner){.graph = graph, .value = query->value, .value_size = query->value_size};
	if (!mg_beam_init(cx, &planner->beam, graph, query, ef < MG_SELECT_MOST ? ef : MG_SELECT_MOST))
		return false;
	if (!layout->coded)
		return true;
	mg_distance_find(MG_ELEMENT_F32, layout->shape.metric == MG_GRAPH_IP ? MG_METRIC_INNER_PRODUCT : MG_METRIC_L2,
					 graph->cpu, &distance);
	planner->pair = distance.pair;
	value = mg_alloc(cx, layout->value_size);
	planner->centre = mg_alloc_array(cx, layout->padded, sizeof *planner->centre);
	planner->decoded = mg_alloc_array(cx, (size_t) planner->beam.ef * layout->padded, sizeof *planner->decoded);
	if (value == NULL || planner->centre == NULL || planner->decoded == NULL)
		return false;
	mg_code_encode(layout, query->rotated, value);
	mg_entry_set_fingerprint(layout, value, query->fingerprint);
	mg_code_decode(layout, value, planner->centre);
	planner->value = value;
	planner->value_size = layout->value_size;
	return true;
}

static float
between(void *user, uint32_t i, uint32_t j)
{
	Planner *planner = user;
	const MgEntryLayout *layout = planner->graph->layout;
	const MgStore *store = &planner->graph->store;
	const uint8_t *a, *b;

	planner->beam.counts.distances++;
	if (layout->coded)
		return (float) planner->pair(planner->decoded + (size_t) i * layout->padded,
									 planner->decoded + (size_t) j * layout->padded, layout->padded);
	a = mg_beam_record(&planner->beam, &planner->beam.top.items[i]);
	b = mg_beam_record(&planner->beam, &planner->beam.top.items[j]);
	return store->distance(store->user, mg_entry_value(a), mg_entry_value_size(a), mg_entry_value(b),
						   mg_entry_value_size(b));
}

/* Links of a new entry to the best of what a run found. */
static bool
choose_links(MgCtx *cx, Planner *planner, int level, uint8_t *entry)
{
	const MgEntryLayout *layout = planner->graph->layout;
	const MgKnowns *top = &planner->beam.top;
	uint32_t chosen[2 * MG_MAX_M], n = (uint32_t) top->n, n_chosen;
	float distances[MG_SELECT_MOST];
	uint8_t *link = mg_alloc(cx, layout->link_size);

	if (link == NULL)
		return false;
	for (uint32_t i = 0; i < n; i++)
	{
		distances[i] = top->items[i].distance;
		if (layout->coded)
			mg_code_decode(layout, mg_entry_value(mg_beam_record(&planner->beam, &top->items[i])),
						   planner->decoded + (size_t) i * layout->padded);
	}
	n_chosen = mg_select(distances, n, mg_entry_slots(layout, level), between, planner, chosen);
	for (uint32_t i = 0; i < n_chosen; i++)
	{
		uint32_t id = top->items[chosen[i]].id;

		if (layout->coded)
			mg_code_link(layout, planner->graph->kernels, planner->centre,
						 planner->decoded + (size_t) chosen[i] * layout->padded, id, link);
		else
			memcpy(link, &id, sizeof id);
		mg_entry_append_link(layout, entry, link);
	}
	return true;
}

/* Among those found, one of the same value. Near copies may seem to be nearer, so all are looked at. */
static uint32_t
find_equal(const Planner *planner)
{
	const MgEntryLayout *layout = planner->graph->layout;
	const MgKnowns *top = &planner->beam.top;

	for (size_t i = 0; i < top->n; i++)
	{
		const uint8_t *record = mg_beam_record(&planner->beam, &top->items[i]);
		bool equal = layout->coded
			? mg_entry_fingerprint(layout, record) == planner->beam.query->fingerprint
			: mg_entry_value_size(record) == planner->value_size &&
				memcmp(mg_entry_value(record), planner->value, planner->value_size) == 0;

		if (equal)
			return top->items[i].id;
	}
	return MG_NO_NODE;
}

/* Runs on a level where the beam is ready, and makes the next lower level ready. */
static bool
plan_level(MgCtx *cx, Planner *planner, int level, uint8_t *entry, uint32_t *equal)
{
	MgBeam *beam = &planner->beam;
	int reached;

	/* The entry point may have been replaced by a lower one while this plan was made. */
	if (beam->level != level)
		return true;
	if (!mg_beam_run(beam))
		return false;
	mg_beam_sort(beam);
	if (level == 0)
		*equal = find_equal(planner);
	if (*equal == MG_NO_NODE && !choose_links(cx, planner, level, entry))
		return false;
	if (level == 0)
		return true;
	if (beam->nearest_id != MG_NO_NODE && beam->nearest_below != MG_NO_NODE)
		return mg_beam_start(beam, level - 1, beam->nearest_below);
	/* Somebody freed what was on the way: from the top again. */
	return mg_beam_descend(beam, level - 1, &reached);
}

bool
mg_insert_plan(MgCtx *cx, const MgGraph *graph, const MgQuery *query, const void *item, int level,
			   uint32_t ef_construction, MgInsert *plan)
{
	const MgEntryLayout *layout = graph->layout;
	Planner planner;
	int reached;

	*plan = (MgInsert){.equal = MG_NO_NODE, .level = level, .rotated = query->rotated, .value = query->value,
					   .value_size = query->value_size, .random = query->fingerprint};
	if (level < 0 || level > MG_MAX_LEVEL)
		return mg_fail(cx, MG_BAD_ARGUMENT, "a node of a graph cannot have level %d", level);
	if (!planner_init(cx, &planner, graph, query, ef_construction > 0 ? ef_construction : 1))
		return false;
	for (int l = 0; l <= level; l++)
	{
		plan->ids[l] = MG_NO_NODE;
		plan->entries[l] = mg_alloc(cx, mg_entry_size(layout, l));
		if (plan->entries[l] == NULL)
			return false;
		mg_entry_start(layout, plan->entries[l], l, planner.value, planner.value_size);
	}
	mg_entry_add_item(layout, plan->entries[0], item);
	if (!mg_beam_descend(&planner.beam, level, &reached))
		return false;
	for (int l = reached; l >= 0; l--)
		if (!plan_level(cx, &planner, l, plan->entries[l], &plan->equal))
			return false;
	/* A level that exists, and on which nothing was found because somebody freed what was on the way. */
	for (int l = 1; l <= plan->level && l <= reached; l++)
		if (mg_entry_n_links(plan->entries[l]) == 0)
			plan->level = l - 1;
	plan->counts = planner.beam.counts;
	return true;
}

static MgOffer
offer_to(const MgGraph *graph, const MgInsert *plan, int level, uint32_t target)
{
	return (MgOffer){.target = target,
					 .level = level,
					 .source = plan->ids[level],
					 .value = graph->layout->coded ? (const void *) plan->rotated : plan->value,
					 .value_size = plan->value_size};
}

/* The new entry's first link, and way, is the one to a neighbour: a link of its own, or one made for it. */
static bool
lead_to(MgCtx *cx, const MgGraph *graph, uint8_t *entry, uint32_t to, const uint8_t *other)
{
	const MgEntryLayout *layout = graph->layout;
	uint32_t slot = mg_entry_find_link(layout, entry, to), n = mg_entry_n_links(entry);

	if (slot == MG_NO_NODE)
	{
		float *centre = mg_alloc_array(cx, layout->padded, sizeof *centre);
		float *neighbour = mg_alloc_array(cx, layout->padded, sizeof *neighbour);
		uint8_t *link = mg_alloc(cx, layout->link_size);

		if (centre == NULL || neighbour == NULL || link == NULL)
			return false;
		memcpy(link, &to, sizeof to);
		if (layout->coded)
		{
			mg_code_decode(layout, mg_entry_value(entry), centre);
			mg_code_decode(layout, mg_entry_value(other), neighbour);
			mg_code_link(layout, graph->kernels, centre, neighbour, to, link);
		}
		slot = n < mg_entry_slots(layout, mg_entry_level(entry)) ? n : n - 1;
		mg_entry_set_n_links(entry, slot);
		mg_entry_append_link(layout, entry, link);
	}
	mg_entry_swap_links(layout, entry, 0, slot);
	mg_entry_set_n_ways(entry, 1);
	return true;
}

/* Some way off, where all neighbours have as many ways as they may. */
static bool
find_room(MgCtx *cx, const MgGraph *graph, MgInsert *plan, MgOffer *offer, MgEdge *edge, bool *found)
{
	uint8_t *entry = plan->entries[offer->level], *other = mg_alloc(cx, graph->layout->entry_size[0]);
	MgWalk walk = {.avoid = MG_NO_NODE, .most = offer->most_ways};
	uint32_t n = mg_entry_n_links(entry);

	if (other == NULL)
		return false;
	for (uint32_t i = 0; i < n && !*found; i++)
	{
		walk.from = mg_entry_link_id(graph->layout, entry, i);
		walk.random = plan->random += i + 1;
		if (!mg_ways_walk(cx, graph, &walk, other, &offer->target))
			return false;
		if (offer->target != MG_NO_NODE && (!mg_links_offer(cx, graph, offer, edge, found, &plan->counts) ||
											(*found && !lead_to(cx, graph, entry, offer->target, other))))
			return false;
	}
	return true;
}

bool
mg_insert_way(MgCtx *cx, const MgGraph *graph, MgInsert *plan, int level, MgEdge *edge, bool *found)
{
	uint8_t *entry = plan->entries[level];
	MgOffer offer = offer_to(graph, plan, level, MG_NO_NODE);
	uint32_t n = mg_entry_n_links(entry);

	*found = false;
	plan->ids[level] = offer.source = MG_NO_NODE;
	offer.most_ways = mg_ways_most(graph->layout, level);
	mg_entry_set_n_ways(entry, 0);
	for (uint32_t i = 0; i < n && !*found; i++)
	{
		offer.target = mg_entry_link_id(graph->layout, entry, i);
		if (!mg_links_offer(cx, graph, &offer, edge, found, &plan->counts))
			return false;
	}
	if (*found)
		return lead_to(cx, graph, entry, offer.target, NULL);
	return find_room(cx, graph, plan, &offer, edge, found);
}

void
mg_insert_placed(MgInsert *plan, int level, uint32_t id)
{
	plan->ids[level] = id;
	if (level < plan->level)
		mg_entry_set_below(plan->entries[level + 1], id);
}

/*
 * Of a level's links, those that want one back: the heuristic's choice comes first. Each is a page to be changed and, after a
 * checkpoint, to be logged whole (README.md).
 */
static uint32_t
n_offers(const MgGraph *graph, const MgInsert *plan, int level)
{
	uint32_t n = mg_entry_n_links(plan->entries[level]), half = graph->layout->shape.m / 2;
	uint32_t most = half < LEAST_OFFERS ? LEAST_OFFERS : half;

	return n < most ? n : most;
}

uint32_t
mg_insert_n_edges(const MgGraph *graph, const MgInsert *plan)
{
	uint32_t n = 0;

	for (int level = 0; level <= plan->level; level++)
		n += n_offers(graph, plan, level);
	return n;
}

bool
mg_insert_edge(MgCtx *cx, const MgGraph *graph, MgInsert *plan, uint32_t i, MgEdge *edge, bool *wanted)
{
	int level = 0;
	MgOffer offer;

	for (; i >= n_offers(graph, plan, level); level++)
		i -= n_offers(graph, plan, level);
	*wanted = i >= mg_entry_n_ways(plan->entries[level]);
	if (!*wanted)
		return true;
	offer = offer_to(graph, plan, level, mg_entry_link_id(graph->layout, plan->entries[level], i));
	return mg_links_offer(cx, graph, &offer, edge, wanted, &plan->counts);
}
