/* The nodes of a block in an order in which neighbours are near each other: tour.c. */
#ifndef MG_HNSW_TOUR_H
#define MG_HNSW_TOUR_H

#include "hnsw/block.h"

/*
 * Between MG_CONNECT_ASSIGN and MG_CONNECT_FEW. Each node's list of level 0 has in `placed` the node of level 1 that it is nearest to. The order goes
 * into the block's table; it stays that of insertion if there is no level 1 or the table has no room for all. Polls.
 */
bool mg_build_tour(MgCtx *cx, MgBuild *build, const MgGraph *graph);

/*
 * Before places are given out: of an order, so many nodes that follow each other are each other's nearest, for they will be on a page. Lists were cut;
 * `placed` of level 0 is used. Polls.
 */
bool mg_build_pack(MgCtx *cx, MgBuild *build, const MgGraph *graph, uint32_t together);

#endif
