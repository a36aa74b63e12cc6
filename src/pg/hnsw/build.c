/*
 * CREATE INDEX. One process, or several at once (parallel.c), scan the table into
 * one block of memory (hnsw/build.h). At the end, or when the block is full, what is in it is linked, and
 * written to pages, by all of them (job.c); in the latter case all go on by inserting
 * into the pages, as INSERT does but without WAL. At the very end the pages
 * are logged whole, by all as well.
 *
 * The block is entered and left under a spin lock; whoever finds it full first
 * drains it: lets nobody in, waits until the others are out, writes. The others help, and sleep on
 * the condition variable, so that all of this can be interrupted. A process
 * that fails inside the block is never waited for: its error ends the leader as well.
 */
#include <sys/mman.h>

#include "pg/hnsw/build.h"

#include "access/tableam.h"
#include "commands/progress.h"
#include "common/pg_prng.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "pg/hnsw/list.h"
#include "pg/hnsw/options.h"
#include "pg/hnsw/sample.h"
#include "pg/host.h"
#include "utils/backend_progress.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

/* A smaller block has no room for the first nodes of wide vectors. */
#define MIN_BLOCK ((Size) 1024 * 1024)

#define HUGE_PAGE ((Size) 2 * 1024 * 1024)

char *
hnsw_build_phase_name(int64 phase)
{
	switch (phase)
	{
		case PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE:
			return "initializing";
		case HNSW_PROGRESS_MEMORY:
			return "inserting tuples into memory";
		case HNSW_PROGRESS_LINKING:
			return "linking tuples in memory";
		case HNSW_PROGRESS_WRITING:
			return "writing the graph";
		case HNSW_PROGRESS_PAGES:
			return "inserting tuples into pages";
		case HNSW_PROGRESS_LOGGING:
			return "logging pages";
		default:
			return NULL;
	}
}

static void
report_phase(const HnswBuild *build, int64 phase)
{
	if (build->leader)
		pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, phase);
}

/* ---- the block, and when it is full */

static bool
enter_block(HnswShared *shared)
{
	bool entered;

	SpinLockAcquire(&shared->mutex);
	entered = shared->phase == HNSW_BUILD_MEMORY;
	shared->n_inside += entered;
	SpinLockRelease(&shared->mutex);
	return entered;
}

static void
leave_block(HnswShared *shared)
{
	bool awaited;

	SpinLockAcquire(&shared->mutex);
	shared->n_inside--;
	awaited = shared->n_inside == 0 && shared->phase == HNSW_BUILD_DRAINING;
	SpinLockRelease(&shared->mutex);
	if (awaited)
		ConditionVariableBroadcast(&shared->changed);
}

static void
set_phase(HnswShared *shared, HnswBuildPhase phase)
{
	SpinLockAcquire(&shared->mutex);
	shared->phase = phase;
	SpinLockRelease(&shared->mutex);
	ConditionVariableBroadcast(&shared->changed);
}

/* Whether this process became the one that drains. */
static bool
begin_draining(HnswShared *shared)
{
	bool first;

	SpinLockAcquire(&shared->mutex);
	first = shared->phase == HNSW_BUILD_MEMORY;
	if (first)
		shared->phase = HNSW_BUILD_DRAINING;
	SpinLockRelease(&shared->mutex);
	return first;
}

static bool
is_drained(HnswShared *shared, bool by_us)
{
	bool drained;

	SpinLockAcquire(&shared->mutex);
	drained = by_us ? shared->n_inside == 0 : shared->phase >= HNSW_BUILD_PAGES;
	SpinLockRelease(&shared->mutex);
	return drained;
}

/* Bytes of a block for as many rows. A tenth more: that is an estimate, and doubling the work for the last ones would be silly. */
static Size
size_for(const HnswStore *store, double n_rows)
{
	return mg_build_size(&store->layout, (uint64) (n_rows * 1.1) + 1000, store->layout.value_size);
}

static void
write_block(HnswBuild *build)
{
	report_phase(build, HNSW_PROGRESS_LINKING);
	hnsw_build_connect(build);
	report_phase(build, HNSW_PROGRESS_WRITING);
	hnsw_build_emit(build);
}

void
hnsw_build_flush(HnswBuild *build)
{
	bool by_us = begin_draining(build->shared);

	ConditionVariablePrepareToSleep(&build->shared->changed);
	while (!is_drained(build->shared, by_us))
	{
		ConditionVariableSleep(&build->shared->changed, PG_WAIT_EXTENSION);
		hnsw_job_help(build);
	}
	ConditionVariableCancelSleep();
	if (by_us)
	{
		double n_rows = hnsw_sample_rows(build->heap);

		ereport(NOTICE, (errmsg("index \"%s\" does not fit maintenance_work_mem", RelationGetRelationName(build->index)),
						 errdetail(UINT64_FORMAT " of about %.0f rows did; the others are inserted one by one, which takes many times as long.",
								   pg_atomic_read_u64(&build->shared->n_inserted), n_rows),
						 errhint("Set maintenance_work_mem to %zu MB for these rows; index_memory() says what others need.",
								 size_for(&build->store, n_rows) / (1024 * 1024) + 1)));
		write_block(build);
		set_phase(build->shared, HNSW_BUILD_PAGES);
	}
	report_phase(build, HNSW_PROGRESS_PAGES);
}

/* ---- tuples */

static bool
add_to_block(HnswBuild *build, Datum value, const uint8 *item)
{
	MgCtx *cx = hnsw_scratch_cx(build->scratch);
	MgMark mark = mg_mark(cx);
	bool added = true;
	HnswValue converted;

	if (hnsw_kind_convert(build->store.kind, &build->store.layout, build->store.seed, value, cx, &converted))
	{
		MgBuildValue inserted = {build->store.layout.coded ? (const void *) converted.x : converted.bytes, converted.n_bytes,
							converted.fingerprint};

		added = mg_builder_add(build->builder, &inserted, item, pg_prng_uint64(&pg_global_prng_state)) != MG_BUILT_FULL;
	}
	mg_rewind(cx, mark);
	return added;
}

static void
insert_into_pages(HnswBuild *build, const Datum *values, const bool *nulls, ItemPointer tid)
{
	if (build->inserter == NULL)
		build->inserter = hnsw_inserter_begin(build->index, build->memory, true);
	hnsw_inserter_add(build->inserter, values, nulls, tid, false);
}

static void
insert_tuple(HnswBuild *build, const Datum *values, const bool *nulls, ItemPointer tid)
{
	Datum detoasted = hnsw_kind_detoast(build->store.kind, values[0]);
	uint8 item[HNSW_MOST_ITEM];

	hnsw_cover_pack(build->store.cover, tid, values, nulls, item);
	if (!hnsw_kind_is_ordinary(build->store.kind, detoasted))
		hnsw_meta_take_complete(build->index, true, HNSW_NEEDS_NUMBERS);
	if (enter_block(build->shared))
	{
		bool inserted = add_to_block(build, detoasted, item);

		leave_block(build->shared);
		if (inserted)
			return;
	}
	hnsw_build_flush(build);
	insert_into_pages(build, values, nulls, tid);
}

static void
tuple_callback(Relation index, ItemPointer tid, Datum *values, bool *isnull, bool alive, void *state)
{
	HnswBuild *build = state;
	MemoryContext before;
	uint64 n;

	if (isnull[0])
	{
		hnsw_meta_take_complete(index, true, HNSW_NEEDS_NULLS);
		return;
	}
	CHECK_FOR_INTERRUPTS();
	before = MemoryContextSwitchTo(build->tuple_memory);
	insert_tuple(build, values, isnull, tid);
	MemoryContextSwitchTo(before);
	MemoryContextReset(build->tuple_memory);
	build->index_tuples++;
	n = pg_atomic_add_fetch_u64(&build->shared->n_inserted, 1);
	if (build->leader)
		pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, (int64) n);
}

/* ---- one process' part */

void
hnsw_shared_init(HnswShared *shared, Relation heap, Relation index, bool concurrent, const HnswMeta *meta)
{
	memset(shared, 0, sizeof *shared);
	shared->heap = RelationGetRelid(heap);
	shared->index = RelationGetRelid(index);
	shared->concurrent = concurrent;
	shared->meta = *meta;
	shared->phase = HNSW_BUILD_MEMORY;
	SpinLockInit(&shared->mutex);
	ConditionVariableInit(&shared->changed);
	pg_atomic_init_u64(&shared->n_inserted, 0);
	pg_atomic_init_u32(&shared->next_piece, 0);
}

void
hnsw_build_attach(HnswBuild *build, HnswShared *shared, MgBuild *block)
{
	MgCtx *cx;

	build->shared = shared;
	build->block = block;
	build->memory = AllocSetContextCreate(CurrentMemoryContext, "maskgen_hnsw build", ALLOCSET_DEFAULT_SIZES);
	build->tuple_memory = AllocSetContextCreate(build->memory, "maskgen_hnsw tuple", ALLOCSET_DEFAULT_SIZES);
	build->scratch = hnsw_scratch_take(build->memory);
	cx = hnsw_scratch_cx(build->scratch);
	hnsw_store_init(&build->store, cx, build->index, hnsw_kind_of(build->index), &shared->meta);
	build->store.building = true;
	build->builder = mg_builder_attach(cx, block, &build->store.graph);
	hnsw_must(cx, build->builder != NULL);
}

void
hnsw_build_scan(HnswBuild *build, TableScanDesc scan)
{
	double heap_tuples;

	report_phase(build, HNSW_PROGRESS_MEMORY);
	heap_tuples = table_index_build_scan(build->heap, build->index, build->info, true, build->leader, tuple_callback,
										 build, scan);
	SpinLockAcquire(&build->shared->mutex);
	build->shared->heap_tuples += heap_tuples;
	build->shared->index_tuples += build->index_tuples;
	SpinLockRelease(&build->shared->mutex);
}

void
hnsw_build_finish(HnswBuild *build)
{
	if (build->shared->phase == HNSW_BUILD_MEMORY)
	{
		write_block(build);
	}
	hnsw_lists_build(build->index);
	if (RelationNeedsWAL(build->index))
	{
		report_phase(build, HNSW_PROGRESS_LOGGING);
		hnsw_job_log(build);
	}
	set_phase(build->shared, HNSW_BUILD_ENDED);
	build->heap_tuples = build->shared->heap_tuples;
	build->index_tuples = build->shared->index_tuples;
}

static bool
has_ended(HnswShared *shared)
{
	bool ended;

	SpinLockAcquire(&shared->mutex);
	ended = shared->phase == HNSW_BUILD_ENDED;
	SpinLockRelease(&shared->mutex);
	return ended;
}

void
hnsw_build_await(HnswBuild *build)
{
	HnswShared *shared = build->shared;

	SpinLockAcquire(&shared->mutex);
	shared->n_done++;
	SpinLockRelease(&shared->mutex);
	ConditionVariableBroadcast(&shared->changed);
	ConditionVariablePrepareToSleep(&shared->changed);
	while (!has_ended(shared))
	{
		ConditionVariableSleep(&shared->changed, PG_WAIT_EXTENSION);
		hnsw_job_help(build);
	}
	ConditionVariableCancelSleep();
}

void
hnsw_build_detach(HnswBuild *build)
{
	MemoryContextDelete(build->memory);
}

/* ---- the whole */

static Size
block_size(Relation heap, const HnswStore *store, double n_rows)
{
	Size most = (Size) maintenance_work_mem * 1024;

	return Max(Min(most, size_for(store, n_rows)), MIN_BLOCK) & ~(Size) (MG_ALIGNMENT - 1);
}

/* A search goes from one end of the block to the other: pages of 2 MB, where the system has them, save the look-up of most of 4 kB. */
static void
want_huge_pages(void *memory, Size size)
{
#ifdef MADV_HUGEPAGE
	uintptr_t first = TYPEALIGN(HUGE_PAGE, memory), end = TYPEALIGN_DOWN(HUGE_PAGE, (uintptr_t) memory + size);

	if (end > first)
		madvise((void *) first, end - first, MADV_HUGEPAGE);
#else
	(void) memory;
	(void) size;
#endif
}

static void
build_alone(HnswBuild *build, const HnswMeta *meta, Size size)
{
	HnswShared *shared = palloc(sizeof *shared);
	/* Of its own, so that a failed transaction does not keep it until it ends. */
	MemoryContext own = AllocSetContextCreate(CurrentMemoryContext, "maskgen_hnsw block", ALLOCSET_SMALL_SIZES);
	void *memory = MemoryContextAllocHuge(own, size + MG_ALIGNMENT);
	MgBuild *block = (MgBuild *) TYPEALIGN(MG_ALIGNMENT, memory);
	MgBuildOptions options = {.ef_construction = meta->ef_construction, .size = size};
	MgHost host = host_in(CurrentMemoryContext);
	MgCtx cx;

	mg_ctx_init(&cx, &host);
	want_huge_pages(memory, size);
	hnsw_shared_init(shared, build->heap, build->index, build->info->ii_Concurrent, meta);
	hnsw_must(&cx, mg_build_init(&cx, block, &build->store.layout, &options));
	hnsw_build_attach(build, shared, block);
	hnsw_build_scan(build, NULL);
	hnsw_build_finish(build);
	hnsw_build_detach(build);
	mg_ctx_free(&cx);
	MemoryContextDelete(own);
}

/*
 * Threads of one process build what is expected to fit. What does not goes on in pages, by as many processes; and distances of values that have no codes
 * are not bounded in time, so that threads could not be waited for.
 */
static int
count_threads(const HnswBuild *build, double n_rows)
{
	if (!build->store.layout.coded || size_for(&build->store, n_rows) > (Size) maintenance_work_mem * 1024)
		return 1;
	return Min(hnsw_build_helpers(build->heap, build->index) + 1, maskgen_max_threads);
}

IndexBuildResult *
hnsw_build(Relation heap, Relation index, IndexInfo *info)
{
	IndexBuildResult *result = palloc0(sizeof *result);
	HnswBuild build = {.heap = heap, .index = index, .info = info, .leader = true};
	const HnswKind *kind = hnsw_kind_of(index);
	MgHost host = host_in(CurrentMemoryContext);
	HnswMeta meta;
	MgCtx cx;
	Size size;
	double n_rows;

	mg_ctx_init(&cx, &host);
	hnsw_options_meta(index, kind, &meta);
	hnsw_meta_create(index, MAIN_FORKNUM, &meta);
	hnsw_store_init(&build.store, &cx, index, kind, &meta);
	n_rows = hnsw_sample_rows(heap);
	pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_TOTAL, (int64) n_rows);
	size = block_size(heap, &build.store, n_rows);
	build.n_threads = count_threads(&build, n_rows);
	if (build.n_threads > 1 || !hnsw_build_parallel(&build, &meta, size))
		build_alone(&build, &meta, size);
	mg_ctx_free(&cx);
	result->heap_tuples = build.heap_tuples;
	result->index_tuples = build.index_tuples;
	return result;
}

void
hnsw_build_empty(Relation index)
{
	HnswMeta meta;

	hnsw_options_meta(index, hnsw_kind_of(index), &meta);
	if (hnsw_lists_wanted(hnsw_cover_of(index)))
	{
		meta.lists_at = HNSW_META_BLOCK + 1;
		meta.n_lists = HNSW_LEAST_LISTS;
	}
	hnsw_meta_create(index, INIT_FORKNUM, &meta);
	if (meta.n_lists > 0)
		hnsw_lists_create(index, INIT_FORKNUM, meta.n_lists);
}
