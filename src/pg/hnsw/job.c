/*
 * Work of a build in pieces. One process, which has something to do that the others wait for, says so and takes
 * pieces like all others; those that wait look for pieces whenever they wake up.
 */
#include "pg/hnsw/build.h"

#include "access/xloginsert.h"
#include "commands/progress.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/host.h"
#include "utils/backend_progress.h"
#include "utils/wait_event.h"

#define LOGGED 512 /* blocks of a piece */

static void
log_piece(HnswBuild *build, uint32 piece)
{
	BlockNumber first = piece * LOGGED, end = RelationGetNumberOfBlocks(build->index);

	log_newpage_range(build->index, MAIN_FORKNUM, first, Min(first + LOGGED, end), true);
}

static void
connect_piece(HnswBuild *build, MgConnectStep step, uint32 piece)
{
	MgCtx *cx = hnsw_scratch_cx(build->scratch);

	hnsw_must(cx, mg_connect(cx, build->builder, step, piece));
	if (build->leader && step == MG_CONNECT_REST)
		pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE,
									 (int64) ((double) pg_atomic_read_u64(&build->shared->n_inserted) * piece / build->shared->n_pieces));
}

static void
do_piece(HnswBuild *build, HnswJob job, uint32 piece)
{
	switch (job)
	{
		case HNSW_JOB_NONE:
			break;
		case HNSW_JOB_UPPER:
		case HNSW_JOB_ASSIGN:
		case HNSW_JOB_FEW:
		case HNSW_JOB_SOME:
		case HNSW_JOB_REST:
			connect_piece(build, (MgConnectStep) (job - HNSW_JOB_UPPER), piece);
			break;
		case HNSW_JOB_CUT:
		case HNSW_JOB_WRITE:
			hnsw_build_emit_range(build, job == HNSW_JOB_WRITE, piece);
			break;
		case HNSW_JOB_LOG:
			log_piece(build, piece);
			break;
	}
}

void
hnsw_job_help(HnswBuild *build)
{
	HnswShared *shared = build->shared;
	uint32 piece, n_pieces;
	HnswJob job;
	bool last;

	SpinLockAcquire(&shared->mutex);
	job = shared->job;
	n_pieces = shared->n_pieces;
	shared->n_working += job != HNSW_JOB_NONE;
	SpinLockRelease(&shared->mutex);
	if (job == HNSW_JOB_NONE)
		return;
	while ((piece = pg_atomic_fetch_add_u32(&shared->next_piece, 1)) < n_pieces)
	{
		CHECK_FOR_INTERRUPTS();
		do_piece(build, job, piece);
	}
	SpinLockAcquire(&shared->mutex);
	last = --shared->n_working == 0;
	SpinLockRelease(&shared->mutex);
	if (last)
		ConditionVariableBroadcast(&shared->changed);
}

/* Ends the job if all pieces are done; each was taken before our own help ended. */
static bool
end_job(HnswShared *shared)
{
	bool ended;

	SpinLockAcquire(&shared->mutex);
	ended = shared->n_working == 0;
	if (ended)
		shared->job = HNSW_JOB_NONE;
	SpinLockRelease(&shared->mutex);
	return ended;
}

void
hnsw_job_run(HnswBuild *build, HnswJob job, uint32 n_pieces)
{
	HnswShared *shared = build->shared;

	if (build->n_threads > 1 && job != HNSW_JOB_LOG)
	{
		if (build->threads == NULL)
			build->threads = hnsw_threads_begin(build, build->n_threads);
		hnsw_threads_run(build->threads, job, n_pieces);
		return;
	}
	SpinLockAcquire(&shared->mutex);
	shared->job = job;
	shared->n_pieces = n_pieces;
	pg_atomic_write_u32(&shared->next_piece, 0);
	SpinLockRelease(&shared->mutex);
	ConditionVariableBroadcast(&shared->changed);
	hnsw_job_help(build);
	ConditionVariablePrepareToSleep(&shared->changed);
	while (!end_job(shared))
		ConditionVariableSleep(&shared->changed, PG_WAIT_EXTENSION);
	ConditionVariableCancelSleep();
}

void
hnsw_job_log(HnswBuild *build)
{
	hnsw_job_run(build, HNSW_JOB_LOG, (RelationGetNumberOfBlocks(build->index) + LOGGED - 1) / LOGGED);
}
