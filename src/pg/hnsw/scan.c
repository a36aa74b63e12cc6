/*
 * Scans, in two stages.
 *
 * GRAPH  A search gives batches of nodes by the distances of their codes (hnsw/search.h); their heap tuples are ranked by
 *        exact distances, no more of them than must be (ranking.h). When the batch is used up and more rows are asked for, the
 *        search goes on: so a LIMIT is honoured whatever filters, joins and row security leave of the rows.
 * PASS   All that the search has not given, page by page (pass.h): complete, and in order.
 *
 * A scan begins with the graph where a few rows are probably enough: those of a LIMIT, which are sorted above it (order.h), and those
 * within a radius, of which the nearest come first. It goes on with the pass when the search is at its end, by links or by a
 * bound, or has cost as much as the pass does. An order that nothing sorts begins with the pass: what a search finds
 * too late would be out of order or lost. So would what it never finds of a radius: WHERE means all rows.
 *
 * The index is read without regard to who writes it. An id may have been freed
 * and used again since it was read: the other node then is found, or not. What is
 * returned is a heap tuple that the snapshot sees, with the distance that it
 * has. A tuple's place may be used again too, by one that the snapshot cannot see.
 */
#include "pg/hnsw/scan.h"

#include <math.h>

#include "access/genam.h"
#include "hnsw/items.h"
#include "hnsw/search.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/hnsw/items.h"
#include "pg/hnsw/options.h"
#include "pg/hnsw/pass.h"
#include "pg/hnsw/ranking.h"
#include "pg/hnsw/rerank.h"
#include "pg/hnsw/scratch.h"
#include "pg/hnsw/target.h"
#include "pg/host.h"
#include "pgstat.h"
#include "utils/memutils.h"

/* Rows of a batch, each of which is twice as wide as the one before: a filter that rejects many costs no more batches than it must. */
#define WIDEST_BATCH 8192

/* Reading a page in a pass costs a third of reading an entry of it by a link: 0.5 of 1.5 us, 384 dimensions, from memory. */
#define PAGES_AN_ENTRY 3

typedef enum Stage
{
	STAGE_GRAPH,
	STAGE_PASS,
	STAGE_END /* what is ranked remains */
} Stage;

typedef struct HnswScan
{
	MemoryContext memory, search_memory; /* of one search */
	HnswScratch *scratch; /* NULL until the first row is asked for */
	MgMark start;		  /* of a search, behind what the scan has */
	HnswStore store;
	HnswRerank *rerank;
	HnswRanking ranking;

	/* One search */
	bool begun;
	bool told; /* of the bound; once a scan */
	Stage stage;
	bool complete; /* after the graph comes the pass */
	HnswTarget target;
	bool unranked; /* no row is nearer than another */
	MgQuery query;
	MgSearch *search;
	const MgFound *found; /* [n_found], those before next are ranked */
	size_t n_found, next;
	bool any_within;	 /* of the batch */
	bool chained;		 /* the last node has further tuples in chain, all of chain_distance */
	HnswChain chain;
	double chain_distance; /* -INFINITY: none of its tuples is known yet */
	uint32 *done;		 /* [n_done]: nodes that were ranked, if a pass will come */
	Size n_done, done_room;
	HnswPass *pass;
	double last;		 /* distance of the last row returned */
	FmgrInfo distance;	 /* of the class; where no ORDER BY has one */
} HnswScan;

IndexScanDesc
hnsw_scan_begin(Relation index, int n_keys, int n_orderbys)
{
	IndexScanDesc scan = RelationGetIndexScan(index, n_keys, n_orderbys);
	HnswScan *state = palloc0(sizeof *state);

	state->memory = CurrentMemoryContext;
	scan->opaque = state;
	return scan;
}

void
hnsw_scan_rescan(IndexScanDesc scan, ScanKey keys, int n_keys, ScanKey orderbys, int n_orderbys)
{
	HnswScan *state = scan->opaque;

	if (keys != NULL && scan->numberOfKeys > 0)
		memmove(scan->keyData, keys, (Size) scan->numberOfKeys * sizeof *keys);
	if (orderbys != NULL && scan->numberOfOrderBys > 0)
		memmove(scan->orderByData, orderbys, (Size) scan->numberOfOrderBys * sizeof *orderbys);
	state->begun = false;
	if (state->rerank != NULL)
		hnsw_rerank_reset(state->rerank);
}

void
hnsw_scan_end(IndexScanDesc scan)
{
	HnswScan *state = scan->opaque;

	if (state->rerank != NULL)
		hnsw_rerank_end(state->rerank);
	if (state->scratch != NULL)
	{
		hnsw_scratch_give(state->scratch);
		MemoryContextDelete(state->search_memory);
	}
	pfree(state);
}

/* What all searches of a scan share, when the first one begins. */
static void
prepare(IndexScanDesc scan)
{
	HnswScan *state = scan->opaque;
	MemoryContext before;

	if (state->scratch != NULL)
		return;
	if (!IsMVCCSnapshot(scan->xs_snapshot))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("maskgen_hnsw indexes can be scanned with MVCC snapshots only")));
	before = MemoryContextSwitchTo(state->memory);
	state->search_memory = AllocSetContextCreate(state->memory, "maskgen_hnsw search", ALLOCSET_SMALL_SIZES);
	state->scratch = hnsw_scratch_take(state->memory);
	hnsw_store_open(&state->store, hnsw_scratch_cx(state->scratch), scan->indexRelation);
	state->start = mg_mark(hnsw_scratch_cx(state->scratch));
	state->rerank = hnsw_rerank_begin(scan);
	hnsw_ranking_init(&state->ranking, state->memory);
	MemoryContextSwitchTo(before);
}

static Size
memory_bound(void)
{
	return (Size) (work_mem * 1024.0 * maskgen_scan_mem_multiplier);
}

/* ---- by the graph */

static void
begin_graph(IndexScanDesc scan)
{
	HnswScan *state = scan->opaque;
	MgSearchOptions options = {.radius = -INFINITY};

	options.ef = (uint32_t) hnsw_ef_search(scan->indexRelation->rd_rel->relam);
	options.widest_ef = WIDEST_BATCH;
	options.max_expanded = (uint64_t) maskgen_max_scan_tuples;
	options.max_memory = memory_bound();
	if (state->target.within && !state->complete)
		options.radius = hnsw_target_radius(&state->store, &state->query, state->target.radius);
	state->search = mg_search_begin(hnsw_scratch_cx(state->scratch), &state->store.graph, &state->query, &options);
	hnsw_must(hnsw_scratch_cx(state->scratch), state->search != NULL);
}

static void
tell_of_bound(IndexScanDesc scan)
{
	HnswScan *state = scan->opaque;
	uint64 n = mg_search_counts(state->search)->entries;

	if (state->told)
		return;
	state->told = true;
	ereport(NOTICE,
			(errmsg("scan of index \"%s\" stopped before it had found all rows asked for",
					RelationGetRelationName(scan->indexRelation)),
			 errdetail("It has read %llu entries.", (unsigned long long) n),
			 maskgen_max_scan_tuples > 0 && n >= (uint64) maskgen_max_scan_tuples
				 ? errhint("The limit is maskgen.max_scan_tuples.")
				 : errhint("Its memory is limited by work_mem and maskgen.scan_mem_multiplier.")));
}

/* Whether the pass is the better way to go on. */
static bool
is_enough(const HnswScan *state)
{
	if (state->found == NULL)
		return false;
	if (!state->complete)
		/* All within the radius were in the first batch. */
		return maskgen_iterative_scan == HNSW_ITERATION_OFF || state->target.within;
	return !state->any_within || mg_search_counts(state->search)->entries * PAGES_AN_ENTRY >= state->store.n_blocks;
}

/* The next batch; false when the search shall not go on, or has found all. */
static bool
next_batch(IndexScanDesc scan)
{
	HnswScan *state = scan->opaque;
	MgCtx *cx = hnsw_scratch_cx(state->scratch);

	if (is_enough(state))
		return false;
	hnsw_must(cx, mg_search_next(cx, state->search, &state->found, &state->n_found));
	state->next = 0;
	state->any_within = false;
	if (state->n_found == 0 && !state->complete && mg_search_bounded(state->search))
		tell_of_bound(scan);
	return state->n_found > 0;
}

static void
note_done(HnswScan *state, uint32 id)
{
	if (state->n_done == state->done_room)
	{
		state->done_room = Max(2 * state->done_room, 256);
		state->done = state->done == NULL ? MemoryContextAlloc(state->search_memory, state->done_room * sizeof *state->done)
										  : repalloc_huge(state->done, state->done_room * sizeof *state->done);
	}
	state->done[state->n_done++] = id;
}

static bool
is_wanted(const HnswScan *state, double distance)
{
	return distance <= state->target.radius &&
		(maskgen_iterative_scan != HNSW_ITERATION_STRICT || !state->target.ordered || distance >= state->last);
}

/* A tuple of the last node. estimate: NaN where nothing is to be learnt from it. */
static void
rank_item(HnswScan *state, const uint8_t *item, double estimate)
{
	ItemPointerData tid;
	double distance = 0;

	memcpy(&tid, item, sizeof tid);
	if (!state->unranked && !hnsw_rerank_distance(state->rerank, &tid, &distance))
		return;
	hnsw_ranking_learn(&state->ranking, estimate, distance);
	if (isnan(distance))
	{
		if (state->target.within)
			return;
		distance = INFINITY;
	}
	state->chain_distance = distance;
	if (distance <= state->target.radius)
		state->any_within = true;
	if (is_wanted(state, distance))
		hnsw_ranking_add(&state->ranking, distance, &tid);
}

/* The tuples of a node that its entry has, and where others are. */
static void
rank_items(HnswScan *state, uint32 id, const uint8_t *items, uint32 n, uint32 more, double estimate)
{
	state->chain_distance = -INFINITY;
	for (uint32 i = 0; i < n; i++)
		rank_item(state, items + i * sizeof(ItemPointerData), estimate);
	state->chained = more != MG_NO_NODE;
	if (state->chained)
		hnsw_chain_begin(&state->chain, &state->store, hnsw_scratch_cx(state->scratch), id, more);
}

/* Some of the others: no more of them than must be, for there may be a million. */
static void
rank_chunk(HnswScan *state)
{
	const MgEntryLayout *layout = &state->store.layout;

	state->chained = state->chain_distance <= state->target.radius && hnsw_chain_next(&state->chain);
	for (uint32 i = 0; state->chained && i < mg_chunk_n_items(state->chain.chunk); i++)
		rank_item(state, mg_chunk_item(layout, state->chain.chunk, i), NAN);
}

static void
rank_found(HnswScan *state)
{
	const MgFound *found = &state->found[state->next++];
	double estimate = hnsw_kind_measure(state->store.kind, state->store.layout.coded, found->distance);

	if (state->complete)
		note_done(state, found->id);
	rank_items(state, found->id, found->items, found->n_items, found->more, estimate);
}

/* ---- by all pages */

static int
by_id(const void *a, const void *b)
{
	uint32 x = *(const uint32 *) a, y = *(const uint32 *) b;

	return (x > y) - (x < y);
}

static void
begin_pass(HnswScan *state)
{
	MemoryContext before = MemoryContextSwitchTo(state->search_memory);
	HnswPassOptions options = {.ordered = state->target.ordered && !state->unranked,
							   .unranked = state->unranked,
							   .radius = state->target.radius,
							   .memory = memory_bound(),
							   .done = state->done,
							   .n_done = state->n_done};

	if (state->n_done > 0)
		qsort(state->done, state->n_done, sizeof *state->done, by_id);
	state->pass = hnsw_pass_begin(&state->store, &state->query, &options);
	state->stage = STAGE_PASS;
	MemoryContextSwitchTo(before);
}

static void
rank_passed(HnswScan *state, uint32 id)
{
	uint8_t items[UINT8_MAX * sizeof(ItemPointerData)];
	uint32 n, more;
	Buffer buffer;
	uint8 *entry;

	if (!hnsw_store_lock(&state->store, id, BUFFER_LOCK_SHARE, &buffer, &entry))
		return;
	n = mg_entry_n_items(entry);
	more = mg_entry_level(entry) == 0 ? mg_entry_more(entry) : MG_NO_NODE;
	if (n > 0)
		memcpy(items, mg_entry_item(&state->store.layout, entry, 0), n * sizeof(ItemPointerData));
	UnlockReleaseBuffer(buffer);
	rank_items(state, id, items, n, more, NAN);
}

/* ---- both */

static void
begin_search(IndexScanDesc scan)
{
	HnswScan *state = scan->opaque;
	MemoryContext before;
	bool found, by_graph;
	MgCtx *cx;

	prepare(scan);
	cx = hnsw_scratch_cx(state->scratch);
	mg_rewind(cx, state->start);
	MemoryContextReset(state->search_memory);
	hnsw_ranking_clear(&state->ranking);
	state->begun = true;
	state->stage = STAGE_END;
	state->found = NULL;
	state->n_found = state->next = 0;
	state->chained = false;
	state->chain.chunk = NULL;
	state->pass = NULL;
	state->done = NULL;
	state->n_done = state->done_room = 0;
	state->last = -INFINITY;
	state->store.n_blocks = RelationGetNumberOfBlocks(scan->indexRelation);
	count_index_search(scan);
	before = MemoryContextSwitchTo(state->search_memory);
	found = hnsw_target_of(scan, state->store.kind, state->memory, &state->distance, &state->target);
	MemoryContextSwitchTo(before);
	if (!found)
		return;
	state->unranked = !hnsw_target_query(&state->store, cx, &state->target, &state->query);
	/* Nothing is within a radius around 0 under cosine: its distances are no numbers. */
	if (state->unranked && state->target.within)
		return;
	hnsw_rerank_set_query(state->rerank, state->target.distance, state->target.value);
	state->complete = scan->numberOfKeys > 0 ? maskgen_exact_radius : maskgen_iterative_scan == HNSW_ITERATION_FULL;
	by_graph = !state->complete || !state->target.ordered || state->target.sorted_above;
	if (state->unranked || !by_graph)
		begin_pass(state);
	else
	{
		state->stage = STAGE_GRAPH;
		begin_graph(scan);
	}
}

/* One step on the way to the next row. */
static void
look_further(IndexScanDesc scan)
{
	HnswScan *state = scan->opaque;
	uint32 id;

	if (state->chained)
		rank_chunk(state);
	else if (state->stage == STAGE_GRAPH)
	{
		if (state->next < state->n_found)
			rank_found(state);
		else if (!next_batch(scan))
		{
			state->stage = STAGE_END;
			if (state->complete)
				begin_pass(state);
		}
	}
	else if ((id = hnsw_pass_next(state->pass)) != MG_NO_NODE)
		rank_passed(state, id);
	else
		state->stage = STAGE_END;
	if (state->stage == STAGE_END)
		hnsw_rerank_reset(state->rerank);
}

/*
 * Whether the nearest ranked row comes before what a batch that is used up did not hold. Codes may not tell rows apart, in a cluster
 * whose width is less than their error: then any of it may be the nearest, and the batch holds some of them by chance.
 */
static bool
is_wide_enough(const HnswScan *state)
{
	double last;

	if (state->n_found == 0 || maskgen_iterative_scan == HNSW_ITERATION_OFF)
		return true;
	last = hnsw_kind_measure(state->store.kind, state->store.layout.coded, state->found[state->n_found - 1].distance);
	return state->ranking.rows[0].distance <= hnsw_ranking_least(&state->ranking, last);
}

/* Whether the nearest ranked row comes before all that are not ranked yet. */
static bool
is_first(HnswScan *state)
{
	const HnswRanking *ranking = &state->ranking;

	if (ranking->n == 0)
		return false;
	if (state->unranked || !state->target.ordered || state->stage == STAGE_END)
		return true;
	if (state->chained && ranking->rows[0].distance > state->chain_distance)
		return false;
	if (state->stage == STAGE_PASS)
		return ranking->rows[0].distance <= hnsw_pass_least(state->pass);
	if (state->next == state->n_found)
		return is_wide_enough(state);
	/* What comes too late would be lost. */
	return maskgen_iterative_scan != HNSW_ITERATION_STRICT &&
		   ranking->rows[0].distance <=
			   hnsw_ranking_least(ranking, hnsw_kind_measure(state->store.kind, state->store.layout.coded, state->found[state->next].distance));
}

bool
hnsw_scan_next(IndexScanDesc scan, ScanDirection direction)
{
	HnswScan *state = scan->opaque;
	HnswRow row;

	if (!state->begun)
		begin_search(scan);
	while (!is_first(state))
	{
		if (state->stage == STAGE_END)
			return false;
		look_further(scan);
	}
	row = hnsw_ranking_take(&state->ranking);
	state->last = row.distance;
	scan->xs_heaptid = row.tid;
	scan->xs_recheckorderby = false;
	return true;
}
