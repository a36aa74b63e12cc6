/* Exact distances of heap tuples. */
#include "pg/hnsw/rerank.h"

#include "access/tableam.h"
#include "catalog/index.h"
#include "executor/executor.h"
#include "utils/memutils.h"

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
};

HnswRerank *
hnsw_rerank_begin(IndexScanDesc scan)
{
	HnswRerank *rerank = palloc0(sizeof *rerank);

	rerank->snapshot = scan->xs_snapshot;
	rerank->fetch = table_index_fetch_begin(scan->heapRelation);
	rerank->slot = table_slot_create(scan->heapRelation, NULL);
	rerank->memory = AllocSetContextCreate(CurrentMemoryContext, "maskgen_hnsw rerank", ALLOCSET_DEFAULT_SIZES);
	rerank->column = scan->indexRelation->rd_index->indkey.values[0];
	if (rerank->column == 0)
	{
		rerank->info = BuildIndexInfo(scan->indexRelation);
		rerank->estate = CreateExecutorState();
		GetPerTupleExprContext(rerank->estate)->ecxt_scantuple = rerank->slot;
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

/* The indexed value of the fetched tuple. */
static Datum
indexed_value(HnswRerank *rerank, bool *is_null)
{
	Datum values[INDEX_MAX_KEYS];
	bool nulls[INDEX_MAX_KEYS];

	if (rerank->column != 0)
		return slot_getattr(rerank->slot, rerank->column, is_null);
	ResetPerTupleExprContext(rerank->estate);
	FormIndexDatum(rerank->info, rerank->slot, rerank->estate, values, nulls);
	*is_null = nulls[0];
	return values[0];
}

bool
hnsw_rerank_distance(HnswRerank *rerank, const ItemPointerData *tid, double *distance)
{
	ItemPointerData place = *tid; /* is moved along a chain of updates */
	bool more = false, all_dead = false, is_null;
	MemoryContext before;
	Datum value;

	if (!table_index_fetch_tuple(rerank->fetch, &place, rerank->snapshot, rerank->slot, &more, &all_dead))
		return false;
	before = MemoryContextSwitchTo(rerank->memory);
	value = indexed_value(rerank, &is_null);
	if (!is_null)
		*distance = DatumGetFloat8(FunctionCall2Coll(rerank->distance, InvalidOid, value, rerank->query));
	MemoryContextSwitchTo(before);
	MemoryContextReset(rerank->memory);
	return !is_null;
}
