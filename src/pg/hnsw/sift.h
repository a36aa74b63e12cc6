/*
 * All rows of the table that pass a filter, nearest first: as a sequential scan and a sort, but without what the scan has
 * returned already. For filters that so few rows pass that going through all rows in the order of their distances, filtered or
 * not, would take longer.
 *
 * A row that the scan's snapshot sees is named by the tuple that indexes know, the root of its HOT chain. Rows that are not
 * indexed, for their vectors are NULL, of length 0 under cosine, or out of a partial index, are left out as a search leaves them out.
 */
#ifndef MASKGEN_PG_HNSW_SIFT_H
#define MASKGEN_PG_HNSW_SIFT_H

#include "postgres.h"
#include "access/genam.h"
#include "access/relscan.h"
#include "nodes/execnodes.h"
#include "pg/hnsw/ranking.h"
#include "pg/hnsw/rerank.h"

typedef struct HnswSiftOptions
{
	IndexScanState *filter;
	bool within; /* the radius, and nothing whose distance is no number */
	bool numbers; /* what is no number is not indexed */
	double radius;
	Size memory; /* bytes of rows (nearest.h) */
	const uint64 *returned; /* [n_returned] hnsw_sift_key, ascending, until the end: rows to leave out */
	Size n_returned;
	uint64 *n_fetched, *n_passed, *n_ranked; /* count rows read, that passed the filter, that were measured */
} HnswSiftOptions;

typedef struct HnswSift HnswSift;

/* Whether a row is among [n] hnsw_sift_key, ascending. */
bool hnsw_sift_has(const uint64 *returned, Size n, uint64 key);

/* Whether rows of the table can be sifted. */
bool hnsw_sift_can(Relation heap);

/* In the current memory context, with which it goes if it comes to its end or the transaction does. */
HnswSift *hnsw_sift_begin(IndexScanDesc scan, HnswRerank *rerank, const HnswSiftOptions *options);
void hnsw_sift_end(HnswSift *sift);

/* False at the end. Interruptible. */
bool hnsw_sift_next(HnswSift *sift, HnswRow *row);

static inline uint64
hnsw_sift_key(const ItemPointerData *tid)
{
	return (uint64) ItemPointerGetBlockNumberNoCheck(tid) << 16 | ItemPointerGetOffsetNumberNoCheck(tid);
}

#endif
