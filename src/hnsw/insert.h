/*
 * A node into a graph: plan, then apply. Nothing here writes to the store.
 *
 *   1. mg_insert_plan     searches; gives the new entries with their links, or an equal node to join
 *   2. the caller stores  the entry of level 0, then of level 1 with below = the id of level 0, and so on,
 *                         and says what ids they have (mg_insert_placed)
 *   3. for i < mg_insert_n_edges: repeat
 *          mg_insert_edge reads the i-th neighbour and decides which of its links the new node replaces
 *          the caller     takes the lock of edge.target, re-reads it, mg_edge_apply
 *      until the result is not MG_CHANGED (or *wanted was false: the neighbour has better links)
 *   4. if plan->level is above the level of the entry point, under that one's lock: make ids[level] the entry point
 *
 * A node that is stored but not linked to (a crash between 2 and 3) is found
 * by nobody, and harms nothing.
 */
#ifndef MG_HNSW_INSERT_H
#define MG_HNSW_INSERT_H

#include "hnsw/graph.h"

typedef struct MgInsert
{
	/*
	 * Not MG_NO_NODE: a node with an equal value that has room for an item: add
	 * the item there under its lock (mg_entry_add_item; if that fails by then, plan
	 * again with join = false). For coded entries equal is by own code; exact
	 * distances belong to each item's own tuple, so nothing is lost by it.
	 */
	uint32_t equal;

	int level;
	uint8_t *entries[MG_MAX_LEVEL + 1];	 /* complete but for below; arena memory */
	uint32_t ids[MG_MAX_LEVEL + 1];		 /* after mg_insert_placed */
	const float *rotated;				 /* coded: of the new value; by reference, as in the query */
	const void *value;					 /* plain: likewise */
	uint32_t value_size;
	MgCounts counts;
} MgInsert;

/*
 * query: of the value to insert; item [item_size]; level from mg_level.
 * join: look for an equal node. Polls. False: an error was recorded.
 */
bool mg_insert_plan(MgCtx *cx, const MgGraph *graph, const MgQuery *query, const void *item, int level,
					uint32_t ef_construction, bool join, MgInsert *plan);

/* The entry of a level was stored under this id; sets `below` of the next level's entry. */
void mg_insert_placed(MgInsert *plan, int level, uint32_t id);

/* Links of all levels, each of which wants one back. */
uint32_t mg_insert_n_edges(const MgInsert *plan);

/* *wanted false: nothing to apply. The edge's memory is the arena's: rewind when it is applied. */
bool mg_insert_edge(MgCtx *cx, const MgGraph *graph, MgInsert *plan, uint32_t i, MgEdge *edge, bool *wanted);

#endif
