/*
 * A build by several processes: the leader and workers scan the table in
 * parallel and insert into one block in dynamic shared memory. See build.c.
 */
#include <sys/statvfs.h>

#include "pg/hnsw/build.h"

#include "access/parallel.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "commands/progress.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "optimizer/planner.h"
#include "pg/compat.h"
#include "pg/host.h"
#include "pgstat.h"
#include "storage/dsm_impl.h"
#include "tcop/tcopprot.h"
#include "utils/backend_progress.h"
#include "utils/snapmgr.h"
#include "utils/wait_event.h"

#define KEY_SHARED UINT64CONST(0x6D67000000000001)
#define KEY_SCAN UINT64CONST(0x6D67000000000002)
#define KEY_BLOCK UINT64CONST(0x6D67000000000003)
#define KEY_QUERY UINT64CONST(0x6D67000000000004)

PGDLLEXPORT void maskgen_hnsw_build_worker(dsm_segment *segment, shm_toc *toc);

/*
 * As many as the table's storage parameter says, else as settings allow; core's
 * own number is for work that is bound by reading the table, and a graph is not.
 */
int
hnsw_build_helpers(Relation heap, Relation index)
{
	int wanted;

	if (plan_create_index_workers(RelationGetRelid(heap), RelationGetRelid(index)) == 0)
		return 0;
	wanted = RelationGetParallelWorkers(heap, -1);
	return wanted >= 0 ? Min(wanted, max_parallel_maintenance_workers) : max_parallel_maintenance_workers;
}

/* In containers /dev/shm is often 64 MB: one process is better than an error. */
static bool
shared_memory_has_room(Size size)
{
	struct statvfs room;

	if (dynamic_shared_memory_type != DSM_IMPL_POSIX || statvfs("/dev/shm", &room) != 0)
		return true;
	if ((uint64) room.f_bavail * room.f_frsize >= size)
		return true;
	ereport(NOTICE, (errmsg("building the index with one process"),
					 errdetail("/dev/shm has room for %llu MB of the %zu MB that several need.",
							   (unsigned long long) room.f_bavail * room.f_frsize >> 20, size >> 20),
					 errhint("Enlarge /dev/shm, or set dynamic_shared_memory_type to \"mmap\".")));
	return false;
}

static void
estimate(ParallelContext *parallel, Relation heap, Snapshot snapshot, Size block_size)
{
	shm_toc_estimate_chunk(&parallel->estimator, sizeof(HnswShared));
	shm_toc_estimate_chunk(&parallel->estimator, table_parallelscan_estimate(heap, snapshot));
	shm_toc_estimate_chunk(&parallel->estimator, add_size(block_size, MG_ALIGNMENT));
	shm_toc_estimate_keys(&parallel->estimator, 3);
	if (debug_query_string != NULL)
	{
		shm_toc_estimate_chunk(&parallel->estimator, strlen(debug_query_string) + 1);
		shm_toc_estimate_keys(&parallel->estimator, 1);
	}
}

/* Fills the shared memory of a context whose segment exists. */
static void
fill(ParallelContext *parallel, HnswBuild *build, const HnswMeta *meta, Snapshot snapshot, Size block_size)
{
	HnswShared *shared = shm_toc_allocate(parallel->toc, sizeof *shared);
	ParallelTableScanDesc scan =
		shm_toc_allocate(parallel->toc, table_parallelscan_estimate(build->heap, snapshot));
	void *memory = shm_toc_allocate(parallel->toc, block_size + MG_ALIGNMENT);
	MgBuildOptions options = {.ef_construction = meta->ef_construction, .size = block_size};
	MgHost host = host_in(CurrentMemoryContext);
	MgCtx cx;

	mg_ctx_init(&cx, &host);
	hnsw_shared_init(shared, build->heap, build->index, build->info->ii_Concurrent, meta);
	table_parallelscan_initialize(build->heap, scan, snapshot);
	hnsw_must(&cx, mg_build_init(&cx, (MgBuild *) TYPEALIGN(MG_ALIGNMENT, memory), &build->store.layout, &options));
	shm_toc_insert(parallel->toc, KEY_SHARED, shared);
	shm_toc_insert(parallel->toc, KEY_SCAN, scan);
	shm_toc_insert(parallel->toc, KEY_BLOCK, memory);
	if (debug_query_string != NULL)
	{
		char *query = shm_toc_allocate(parallel->toc, strlen(debug_query_string) + 1);

		strcpy(query, debug_query_string);
		shm_toc_insert(parallel->toc, KEY_QUERY, query);
	}
}

/* One process' part, from what is in shared memory. */
static void
take_part(HnswBuild *build, shm_toc *toc)
{
	HnswShared *shared = shm_toc_lookup(toc, KEY_SHARED, false);
	ParallelTableScanDesc scan = shm_toc_lookup(toc, KEY_SCAN, false);
	void *memory = shm_toc_lookup(toc, KEY_BLOCK, false);

	hnsw_build_attach(build, shared, (MgBuild *) TYPEALIGN(MG_ALIGNMENT, memory));
	hnsw_build_scan(build, table_beginscan_parallel(build->heap, scan));
}

static bool
are_done(HnswShared *shared, int n_workers)
{
	bool done;

	SpinLockAcquire(&shared->mutex);
	done = shared->n_done == n_workers;
	SpinLockRelease(&shared->mutex);
	return done;
}

static void
wait_for_workers(HnswBuild *build, int n_workers)
{
	HnswShared *shared = build->shared;

	ConditionVariablePrepareToSleep(&shared->changed);
	while (!are_done(shared, n_workers))
	{
		hnsw_job_help(build);
		/* A worker that failed says so by a message, which the sleep looks for. */
		ConditionVariableTimedSleep(&shared->changed, 500, PG_WAIT_EXTENSION);
		pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE,
									 (int64) pg_atomic_read_u64(&shared->n_inserted));
	}
	ConditionVariableCancelSleep();
}

static void
lead(HnswBuild *build, ParallelContext *parallel)
{
	LaunchParallelWorkers(parallel);
	WaitForParallelWorkersToAttach(parallel);
	take_part(build, parallel->toc);
	wait_for_workers(build, parallel->nworkers_launched);
	hnsw_build_finish(build);
	hnsw_build_detach(build);
	WaitForParallelWorkersToFinish(parallel);
}

bool
hnsw_build_parallel(HnswBuild *build, const HnswMeta *meta, Size block_size)
{
	int n_workers = hnsw_build_helpers(build->heap, build->index);
	ParallelContext *parallel;
	Snapshot snapshot;
	bool built;

	if (n_workers == 0 || !shared_memory_has_room(block_size))
		return false;
	EnterParallelMode();
	parallel = CreateParallelContext("maskgen", "maskgen_hnsw_build_worker", n_workers);
	snapshot = build->info->ii_Concurrent ? RegisterSnapshot(GetTransactionSnapshot()) : SnapshotAny;
	estimate(parallel, build->heap, snapshot, block_size);
	InitializeParallelDSM(parallel);
	/* Without a segment there are no workers, and one process needs no shared memory. */
	built = parallel->seg != NULL;
	if (built)
	{
		fill(parallel, build, meta, snapshot, block_size);
		lead(build, parallel);
	}
	if (IsMVCCSnapshot(snapshot))
		UnregisterSnapshot(snapshot);
	DestroyParallelContext(parallel);
	ExitParallelMode();
	return built;
}

void
maskgen_hnsw_build_worker(dsm_segment *segment, shm_toc *toc)
{
	HnswShared *shared = shm_toc_lookup(toc, KEY_SHARED, false);
	HnswBuild build = {.leader = false};

	debug_query_string = shm_toc_lookup(toc, KEY_QUERY, true);
	pgstat_report_activity(STATE_RUNNING, debug_query_string);
	/* The leader's locks are shared with us; these are the modes that it has. */
	build.heap = table_open(shared->heap, shared->concurrent ? ShareUpdateExclusiveLock : ShareLock);
	build.index = index_open(shared->index, shared->concurrent ? RowExclusiveLock : AccessExclusiveLock);
	build.info = BuildIndexInfo(build.index);
	build.info->ii_Concurrent = shared->concurrent;
	take_part(&build, toc);
	hnsw_build_await(&build);
	hnsw_build_detach(&build);
	index_close(build.index, NoLock);
	table_close(build.heap, NoLock);
}
