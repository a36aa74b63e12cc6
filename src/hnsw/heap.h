/* The two heaps of a beam: candidates nearest first, knowns farthest first. Binary, in arrays. */
#ifndef MG_HNSW_HEAP_H
#define MG_HNSW_HEAP_H

#include "hnsw/beam.h"

/* Ties go by id, so that results do not depend on the order of links. */
static inline bool
mg_candidate_nearer(MgCandidate a, MgCandidate b)
{
	return a.distance < b.distance || (a.distance == b.distance && a.id < b.id);
}

static inline void
mg_candidates_sink(MgCandidate *items, size_t n, size_t at)
{
	MgCandidate moved = items[at];

	for (;;)
	{
		size_t child = 2 * at + 1;

		if (child >= n)
			break;
		if (child + 1 < n && mg_candidate_nearer(items[child + 1], items[child]))
			child++;
		if (!mg_candidate_nearer(items[child], moved))
			break;
		items[at] = items[child];
		at = child;
	}
	items[at] = moved;
}

static inline void
mg_candidates_rise(MgCandidate *items, size_t at)
{
	MgCandidate moved = items[at];

	while (at > 0 && mg_candidate_nearer(moved, items[(at - 1) / 2]))
	{
		items[at] = items[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	items[at] = moved;
}

static inline bool
mg_known_farther(const MgKnown *a, const MgKnown *b)
{
	return a->distance > b->distance || (a->distance == b->distance && a->id > b->id);
}

static inline void
mg_knowns_sink(MgKnown *items, size_t n, size_t at)
{
	MgKnown moved = items[at];

	for (;;)
	{
		size_t child = 2 * at + 1;

		if (child >= n)
			break;
		if (child + 1 < n && mg_known_farther(&items[child + 1], &items[child]))
			child++;
		if (!mg_known_farther(&items[child], &moved))
			break;
		items[at] = items[child];
		at = child;
	}
	items[at] = moved;
}

static inline void
mg_knowns_rise(MgKnown *items, size_t at)
{
	MgKnown moved = items[at];

	while (at > 0 && mg_known_farther(&moved, &items[(at - 1) / 2]))
	{
		items[at] = items[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	items[at] = moved;
}

#endif
