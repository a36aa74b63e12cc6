/*
 * A deleted entry d is taken out of the tree of ways: see ways.h and README.md.
 *
 * Of the entries that d's ways lead to the two nearest to each other are joined, a host that gets one more way and another
 * that gets it in the place of the one to d; then the next two, until one is left. A host is live if one is, and has
 * room; where none has, one is looked for from it along ways, on its side of d.
 */
#include "hnsw/ways.h"

/* An entry that a way of d leads to, and that has one back. */
typedef struct Side
{
	uint32_t id;
	uint8_t *entry;
	float *decoded; /* coded: [padded] */
} Side;

typedef struct Bypass
{
	MgCtx *cx;
	const MgGraph *graph;
	uint32_t around;
	Side sides[2 * MG_MAX_M];
	uint32_t n;
	MgCounts *counts;
} Bypass;

static bool
decode(const Bypass *bypass, Side *side)
{
	const MgEntryLayout *layout = bypass->graph->layout;

	if (!layout->coded)
		return true;
	side->decoded = mg_alloc_array(bypass->cx, layout->padded, sizeof *side->decoded);
	if (side->decoded == NULL)
		return false;
	mg_code_decode(layout, mg_entry_value(side->entry), side->decoded);
	return true;
}

static bool
find_sides(Bypass *bypass, const uint8_t *entry)
{
	const MgEntryLayout *layout = bypass->graph->layout;
	const MgStore *store = &bypass->graph->store;

	for (uint32_t way = 0; way < mg_entry_n_ways(entry); way++)
	{
		Side side = {.id = mg_entry_link_id(layout, entry, way), .entry = mg_alloc(bypass->cx, layout->entry_size[0])};
		bool found;

		bypass->counts->entries++;
		if (side.entry == NULL || !store->read(store->user, bypass->cx, side.id, side.entry, &found))
			return false;
		if (!found || mg_entry_level(side.entry) != mg_entry_level(entry) ||
			!mg_way_is(layout, side.entry, bypass->around))
			continue;
		if (!decode(bypass, &side))
			return false;
		bypass->sides[bypass->n++] = side;
	}
	return mg_poll(bypass->cx);
}

static float
distance(const Bypass *bypass, const Side *a, const Side *b)
{
	const MgEntryLayout *layout = bypass->graph->layout;
	const MgStore *store = &bypass->graph->store;
	float sum = 0;

	bypass->counts->distances++;
	if (!layout->coded)
		return store->distance(store->user, mg_entry_value(a->entry), mg_entry_value_size(a->entry),
							   mg_entry_value(b->entry), mg_entry_value_size(b->entry));
	for (uint32_t i = 0; i < layout->padded; i++)
		sum += (a->decoded[i] - b->decoded[i]) * (a->decoded[i] - b->decoded[i]);
	return sum;
}

/* How well a side does as a host: live with room, deleted with room, without. */
static int
merit(const Bypass *bypass, const Side *side)
{
	const MgEntryLayout *layout = bypass->graph->layout;

	if (mg_entry_n_ways(side->entry) >= mg_entry_slots(layout, mg_entry_level(side->entry)))
		return 0;
	return mg_entry_deleted(side->entry) ? 1 : 2;
}

static void
choose_pair(const Bypass *bypass, uint32_t *host, uint32_t *moved)
{
	float least = 0;
	int best = -1;

	for (uint32_t i = 0; i < bypass->n; i++)
	{
		int good = merit(bypass, &bypass->sides[i]);

		for (uint32_t k = 0; good >= best && k < bypass->n; k++)
		{
			float apart = i == k ? 0 : distance(bypass, &bypass->sides[i], &bypass->sides[k]);

			if (i == k || (good == best && !(apart < least)))
				continue;
			best = good;
			least = apart;
			*host = i;
			*moved = k;
		}
	}
}

/* The host, or one on its side that has room. */
static bool
find_host(Bypass *bypass, uint32_t chosen, Side *host)
{
	const MgEntryLayout *layout = bypass->graph->layout;
	MgWalk walk = {.avoid = bypass->around, .deleted_too = true};

	*host = bypass->sides[chosen];
	if (merit(bypass, host) > 0)
		return true;
	walk.from = host->id;
	walk.most = mg_entry_slots(layout, mg_entry_level(host->entry));
	walk.random = host->id;
	return mg_ways_walk(bypass->cx, bypass->graph, &walk, host->entry, &host->id) &&
		(host->id == MG_NO_NODE || decode(bypass, host));
}

static uint8_t *
link_between(const Bypass *bypass, const Side *from, const Side *to)
{
	const MgEntryLayout *layout = bypass->graph->layout;
	uint8_t *link = mg_alloc(bypass->cx, layout->link_size);

	if (link == NULL)
		return NULL;
	memcpy(link, &to->id, sizeof to->id);
	if (layout->coded)
		mg_code_link(layout, bypass->graph->kernels, from->decoded, to->decoded, to->id, link);
	return link;
}

static bool
join(Bypass *bypass, MgBypass *step)
{
	uint32_t chosen = 0, moved = 0;
	const Side *side;
	MgOffer offer = {.deleted_too = true};
	bool has_room;
	Side host;

	choose_pair(bypass, &chosen, &moved);
	if (!find_host(bypass, chosen, &host))
		return false;
	step->last = false;
	if (host.id == MG_NO_NODE)
		return true;
	side = &bypass->sides[moved];
	step->moved = (MgEdge){.target = side->id, .expected = bypass->around, .link = link_between(bypass, side, &host)};
	offer.target = host.id;
	offer.level = mg_entry_level(host.entry);
	offer.source = side->id;
	offer.value = side->decoded != NULL ? (const void *) side->decoded : mg_entry_value(side->entry);
	offer.value_size = mg_entry_value_size(side->entry);
	offer.most_ways = mg_entry_slots(bypass->graph->layout, offer.level);
	return step->moved.link != NULL &&
		mg_links_offer(bypass->cx, bypass->graph, &offer, &step->host, &has_room, bypass->counts);
}

bool
mg_bypass_plan(MgCtx *cx, const MgGraph *graph, uint32_t id, MgBypass *step, bool *wanted, MgCounts *counts)
{
	Bypass bypass = {.cx = cx, .graph = graph, .around = id, .counts = counts};
	uint8_t *entry = mg_alloc(cx, graph->layout->entry_size[0]);
	bool found;

	*wanted = false;
	*step = (MgBypass){.around = id, .last = true};
	if (entry == NULL || !graph->store.read(graph->store.user, cx, id, entry, &found))
		return false;
	if (!found)
		return true;
	if (!find_sides(&bypass, entry))
		return false;
	*wanted = bypass.n > 0;
	if (bypass.n == 1)
		step->moved = (MgEdge){.target = bypass.sides[0].id, .expected = id};
	return bypass.n < 2 || join(&bypass, step);
}
