/* What a scan looks for, out of its keys. */
#ifndef MASKGEN_PG_HNSW_TARGET_H
#define MASKGEN_PG_HNSW_TARGET_H

#include "postgres.h"
#include "access/genam.h"
#include "access/relscan.h"
#include "pg/hnsw/store.h"

typedef struct HnswTarget
{
	Datum value;		/* detoasted */
	bool is_null;
	FmgrInfo *distance; /* the operator's */
	bool within;		/* a radius; else it is INFINITY */
	double radius;
	bool ordered;		/* by distance */
	bool sorted_above;	/* what is kept of the rows is sorted (order.h) */
	bool exact;			/* the radius stands for a comparison */
} HnswTarget;

/*
 * What to look for and how far. False: nothing can be found. A second radius, or one around another value than the
 * order's, is left to the executor: scan->xs_recheck. memory: of what outlives a search; *own is for the class' distance,
 * where no ORDER BY has one, and is zero before the first call. Throws where the plan needs an index that has left out no row, and this
 * one has.
 */
bool hnsw_target_of(IndexScanDesc scan, const HnswKind *kind, MemoryContext memory, FmgrInfo *own, HnswTarget *target);

/* The query of the graph, in the arena. False: no row is nearer than another (NULL, or 0 under cosine), and the query is none. */
bool hnsw_target_query(HnswStore *store, MgCtx *cx, const HnswTarget *target, MgQuery *query);

/* A radius in the graph's measure, with what codes may mostly be wrong. */
float hnsw_target_radius(const HnswStore *store, const MgQuery *query, double radius);

#endif
