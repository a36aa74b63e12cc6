/* A sequential scan within an index scan. */
#include "pg/hnsw/sift.h"

#include <math.h>

#include "access/heapam.h"
#include "access/tableam.h"
#include "catalog/index.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "pg/hnsw/filter.h"
#include "pg/hnsw/nearest.h"
#include "storage/bufmgr.h"

struct HnswSift
{
	Relation heap;
	Snapshot snapshot;
	HnswRerank *rerank;
	HnswSiftOptions options;
	TupleTableSlot *slot;
	EState *estate;		  /* of the index's predicate */
	ExprState *predicate; /* NULL: all rows are indexed */
	HnswNearest nearest;
	bool read; /* a round is done */

	/* Roots of the page that was asked for last */
	BlockNumber block;
	OffsetNumber roots[MaxHeapTuplesPerPage];
};

bool
hnsw_sift_can(Relation heap)
{
	return heap->rd_tableam == GetHeapamTableAmRoutine();
}

HnswSift *
hnsw_sift_begin(IndexScanDesc scan, HnswRerank *rerank, const HnswSiftOptions *options)
{
	HnswSift *sift = palloc0(sizeof *sift);
	IndexInfo *info = BuildIndexInfo(scan->indexRelation);

	sift->heap = scan->heapRelation;
	sift->snapshot = scan->xs_snapshot;
	sift->rerank = rerank;
	sift->options = *options;
	sift->slot = table_slot_create(scan->heapRelation, NULL);
	if (info->ii_Predicate != NIL)
	{
		sift->estate = CreateExecutorState();
		sift->predicate = ExecPrepareQual(info->ii_Predicate, sift->estate);
		GetPerTupleExprContext(sift->estate)->ecxt_scantuple = sift->slot;
	}
	hnsw_nearest_init(&sift->nearest, options->memory);
	return sift;
}

void
hnsw_sift_end(HnswSift *sift)
{
	ExecDropSingleTupleTableSlot(sift->slot);
	if (sift->estate != NULL)
		FreeExecutorState(sift->estate);
}

/* The root of the chain of the tuple in the slot, whose page is pinned. */
static void
find_root(HnswSift *sift, ItemPointerData *tid)
{
	const BufferHeapTupleTableSlot *slot = (const BufferHeapTupleTableSlot *) sift->slot;
	BlockNumber block = ItemPointerGetBlockNumber(tid);
	OffsetNumber root;

	if (!HeapTupleHeaderIsHeapOnly(slot->base.tuple->t_data))
		return;
	if (sift->block != block)
	{
		LockBuffer(slot->buffer, BUFFER_LOCK_SHARE);
		heap_get_root_tuples(BufferGetPage(slot->buffer), sift->roots);
		LockBuffer(slot->buffer, BUFFER_LOCK_UNLOCK);
		sift->block = block;
	}
	root = sift->roots[ItemPointerGetOffsetNumber(tid) - 1];
	if (root != InvalidOffsetNumber)
		ItemPointerSetOffsetNumber(tid, root);
}

bool
hnsw_sift_has(const uint64 *returned, Size n, uint64 key)
{
	Size low = 0, high = n;

	while (low < high)
	{
		Size middle = low + (high - low) / 2;

		if (returned[middle] < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n && returned[low] == key;
}

static bool
is_indexed(HnswSift *sift)
{
	bool indexed;

	if (sift->predicate == NULL)
		return true;
	indexed = ExecQual(sift->predicate, GetPerTupleExprContext(sift->estate));
	ResetPerTupleExprContext(sift->estate);
	return indexed;
}

static void
look_at(HnswSift *sift)
{
	ItemPointerData tid = sift->slot->tts_tid;
	double distance;

	(*sift->options.n_fetched)++;
	if (!hnsw_filter_passes(sift->options.filter, sift->slot))
		return;
	(*sift->options.n_passed)++;
	if (!is_indexed(sift) || !hnsw_rerank_measure(sift->rerank, sift->slot, &distance))
		return;
	(*sift->options.n_ranked)++;
	if (isnan(distance))
	{
		if (sift->options.within || sift->options.numbers)
			return;
		distance = INFINITY;
	}
	if (distance > sift->options.radius)
		return;
	find_root(sift, &tid);
	if (hnsw_sift_has(sift->options.returned, sift->options.n_returned, hnsw_sift_key(&tid)))
		return;
	hnsw_nearest_reserve(&sift->nearest, 1);
	hnsw_nearest_add(&sift->nearest, distance, hnsw_sift_key(&tid));
}

static void
read_all(HnswSift *sift)
{
	TableScanDesc scan = table_beginscan(sift->heap, sift->snapshot, 0, NULL);

	hnsw_nearest_start(&sift->nearest);
	sift->block = InvalidBlockNumber;
	while (table_scan_getnextslot(scan, ForwardScanDirection, sift->slot))
	{
		CHECK_FOR_INTERRUPTS();
		look_at(sift);
	}
	ExecClearTuple(sift->slot);
	table_endscan(scan);
	hnsw_nearest_finish(&sift->nearest);
	sift->read = true;
}

bool
hnsw_sift_next(HnswSift *sift, HnswRow *row)
{
	HnswNear near;

	if (sift->nearest.n == 0 && (!sift->read || sift->nearest.further))
		read_all(sift);
	if (sift->nearest.n == 0)
		return false;
	near = hnsw_nearest_take(&sift->nearest);
	row->distance = near.key;
	ItemPointerSet(&row->tid, (BlockNumber) (near.id >> 16), (OffsetNumber) (near.id & 0xFFFF));
	return true;
}
