/*
 * Scans, in stages: GRAPH, then one of the others.
 *
 * GRAPH  A search gives batches of nodes by the distances of their codes (hnsw/search.h); their heap tuples are ranked by
 *        exact distances, no more of them than must be (ranking.h). When the batch is used up and more rows are asked for, the
 *        search goes on: so a LIMIT is honoured whatever filters, joins and row security leave of the rows.
 * PASS   All that the search has not given, page by page (pass.h): complete, and in order. Rows that the filter drops cost a look at the table each,
 *        nearest first: where these are too many, SIFT takes over.
 * SIFT   All rows of the table that pass the filter (sift.h), but for those returned: complete, and in order.
 * LIST   All rows of one value of the first included column (list_scan.h), but for those returned: complete, and in order.
 *
 * A scan begins with the graph where a few rows are probably enough: those of a LIMIT, which are sorted above it (order.h), and those
 * within a radius, of which the nearest come first. It goes on another way when the search is at its end, by links or by a
 * bound, or when that is expected to be cheaper (batches.c). An order that nothing sorts begins with the pass: what a search finds
 * too late would be out of order or lost. So would what it never finds of a radius: WHERE means all rows.
 *
 * The index is read without regard to who writes it. An id may have been freed
 * and used again since it was read: the other node then is found, or not. What is
 * returned is a heap tuple that the snapshot sees, with the distance that it
 * has. A tuple's place may be used again too, by one that the snapshot cannot see.
 */
#include "pg/hnsw/scan.h"

#include <math.h>

#include "access/amapi.h"
#include "access/genam.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/hnsw/options.h"
#include "pg/hnsw/scan_state.h"
#include "pg/host.h"
#include "pgstat.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* Distances that are so many times the error of codes are told apart by them. */
#define FAR 8

IndexScanDesc
hnsw_scan_begin(Relation index, int n_keys, int n_orderbys)
{
	IndexScanDesc scan = RelationGetIndexScan(index, n_keys, n_orderbys);
	HnswScan *state = palloc0(sizeof *state);

	state->memory = CurrentMemoryContext;
	scan->opaque = state;
	return scan;
}

/* What the search that is under way did. */
static HnswTally
tally_of(const HnswScan *state)
{
	HnswTally tally = {.ways = (state->search != NULL ? HNSW_WAY_GRAPH : 0) | (state->listed ? HNSW_WAY_LIST : 0) |
						   (state->pass != NULL ? HNSW_WAY_PASS : 0) | (state->sifted ? HNSW_WAY_TABLE : 0),
					   .searches = 1,
					   .entries = state->search != NULL ? mg_search_counts(state->search)->entries : 0,
					   .passed = state->pass != NULL ? hnsw_pass_entries(state->pass) : 0,
					   .dropped = state->n_dropped,
					   .fetched = state->n_fetched,
					   .kept = state->n_passed,
					   .ranked = state->n_ranked};

	if (state->listed)
	{
		tally.listed = hnsw_list_scan_read(state->list);
		tally.dropped += hnsw_list_scan_dropped(state->list);
	}
	return tally;
}

/* A search has ended. */
static void
report(IndexScanDesc scan)
{
	HnswScan *state = scan->opaque;
	HnswTally tally = tally_of(state);

	hnsw_tally_add(&state->tally, &tally);
	hnsw_tally_note(scan, &state->tally);
}

bool
hnsw_scan_tally(IndexScanDesc scan, HnswTally *tally)
{
	const HnswScan *state = scan->opaque;
	HnswTally current;

	if (scan->indexRelation->rd_indam->amgettuple != hnsw_scan_next)
		return false;
	*tally = state->tally;
	if (state->begun)
	{
		current = tally_of(state);
		hnsw_tally_add(tally, &current);
	}
	return tally->searches > 0;
}

/* Let go of the table, of which nothing is asked any more. */
static void
release(HnswScan *state)
{
	if (state->rerank != NULL)
		hnsw_rerank_reset(state->rerank);
	if (state->sift != NULL)
		hnsw_sift_end(state->sift);
	state->sift = NULL;
}

void
hnsw_scan_rescan(IndexScanDesc scan, ScanKey keys, int n_keys, ScanKey orderbys, int n_orderbys)
{
	HnswScan *state = scan->opaque;

	if (keys != NULL && scan->numberOfKeys > 0)
		memmove(scan->keyData, keys, (Size) scan->numberOfKeys * sizeof *keys);
	if (orderbys != NULL && scan->numberOfOrderBys > 0)
		memmove(scan->orderByData, orderbys, (Size) scan->numberOfOrderBys * sizeof *orderbys);
	if (state->begun)
		report(scan);
	state->begun = false;
	release(state);
}

void
hnsw_scan_end(IndexScanDesc scan)
{
	HnswScan *state = scan->opaque;

	if (state->begun)
		report(scan);
	release(state);
	if (state->rerank != NULL)
		hnsw_rerank_end(state->rerank);
	if (state->covered != NULL)
		hnsw_covered_end(state->covered);
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
	state->node = hnsw_filter_of(scan);
	state->filter = state->node != NULL && state->node->tested ? state->node->scan : NULL;
	state->covered = hnsw_covered_of(state->node, state->store.cover, scan->heapRelation);
	MemoryContextSwitchTo(before);
}

Size
hnsw_scan_memory(const HnswScan *state)
{
	return (Size) (work_mem * 1024.0 * state->settings.scan_mem_multiplier);
}

static void
begin_search(IndexScanDesc scan)
{
	HnswScan *state = scan->opaque;
	MemoryContext before;
	bool found, by_graph;
	MgCtx *cx;

	prepare(scan);
	hnsw_settings_of(scan->indexRelation->rd_rel->relam, &state->settings);
	cx = hnsw_scratch_cx(state->scratch);
	mg_rewind(cx, state->start);
	MemoryContextReset(state->search_memory);
	hnsw_ranking_clear(&state->ranking);
	state->begun = true;
	state->stage = STAGE_END;
	state->found = NULL;
	state->n_found = state->next = state->ahead = 0;
	state->chained = false;
	state->chain.chunk = NULL;
	state->search = NULL;
	state->pass = NULL;
	state->sifted = false;
	state->returned = NULL;
	state->n_returned = state->returned_room = 0;
	state->n_met = state->n_dropped = state->n_fetched = state->n_passed = state->n_ranked = 0;
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
	state->complete = scan->numberOfKeys > 0 ? maskgen_exact_radius || state->target.exact : state->settings.iteration == HNSW_ITERATION_FULL;
	state->heap_cost = hnsw_cost_of_sift(scan);
	before = MemoryContextSwitchTo(state->search_memory);
	if (state->covered != NULL)
		hnsw_covered_begin(state->covered);
	hnsw_find_lists(state);
	MemoryContextSwitchTo(before);
	by_graph = !state->complete || !state->target.ordered || state->target.sorted_above;
	if (hnsw_list_is_best(state, by_graph))
		hnsw_stage_list(state);
	else if (state->unranked || !by_graph)
		hnsw_stage_pass(state);
	else
	{
		state->stage = STAGE_GRAPH;
		hnsw_batches_begin(scan);
	}
}

/* One step on the way to the next row. */
static void
look_further(IndexScanDesc scan)
{
	HnswScan *state = scan->opaque;
	uint32 id;

	if (state->chained)
		hnsw_rows_of_chain(state);
	else if (state->stage == STAGE_GRAPH)
	{
		if (state->next < state->n_found)
			hnsw_rows_of_found(state);
		else if (!hnsw_batches_next(scan))
			hnsw_go_on(scan);
	}
	else if (state->stage == STAGE_SIFT)
		hnsw_rank_sifted(state);
	else if (state->stage == STAGE_LIST)
		hnsw_rank_listed(state);
	else if (hnsw_pass_is_worse(state))
		hnsw_stage_sift(scan);
	else if ((id = hnsw_pass_next(state->pass)) != MG_NO_NODE)
		hnsw_rows_of_passed(state, id);
	else
		state->stage = STAGE_END;
	if (state->stage == STAGE_END)
		release(state);
}

/*
 * What a vector as long as the query may be away at least, whose code is `distance` away, in the graph's measure: the code's error of 0.11 of
 * the length is at right angles to the distance but for what chance adds to it, of which three deviations are taken off. Errors of
 * one scan do not tell it: those of rows with one code are the same. They do where distances are far above the error, of which codes then are many.
 */
static double
code_least(const HnswScan *state, double distance)
{
	const MgEntryLayout *layout = &state->store.layout;
	double error, share, root;

	error = (0.0125 + 1.8 / layout->padded) * state->query.square; /* the latter is what chance adds where dimensions are few: least.c */
	if (layout->shape.metric != MG_GRAPH_L2 || distance > FAR * error)
		return distance;
	share = Min(3 / sqrt(layout->padded), 1);
	root = sqrt(Max(distance - error * (1 - share * share), 0)) - share * sqrt(error);
	return root > 0 ? root * root : 0;
}

/* Whether the nearest ranked row comes before what an estimate can stand for. */
static bool
is_nearer(const HnswScan *state, double estimate)
{
	const HnswStore *store = &state->store;
	double nearest = state->ranking.rows[0].distance;

	return nearest <= hnsw_ranking_least(&state->ranking, hnsw_kind_measure(store->kind, store->layout.coded, estimate)) &&
		nearest <= hnsw_kind_measure(store->kind, store->layout.coded, code_least(state, estimate));
}

/*
 * Whether the nearest ranked row comes before what a batch that is used up did not hold. Codes may not tell rows apart, in a cluster
 * whose width is less than their error: then any of it may be the nearest, and the batch holds some of them by chance.
 */
static bool
is_wide_enough(const HnswScan *state)
{
	if (state->n_found == 0 || state->settings.iteration == HNSW_ITERATION_OFF)
		return true;
	return is_nearer(state, state->found[state->n_found - 1].distance);
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
	if (state->stage == STAGE_SIFT)
		return true;
	if (state->stage == STAGE_LIST)
		return ranking->rows[0].distance <= hnsw_list_scan_least(state->list);
	if (state->stage == STAGE_PASS)
		return ranking->rows[0].distance <= hnsw_pass_least(state->pass);
	if (state->next == state->n_found)
		return is_wide_enough(state);
	/* What comes too late would be lost. */
	return state->settings.iteration != HNSW_ITERATION_STRICT && is_nearer(state, state->found[state->next].distance);
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
	if ((state->stage == STAGE_GRAPH || state->stage == STAGE_PASS) && state->complete && (!isinf(state->heap_cost) || state->list != NULL))
		hnsw_rows_note_returned(state, &row.tid);
	scan->xs_heaptid = row.tid;
	scan->xs_recheckorderby = false;
	return true;
}
