#include "hnsw/repair.h"

#include <math.h>

#include "hnsw/beam.h"
#include "hnsw/links.h"
#include "hnsw/select.h"

#define FEW_LIVE 4	   /* live neighbours whose links are looked at when the dead ones' do not suffice */
#define READ_PER_DEAD 2 /* candidates that are read for each link to replace ... */
#define READ_MORE 4	   /* ... and so many more, for the heuristic to have a choice */
#define WALKED 1000	   /* entries that the search for an entry point looks at on a level */

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

	mender->is_dead = mg_alloc_array(mender->cx, n, sizeof *mender->is_dead);
	if (mender->is_dead == NULL)
		return false;
	for (uint32_t slot = 0; slot < n; slot++)
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

/* The links of the entry in `other` become candidates. */
static bool
add_candidates(Mender *mender)
{
	const MgEntryLayout *layout = mender->graph->layout;
	uint32_t n = mg_entry_n_links(mender->other);
	float distances[2 * MG_MAX_M] = {0};

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

		if (id == MG_NO_NODE || mender->n == mender->room || mg_seen_has(&mender->seen, id) ||
			(mender->dead != NULL && mender->dead->is_dead(mender->dead->user, id)))
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
	uint32_t n = mg_entry_n_links(mender->entry), n_looked = 0;
	bool found, live;

	mender->room = (mender->n_dead + FEW_LIVE) * 2 * mender->graph->layout->shape.m;
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
			if (found && !add_candidates(mender))
				return false;
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

/* Offered links in their order into the slots of dead ones; what is left of these is removed, from the last one on. */
static bool
make_edges(Mender *mender, const uint32_t *chosen, uint32_t n_chosen, MgRepair *repair)
{
	const MgEntryLayout *layout = mender->graph->layout;
	uint32_t n = mg_entry_n_links(mender->entry), slot = 0, next = 0;

	repair->edges = mg_alloc_array(mender->cx, mender->n_dead, sizeof *repair->edges);
	repair->offers = mg_alloc_array(mender->cx, mender->n_dead, sizeof *repair->offers);
	if (repair->edges == NULL || repair->offers == NULL)
		return false;
	for (; slot < n; slot++)
	{
		const MgLink *link;

		if (!mender->is_dead[slot])
			continue;
		while (next < n_chosen && mender->links.items[chosen[next]].slot != MG_NO_SLOT)
			next++;
		if (next == n_chosen)
			break;
		link = &mender->links.items[chosen[next++]];
		repair->edges[repair->n_edges++] = (MgEdge){mender->id, slot, mg_entry_link_id(layout, mender->entry, slot),
													 link->bytes};
		repair->offers[repair->n_offers++] = link->id;
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
	const void *value;
	MgCounts counts = {0};

	if (entry == NULL || !graph->store.read(graph->store.user, cx, id, entry, wanted))
		return false;
	*wanted = *wanted && !mg_entry_deleted(entry);
	if (!*wanted)
		return true;
	value = mg_entry_value(entry);
	if (layout->coded)
	{
		float *decoded = mg_alloc_array(cx, layout->padded, sizeof *decoded);

		if (decoded == NULL)
			return false;
		mg_code_decode(layout, value, decoded);
		value = decoded;
	}
	return mg_links_offer(cx, graph, neighbour, mg_entry_level(entry), id, value, mg_entry_value_size(entry), edge,
						  wanted, &counts);
}

/* Breadth first over links, dead or not, on one level. *live: the first live entry; *below: a way down, in any case. */
static bool
walk_level(MgCtx *cx, const MgGraph *graph, const MgDead *dead, uint32_t start, int level, uint32_t *live,
		   uint32_t *below)
{
	uint8_t *entry = mg_alloc(cx, graph->layout->entry_size[0]);
	uint32_t *queue = mg_alloc_array(cx, WALKED, sizeof *queue), n = 1;
	MgSeen seen;
	bool found;

	if (entry == NULL || queue == NULL || !mg_seen_init(cx, &seen, WALKED) || !mg_seen_add(cx, &seen, start))
		return false;
	queue[0] = start;
	for (uint32_t i = 0; i < n; i++)
	{
		if (!graph->store.read(graph->store.user, cx, queue[i], entry, &found) || !mg_poll(cx))
			return false;
		if (!found || mg_entry_level(entry) != level)
			continue;
		if (*below == MG_NO_NODE)
			*below = mg_entry_below(entry);
		if (!mg_entry_deleted(entry) && (dead == NULL || !dead->is_dead(dead->user, queue[i])))
		{
			*live = queue[i];
			return true;
		}
		for (uint32_t slot = 0; slot < mg_entry_n_links(entry) && n < WALKED; slot++)
		{
			uint32_t id = mg_entry_link_id(graph->layout, entry, slot);

			if (id == MG_NO_NODE || mg_seen_has(&seen, id))
				continue;
			if (!mg_seen_add(cx, &seen, id))
				return false;
			queue[n++] = id;
		}
	}
	return true;
}

bool
mg_repair_entry_point(MgCtx *cx, const MgGraph *graph, const MgDead *dead, uint32_t *id, int *level)
{
	uint32_t start;

	*id = MG_NO_NODE;
	if (!graph->store.entry_point(graph->store.user, cx, &start, level))
		return false;
	for (; start != MG_NO_NODE && *level >= 0; --*level)
	{
		uint32_t below = MG_NO_NODE;

		if (!walk_level(cx, graph, dead, start, *level, id, &below))
			return false;
		if (*id != MG_NO_NODE)
			return true;
		start = below;
	}
	*level = 0;
	return true;
}
