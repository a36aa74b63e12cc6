/*
 * Every invariant of a graph that is at rest (nobody writes meanwhile):
 *
 *   - each entry is valid for the layout, its links have distinct ids, none its own
 *   - each link leads to an entry that exists and is on the same level
 *   - below leads to an entry exactly one level lower, of the same value; level 0 has none
 *   - a deleted entry has no items, one on level 0 that is not has some
 *   - the entry point exists if any entry does
 *   - factors are finite and own codes decode to finite numbers
 *   - a way of an entry that is not deleted has its way back, and from where a search comes down ways lead to all of these,
 *     on each level (ways.h)
 *
 * Reported, not an error: links to deleted entries, down from above too (vacuum removes them). Chunks are the caller's to check.
 */
#ifndef MG_HNSW_CHECK_H
#define MG_HNSW_CHECK_H

#include "hnsw/graph.h"

typedef struct MgChecked
{
	uint64_t nodes;		  /* entries of level 0 that are not deleted */
	uint64_t deleted;	  /* entries that are */
	uint64_t entries[MG_MAX_LEVEL + 1]; /* by level */
	uint64_t links;		  /* on level 0 */
	uint64_t dead_links;  /* links to deleted entries, on all levels */
	uint64_t unreachable; /* of nodes: no path of links leads to them */
	uint64_t violations;
} MgChecked;

/* Hears of each violation: the entry and words about it, a sentence part without a period. */
typedef struct MgComplaints
{
	void *user;
	void (*hear)(void *user, uint32_t id, const char *text);
} MgComplaints;

/* Calls next until it gives MG_NO_NODE, for all ids in ascending order. Polls. Memory: 12 bytes an entry. */
bool mg_check(MgCtx *cx, const MgGraph *graph, bool (*next)(void *user, MgCtx *cx, uint32_t *id), void *user,
			  const MgComplaints *complaints, MgChecked *checked);

#endif
