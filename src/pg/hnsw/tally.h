/*
 * What a scan did, for who wants to know: last_index_scan(), EXPLAIN ANALYZE since PostgreSQL 18, and client_min_messages = debug1.
 */
#ifndef MASKGEN_PG_HNSW_TALLY_H
#define MASKGEN_PG_HNSW_TALLY_H

#include "postgres.h"
#include "access/genam.h"

/* Ways that a scan went, as bits. */
#define HNSW_WAY_GRAPH 1
#define HNSW_WAY_LIST 2
#define HNSW_WAY_PASS 4
#define HNSW_WAY_TABLE 8

typedef struct HnswTally
{
	int ways;
	uint64 searches;
	uint64 entries; /* read by links */
	uint64 passed;	/* entries read by passes over the index */
	uint64 listed;	/* rows read in lists */
	uint64 dropped; /* rows that conditions on included columns dropped, in the index */
	uint64 fetched; /* visible rows of the table that were looked at */
	uint64 kept;	/* of those, rows that passed the filter */
	uint64 ranked;	/* rows whose exact distance was computed */
} HnswTally;

void hnsw_tally_add(HnswTally *sum, const HnswTally *tally);

/* A scan, or one of its searches, has ended; tally: of the scan so far. */
void hnsw_tally_note(IndexScanDesc scan, const HnswTally *tally);

/* For _PG_init. */
void hnsw_tally_install(void);

#endif
