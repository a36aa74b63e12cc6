/* Scans: ambeginscan, amrescan, amgettuple, amendscan. */
#ifndef MASKGEN_PG_HNSW_SCAN_H
#define MASKGEN_PG_HNSW_SCAN_H

#include "postgres.h"
#include "access/genam.h"
#include "pg/hnsw/tally.h"
#include "access/relscan.h"

IndexScanDesc hnsw_scan_begin(Relation index, int n_keys, int n_orderbys);
void hnsw_scan_rescan(IndexScanDesc scan, ScanKey keys, int n_keys, ScanKey orderbys, int n_orderbys);
bool hnsw_scan_next(IndexScanDesc scan, ScanDirection direction);
void hnsw_scan_end(IndexScanDesc scan);

/* What a scan has done so far; false when that is nothing, or it is none of ours. */
bool hnsw_scan_tally(IndexScanDesc scan, HnswTally *tally);

#endif
