/* The stages of a scan behind the graph: how each begins, and gives rows to the ranking. */
#include "pg/hnsw/scan_state.h"

#include "utils/memutils.h"

/* ---- by all pages */

static int
by_id(const void *a, const void *b)
{
	uint32 x = *(const uint32 *) a, y = *(const uint32 *) b;

	return (x > y) - (x < y);
}

void
hnsw_stage_pass(HnswScan *state)
{
	MemoryContext before = MemoryContextSwitchTo(state->search_memory);
	HnswPassOptions options = {.ordered = state->target.ordered && !state->unranked,
							   .unranked = state->unranked,
							   .radius = state->target.radius,
							   .memory = hnsw_scan_memory(state),
							   .done = state->done,
							   .n_done = state->n_done};

	if (state->n_done > 0)
		qsort(state->done, state->n_done, sizeof *state->done, by_id);
	state->pass = hnsw_pass_begin(&state->store, &state->query, &options);
	state->n_fetched_before = state->n_fetched;
	state->stage = STAGE_PASS;
	MemoryContextSwitchTo(before);
}

/* ---- by all rows of the table */

static int
by_key(const void *a, const void *b)
{
	uint64 x = *(const uint64 *) a, y = *(const uint64 *) b;

	return (x > y) - (x < y);
}

static void
sort_returned(HnswScan *state)
{
	if (state->n_returned > 0)
		qsort(state->returned, state->n_returned, sizeof *state->returned, by_key);
	/* What was ranked and not returned comes again. */
	hnsw_ranking_clear(&state->ranking);
}

void
hnsw_stage_sift(IndexScanDesc scan)
{
	HnswScan *state = scan->opaque;
	MemoryContext before = MemoryContextSwitchTo(state->search_memory);
	HnswSiftOptions options = {.filter = state->filter,
							   .within = state->target.within,
							   .numbers = state->store.kind->metric == MG_METRIC_COSINE,
							   .radius = state->target.radius,
							   .memory = hnsw_scan_memory(state),
							   .n_returned = state->n_returned,
							   .n_fetched = &state->n_fetched,
							   .n_passed = &state->n_passed,
							   .n_ranked = &state->n_ranked};

	sort_returned(state);
	options.returned = state->returned;
	state->sift = hnsw_sift_begin(scan, state->rerank, &options);
	state->stage = STAGE_SIFT;
	state->sifted = true;
	MemoryContextSwitchTo(before);
}

void
hnsw_rank_sifted(HnswScan *state)
{
	HnswRow row;

	if (hnsw_sift_next(state->sift, &row))
		hnsw_ranking_add(&state->ranking, row.distance, &row.tid);
	else
		state->stage = STAGE_END;
}

/* ---- by a list */

void
hnsw_find_lists(HnswScan *state)
{
	const uint64 *keys;
	int n;

	state->list = NULL;
	state->listed = false;
	if (!hnsw_lists_exist(&state->store) || state->covered == NULL)
		return;
	if (!hnsw_covered_keys(state->covered, &keys, &n))
	{
		keys = NULL;
		n = 0;
	}
	state->list = hnsw_list_scan_begin(&state->store, keys, n);
}

void
hnsw_stage_list(HnswScan *state)
{
	MemoryContext before = MemoryContextSwitchTo(state->search_memory);
	HnswListOptions options = {.covered = state->covered,
							   .unranked = state->unranked,
							   .radius = state->target.radius,
							   .memory = hnsw_scan_memory(state)};

	sort_returned(state);
	options.returned = state->returned;
	options.n_returned = state->n_returned;
	hnsw_list_scan_start(state->list, &state->query, &options);
	state->stage = STAGE_LIST;
	state->listed = true;
	MemoryContextSwitchTo(before);
}

void
hnsw_rank_listed(HnswScan *state)
{
	ItemPointerData tid;

	if (hnsw_list_scan_next(state->list, &tid))
		hnsw_rows_of_listed(state, &tid);
	else
		state->stage = STAGE_END;
}

/* ---- which */

/* After the search: what it left out. */
void
hnsw_go_on(IndexScanDesc scan)
{
	HnswScan *state = scan->opaque;

	if (!state->complete)
		state->stage = STAGE_END;
	else if (hnsw_cost_of_list(state) < Min(state->heap_cost, hnsw_cost_of_pass(state)))
		hnsw_stage_list(state);
	else if (state->heap_cost < hnsw_cost_of_pass(state))
		hnsw_stage_sift(scan);
	else
		hnsw_stage_pass(state);
}
