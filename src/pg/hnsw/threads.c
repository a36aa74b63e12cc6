/*
 * The jobs of a build by threads of one backend. All fits in its memory then, which is given back at once whatever its size: shared memory of
 * several processes is unmapped by each and freed page by page, 0.2 ms a MB, while a cancel waits. It may be of huge pages, too, and needs no /dev/shm.
 *
 * Threads compute only: links and entries of ranges of nodes, in regions between which no thread runs, and the backend polls,
 * reads, writes and logs. Within one each looks for a cancel itself, and ends.
 */
#include "pg/hnsw/build.h"

#include "commands/progress.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/host.h"
#include "tensor/pool.h"
#include "utils/backend_progress.h"
#include "utils/memutils.h"

#define PIECES_A_THREAD 64 /* of a region: some 100 ms, for on a busy machine all wait for the one that has no CPU */
#define WRITTEN_A_THREAD 8 /* the same where what is made is kept */
#define ROOM 12			   /* entries of a piece: those of its nodes, and above level 0 a few */

typedef struct Thread
{
	MgCtx cx;
	MgBuilder *builder;
	MgEmitter *emitter;
} Thread;

/* Finished entries of a piece. */
typedef struct Written
{
	uint32 ids[ROOM];
	int levels[ROOM];
	const MgEntryLayout *layout;
	uint8 *entries; /* [ROOM, entry_size[0]] */
	uint32 n;
	bool full; /* there were more: they will be made once again, by the backend */
} Written;

struct HnswThreads
{
	HnswBuild *build;
	int n;
	Thread *threads; /* [n] */
	Written *written; /* [n * WRITTEN_A_THREAD] */
	MgCtx cx;
	MgPool *pool;
	HnswJob job;
	uint32 first; /* piece of the region */
	pg_atomic_uint32 failed;
	MemoryContextCallback callback;
};

/* ---- a host for threads: memory that is nobody's, and no jump */

static void *
host_alloc(void *user, size_t size)
{
	return malloc(size);
}

static void
host_release(void *user, void *memory, size_t size)
{
	free(memory);
}

static bool
host_poll(void *user)
{
	return !QueryCancelPending && !ProcDiePending;
}

static void
host_note(void *user, const char *text)
{
}

static const MgHost thread_host = {NULL, host_alloc, host_release, host_poll, host_note};

static void
end_threads(void *user)
{
	HnswThreads *threads = user;

	mg_pool_destroy(threads->pool);
	for (int i = 0; i < threads->n; i++)
		mg_ctx_free(&threads->threads[i].cx);
	mg_ctx_free(&threads->cx);
}

HnswThreads *
hnsw_threads_begin(HnswBuild *build, int n)
{
	HnswThreads *threads = MemoryContextAllocZero(build->memory, sizeof *threads);
	uint32 entry_size = build->store.layout.entry_size[0];

	threads->build = build;
	threads->n = n;
	threads->threads = MemoryContextAllocZero(build->memory, n * sizeof *threads->threads);
	threads->written = MemoryContextAllocZero(build->memory, n * WRITTEN_A_THREAD * sizeof *threads->written);
	for (int i = 0; i < n * WRITTEN_A_THREAD; i++)
	{
		threads->written[i].layout = &build->store.layout;
		threads->written[i].entries = MemoryContextAlloc(build->memory, (Size) ROOM * entry_size);
	}
	pg_atomic_init_u32(&threads->failed, 0);
	mg_ctx_init(&threads->cx, &thread_host);
	for (int i = 0; i < n; i++)
		mg_ctx_init(&threads->threads[i].cx, &thread_host);
	threads->callback.func = end_threads;
	threads->callback.arg = threads;
	MemoryContextRegisterResetCallback(build->memory, &threads->callback);
	for (int i = 0; i < n; i++)
	{
		Thread *thread = &threads->threads[i];

		thread->builder = mg_builder_attach(&thread->cx, build->block, &build->store.graph);
		hnsw_must(&thread->cx, thread->builder != NULL);
		thread->emitter = mg_emitter_attach(&thread->cx, build->block, &build->store.graph);
		hnsw_must(&thread->cx, thread->emitter != NULL);
	}
	threads->pool = mg_pool_create(&threads->cx, n);
	hnsw_must(&threads->cx, threads->pool != NULL);
	return threads;
}

static bool
keep(void *user, MgCtx *cx, uint32_t id, int level, const uint8_t *entry)
{
	Written *written = user;

	written->full = written->n == ROOM;
	if (written->full)
		return false;
	written->ids[written->n] = id;
	written->levels[written->n] = level;
	memcpy(written->entries + (Size) written->n * written->layout->entry_size[0], entry, mg_entry_size(written->layout, level));
	written->n++;
	return true;
}

static bool
do_piece(HnswThreads *threads, Thread *thread, size_t piece)
{
	uint32 range = threads->first + (uint32) piece;
	Written *written;
	MgPlacer placer;

	switch (threads->job)
	{
		case HNSW_JOB_UPPER:
		case HNSW_JOB_ASSIGN:
		case HNSW_JOB_FEW:
		case HNSW_JOB_SOME:
		case HNSW_JOB_REST:
			return mg_connect(&thread->cx, thread->builder, (MgConnectStep) (threads->job - HNSW_JOB_UPPER), range);
		case HNSW_JOB_CUT:
			return mg_emit_cut(&thread->cx, thread->emitter, range);
		case HNSW_JOB_WRITE:
			written = &threads->written[piece];
			placer = (MgPlacer){.user = written, .write = keep};
			written->n = 0;
			written->full = false;
			return mg_emit_write(&thread->cx, thread->emitter, range, &placer) || written->full;
		default:
			return true;
	}
}

static void
work(void *arg, size_t piece, size_t worker)
{
	HnswThreads *threads = arg;

	if (!do_piece(threads, &threads->threads[worker], piece))
		pg_atomic_write_u32(&threads->failed, (uint32) worker + 1);
}

/* Entries of the region to pages. */
static void
write_region(HnswThreads *threads, uint32 n)
{
	for (uint32 piece = 0; piece < n; piece++)
	{
		const Written *written = &threads->written[piece];

		CHECK_FOR_INTERRUPTS();
		if (written->full)
		{
			hnsw_build_emit_range(threads->build, true, threads->first + piece);
			continue;
		}
		for (uint32 i = 0; i < written->n; i++)
			hnsw_build_write(threads->build, written->ids[i], written->levels[i],
							 written->entries + (Size) i * written->layout->entry_size[0]);
	}
}

void
hnsw_threads_run(HnswThreads *threads, HnswJob job, uint32 n_pieces)
{
	uint64 n_tuples = pg_atomic_read_u64(&threads->build->shared->n_inserted);
	uint32 most = (uint32) threads->n * (job == HNSW_JOB_WRITE ? WRITTEN_A_THREAD : PIECES_A_THREAD);

	threads->job = job;
	for (threads->first = 0; threads->first < n_pieces;)
	{
		uint32 n = Min(most, n_pieces - threads->first), failed;

		CHECK_FOR_INTERRUPTS();
		mg_pool_run(threads->pool, n, work, threads);
		failed = pg_atomic_read_u32(&threads->failed);
		if (failed > 0)
		{
			CHECK_FOR_INTERRUPTS();
			host_throw(&threads->threads[failed - 1].cx);
		}
		if (job == HNSW_JOB_WRITE)
			write_region(threads, n);
		threads->first += n;
		if (job == HNSW_JOB_REST)
			pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, (int64) ((double) n_tuples * threads->first / n_pieces));
	}
}
