/* CREATE INDEX and REINDEX. */
#ifndef MASKGEN_PG_HNSW_BUILD_H
#define MASKGEN_PG_HNSW_BUILD_H

#include "postgres.h"
#include "access/genam.h"
#include "access/tableam.h"
#include "hnsw/build.h"
#include "nodes/execnodes.h"
#include "pg/hnsw/insert.h"
#include "pg/hnsw/scratch.h"
#include "pg/hnsw/store.h"
#include "port/atomics.h"
#include "storage/condition_variable.h"
#include "storage/spin.h"

/* Where the nodes go. A build begins in memory, and ends there if all fit. */
typedef enum HnswBuildPhase
{
	HNSW_BUILD_MEMORY,
	HNSW_BUILD_DRAINING, /* one process waits for the others to leave the block, and writes it */
	HNSW_BUILD_PAGES,	 /* it is written; inserts go to pages */
	HNSW_BUILD_ENDED
} HnswBuildPhase;

/* Work in pieces, which all processes that have nothing else to do take part in (job.c). */
typedef enum HnswJob
{
	HNSW_JOB_NONE,
	HNSW_JOB_UPPER, /* of a range of nodes a step of linking, as MgConnectStep has them, */
	HNSW_JOB_ASSIGN,
	HNSW_JOB_FEW,
	HNSW_JOB_SOME,
	HNSW_JOB_REST,
	HNSW_JOB_CUT,	/* the lists, */
	HNSW_JOB_WRITE, /* the entries (emit.c) */
	HNSW_JOB_LOG	/* whole pages */
} HnswJob;

/* What the processes of a build share. */
typedef struct HnswShared
{
	Oid heap, index;
	bool concurrent;
	HnswMeta meta;
	slock_t mutex; /* of what follows, held for a few instructions */
	int phase;	   /* HnswBuildPhase */
	int n_inside;  /* processes that are changing the block */
	int n_done;	   /* workers that have scanned all there was */
	double heap_tuples, index_tuples;
	int job;		/* HnswJob */
	uint32 n_pieces; /* of it */
	int n_working;	/* processes that take pieces */
	pg_atomic_uint32 next_piece;
	ConditionVariable changed; /* any of the above */
	pg_atomic_uint64 n_inserted; /* for the progress view */
} HnswShared;

/* Threads of one process that take part in its jobs: threads.c. */
typedef struct HnswThreads HnswThreads;

/* One process of a build. */
typedef struct HnswBuild
{
	Relation heap, index;
	IndexInfo *info;
	HnswShared *shared;
	MgBuild *block; /* in memory or DSM */
	HnswStore store;
	HnswScratch *scratch;
	MgBuilder *builder;
	MgEmitter *emitter;		/* made when the block is written */
	HnswInserter *inserter; /* made when inserts go to pages */
	MemoryContext tuple_memory, memory;
	double heap_tuples, index_tuples; /* of this process; after hnsw_build_finish of all */
	bool leader;
	int n_threads;		  /* that compute beside each other, the backend's own among them; above 1 there is one process */
	HnswThreads *threads; /* made when they are needed */
} HnswBuild;

/* build.c: one process' part. */
void hnsw_build_attach(HnswBuild *build, HnswShared *shared, MgBuild *block);
void hnsw_build_scan(HnswBuild *build, TableScanDesc scan); /* scan: parallel, or NULL */
void hnsw_build_flush(HnswBuild *build);					/* writes the block if nobody has yet; or waits until somebody did */
void hnsw_build_finish(HnswBuild *build);					/* after all scans, by the leader */
void hnsw_build_await(HnswBuild *build);					/* after its scan, by a worker: helps until the leader has finished */
void hnsw_build_detach(HnswBuild *build);
void hnsw_shared_init(HnswShared *shared, Relation heap, Relation index, bool concurrent, const HnswMeta *meta);

/* emit.c: the block to pages, with the help of whoever waits; and one range of it. */
void hnsw_build_emit(HnswBuild *build);
void hnsw_build_emit_range(HnswBuild *build, bool write, uint32 range);
void hnsw_build_write(HnswBuild *build, uint32 id, int level, const uint8_t *entry);

/* Links what is in the block, likewise. */
void hnsw_build_connect(HnswBuild *build);

/* job.c: does a job, with others; takes part in what another one began, until no piece is left; logs all pages of the index. */
void hnsw_job_run(HnswBuild *build, HnswJob job, uint32 n_pieces);
void hnsw_job_help(HnswBuild *build);
void hnsw_job_log(HnswBuild *build);

/* threads.c: they end with build->memory. A job, all its pieces. */
HnswThreads *hnsw_threads_begin(HnswBuild *build, int n);
void hnsw_threads_run(HnswThreads *threads, HnswJob job, uint32 n_pieces);

/* parallel.c: how many processes or threads there may be beside this one. */
int hnsw_build_helpers(Relation heap, Relation index);

/* parallel.c: several processes; false when there will be one only, and nothing was done. */
bool hnsw_build_parallel(HnswBuild *build, const HnswMeta *meta, Size block_size);

/* ambuild, ambuildempty, ambuildphasename */
IndexBuildResult *hnsw_build(Relation heap, Relation index, IndexInfo *info);
void hnsw_build_empty(Relation index);
char *hnsw_build_phase_name(int64 phase);

#define HNSW_PROGRESS_MEMORY 2
#define HNSW_PROGRESS_WRITING 3
#define HNSW_PROGRESS_PAGES 4
#define HNSW_PROGRESS_LOGGING 5
#define HNSW_PROGRESS_LINKING 6

#endif
