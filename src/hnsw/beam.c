#include "hnsw/beam.h"

#include <math.h>

#include "hnsw/heap.h"

#define POLL_EVERY 512 /* distances: some 20 us */
#define SLACK 0.08f	   /* so much of its distance a measured node may be beyond the bound, and is expanded */
#define TOGETHER 8	   /* nodes that are measured at a time */
#define UNDER_WAY 12	   /* reads at a time, where a store says that each takes long */
#define ATTEMPTS 3	   /* to descend: each fails only when an entry on the way was freed meanwhile */

/* More room, in the arena: what was there stays until the search ends, at most as much again. */
static bool
grow(MgBeam *beam, void *array, size_t *room, size_t piece)
{
	size_t wider = *room == 0 ? 64 : 2 * *room;
	void *old, *new = mg_alloc_array(beam->cx, wider, piece);

	if (new == NULL)
		return false;
	memcpy(&old, array, sizeof old);
	if (*room > 0)
		memcpy(new, old, *room * piece);
	memcpy(array, &new, sizeof new);
	*room = wider;
	return true;
}

static size_t
memory_of(const MgBeam *beam)
{
	return (beam->candidates.room + beam->rest.room + beam->measured.room) * sizeof(MgCandidate) +
		(beam->top.room + beam->leftover.room) * sizeof(MgKnown) + beam->room_records * beam->record_size +
		((size_t) beam->seen.mask + 1) * sizeof(uint32_t);
}

static inline float
bound(const MgBeam *beam)
{
	if (beam->descending)
		return beam->nearest;
	if (beam->top.n < beam->ef)
		return INFINITY;
	return beam->top.items[0].distance > beam->radius ? beam->top.items[0].distance : beam->radius;
}

static bool
add_last(MgBeam *beam, MgCandidates *to, MgCandidate candidate)
{
	if (to->n == to->room && !grow(beam, &to->items, &to->room, sizeof *to->items))
		return false;
	to->items[to->n++] = candidate;
	return true;
}

static bool
add_to_heap(MgBeam *beam, MgCandidates *to, MgCandidate candidate)
{
	if (!add_last(beam, to, candidate))
		return false;
	mg_candidates_rise(to->items, to->n - 1);
	return true;
}

static MgCandidate
take(MgCandidates *from)
{
	MgCandidate nearest = from->items[0];

	from->items[0] = from->items[--from->n];
	if (from->n > 0)
		mg_candidates_sink(from->items, from->n, 0);
	return nearest;
}

static bool
add_candidate(MgBeam *beam, MgCandidate candidate)
{
	if (candidate.distance <= bound(beam))
		return add_to_heap(beam, &beam->candidates, candidate);
	return beam->descending || add_last(beam, &beam->rest, candidate);
}

static bool
push(MgBeam *beam, MgKnowns *to, MgKnown known)
{
	if (to->n == to->room && !grow(beam, &to->items, &to->room, sizeof *to->items))
		return false;
	to->items[to->n++] = known;
	return true;
}

bool
mg_beam_add_beyond(MgBeam *beam, MgKnown known)
{
	if (!push(beam, &beam->top, known))
		return false;
	mg_knowns_rise(beam->top.items, beam->top.n - 1);
	return true;
}

/* Into top; what falls out of it is left over. */
static bool
add_known(MgBeam *beam, MgKnown known)
{
	MgKnown out;

	if (beam->top.n < beam->ef)
		return mg_beam_add_beyond(beam, known);
	if (!mg_known_farther(&beam->top.items[0], &known))
		return push(beam, &beam->leftover, known);
	out = beam->top.items[0];
	beam->top.items[0] = known;
	mg_knowns_sink(beam->top.items, beam->top.n, 0);
	return push(beam, &beam->leftover, out);
}

static bool
keep_record(MgBeam *beam, const uint8_t *entry, uint32_t *record)
{
	if (beam->n_free > 0)
		*record = beam->free_records[--beam->n_free];
	else
	{
		if (beam->n_records == beam->room_records &&
			!grow(beam, &beam->records, &beam->room_records, beam->record_size))
			return false;
		*record = (uint32_t) beam->n_records++;
	}
	memcpy(beam->records + *record * beam->record_size, entry, beam->graph->layout->links_at[entry[1] > 0]);
	return true;
}

/* whole: with its links. */
static bool
read_entry(MgBeam *beam, uint32_t id, bool whole, uint8_t *entry, bool *found)
{
	const MgStore *store = &beam->graph->store;
	bool (*read)(void *, MgCtx *, uint32_t, uint8_t *, bool *) = whole || store->peek == NULL ? store->read : store->peek;

	beam->counts.entries++;
	if (!read(store->user, beam->cx, id, entry, found))
		return false;
	/* An id that was used again for a node of another level is as good as gone. */
	*found = *found && mg_entry_level(entry) == beam->level;
	return true;
}

static float
plain_distance(MgBeam *beam, const uint8_t *entry)
{
	const MgStore *store = &beam->graph->store;

	beam->counts.distances++;
	beam->since_poll++;
	return store->distance(store->user, beam->query->value, beam->query->value_size, mg_entry_value(entry),
						   mg_entry_value_size(entry));
}

static bool
add_plain(MgBeam *beam, uint32_t id)
{
	bool found;
	float distance;

	if (id == MG_NO_NODE || mg_seen_has(&beam->seen, id))
		return true;
	if (!mg_seen_add(beam->cx, &beam->seen, id) || !read_entry(beam, id, true, beam->other, &found))
		return false;
	if (!found)
		return true;
	distance = plain_distance(beam, beam->other);
	return !isfinite(distance) || add_candidate(beam, (MgCandidate){distance, id});
}

static bool
add_neighbours(MgBeam *beam, float own)
{
	const MgEntryLayout *layout = beam->graph->layout;
	uint32_t n = mg_entry_n_links(beam->entry);
	float distances[2 * MG_MAX_M];

	if (!layout->coded)
	{
		for (uint32_t slot = 0; slot < n; slot++)
			if (!add_plain(beam, mg_entry_link_id(layout, beam->entry, slot)))
				return false;
		return true;
	}
	mg_code_estimate(layout, beam->graph->kernels, beam->query, beam->entry, own, 0, n, distances);
	beam->counts.estimates += n;
	beam->since_poll += n;
	for (uint32_t slot = 0; slot < n; slot++)
	{
		uint32_t id = mg_entry_link_id(layout, beam->entry, slot);

		if (isfinite(distances[slot]) && id != MG_NO_NODE && !mg_seen_has(&beam->seen, id) &&
			!add_candidate(beam, (MgCandidate){distances[slot], id}))
			return false;
	}
	return true;
}

/* What beam->entry is, at its own distance, becomes known. */
static bool
learn(MgBeam *beam, uint32_t id, float own)
{
	uint32_t record;

	if (own < beam->nearest || beam->nearest_id == MG_NO_NODE)
	{
		beam->nearest = own;
		beam->nearest_id = id;
		beam->nearest_below = mg_entry_below(beam->entry);
	}
	return beam->descending || mg_entry_deleted(beam->entry) ||
		(keep_record(beam, beam->entry, &record) && add_known(beam, (MgKnown){own, id, record}));
}

static float
own_distance(MgBeam *beam)
{
	beam->counts.distances++;
	return mg_code_distance(beam->graph->layout, beam->graph->kernels, beam->query, mg_entry_value(beam->entry));
}

static bool
expand(MgBeam *beam, MgCandidate candidate)
{
	bool coded = beam->graph->layout->coded, found;
	float own = candidate.distance;

	if (coded && !mg_seen_add(beam->cx, &beam->seen, candidate.id))
		return false;
	if (!read_entry(beam, candidate.id, true, beam->entry, &found))
		return false;
	if (!found)
		return true;
	beam->n_expanded++;
	if (coded)
		own = own_distance(beam);
	if (isfinite(own) && !learn(beam, candidate.id, own))
		return false;
	return add_neighbours(beam, own);
}

/* Of a node that is marked as seen. */
static bool
measure(MgBeam *beam, uint32_t id)
{
	float own;
	bool found;

	if (!read_entry(beam, id, false, beam->entry, &found))
		return false;
	if (!found)
		return true;
	beam->n_expanded++;
	beam->since_poll++;
	own = own_distance(beam);
	return !isfinite(own) || (learn(beam, id, own) && add_to_heap(beam, &beam->measured, (MgCandidate){own, id}));
}

static bool
prefetch(const MgBeam *beam, uint32_t id, bool whole)
{
	const MgGraph *graph = beam->graph;

	return graph->layout->coded && graph->store.prefetch != NULL && graph->store.prefetch(graph->store.user, id, whole);
}

/* The nearest candidate is mostly the next one; and if it has to be waited for, those that come behind it: nearly all of the first in a heap. */
static void
look_ahead(const MgBeam *beam)
{
	const MgCandidates *candidates = &beam->candidates;
	float most = bound(beam);

	for (size_t i = 0; i < UNDER_WAY && i < candidates->n; i++)
		if (candidates->items[i].distance <= most && !mg_seen_has(&beam->seen, candidates->items[i].id) &&
			!prefetch(beam, candidates->items[i].id, true))
			break;
}

/* The nearest candidates up to a distance, some at a time: memory is as fast with several reads under way as with one. */
static bool
measure_some(MgBeam *beam, float most)
{
	MgCandidates *candidates = &beam->candidates;
	uint32_t ids[TOGETHER];
	int n = 0;

	while (n < TOGETHER && candidates->n > 0 && candidates->items[0].distance <= most)
	{
		uint32_t id = take(candidates).id;

		if (mg_seen_has(&beam->seen, id))
			continue;
		if (!mg_seen_add(beam->cx, &beam->seen, id))
			return false;
		prefetch(beam, id, false);
		ids[n++] = id;
	}
	for (int i = 0; i < n; i++)
		if (!measure(beam, ids[i]))
			return false;
	return true;
}

static bool
expand_measured(MgBeam *beam, MgCandidate measured)
{
	bool found;

	if (!read_entry(beam, measured.id, true, beam->entry, &found))
		return false;
	return !found || add_neighbours(beam, measured.distance);
}

bool
mg_beam_init(MgCtx *cx, MgBeam *beam, const MgGraph *graph, const MgQuery *query, uint32_t ef)
{
	const MgEntryLayout *layout = graph->layout;

	*beam = (MgBeam){.cx = cx, .graph = graph, .query = query, .ef = ef, .radius = -INFINITY};
	beam->record_size = layout->links_at[0] > layout->links_at[1] ? layout->links_at[0] : layout->links_at[1];
	beam->entry = mg_alloc(cx, layout->entry_size[0]);
	beam->other = mg_alloc(cx, layout->entry_size[0]);
	return beam->entry != NULL && beam->other != NULL && mg_seen_init(cx, &beam->seen, 512);
}

bool
mg_beam_start(MgBeam *beam, int level, uint32_t id)
{
	bool found = true;
	float distance = -INFINITY;

	beam->level = level;
	beam->candidates.n = beam->rest.n = beam->measured.n = beam->top.n = beam->leftover.n = 0;
	beam->n_records = beam->n_free = 0;
	beam->nearest = INFINITY;
	beam->nearest_id = MG_NO_NODE;
	if (!beam->graph->layout->coded)
	{
		if (!mg_seen_add(beam->cx, &beam->seen, id) || !read_entry(beam, id, true, beam->other, &found))
			return false;
		if (found)
			distance = plain_distance(beam, beam->other);
	}
	return !found || add_candidate(beam, (MgCandidate){distance, id});
}

static bool
descend_once(MgBeam *beam, int level, int *reached)
{
	const MgStore *store = &beam->graph->store;
	uint32_t id;
	int from;

	*reached = -1;
	mg_seen_clear(&beam->seen);
	beam->candidates.n = beam->rest.n = beam->measured.n = beam->top.n = beam->leftover.n = 0;
	if (!store->entry_point(store->user, beam->cx, &id, &from))
		return false;
	if (id == MG_NO_NODE)
		return true;
	if (level > from)
		level = from;
	for (; from > level; from--)
	{
		beam->descending = true;
		if (!mg_beam_start(beam, from, id) || !mg_beam_run(beam))
			return false;
		beam->descending = false;
		if (beam->nearest_id == MG_NO_NODE || beam->nearest_below == MG_NO_NODE)
			return true;
		id = beam->nearest_below;
	}
	*reached = level;
	return mg_beam_start(beam, level, id);
}

bool
mg_beam_descend(MgBeam *beam, int level, int *reached)
{
	*reached = -1;
	for (int i = 0; i < ATTEMPTS && *reached < 0; i++)
		if (!descend_once(beam, level, reached))
			return false;
	return true;
}

/* False: a bound is reached. */
static bool
may_go_on(MgBeam *beam)
{
	if ((beam->max_expanded > 0 && beam->n_expanded >= beam->max_expanded) ||
		(beam->max_memory > 0 && memory_of(beam) > beam->max_memory))
		beam->bounded = true;
	return !beam->bounded;
}

/* Where a measured node comes among candidates. Those who are led to from few places have few estimates, all of them too far by chance: so others are expanded a little beyond the bound. */
static float
turn_of(MgCandidate measured)
{
	return measured.distance - SLACK * fabsf(measured.distance);
}

/* The nearest candidate, by what is known of it, goes into the beam. False: an error was recorded. *done: it is beyond the bound. */
static bool
step(MgBeam *beam, bool *done)
{
	MgCandidates *candidates = &beam->candidates, *measured = &beam->measured;
	float by_estimate = candidates->n > 0 ? candidates->items[0].distance : INFINITY;
	float by_own = measured->n > 0 ? turn_of(measured->items[0]) : INFINITY;
	MgCandidate nearest;

	*done = (candidates->n == 0 && measured->n == 0) || (!beam->descending && !may_go_on(beam)) || fminf(by_estimate, by_own) > bound(beam);
	if (*done)
		return true;
	if (measured->n > 0 && by_own <= by_estimate)
	{
		nearest = take(measured);
		if (measured->n > 0)
			prefetch(beam, measured->items[0].id, true);
		return expand_measured(beam, nearest);
	}
	if (beam->far)
		return measure_some(beam, fminf(by_own, bound(beam)));
	nearest = take(candidates);
	if (beam->graph->layout->coded && mg_seen_has(&beam->seen, nearest.id))
		return true;
	look_ahead(beam);
	return expand(beam, nearest);
}

bool
mg_beam_run(MgBeam *beam)
{
	bool done = false;

	while (!done)
	{
		if (!step(beam, &done))
			return false;
		if (beam->since_poll >= POLL_EVERY)
		{
			beam->since_poll = 0;
			if (!mg_poll(beam->cx))
				return false;
		}
	}
	return true;
}

void
mg_beam_sort(MgBeam *beam)
{
	MgKnown *items = beam->top.items;

	for (size_t n = beam->top.n; n > 1; n--)
	{
		MgKnown farthest = items[0];

		items[0] = items[n - 1];
		items[n - 1] = farthest;
		mg_knowns_sink(items, n - 1, 0);
	}
}

bool
mg_beam_resume(MgBeam *beam)
{
	size_t n_left = beam->leftover.n;
	MgCandidates *candidates = &beam->candidates, *rest = &beam->rest;

	for (size_t i = 0; i < beam->top.n; i++)
	{
		if (beam->n_free == beam->room_free &&
			!grow(beam, &beam->free_records, &beam->room_free, sizeof *beam->free_records))
			return false;
		beam->free_records[beam->n_free++] = beam->top.items[i].record;
	}
	beam->top.n = 0;
	/* Each leftover is taken out before what falls out of top is put back, so the array never grows past n_left. */
	beam->leftover.n = 0;
	for (size_t i = 0; i < n_left; i++)
		if (!add_known(beam, beam->leftover.items[i]))
			return false;
	for (size_t i = 0; i < rest->n; i++)
		if (!(beam->graph->layout->coded && mg_seen_has(&beam->seen, rest->items[i].id)) && !add_last(beam, candidates, rest->items[i]))
			return false;
	rest->n = 0;
	for (size_t i = candidates->n / 2; i-- > 0;)
		mg_candidates_sink(candidates->items, candidates->n, i);
	return true;
}
