/*
 * A pass over all pages of an index: every node that a search by the graph has not given already, whether links lead
 * to it or not. What is within a radius is then complete, an order exact, and a scan that was asked for more rows than the
 * search finds has them.
 *
 * Entries never move and a row's entry is there before its transaction commits, so one pass meets each row that the
 * scan's snapshot sees. What comes and goes meanwhile is nothing that it sees.
 *
 * Without an order nodes are given as they are met. In order they are given by the least distance that their rows may
 * have (least.h), the nearest first, as many as memory holds (nearest.h), and others by another pass
 * when these are used up. So memory is bounded, and nothing goes to disk.
 */
#ifndef MASKGEN_PG_HNSW_PASS_H
#define MASKGEN_PG_HNSW_PASS_H

#include "pg/hnsw/least.h"

typedef struct HnswPassOptions
{
	bool ordered;
	bool unranked;		/* no row is nearer than another: no distances */
	double radius;		/* in the operator's measure; INFINITY: none */
	Size memory;		/* bytes of the heap (nearest.h) */
	const uint32 *done; /* [n_done], ascending, until the end: nodes to leave out */
	uint32 n_done;
} HnswPassOptions;

typedef struct HnswPass HnswPass;

/* In the current memory context, with which it goes; store and query must outlive it. */
HnswPass *hnsw_pass_begin(const HnswStore *store, const MgQuery *query, const HnswPassOptions *options);

/* What the next node's rows may have at least; INFINITY when there is none. Interruptible. */
double hnsw_pass_least(HnswPass *pass);

/* The next node; MG_NO_NODE when there is none. */
uint32 hnsw_pass_next(HnswPass *pass);

/* Entries read so far. */
uint64 hnsw_pass_entries(const HnswPass *pass);

#endif
