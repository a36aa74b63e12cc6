/* The search by the graph, in batches. */
#include "pg/hnsw/scan_state.h"

#include <math.h>

#include "miscadmin.h"
#include "pg/hnsw/filter.h"
#include "pg/hnsw/options.h"
#include "pg/host.h"
#include "utils/rel.h"

/*
 * Microseconds of what a scan does, 384 dimensions, from memory: an entry by a link, a row of the table by its place, a page of a
 * pass, and a page of a sequential scan with a filter. An EPYC (Zen 4) that others shared; what counts is how they compare.
 */
#define ENTRY_COST 1.0
#define ROW_COST 1.0
#define PAGE_COST 1.1
#define HEAP_PAGE_COST 1.1

/* The same of a row in a list. */
#define LIST_ROW_COST 0.035

/* Entries that a row costs, as long as nothing is measured. */
#define ENTRIES_A_ROW 9

/* Rows of a batch for each that is expected to be needed. */
#define SPARE 1.25

/* Rows that are wanted, where no LIMIT says it. */
#define LEAST_WANTED 10

/*
 * The first batch for each row of a LIMIT, where nothing drops rows: ranking looks a little beyond the last row that is wanted, and a second batch costs more than a wide first one. 340 000 x 384,
 * LIMIT 40 and 100: 396 and 1085 entries, with a batch of 40 before 585 and 1531; recall 0.9925 and 0.9913, before 0.9929 and 0.9920.
 */
#define FIRST_A_ROW 2

/* A batch is at most so many times as wide as the one before. */
#define WIDENING 32

/* So few rows that passed say nothing against what the planner expects. */
#define FEW_PASSED 4

/* Rows of a batch, each of which is twice as wide as the one before: a filter that rejects many costs no more batches than it must. */
#define WIDEST_BATCH 8192

/* With fewer links than this on each side a node is led to from fewer places: a search has to be as much wider to find as many. */
#define ENOUGH_LINKS 8

/* Under inner product all nodes lead to the same few long ones, the worse the fewer links they have. */
#define WIDER_BY_PRODUCT 4

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
			 state->settings.max_scan_tuples > 0 && n >= (uint64) state->settings.max_scan_tuples
				 ? errhint("The limit is maskgen.max_scan_tuples.")
				 : errhint("Its memory is limited by work_mem and maskgen.scan_mem_multiplier.")));
}

static double
search_cost(const HnswScan *state)
{
	return ENTRY_COST * mg_search_counts(state->search)->entries + ROW_COST * state->n_fetched;
}

/*
 * The share of rows that pass, near the query: what the planner expects of all, until rows were met that are evidence. Several that passed are
 * evidence for more even where it expects few.
 */
static double
share_kept(const HnswScan *state)
{
	double expected = state->target.within ? 1 : hnsw_filter_share(state->node), passed = state->n_passed, kept;

	kept = (passed + 1) / (state->n_met + 1 / expected);
	if (state->n_passed > FEW_PASSED)
		kept = Max(kept, (passed - 2 * sqrt(passed)) / state->n_met);
	return Min(kept, 1);
}

/* Rows that have to be looked at for those that are still wanted. */
static double
rows_to_come(const HnswScan *state)
{
	double wanted = hnsw_filter_limit(state->node), most = (double) state->store.n_blocks * state->store.places.n_nodes;

	if (wanted < 0)
		wanted = Max(2.0 * state->n_passed, LEAST_WANTED);
	return Min(Max(wanted - state->n_passed, 1) / share_kept(state), most);
}

double
hnsw_cost_of_pass(const HnswScan *state)
{
	double fetched = (state->n_fetched + 1.0) / (state->n_met + 1.0); /* of those met, included columns left so many to the table */

	return PAGE_COST * state->store.n_blocks + ROW_COST * rows_to_come(state) * Min(fetched, 1);
}

/* Rows of the first batch. Who lets a scan end with it has said how many rows they want of it; and where another way to go on is probably better, it is tried with few. */
static uint32
first_width(const HnswScan *state)
{
	double wanted = Min(FIRST_A_ROW * hnsw_filter_limit(state->node), WIDEST_BATCH), ef = state->settings.ef_search;

	if (state->settings.iteration == HNSW_ITERATION_OFF || state->filter != NULL || state->covered != NULL || state->target.within ||
		ENTRIES_A_ROW * ENTRY_COST * wanted > hnsw_cost_of_pass(state))
		return (uint32) ef;
	return (uint32) Max(ef, wanted);
}

void
hnsw_batches_begin(IndexScanDesc scan)
{
	HnswScan *state = scan->opaque;
	uint32 m = state->store.layout.shape.m;
	MgSearchOptions options = {.radius = -INFINITY};

	options.ef = first_width(state);
	if (m < ENOUGH_LINKS)
		options.ef = options.ef * ENOUGH_LINKS / m * (state->store.kind->metric == MG_METRIC_INNER_PRODUCT ? WIDER_BY_PRODUCT : 1);
	options.widest_ef = WIDEST_BATCH;
	options.max_expanded = state->settings.first_is_whole ? 0 : (uint64_t) state->settings.max_scan_tuples;
	options.max_memory = hnsw_scan_memory(state);
	if (state->target.within && !state->complete)
		options.radius = hnsw_target_radius(&state->store, &state->query, state->target.radius);
	state->search = mg_search_begin(hnsw_scratch_cx(state->scratch), &state->store.graph, &state->query, &options);
	hnsw_must(hnsw_scratch_cx(state->scratch), state->search != NULL);
}

double
hnsw_cost_of_list(const HnswScan *state)
{
	return state->list == NULL ? INFINITY : LIST_ROW_COST * hnsw_list_scan_rows(state->list);
}

bool
hnsw_list_is_best(const HnswScan *state, bool by_graph)
{
	double rows = (double) state->store.n_blocks * state->store.places.n_nodes, wanted = hnsw_filter_limit(state->node), met;

	if (state->list == NULL)
		return false;
	if (!by_graph || state->unranked || state->target.within)
		return hnsw_cost_of_list(state) < hnsw_cost_of_pass(state);
	/* One row in so many is of the list, or passes. */
	met = Max(wanted < 0 ? LEAST_WANTED : wanted, 1) / Min(hnsw_list_scan_rows(state->list) / Max(rows, 1), hnsw_filter_share(state->node));
	return hnsw_cost_of_list(state) < ENTRY_COST * Max(ENTRIES_A_ROW * met, state->settings.ef_search);
}

/* A sequential scan of the table, where the filter is known: that is what makes it cheaper than going by distance. */
double
hnsw_cost_of_sift(IndexScanDesc scan)
{
	const HnswScan *state = scan->opaque;

	if (state->filter == NULL || state->unranked || !hnsw_sift_can(scan->heapRelation))
		return INFINITY;
	return HEAP_PAGE_COST * RelationGetNumberOfBlocks(scan->heapRelation);
}

bool
hnsw_pass_is_worse(const HnswScan *state)
{
	return ROW_COST * (double) (state->n_fetched - state->n_fetched_before) > state->heap_cost;
}

/*
 * Whether another way to go on is better: by what is expected, and, for that may be wrong, when the search has cost as much as
 * the other way will. If not, the search may not cost more than that either.
 */
static bool
is_enough(HnswScan *state)
{
	double other, spent, a_row = ENTRIES_A_ROW * ENTRY_COST + ROW_COST, entries;

	if (!state->complete)
		/* All within the radius were in the first batch. */
		return state->found != NULL && (state->settings.iteration == HNSW_ITERATION_OFF || state->target.within);
	if (state->found == NULL)
		return false;
	if (mg_search_bounded(state->search) || (state->target.within && !state->any_within))
		return true;
	spent = search_cost(state);
	other = Min(Min(hnsw_cost_of_pass(state), state->heap_cost), hnsw_cost_of_list(state));
	if (state->n_met > 0)
		a_row = Max(a_row, spent / state->n_met);
	if (spent >= other || a_row * rows_to_come(state) > other)
		return true;
	entries = mg_search_counts(state->search)->entries + (other - spent) / ENTRY_COST;
	mg_search_limit(state->search, state->settings.max_scan_tuples == 0 ? (uint64) entries : Min((uint64) entries, (uint64) state->settings.max_scan_tuples));
	return false;
}

/*
 * A filter that drops many makes batches wide, and what the last of them found behind the rows that were wanted was found for nothing; each that comes
 * on top gathers anew what waits. So a batch is as wide as what is known of the filter says.
 */
static void
narrow(HnswScan *state)
{
	double wanted = SPARE * rows_to_come(state), most = WIDENING * (double) state->n_found;

	if ((state->filter == NULL && state->covered == NULL) || state->found == NULL)
		return;
	mg_search_narrow(state->search, (uint32_t) Max(Min(wanted, most), state->settings.ef_search));
}

bool
hnsw_batches_next(IndexScanDesc scan)
{
	HnswScan *state = scan->opaque;
	MgCtx *cx = hnsw_scratch_cx(state->scratch);

	if (is_enough(state))
		return false;
	narrow(state);
	if (state->settings.first_is_whole && state->found != NULL && !state->complete)
		mg_search_limit(state->search, (uint64_t) state->settings.max_scan_tuples);
	hnsw_must(cx, mg_search_next(cx, state->search, &state->found, &state->n_found));
	state->next = state->ahead = 0;
	state->any_within = false;
	if (state->n_found == 0 && !state->complete && mg_search_bounded(state->search))
		tell_of_bound(scan);
	return state->n_found > 0;
}

