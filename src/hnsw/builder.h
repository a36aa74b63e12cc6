/*
 * One process of a build, from within: what it needs of its own to store values in the block (build.c) and to link
 * them (connect.c).
 */
#ifndef MG_HNSW_BUILDER_H
#define MG_HNSW_BUILDER_H

#include "hnsw/block.h"
#include "hnsw/seen.h"

typedef struct MgNear
{
	float distance;
	uint32_t node;
	bool expanded;
} MgNear;

struct MgBuilder
{
	MgBuild *build;
	const MgGraph *graph;
	MgPruner pruner;
	MgSeen seen;
	MgNear *near; /* [ef], nearest first: the ef best that a search of a level has seen */
	uint32_t n_near, ef;
	uint32_t *nodes;	  /* [slots]: a copy of a list */
	const uint8_t *value; /* of the node that is linked */
	uint32_t value_size;
	uint32_t n_first; /* bytes that are looked at first; 0: there is nothing to gain */
	float far;		  /* what the first bytes say, times this, is surely too little */
	float scale, square, first_square; /* of value, and of its first bytes */
	uint8_t *taken; /* a value that will be stored */
	float *rotated;
	float *select_distances;
	uint32_t *chosen[MG_MAX_LEVEL + 1]; /* [slots of a level]: the node's links */
	uint32_t n_chosen[MG_MAX_LEVEL + 1];
	uint64_t since_poll;
};

#endif
