/* The last step of a build in memory, when links are as many as entries hold: see reach.c. */
#ifndef MG_HNSW_REACH_H
#define MG_HNSW_REACH_H

#include "hnsw/block.h"

/*
 * Gives every node a way to it on level 0 from the entry point, but for those that lead to no other such node. By one
 * process. Takes some 10 bytes a node from the arena. Polls.
 */
bool mg_build_reach(MgCtx *cx, MgBuild *build, const MgEntryLayout *layout);

#endif
