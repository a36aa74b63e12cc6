/*
 * The nearest of many, a few at a time, in bounded memory: for who can go through all of them again.
 *
 *   do                                     a round
 *     for all: hnsw_nearest_add            keeps the nearest that were not given yet
 *     hnsw_nearest_finish
 *     hnsw_nearest_take until it is empty
 *   while further
 *
 * What comes back has to be the same in each round; what appears or goes meanwhile may be given or not.
 */
#ifndef MASKGEN_PG_HNSW_NEAREST_H
#define MASKGEN_PG_HNSW_NEAREST_H

#include "postgres.h"

typedef struct HnswNear
{
	double key; /* not NaN */
	uint64 id;	/* one of each; decides between equal keys */
} HnswNear;

typedef struct HnswNearest
{
	HnswNear *items; /* after finish a heap, nearest first */
	Size n, room, most;
	HnswNear after;		/* only what comes after this is added */
	bool given, further; /* after is set; another round would find more */
} HnswNearest;

#define HNSW_NEAREST_LEAST_MEMORY (1024 * 1024)

/* In the current memory context; memory: bytes, of which at least HNSW_NEAREST_LEAST_MEMORY are taken if they are needed. */
void hnsw_nearest_init(HnswNearest *nearest, Size memory);

void hnsw_nearest_start(HnswNearest *nearest);

/* Room for n more, so that adding them allocates nothing and takes no time. Interruptible. */
void hnsw_nearest_reserve(HnswNearest *nearest, Size n);
void hnsw_nearest_add(HnswNearest *nearest, double key, uint64 id);

void hnsw_nearest_finish(HnswNearest *nearest);

/* The nearest; there must be one. */
HnswNear hnsw_nearest_take(HnswNearest *nearest);

#endif
