/* Another entry point for a deleted one: see repair.h. */
#include "hnsw/repair.h"
#include "hnsw/seen.h"

#define WALKED 1000 /* entries that are looked at on a level: almost always the first few do */

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
