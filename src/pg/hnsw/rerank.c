/* Exact distances of heap tuples. */
#include "pg/hnsw/rerank.h"

#include "access/tableam.h"
#include "catalog/index.h"
#include "executor/executor.h"
#include "executor/instrument.h"
#include "pg/hnsw/sift.h"
#include "storage/bufmgr.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/spccache.h"

struct HnswRerank
{
	Snapshot snapshot;
	IndexFetchTableData *fetch;
	TupleTableSlot *slot;
	MemoryContext memory;	/* of one tuple */
	AttrNumber column;		/* that the index is on; 0: on an expression */
	IndexInfo *info;		/* of an expression */
	EState *estate;
	FmgrInfo *distance;
	Datum query;
	bool ahead_allowed; /* effective_io_concurrency is not 0 */
	int cold;			/* tuples for which pages are read ahead */
};

/* Tuples after one whose page was in no buffer, for which pages are read ahead. */
#define STAYS_COLD 8

HnswRerank *
hnsw_rerank_begin(IndexScanDesc scan)
{
	HnswRerank *rerank = palloc0(sizeof *rerank);

	rerank->snapshot = scan->xs_snapshot;
	rerank->fetch = table_index_fetch_begin(scan->heapRelation);
	rerank->slot = table_slot_create(scan->heapRelation, NULL);
	rerank->memory = AllocSetContextCreate(CurrentMemoryContext, "maskgen_hnsw rerank", ALLOCSET_DEFAULT_SIZES);
	rerank->ahead_allowed = hnsw_sift_can(scan->heapRelation) && get_tablespace_io_concurrency(scan->heapRelation->rd_rel->reltablespace) > 0;
	rerank->column = scan->indexRelation->rd_index->indkey.values[0];
	if (rerank->column == 0)
	{
		rerank->info = BuildIndexInfo(scan->indexRelation);
		rerank->estate = CreateExecutorState();
	}
	return rerank;
}

void
hnsw_rerank_end(HnswRerank *rerank)
{
	ExecDropSingleTupleTableSlot(rerank->slot);
	table_index_fetch_end(rerank->fetch);
	if (rerank->estate != NULL)
		FreeExecutorState(rerank->estate);
	MemoryContextDelete(rerank->memory);
	pfree(rerank);
}

void
hnsw_rerank_reset(HnswRerank *rerank)
{
	ExecClearTuple(rerank->slot);
	table_index_fetch_reset(rerank->fetch);
}

void
hnsw_rerank_set_query(HnswRerank *rerank, FmgrInfo *distance, Datum query)
{
	rerank->distance = distance;
	rerank->query = query;
}

TupleTableSlot *
hnsw_rerank_fetch(HnswRerank *rerank, const ItemPointerData *tid)
{
	ItemPointerData place = *tid; /* is moved along a chain of updates */
	bool more = false, all_dead = false, found;
	int64 before = pgBufferUsage.shared_blks_read;

	found = table_index_fetch_tuple(rerank->fetch, &place, rerank->snapshot, rerank->slot, &more, &all_dead);
	if (pgBufferUsage.shared_blks_read != before)
		rerank->cold = STAYS_COLD;
	else if (rerank->cold > 0)
		rerank->cold--;
	return found ? rerank->slot : NULL;
}

bool
hnsw_rerank_read_ahead(HnswRerank *rerank, const ItemPointerData *tid)
{
	if (rerank->cold == 0 || !rerank->ahead_allowed)
		return false;
	PrefetchBuffer(rerank->fetch->rel, MAIN_FORKNUM, ItemPointerGetBlockNumber(tid));
	return true;
}

static Datum
indexed_value(HnswRerank *rerank, TupleTableSlot *slot, bool *is_null)
{
	Datum values[INDEX_MAX_KEYS];
	bool nulls[INDEX_MAX_KEYS];

	if (rerank->column != 0)
		return slot_getattr(slot, rerank->column, is_null);
	ResetPerTupleExprContext(rerank->estate);
	GetPerTupleExprContext(rerank->estate)->ecxt_scantuple = slot;
	FormIndexDatum(rerank->info, slot, rerank->estate, values, nulls);
	*is_null = nulls[0];
	return values[0];
}

bool
hnsw_rerank_measure(HnswRerank *rerank, TupleTableSlot *slot, double *distance)
{
	MemoryContext before = MemoryContextSwitchTo(rerank->memory);
	bool is_null;
	Datum value = indexed_value(rerank, slot, &is_null);

	if (!is_null)
		*distance = DatumGetFloat8(FunctionCall2Coll(rerank->distance, InvalidOid, value, rerank->query));
	MemoryContextSwitchTo(before);
	MemoryContextReset(rerank->memory);
	return !is_null;
}
