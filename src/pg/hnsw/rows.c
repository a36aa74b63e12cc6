/* Nodes to rows: their heap tuples, those of them that are wanted, in the order of their distances. */
#include "pg/hnsw/scan_state.h"

#include <math.h>

#include "hnsw/items.h"
#include "pg/hnsw/filter.h"
#include "utils/memutils.h"

/* Pages of the table that are read at a time, where they are in no buffer. */
#define UNDER_WAY 8

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
		(state->settings.iteration != HNSW_ITERATION_STRICT || !state->target.ordered || distance >= state->last);
}

/* A row that conditions on included columns let through. estimate: NaN where nothing is to be learnt from it. */
static void
rank_row(HnswScan *state, const ItemPointerData *tid, double estimate)
{
	double distance = 0;
	TupleTableSlot *row;

	if (!state->unranked || state->filter != NULL)
	{
		if ((row = hnsw_rerank_fetch(state->rerank, tid)) == NULL)
			return;
		state->n_fetched++;
		if (!hnsw_filter_passes(state->filter, row))
			return;
		state->n_passed++;
		if (!state->unranked && !hnsw_rerank_measure(state->rerank, row, &distance))
			return;
		state->n_ranked += !state->unranked;
	}
	hnsw_ranking_learn(&state->ranking, estimate, distance);
	if (isnan(distance))
	{
		if (state->target.within)
			return;
		distance = INFINITY;
	}
	state->chain_distance = distance;
	if (is_wanted(state, distance))
		hnsw_ranking_add(&state->ranking, distance, tid);
}

/* A tuple of the last node. */
static void
rank_item(HnswScan *state, const uint8_t *item, double estimate)
{
	ItemPointerData tid;

	memcpy(&tid, item, sizeof tid);
	state->n_met++;
	if (hnsw_covered_passes(state->covered, item))
		rank_row(state, &tid, estimate);
	else
		state->n_dropped++;
}

void
hnsw_rows_of_listed(HnswScan *state, const ItemPointerData *tid)
{
	rank_row(state, tid, NAN);
}

/* The tuples of a node that its entry has, and where others are. */
static void
rank_items(HnswScan *state, uint32 id, const uint8_t *items, uint32 n, uint32 more, double estimate)
{
	state->chain_distance = -INFINITY;
	for (uint32 i = 0; i < n; i++)
		rank_item(state, items + i * state->store.layout.shape.item_size, estimate);
	state->chained = more != MG_NO_NODE;
	if (state->chained)
		hnsw_chain_begin(&state->chain, &state->store, hnsw_scratch_cx(state->scratch), id, more);
}

/* Some of the others: no more of them than must be, for there may be a million. */
void
hnsw_rows_of_chain(HnswScan *state)
{
	const MgEntryLayout *layout = &state->store.layout;

	state->chained = state->chain_distance <= state->target.radius && hnsw_chain_next(&state->chain);
	for (uint32 i = 0; state->chained && i < mg_chunk_n_items(state->chain.chunk); i++)
		rank_item(state, mg_chunk_item(layout, state->chain.chunk, i), NAN);
}

/* The rows of the nodes that come next in the batch. Of those that conditions on included columns drop none is read. */
static void
read_ahead(HnswScan *state)
{
	size_t end = Min(state->next + UNDER_WAY, state->n_found);
	ItemPointerData tid;

	if (state->covered != NULL)
		return;
	for (state->ahead = Max(state->ahead, state->next); state->ahead < end; state->ahead++)
		if (state->found[state->ahead].n_items > 0)
		{
			memcpy(&tid, state->found[state->ahead].items, sizeof tid);
			if (!hnsw_rerank_read_ahead(state->rerank, &tid))
				break;
		}
}

void
hnsw_rows_of_found(HnswScan *state)
{
	const MgFound *found = &state->found[state->next++];
	double estimate = hnsw_kind_measure(state->store.kind, state->store.layout.coded, found->distance);

	if (state->complete)
		note_done(state, found->id);
	state->any_within = state->any_within || estimate <= state->target.radius;
	rank_items(state, found->id, found->items, found->n_items, found->more, estimate);
	read_ahead(state);
}

void
hnsw_rows_of_passed(HnswScan *state, uint32 id)
{
	uint8_t items[UINT8_MAX * HNSW_MOST_ITEM];
	uint32 n, more;
	Buffer buffer;
	uint8 *entry;

	if (!hnsw_store_lock(&state->store, id, BUFFER_LOCK_SHARE, &buffer, &entry))
		return;
	n = mg_entry_n_items(entry);
	more = mg_entry_level(entry) == 0 ? mg_entry_more(entry) : MG_NO_NODE;
	if (n > 0)
		memcpy(items, mg_entry_item(&state->store.layout, entry, 0), n * state->store.layout.shape.item_size);
	UnlockReleaseBuffer(buffer);
	rank_items(state, id, items, n, more, NAN);
}

void
hnsw_rows_note_returned(HnswScan *state, const ItemPointerData *tid)
{
	if (state->n_returned == state->returned_room)
	{
		state->returned_room = Max(2 * state->returned_room, 64);
		state->returned = state->returned == NULL
			? MemoryContextAlloc(state->search_memory, state->returned_room * sizeof *state->returned)
			: repalloc_huge(state->returned, state->returned_room * sizeof *state->returned);
	}
	state->returned[state->n_returned++] = hnsw_sift_key(tid);
}
