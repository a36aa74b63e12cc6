/*
 * Scans. A search gives batches of nodes by the distances of their codes
 * (hnsw/search.h); their heap tuples are ranked by exact distances, no more of them than must be
 * (ranking.h). When the batch is used up and more rows are asked for, the search goes on:
 * so a LIMIT is honoured whatever filters, joins and row security leave of the rows.
 *
 * The index is read without regard to who writes it. An id may have been freed
 * and used again since it was read: the other node then is found, or not. What is
 * returned is a heap tuple that the snapshot sees, with the distance that it
 * has. A tuple's place may be used again too, by one that the snapshot cannot see.
 */
#include "pg/hnsw/scan.h"

#include <math.h>

#include "access/genam.h"
#include "hnsw/search.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/hnsw/options.h"
#include "pg/hnsw/ranking.h"
#include "pg/hnsw/rerank.h"
#include "pg/hnsw/scratch.h"
#include "pg/hnsw/sphere.h"
#include "pg/hnsw/store.h"
#include "pg/host.h"
#include "pgstat.h"
#include "utils/datum.h"
#include "utils/memutils.h"

/* Rows of a batch, each of which is twice as wide as the one before: a filter that rejects many costs no more batches than it must. */
#define WIDEST_BATCH 8192

/* What to look for. */
typedef struct Target
{
	Datum value; /* detoasted */
	bool is_null;
	FmgrInfo *distance;
	Oid collation;
	double radius; /* INFINITY: none */
} Target;

typedef struct HnswScan
{
	MemoryContext memory;
	HnswScratch *scratch; /* NULL until the first row is asked for */
	MgMark start;		  /* of a search, behind what the scan has */
	HnswStore store;
	HnswRerank *rerank;
	HnswRanking ranking;

	/* One search */
	bool begun, ended;
	bool told; /* of the bound; once a scan */
	MgQuery query;
	MgSearch *search; /* NULL: nothing can be found */
	const MgFound *found; /* [n_found], those before next are ranked */
	size_t n_found, next;
	double radius;		  /* INFINITY: none */
	double last;		  /* distance of the last row returned */
	bool unranked;		  /* no row is nearer than another */
	FmgrInfo distance;	  /* of the class; where no ORDER BY has one */
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
	state->begun = state->ended = false;
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
		hnsw_scratch_give(state->scratch);
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
	state->scratch = hnsw_scratch_take(state->memory);
	hnsw_store_open(&state->store, hnsw_scratch_cx(state->scratch), scan->indexRelation);
	state->start = mg_mark(hnsw_scratch_cx(state->scratch));
	state->rerank = hnsw_rerank_begin(scan);
	hnsw_ranking_init(&state->ranking, state->memory);
	MemoryContextSwitchTo(before);
}

/* A radius around a value, from a scan key. False: it is NULL, and nothing is within. */
static bool
read_radius(IndexScanDesc scan, const ScanKeyData *key, HnswSphere *sphere)
{
	HnswScan *state = scan->opaque;

	if ((key->sk_flags & SK_ISNULL) != 0 || !hnsw_sphere_of(key->sk_argument, sphere))
		return false;
	sphere->center = hnsw_kind_detoast(state->store.kind, sphere->center);
	return true;
}

/*
 * What to look for and how far. False: nothing can be found.
 * A second radius, or one around another value than the order's, is left to the executor.
 */
static bool
find_target(IndexScanDesc scan, Target *target)
{
	HnswScan *state = scan->opaque;
	ScanKey order = scan->numberOfOrderBys > 0 ? &scan->orderByData[0] : NULL;
	HnswSphere sphere;

	*target = (Target){.radius = INFINITY};
	scan->xs_recheck = scan->numberOfKeys > 1;
	if (order != NULL)
	{
		target->is_null = (order->sk_flags & SK_ISNULL) != 0;
		target->value = target->is_null ? (Datum) 0 : hnsw_kind_detoast(state->store.kind, order->sk_argument);
		target->distance = &order->sk_func;
		target->collation = order->sk_collation;
	}
	for (int i = 0; i < scan->numberOfKeys; i++)
	{
		if (!read_radius(scan, &scan->keyData[i], &sphere))
			return false;
		if (i > 0)
			continue;
		if (order == NULL)
		{
			if (state->distance.fn_oid == InvalidOid)
				hnsw_sphere_distance(scan->indexRelation, &state->distance, state->memory);
			*target = (Target){sphere.center, false, &state->distance, scan->keyData[i].sk_collation, sphere.radius};
		}
		else if (!target->is_null && datumIsEqual(target->value, sphere.center, false, -1))
			target->radius = sphere.radius;
		else
			scan->xs_recheck = true;
	}
	return true;
}

/* The query of the graph. A NULL is as far from everything as anything else; so is 0 under cosine. */
static void
make_query(HnswScan *state, MgCtx *cx, const Target *target)
{
	const MgEntryLayout *layout = &state->store.layout;
	int dims;

	if (!target->is_null)
	{
		dims = hnsw_kind_dims(state->store.kind, target->value);
		if (dims != (int) layout->shape.dims)
			ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
							errmsg("different %s dimensions %u and %d", state->store.kind->type, layout->shape.dims, dims)));
		if (hnsw_store_query(&state->store, cx, target->value, &state->query))
			return;
	}
	memset(&state->query, 0, sizeof state->query);
	if (layout->coded)
	{
		float *zeros = hnsw_alloc(cx, layout->padded, sizeof *zeros);

		memset(zeros, 0, layout->padded * sizeof *zeros);
		hnsw_must(cx, mg_query_init(cx, layout, zeros, &state->query));
		return;
	}
	state->query.value = memset(hnsw_alloc(cx, layout->value_size, 1), 0, layout->value_size);
	state->query.value_size = layout->value_size;
}

/*
 * The radius in the graph's measure, with what codes may be wrong: by the deviation of an own code of 4 bits in each
 * dimension, 0.1 of the value's length, of which 1 / sqrt(dims) lies in one direction; three times.
 */
static float
search_radius(const HnswScan *state)
{
	double radius = hnsw_kind_unmeasure(state->store.kind, state->store.layout.coded, state->radius);
	const MgEntryLayout *layout = &state->store.layout;
	double square = state->query.square;

	if (!layout->coded)
		return (float) (radius + 0.02 * fabs(radius));
	return (float) (radius + 0.012 * square + 0.6 * sqrt(square * fabs(radius) / layout->padded));
}

static void
begin_search(IndexScanDesc scan)
{
	HnswScan *state = scan->opaque;
	MgSearchOptions options = {.radius = -INFINITY};
	Target target;
	MgCtx *cx;

	prepare(scan);
	cx = hnsw_scratch_cx(state->scratch);
	mg_rewind(cx, state->start);
	hnsw_ranking_clear(&state->ranking);
	state->begun = true;
	state->found = NULL;
	state->n_found = state->next = 0;
	state->last = -INFINITY;
	count_index_search(scan);
	if (!find_target(scan, &target))
	{
		state->ended = true;
		return;
	}
	make_query(state, cx, &target);
	state->unranked = target.is_null;
	state->radius = target.radius;
	hnsw_rerank_set_query(state->rerank, target.distance, target.collation, target.value);
	options.ef = (uint32_t) hnsw_ef_search(scan->indexRelation->rd_rel->relam);
	options.widest_ef = WIDEST_BATCH;
	options.max_expanded = (uint64_t) maskgen_max_scan_tuples;
	options.max_memory = (size_t) (work_mem * 1024.0 * maskgen_scan_mem_multiplier);
	if (!isinf(state->radius))
		options.radius = search_radius(state);
	state->search = mg_search_begin(cx, &state->store.graph, &state->query, &options);
	hnsw_must(cx, state->search != NULL);
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

/* The next batch; false when there is none. */
static bool
next_batch(IndexScanDesc scan)
{
	HnswScan *state = scan->opaque;
	MgCtx *cx = hnsw_scratch_cx(state->scratch);

	/* All within the radius are in the first one. */
	if (state->found != NULL && (maskgen_iterative_scan == HNSW_ITERATION_OFF || !isinf(state->radius)))
		return false;
	hnsw_must(cx, mg_search_next(cx, state->search, &state->found, &state->n_found));
	state->next = 0;
	if (state->n_found == 0 && mg_search_bounded(state->search))
		tell_of_bound(scan);
	return state->n_found > 0;
}

static void
rank_next(HnswScan *state)
{
	const MgFound *found = &state->found[state->next++];
	double estimate = hnsw_kind_measure(state->store.kind, state->store.layout.coded, found->distance), distance = 0;

	for (uint32 i = 0; i < found->n_items; i++)
	{
		ItemPointerData tid;

		memcpy(&tid, found->items + i * sizeof tid, sizeof tid);
		if (!state->unranked && !hnsw_rerank_distance(state->rerank, &tid, &distance))
			continue;
		hnsw_ranking_learn(&state->ranking, estimate, distance);
		if (distance <= state->radius && (maskgen_iterative_scan != HNSW_ITERATION_STRICT || distance >= state->last))
			hnsw_ranking_add(&state->ranking, distance, &tid);
	}
}

/* Whether the nearest ranked row comes before all that are not ranked yet. */
static bool
is_first(const HnswScan *state)
{
	const HnswRanking *ranking = &state->ranking;

	if (ranking->n == 0)
		return false;
	if (state->next == state->n_found || state->unranked)
		return true;
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
		if (state->ended)
			return false;
		if (state->next < state->n_found)
			rank_next(state);
		else if (!next_batch(scan))
		{
			state->ended = true;
			hnsw_rerank_reset(state->rerank);
		}
	}
	row = hnsw_ranking_take(&state->ranking);
	state->last = row.distance;
	scan->xs_heaptid = row.tid;
	scan->xs_recheckorderby = false;
	return true;
}
