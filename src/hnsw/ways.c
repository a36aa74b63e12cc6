#include "hnsw/ways.h"

/* Steps of a walk: of entries with at least two ways each, some log2 of their number lead to a leaf. */
#define LONGEST_WALK 10000
#define POLL_EVERY 64

bool
mg_way_is(const MgEntryLayout *layout, const uint8_t *entry, uint32_t id)
{
	return mg_entry_find_link(layout, entry, id) < mg_entry_n_ways(entry);
}

MgApplied
mg_way_add(const MgEntryLayout *layout, uint8_t *entry, const MgEdge *edge, uint32_t most, bool deleted_too)
{
	uint32_t n = mg_entry_n_links(entry), n_ways = mg_entry_n_ways(entry);
	uint32_t at = mg_entry_find_link(layout, entry, mg_entry_u32(edge->link));

	if (at < n_ways)
		return MG_NOT_NEEDED;
	if (n_ways >= most || (mg_entry_deleted(entry) && !deleted_too))
		return MG_CHANGED;
	if (at == MG_NO_NODE && n < mg_entry_slots(layout, mg_entry_level(entry)))
	{
		at = n;
		mg_entry_append_link(layout, entry, edge->link);
	}
	else if (at == MG_NO_NODE)
	{
		at = edge->slot;
		if (at >= n || at < n_ways || mg_entry_link_id(layout, entry, at) != edge->expected)
			return MG_CHANGED;
	}
	memcpy((uint8_t *) mg_entry_link(layout, entry, at), edge->link, layout->link_size);
	mg_entry_swap_links(layout, entry, at, n_ways);
	mg_entry_set_n_ways(entry, n_ways + 1);
	return MG_APPLIED;
}

MgApplied
mg_way_replace(const MgEntryLayout *layout, uint8_t *entry, uint32_t from, const uint8_t *link)
{
	uint32_t slot = mg_entry_find_link(layout, entry, from), n_ways = mg_entry_n_ways(entry);
	uint32_t other = mg_entry_find_link(layout, entry, mg_entry_u32(link));

	if (slot >= n_ways || other < n_ways)
		return MG_CHANGED;
	memcpy((uint8_t *) mg_entry_link(layout, entry, slot), link, layout->link_size);
	if (other != MG_NO_NODE)
		mg_entry_remove_link(layout, entry, other);
	return MG_APPLIED;
}

MgApplied
mg_way_drop(const MgEntryLayout *layout, uint8_t *entry, uint32_t id)
{
	uint32_t slot = mg_entry_find_link(layout, entry, id), n_ways = mg_entry_n_ways(entry);

	if (slot >= n_ways)
		return MG_NOT_NEEDED;
	mg_entry_swap_links(layout, entry, slot, n_ways - 1);
	mg_entry_set_n_ways(entry, n_ways - 1);
	return MG_APPLIED;
}

/* A way out of an entry, a random one, but not back or by what is to be avoided; back where there is no other. */
static uint32_t
next_step(const MgEntryLayout *layout, const MgWalk *walk, const uint8_t *entry, uint32_t before, uint64_t random)
{
	uint32_t n_ways = mg_entry_n_ways(entry), first = n_ways > 0 ? (uint32_t) (random >> 33) % n_ways : 0;

	for (uint32_t i = 0; i < n_ways; i++)
	{
		uint32_t to = mg_entry_link_id(layout, entry, (first + i) % n_ways);

		if (to != before && to != walk->avoid)
			return to;
	}
	return before;
}

bool
mg_ways_walk(MgCtx *cx, const MgGraph *graph, const MgWalk *walk, uint8_t *entry, uint32_t *id)
{
	uint32_t before = MG_NO_NODE, at = walk->from;
	uint64_t random = walk->random;
	int level = -1;

	*id = MG_NO_NODE;
	for (int step = 0; step < LONGEST_WALK && at != MG_NO_NODE; step++)
	{
		uint32_t next;
		bool found;

		if (!graph->store.read(graph->store.user, cx, at, entry, &found) || (step % POLL_EVERY == 0 && !mg_poll(cx)))
			return false;
		if (!found || (level >= 0 && mg_entry_level(entry) != level))
			return true;
		level = mg_entry_level(entry);
		if (mg_entry_n_ways(entry) < walk->most && (walk->deleted_too || !mg_entry_deleted(entry)))
		{
			*id = at;
			return true;
		}
		random = random * 6364136223846793005u + 1442695040888963407u;
		next = next_step(graph->layout, walk, entry, before, random);
		before = at;
		at = next;
	}
	return true;
}
