/*
 * What the executor will do with the rows of a scan: conditions that it will test, a LIMIT that it will stop at. Known to the scan, a row
 * that does not pass costs neither a distance nor a place in the order, and the scan can tell which way is the cheapest (batches.c).
 */
#ifndef MASKGEN_PG_HNSW_FILTER_H
#define MASKGEN_PG_HNSW_FILTER_H

#include "postgres.h"
#include "access/genam.h"
#include "nodes/execnodes.h"

/* A node that a scan serves. */
typedef struct HnswNode
{
	IndexScanState *scan;
	bool tested;	   /* it has conditions, and they may be tested here */
	LimitState *limit; /* above it, if only what hands rows on is between; NULL: none */
} HnswNode;

/* NULL when it is unknown. */
const HnswNode *hnsw_filter_of(IndexScanDesc scan);

/* Rows that the LIMIT asks for, its OFFSET included, once it has begun; -1: nobody knows. */
double hnsw_filter_limit(const HnswNode *node);

/* The share of the index's rows that the planner expects to pass; 1 if it is unknown, or there are no conditions. */
double hnsw_filter_share(const HnswNode *node);

/* Whether a row passes; true for a node of NULL. What does not is counted for EXPLAIN, as the executor would. */
bool hnsw_filter_passes(IndexScanState *node, TupleTableSlot *row);

/* For _PG_init. */
void hnsw_filter_install(void);

#endif
