/*
 * Exact distances of heap tuples: what the index keeps are codes, some per cent
 * off. Tuples are fetched as an index scan's executor node would, with the
 * scan's snapshot.
 */
#ifndef MASKGEN_PG_HNSW_RERANK_H
#define MASKGEN_PG_HNSW_RERANK_H

#include "postgres.h"
#include "access/genam.h"
#include "access/relscan.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "storage/itemptr.h"

typedef struct HnswRerank HnswRerank;

/* In the current memory context; for a scan that has a heap relation and a snapshot. */
HnswRerank *hnsw_rerank_begin(IndexScanDesc scan);
void hnsw_rerank_end(HnswRerank *rerank);

/* Lets go of the heap page that it holds. */
void hnsw_rerank_reset(HnswRerank *rerank);

/* The query, detoasted, and the operator's function; both must live as long as they are used. */
void hnsw_rerank_set_query(HnswRerank *rerank, FmgrInfo *distance, Datum query);

/* The tuple, until the next one is asked for; NULL when the snapshot does not see it. */
TupleTableSlot *hnsw_rerank_fetch(HnswRerank *rerank, const ItemPointerData *tid);

/* A tuple will be asked for soon: reading its page is begun, if the last ones were in no buffer. False: they were. */
bool hnsw_rerank_read_ahead(HnswRerank *rerank, const ItemPointerData *tid);

/* The operator's distance of a tuple of the table, perhaps NaN; false when its value is NULL. */
bool hnsw_rerank_measure(HnswRerank *rerank, TupleTableSlot *slot, double *distance);

#endif
