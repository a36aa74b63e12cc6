/*
 * Vacuum's part: taking deleted nodes out of the graph, as plans.
 *
 *   1. the caller removes dead items from all entries of level 0 (mg_entry_remove_items) and their chunks; those left without
 *      are deleted. Entries above whose node is deleted: mg_entry_delete. It remembers the ids of all deleted ones.
 *   2. it waits until no insert is under way that began before (such a one may still link to a deleted node)
 *   3. if the entry point is deleted: mg_repair_entry_point, then under the metapage's lock, if it still is the same
 *   4. for each deleted entry: repeat mg_bypass_plan (ways.h) and apply it, until nothing is wanted: then ways join the others
 *   5. for each entry that is not deleted: repeat
 *          mg_repair_plan reads it and gives the edges that replace its links to deleted nodes
 *          the caller     applies all of them under the entry's lock with mg_edge_apply
 *      until none was MG_CHANGED
 *   6. it frees the deleted entries
 *
 * A replacement is looked for among the links of the deleted neighbour
 * (FreshDiskANN, arXiv 2105.09613) and the entry's other neighbours' links; by
 * a search from the entry point only where those give nothing.
 */
#ifndef MG_HNSW_REPAIR_H
#define MG_HNSW_REPAIR_H

#include "hnsw/graph.h"

/* Which ids are deleted. NULL: entries are read to see. */
typedef struct MgDead
{
	bool (*is_dead)(void *user, uint32_t id);
	void *user;
} MgDead;

typedef struct MgRepair
{
	MgEdge *edges; /* of one target, to be applied in order: replacements first, then removals from the highest slot down */
	uint32_t n_edges;
	uint32_t *offers; /* neighbours that this entry was newly linked to: they may be offered a link back (mg_repair_offer) */
	uint32_t n_offers;
	MgCounts counts;
} MgRepair;

/* Arena memory. No edges: nothing to do. Polls. False: an error was recorded. */
bool mg_repair_plan(MgCtx *cx, const MgGraph *graph, const MgDead *dead, uint32_t id, uint32_t ef_construction,
					MgRepair *repair);

/* A link back from neighbour to id, if the neighbour is better off with it. Applied as an insert's edge. */
bool mg_repair_offer(MgCtx *cx, const MgGraph *graph, uint32_t id, uint32_t neighbour, MgEdge *edge, bool *wanted);

/*
 * The highest live entry that the deleted entry point leads to. MG_NO_NODE:
 * none was found that way; the caller, who sees all entries, then takes the
 * highest live one.
 */
bool mg_repair_entry_point(MgCtx *cx, const MgGraph *graph, const MgDead *dead, uint32_t *id, int *level);

#endif
