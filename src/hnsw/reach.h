/* The last step of a build in memory, when links are as many as entries hold: see reach.c. */
#ifndef MG_HNSW_REACH_H
#define MG_HNSW_REACH_H

#include "hnsw/block.h"

/*
 * Lays ways: joins all nodes of each level to a tree. By one process. Takes some 5 bytes a node from the arena. Polls.
 */
bool mg_build_reach(MgCtx *cx, MgBuild *build, const MgGraph *graph);

#endif
