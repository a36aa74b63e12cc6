/*
 * The rows of some keys, in the order of the least distance that they may have (least.h), out of their lists: complete, and in memory that is
 * bounded, as a pass over all pages gives nodes (pass.h).
 */
#ifndef MASKGEN_PG_HNSW_LIST_SCAN_H
#define MASKGEN_PG_HNSW_LIST_SCAN_H

#include "pg/hnsw/covered.h"
#include "pg/hnsw/least.h"
#include "pg/hnsw/list.h"

typedef struct HnswListOptions
{
	HnswCovered *covered; /* all conditions on included columns; keys are among them */
	bool unranked;		  /* no row is nearer than another: no distances */
	double radius;		  /* in the operator's measure; INFINITY: none */
	Size memory;		  /* bytes of rows (nearest.h) */
	const uint64 *returned; /* [n_returned] hnsw_sift_key, ascending, until the end: rows to leave out */
	Size n_returned;
} HnswListOptions;

typedef struct HnswListScan HnswListScan;

/* Finds the lists of keys [n], ascending, until the end; keys of NULL: all lists, in the order of their pages. In the current memory context; store must outlive it. */
HnswListScan *hnsw_list_scan_begin(const HnswStore *store, const uint64 *keys, int n);

/* Rows that its lists have, about. */
double hnsw_list_scan_rows(const HnswListScan *scan);

/* Before the first row. query and options must live until the end. */
void hnsw_list_scan_start(HnswListScan *scan, const MgQuery *query, const HnswListOptions *options);

/* What the next row may have at least; INFINITY when there is none. Interruptible. */
double hnsw_list_scan_least(HnswListScan *scan);

/* The next row; false at the end. */
bool hnsw_list_scan_next(HnswListScan *scan, ItemPointerData *tid);

/* Records of its keys read so far, those that conditions on included columns dropped among them. */
uint64 hnsw_list_scan_read(const HnswListScan *scan);

/* Those that they dropped. */
uint64 hnsw_list_scan_dropped(const HnswListScan *scan);

#endif
