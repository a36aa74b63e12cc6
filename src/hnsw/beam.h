/*
 * The search of search.h and of inserts: candidates by estimated distance, the
 * nearest is expanded, its own distance becomes known.
 *
 *   candidates   heap, nearest first; estimated, not expanded (coded: perhaps several times, by several parents)
 *   measured     heap, nearest first; their own distance is known, not yet expanded: far only
 *   rest         candidates that were farther than the bound: of use only when the search goes on
 *   top          heap, farthest first: the ef nearest of the known
 *   leftover     known, but farther; or within the radius
 *
 * The bound is the distance of the farthest of top once top is full; the run
 * ends when the nearest candidate is beyond it.
 *
 * Estimates are off by more than what lies between the distances of nodes that are far from the query: a run that is to find a thousand
 * expanded ten thousand. So far from it, where there are many of all kinds, a node is only measured when its turn comes by its estimate, by the first bytes of its
 * entry, and expanded when it comes by its own distance.
 */
#ifndef MG_HNSW_BEAM_H
#define MG_HNSW_BEAM_H

#include "hnsw/graph.h"
#include "hnsw/seen.h"

typedef struct MgCandidate
{
	float distance;
	uint32_t id;
} MgCandidate;

typedef struct MgKnown
{
	float distance;
	uint32_t id;
	uint32_t record; /* of the entry's first bytes: header, value, items */
} MgKnown;

typedef struct MgCandidates
{
	MgCandidate *items;
	size_t n, room;
} MgCandidates;

typedef struct MgKnowns
{
	MgKnown *items;
	size_t n, room;
} MgKnowns;

typedef struct MgBeam
{
	MgCtx *cx;
	const MgGraph *graph;
	const MgQuery *query;
	int level;
	uint32_t ef;
	float radius;		/* -INFINITY: none */
	bool descending;	/* towards one nearest node, deleted or not */
	bool far;			/* coded: measures before it expands */
	MgSeen seen;		/* coded: expanded or measured; plain: ever a candidate */
	MgCandidates candidates, rest, measured;
	MgKnowns top, leftover;
	uint8_t *records;	/* [room_records, record_size] */
	size_t record_size, n_records, room_records;
	uint32_t *free_records;
	size_t n_free, room_free;
	uint8_t *entry, *other; /* copies of entries */
	float nearest;		/* of all expanded or measured in this run */
	uint32_t nearest_id, nearest_below;
	uint64_t n_expanded, max_expanded; /* or measured */
	size_t max_memory;
	bool bounded;		/* a bound ended the run */
	uint64_t since_poll; /* distances */
	MgCounts counts;
} MgBeam;

bool mg_beam_init(MgCtx *cx, MgBeam *beam, const MgGraph *graph, const MgQuery *query, uint32_t ef);

/*
 * Goes from the store's entry point down to a level, where the beam is then ready to run. *reached: that level, or the
 * entry point's where that is lower; -1 when there is nothing.
 */
bool mg_beam_descend(MgBeam *beam, int level, int *reached);

/* Makes an entry the only candidate of a run on its level. */
bool mg_beam_start(MgBeam *beam, int level, uint32_t id);

/* Polls. */
bool mg_beam_run(MgBeam *beam);

/* One more into top, beyond ef. */
bool mg_beam_add_beyond(MgBeam *beam, MgKnown known);

/* Orders top nearest first: it is no heap any more. */
void mg_beam_sort(MgBeam *beam);

/* After a run: forgets top, and prepares to go on with what was left. */
bool mg_beam_resume(MgBeam *beam);

static inline const uint8_t *
mg_beam_record(const MgBeam *beam, const MgKnown *known)
{
	return beam->records + known->record * beam->record_size;
}

#endif
