/*
 * An index scan is not told of its node. So when the executor has started, nodes of ours that have conditions are noted, and a
 * scan finds its own among them when it begins. The conditions are then tested as the node tests them, with its own expressions and
 * parameters. It tests the rows that pass once more, so that nothing depends on this. Volatile conditions are left to it alone.
 */
#include "pg/hnsw/filter.h"

#include "access/amapi.h"
#include "executor/executor.h"
#include "lib/ilist.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "pg/hnsw/scan.h"
#include "utils/rel.h"

typedef struct Known
{
	dlist_node link;
	HnswNode node;
	MemoryContextCallback callback;
} Known;

static dlist_head all_known = DLIST_STATIC_INIT(all_known);

static ExecutorStart_hook_type next_start;

bool
hnsw_filter_passes(IndexScanState *node, TupleTableSlot *row)
{
	ExprContext *context;
	TupleTableSlot *before;
	bool passes;

	if (node == NULL)
		return true;
	/* Nothing of its memory is in use while the node asks for a row. */
	context = node->ss.ps.ps_ExprContext;
	before = context->ecxt_scantuple;
	context->ecxt_scantuple = row;
	passes = ExecQual(node->ss.ps.qual, context);
	context->ecxt_scantuple = before;
	ResetExprContext(context);
	if (!passes)
		InstrCountFiltered1(node, 1);
	return passes;
}

static void
forget(void *known)
{
	dlist_delete(&((Known *) known)->link);
}

typedef struct Walk
{
	EState *estate;
	LimitState *limit;
} Walk;

/* Until the query's memory goes. */
static void
note(const Walk *walk, IndexScanState *scan)
{
	Known *known = MemoryContextAllocZero(walk->estate->es_query_cxt, sizeof *known);

	known->node.scan = scan;
	known->node.tested = scan->ss.ps.qual != NULL && !contain_volatile_functions((Node *) scan->ss.ps.plan->qual);
	known->node.limit = walk->limit;
	known->callback.func = forget;
	known->callback.arg = known;
	dlist_push_head(&all_known, &known->link);
	MemoryContextRegisterResetCallback(walk->estate->es_query_cxt, &known->callback);
}

static bool
look_at(PlanState *state, void *context)
{
	Walk walk = *(Walk *) context;

	switch (nodeTag(state))
	{
		case T_IndexScanState:
		{
			IndexScanState *scan = (IndexScanState *) state;

			/* A query that is only explained opens no index. */
			if (scan->iss_RelationDesc != NULL && scan->iss_RelationDesc->rd_indam->amgettuple == hnsw_scan_next)
				note(&walk, scan);
			walk.limit = NULL;
			break;
		}
		case T_LimitState:
			walk.limit = (LimitState *) state;
			break;
		case T_AppendState:
		case T_MergeAppendState:
		case T_SubqueryScanState:
		case T_LockRowsState:
		case T_ResultState:
		case T_CustomScanState:
			break;
		default:
			walk.limit = NULL;
			break;
	}
	return planstate_tree_walker(state, look_at, &walk);
}

static void
start(QueryDesc *query, int flags)
{
	Walk walk;

	if (next_start != NULL)
		next_start(query, flags);
	else
		standard_ExecutorStart(query, flags);
	walk = (Walk){query->estate, NULL};
	look_at(query->planstate, &walk);
}

const HnswNode *
hnsw_filter_of(IndexScanDesc scan)
{
	dlist_iter iterator;

	dlist_foreach(iterator, &all_known)
	{
		const HnswNode *node = &dlist_container(Known, link, iterator.cur)->node;

		if (node->scan->iss_ScanDesc == scan)
			return node;
	}
	return NULL;
}

double
hnsw_filter_limit(const HnswNode *node)
{
	if (node == NULL || node->limit == NULL || node->limit->noCount)
		return -1;
	return (double) node->limit->count + (double) node->limit->offset;
}

double
hnsw_filter_share(const HnswNode *node)
{
	double rows;

	if (node == NULL || node->scan->ss.ps.qual == NULL)
		return 1;
	rows = node->scan->iss_RelationDesc->rd_rel->reltuples;
	return rows > 0 ? Min(Max(node->scan->ss.ps.plan->plan_rows, 1) / rows, 1) : 1;
}

void
hnsw_filter_install(void)
{
	next_start = ExecutorStart_hook;
	ExecutorStart_hook = start;
}
