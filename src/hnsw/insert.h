/*
 * A node into a graph: plan, then apply. Nothing here writes to the store.
 *
 *   1. mg_insert_plan     searches; gives the new entries with their links, or an equal node to join
 *   2. for level 0, then 1, and so on: repeat
 *          mg_insert_way  chooses the entry that the new one's way leads to, and the edge for the way back
 *          the caller     finds a place, and so the entry's id; writes that into the edge's link; and in one change of both entries
 *                         mg_way_add and, unless that is MG_CHANGED, stores the new entry
 *      until it is stored; then mg_insert_placed. *found was false: there is no other entry, nothing to lead there
 *   3. for i < mg_insert_n_edges: repeat
 *          mg_insert_edge reads the i-th neighbour and decides which of its links the new node replaces
 *          the caller     takes the lock of edge.target, re-reads it, mg_edge_apply
 *      until the result is not MG_CHANGED (or *wanted was false: the neighbour has better links)
 *   4. if plan->level is above the level of the entry point, under that one's lock: make ids[level] the entry point
 *
 * From step 2 on the node is reached (README.md, Ways).
 */
#ifndef MG_HNSW_INSERT_H
#define MG_HNSW_INSERT_H

#include "hnsw/graph.h"

typedef struct MgInsert
{
	/*
	 * Not MG_NO_NODE: a node of an equal value: add the item there under its lock, to the entry or to a chunk (items.h). If it is
	 * deleted by then, plan again.
	 */
	uint32_t equal;

	int level;
	uint8_t *entries[MG_MAX_LEVEL + 1];	 /* complete but for below; arena memory */
	uint32_t ids[MG_MAX_LEVEL + 1];		 /* after mg_insert_placed */
	const float *rotated;				 /* coded: of the new value; by reference, as in the query */
	const void *value;					 /* plain: likewise */
	uint32_t value_size;
	uint64_t random;					 /* of the walk that looks for room */
	MgCounts counts;
} MgInsert;

/* query: of the value to insert; item [item_size]; level from mg_level. Polls. False: an error was recorded. */
bool mg_insert_plan(MgCtx *cx, const MgGraph *graph, const MgQuery *query, const void *item, int level,
					uint32_t ef_construction, MgInsert *plan);

/* The edge of a way to the new entry of a level, whose id goes into its link; that entry then has the way as its first link. */
bool mg_insert_way(MgCtx *cx, const MgGraph *graph, MgInsert *plan, int level, MgEdge *edge, bool *found);

/* The entry of a level was stored under this id; sets `below` of the next level's entry. */
void mg_insert_placed(MgInsert *plan, int level, uint32_t id);

/* Links of all levels that want one back: m of each at most, each of which is a page to be changed (README.md). */
uint32_t mg_insert_n_edges(const MgGraph *graph, const MgInsert *plan);

/* *wanted false: nothing to apply. The edge's memory is the arena's: rewind when it is applied. */
bool mg_insert_edge(MgCtx *cx, const MgGraph *graph, MgInsert *plan, uint32_t i, MgEdge *edge, bool *wanted);

#endif
