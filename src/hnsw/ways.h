/*
 * Ways: links that are never given up, and join all entries of a level to one
 * tree (README.md). A way of an entry is one of its first n_ways links; the
 * entry that it leads to has one back.
 *
 * Functions that change an entry work under its lock, on its present bytes; the caller changes both ends of a way
 * as one.
 */
#ifndef MG_HNSW_WAYS_H
#define MG_HNSW_WAYS_H

#include "hnsw/links.h"

/* Ways that an insert gives an entry at most: the others of its links are the heuristic's. */
static inline uint32_t
mg_ways_most(const MgEntryLayout *layout, int level)
{
	uint32_t half = mg_entry_slots(layout, level) / 2;

	return half < 2 ? 2 : half;
}

/* Whether the link to id is a way. */
bool mg_way_is(const MgEntryLayout *layout, const uint8_t *entry, uint32_t id);

/*
 * Makes a link a way: one that is there, an appended one, or one in the place that the edge says. MG_CHANGED when the
 * entry has `most` ways, is deleted (but where that is allowed), or is no longer what the edge's plan saw.
 */
MgApplied mg_way_add(const MgEntryLayout *layout, uint8_t *entry, const MgEdge *edge, uint32_t most, bool deleted_too);

/* The way to `from` becomes the one of edge->link. MG_CHANGED when `from` is no way. */
MgApplied mg_way_replace(const MgEntryLayout *layout, uint8_t *entry, uint32_t from, const uint8_t *link);

/* The way to id becomes a link like others. */
MgApplied mg_way_drop(const MgEntryLayout *layout, uint8_t *entry, uint32_t id);

/* A walk along ways to an entry that has room for one more. */
typedef struct MgWalk
{
	uint32_t from;
	uint32_t avoid;	  /* not by this one; MG_NO_NODE */
	uint32_t most;	  /* it has fewer ways than that */
	bool deleted_too; /* else it is live */
	uint64_t random;  /* any bits */
} MgWalk;

/* *id: MG_NO_NODE when none was found; else entry [entry_size[0]] is its copy. Polls. */
bool mg_ways_walk(MgCtx *cx, const MgGraph *graph, const MgWalk *walk, uint8_t *entry, uint32_t *id);

/*
 * One step of taking a deleted entry out of the tree: of two of its ways one goes, for a way between the two entries that
 * they lead to. Or, at the end, the last one goes. Each step is one change of the entries concerned.
 */
typedef struct MgBypass
{
	uint32_t around; /* the deleted entry, which itself stays as it is */
	bool last;		 /* there is no host: mg_way_drop of the way from moved.target to `around` */
	MgEdge moved;	 /* mg_way_replace of the way to `around` */
	MgEdge host;	 /* mg_way_add, of as many as there are links, to deleted entries too; link NULL: plan again */
} MgBypass;

/* *wanted false: nothing leads to the entry any more. Polls. */
bool mg_bypass_plan(MgCtx *cx, const MgGraph *graph, uint32_t id, MgBypass *step, bool *wanted, MgCounts *counts);

#endif
