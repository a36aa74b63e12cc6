#include "hnsw/repair.h"

#include <math.h>

#include "hnsw/beam.h"
#include "hnsw/links.h"
#include "hnsw/select.h"

#define FEW_LIVE 4	   /* live neighbours whose links are looked at when the dead ones' do not suffice */
#define READ_PER_DEAD 2 /* candidates that are read for each link to replace ... */
#define READ_MORE 4	   /* ... and so many more, for the heuristic to have a choice */

/* What a plan works with. */
typedef struct Mender
{
	MgCtx *cx;
	const MgGraph *graph;
	const MgDead *dead;
	uint32_t id;
	uint8_t *entry, *other; /* the node's; somebody's */
	MgLinks links;
	MgQuery query;			/* the node as what is looked for */
	bool *is_dead;			/* [n_links] */
	uint32_t n_dead;
	MgCandidate *candidates; /* [room]; distances estimated (coded) or 0 */
	uint32_t n, room;
	MgSeen seen;			/* ids that are candidates or linked already */
	uint32_t *around;		/* [n_dead, slots]: whom each dead neighbour leads to, nearest to the node first */
	uint32_t *n_around;		/* [n_dead] */
	MgCounts *counts;
} Mender;

static bool
read_live(Mender *mender, uint32_t id, uint8_t *entry, bool *found, bool *live)
{
	const MgStore *store = &mender->graph->store;

	mender->counts->entries++;
	if (!store->read(store->user, mender->cx, id, entry, found))
		return false;
	*found = *found && mg_entry_level(entry) == mg_entry_level(mender->entry);
	*live = *found && !mg_entry_deleted(entry);
	return true;
}

static bool
find_dead(Mender *mender)
{
	uint32_t n = mg_entry_n_links(mender->entry);
	bool found, live;

	mender->is_dead = mg_alloc_zeroed(mender->cx, n, sizeof *mender->is_dead);
	if (mender->is_dead == NULL)
		return false;
	/* A way to a dead entry is taken out by mg_bypass_plan, or one was not finished: it stays. */
	for (uint32_t slot = mg_entry_n_ways(mender->entry); slot < n; slot++)
	{
		uint32_t id = mg_entry_link_id(mender->graph->layout, mender->entry, slot);

		if (mender->dead != NULL)
			live = !mender->dead->is_dead(mender->dead->user, id);
		else if (!read_live(mender, id, mender->other, &found, &live))
			return false;
		mender->is_dead[slot] = !live;
		mender->n_dead += !live;
	}
	return true;
}

static void
note_nearest_first(uint32_t *ids, float *distances, uint32_t n, uint32_t id, float distance)
{
	uint32_t at = n;

	for (; at > 0 && distances[at - 1] > distance; at--)
	{
		ids[at] = ids[at - 1];
		distances[at] = distances[at - 1];
	}
	ids[at] = id;
	distances[at] = distance;
}

/* The links of the entry in `other` become candidates; around: where to note them, or NULL. */
static bool
add_candidates(Mender *mender, uint32_t *around, uint32_t *n_around)
{
	const MgEntryLayout *layout = mender->graph->layout;
	uint32_t n = mg_entry_n_links(mender->other);
	float distances[2 * MG_MAX_M] = {0}, nearest[2 * MG_MAX_M];

	if (layout->coded)
	{
		float own = mg_code_distance(layout, mender->graph->kernels, &mender->query,
									 mg_entry_value(mender->other));

		mg_code_estimate(layout, mender->graph->kernels, &mender->query, mender->other, own, 0, n, distances);
		mender->counts->estimates += n;
	}
	for (uint32_t slot = 0; slot < n; slot++)
	{
		uint32_t id = mg_entry_link_id(layout, mender->other, slot);

		if (id == MG_NO_NODE || id == mender->id ||
			(mender->dead != NULL && mender->dead->is_dead(mender->dead->user, id)))
			continue;
		if (around != NULL)
			note_nearest_first(around, nearest, (*n_around)++, id, distances[slot]);
		if (mender->n == mender->room || mg_seen_has(&mender->seen, id))
			continue;
		if (!mg_seen_add(mender->cx, &mender->seen, id))
			return false;
		mender->candidates[mender->n++] = (MgCandidate){isfinite(distances[slot]) ? distances[slot] : INFINITY, id};
	}
	return mg_poll(mender->cx);
}

/* Candidates from the links of dead neighbours, and if those are too few of some live ones. */
static bool
gather(Mender *mender)
{
	uint32_t n = mg_entry_n_links(mender->entry), n_looked = 0, most = 2 * mender->graph->layout->shape.m, d = 0;
	bool found, live;

	mender->around = mg_alloc_array(mender->cx, (size_t) mender->n_dead * most, sizeof *mender->around);
	mender->n_around = mg_alloc_zeroed(mender->cx, mender->n_dead, sizeof *mender->n_around);
	if (mender->around == NULL || mender->n_around == NULL)
		return false;
	mender->room = (mender->n_dead + FEW_LIVE) * most;
	mender->candidates = mg_alloc_array(mender->cx, mender->room, sizeof *mender->candidates);
	if (mender->candidates == NULL || !mg_seen_init(mender->cx, &mender->seen, mender->room + n + 1) ||
		!mg_seen_add(mender->cx, &mender->seen, mender->id))
		return false;
	for (uint32_t slot = 0; slot < n; slot++)
	{
		uint32_t id = mg_entry_link_id(mender->graph->layout, mender->entry, slot);

		if (id != MG_NO_NODE && !mg_seen_has(&mender->seen, id) && !mg_seen_add(mender->cx, &mender->seen, id))
			return false;
	}
	for (int round = 0; round < 2; round++)
		for (uint32_t slot = 0; slot < n; slot++)
		{
			bool wanted = round == 0 ? mender->is_dead[slot]
									 : !mender->is_dead[slot] && mender->n < mender->n_dead && n_looked++ < FEW_LIVE;

			if (!wanted)
				continue;
			if (!read_live(mender, mg_entry_link_id(mender->graph->layout, mender->entry, slot), mender->other, &found,
						   &live))
				return false;
			if (found && !add_candidates(mender, round == 0 ? mender->around + (size_t) d * most : NULL,
										 mender->n_around + d))
				return false;
			d += round == 0;
		}
	return true;
}

static int
nearer_first(const void *a, const void *b)
{
	const MgCandidate *left = a, *right = b;

	if (left->distance != right->distance)
		return left->distance < right->distance ? -1 : 1;
	return left->id < right->id ? -1 : left->id > right->id;
}

/* A heap's worth of sorting, without the allocation that qsort may make. */
static void
sort_candidates(MgCandidate *items, uint32_t n)
{
	for (uint32_t gap = n / 2; gap > 0; gap /= 2)
		for (uint32_t i = gap; i < n; i++)
		{
			MgCandidate moved = items[i];
			uint32_t at = i;

			for (; at >= gap && nearer_first(&items[at - gap], &moved) > 0; at -= gap)
				items[at] = items[at - gap];
			items[at] = moved;
		}
}

/* Offers the node in `other` as a neighbour. */
static bool
offer(Mender *mender, uint32_t id)
{
	const MgEntryLayout *layout = mender->graph->layout;
	const uint8_t *value = mg_entry_value(mender->other);
	float *decoded;

	if (mender->links.n == mender->links.room)
		return true;
	if (!layout->coded)
		return mg_links_add(&mender->links, id, value, mg_entry_value_size(mender->other));
	decoded = mg_alloc_array(mender->cx, layout->padded, sizeof *decoded);
	if (decoded == NULL)
		return false;
	mg_code_decode(layout, value, decoded);
	return mg_links_add(&mender->links, id, decoded, 0);
}

/* Reads the best candidates. */
static bool
offer_candidates(Mender *mender)
{
	uint32_t most = mender->graph->layout->coded ? READ_PER_DEAD * mender->n_dead + READ_MORE : mender->n;
	bool found, live;

	sort_candidates(mender->candidates, mender->n);
	for (uint32_t i = 0, n_offered = 0; i < mender->n && n_offered < most; i++)
	{
		if (!read_live(mender, mender->candidates[i].id, mender->other, &found, &live))
			return false;
		if (!live)
			continue;
		if (!offer(mender, mender->candidates[i].id) || !mg_poll(mender->cx))
			return false;
		n_offered++;
	}
	return true;
}

/* Nobody near is left: as an insert would. */
static bool
offer_by_search(Mender *mender, uint32_t ef)
{
	MgBeam beam;
	int reached, level = mg_entry_level(mender->entry);
	bool found, live;

	if (!mg_beam_init(mender->cx, &beam, mender->graph, &mender->query, ef > 0 ? ef : 1) ||
		!mg_beam_descend(&beam, level, &reached))
		return false;
	if (reached != level)
		return true;
	if (!mg_beam_run(&beam))
		return false;
	mg_beam_sort(&beam);
	mender->counts->entries += beam.counts.entries;
	mender->counts->estimates += beam.counts.estimates;
	for (size_t i = 0; i < beam.top.n; i++)
	{
		uint32_t id = beam.top.items[i].id;

		if (mg_seen_has(&mender->seen, id) || (mender->dead != NULL && mender->dead->is_dead(mender->dead->user, id)))
			continue;
		if (!read_live(mender, id, mender->other, &found, &live) || (live && !offer(mender, id)))
			return false;
	}
	return true;
}

/* Whether the node has a link, kept or to come, to one that this dead neighbour led to. */
static bool
is_covered(const Mender *mender, uint32_t d, const MgRepair *repair)
{
	const uint32_t *around = mender->around + (size_t) d * 2 * mender->graph->layout->shape.m;

	for (uint32_t i = 0; i < mender->n_around[d]; i++)
	{
		for (uint32_t k = 0; k < repair->n_offers; k++)
			if (repair->offers[k] == around[i])
				return true;
		for (uint32_t k = 0; k < mender->links.n; k++)
			if (mender->links.items[k].slot != MG_NO_SLOT && mender->links.items[k].id == around[i])
				return true;
	}
	return mender->n_around[d] == 0;
}

/*
 * Where a dead neighbour was the only way into its neighbourhood, the node of it nearest to this one is linked to,
 * whatever the heuristic says: it prefers near ones, and a cluster could lose all that leads to it. Such a link
 * takes the place of the last offer.
 */
static bool
keep_ways(Mender *mender, const MgLink **links, MgRepair *repair)
{
	uint32_t n_kept = 0;
	bool found, live;

	for (uint32_t d = 0; d < mender->n_dead && n_kept < mender->n_dead; d++)
	{
		const uint32_t *around = mender->around + (size_t) d * 2 * mender->graph->layout->shape.m;
		uint32_t place;

		if (is_covered(mender, d, repair))
			continue;
		live = false;
		for (uint32_t i = 0; i < mender->n_around[d] && !live; i++)
		{
			if (!read_live(mender, around[i], mender->other, &found, &live))
				return false;
			if (live && mender->links.n < mender->links.room)
			{
				if (!offer(mender, around[i]))
					return false;
				place = repair->n_offers < mender->n_dead ? repair->n_offers++ : mender->n_dead - 1 - n_kept;
				links[place] = &mender->links.items[mender->links.n - 1];
				repair->offers[place] = around[i];
				n_kept++;
			}
		}
	}
	return mg_poll(mender->cx);
}

/* Offered links in their order into the slots of dead ones; what is left of these is removed, from the last one on. */
static bool
make_edges(Mender *mender, const uint32_t *chosen, uint32_t n_chosen, MgRepair *repair)
{
	const MgEntryLayout *layout = mender->graph->layout;
	const MgLink **links = mg_alloc_array(mender->cx, mender->n_dead, sizeof *links);
	uint32_t n = mg_entry_n_links(mender->entry), slot = 0;

	repair->edges = mg_alloc_array(mender->cx, mender->n_dead, sizeof *repair->edges);
	repair->offers = mg_alloc_array(mender->cx, mender->n_dead, sizeof *repair->offers);
	if (links == NULL || repair->edges == NULL || repair->offers == NULL)
		return false;
	for (uint32_t i = 0; i < n_chosen && repair->n_offers < mender->n_dead; i++)
	{
		const MgLink *link = &mender->links.items[chosen[i]];

		if (link->slot != MG_NO_SLOT)
			continue;
		links[repair->n_offers] = link;
		repair->offers[repair->n_offers++] = link->id;
	}
	if (!keep_ways(mender, links, repair))
		return false;
	for (; slot < n && repair->n_edges < repair->n_offers; slot++)
		if (mender->is_dead[slot])
		{
			repair->edges[repair->n_edges] = (MgEdge){mender->id, slot, mg_entry_link_id(layout, mender->entry, slot),
													   links[repair->n_edges]->bytes};
			repair->n_edges++;
		}
	for (uint32_t last = n; last-- > slot;)
		if (mender->is_dead[last])
			repair->edges[repair->n_edges++] =
				(MgEdge){mender->id, last, mg_entry_link_id(layout, mender->entry, last), NULL};
	return true;
}

static bool
mend(Mender *mender, uint32_t ef, MgRepair *repair)
{
	const MgEntryLayout *layout = mender->graph->layout;
	uint32_t n = mg_entry_n_links(mender->entry), room = n + ef + mender->n_dead * 2 * layout->shape.m, *chosen;
	bool alive;

	if (room > MG_SELECT_MOST)
		room = MG_SELECT_MOST;
	chosen = mg_alloc_array(mender->cx, room, sizeof *chosen);
	if (chosen == NULL ||
		!mg_links_init(mender->cx, &mender->links, mender->graph, mender->entry, room, mender->counts))
		return false;
	mender->query = mender->links.centre;
	if (layout->coded && !mg_query_init(mender->cx, layout, mender->links.decoded, &mender->query))
		return false;
	for (uint32_t slot = 0; slot < n; slot++)
		if (!mender->is_dead[slot] && !mg_links_add_slot(&mender->links, slot, &alive))
			return false;
	if (!gather(mender) || !offer_candidates(mender))
		return false;
	if (mender->links.n == 0 && !offer_by_search(mender, ef))
		return false;
	return make_edges(mender, chosen, mg_links_select(&mender->links, mg_entry_slots(layout, mg_entry_level(mender->entry)),
													  chosen), repair);
}

bool
mg_repair_plan(MgCtx *cx, const MgGraph *graph, const MgDead *dead, uint32_t id, uint32_t ef_construction,
			   MgRepair *repair)
{
	Mender mender = {.cx = cx, .graph = graph, .dead = dead, .id = id, .counts = &repair->counts};
	bool found;

	*repair = (MgRepair){.n_edges = 0};
	mender.entry = mg_alloc(cx, graph->layout->entry_size[0]);
	mender.other = mg_alloc(cx, graph->layout->entry_size[0]);
	if (mender.entry == NULL || mender.other == NULL ||
		!graph->store.read(graph->store.user, cx, id, mender.entry, &found))
		return false;
	repair->counts.entries++;
	if (!found || mg_entry_deleted(mender.entry))
		return true;
	return find_dead(&mender) && (mender.n_dead == 0 || mend(&mender, ef_construction, repair));
}

bool
mg_repair_offer(MgCtx *cx, const MgGraph *graph, uint32_t id, uint32_t neighbour, MgEdge *edge, bool *wanted)
{
	const MgEntryLayout *layout = graph->layout;
	uint8_t *entry = mg_alloc(cx, layout->entry_size[0]);
	MgOffer offer = {.target = neighbour, .source = id};
	MgCounts counts = {0};

	if (entry == NULL || !graph->store.read(graph->store.user, cx, id, entry, wanted))
		return false;
	*wanted = *wanted && !mg_entry_deleted(entry);
	if (!*wanted)
		return true;
	offer.level = mg_entry_level(entry);
	offer.value = mg_entry_value(entry);
	offer.value_size = mg_entry_value_size(entry);
	if (layout->coded)
	{
		float *decoded = mg_alloc_array(cx, layout->padded, sizeof *decoded);

		if (decoded == NULL)
			return false;
		mg_code_decode(layout, offer.value, decoded);
		offer.value = decoded;
	}
	return mg_links_offer(cx, graph, &offer, edge, wanted, &counts);
}
