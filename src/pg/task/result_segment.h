/*
 * The memory of the result cache (task/result_cache.h): one dynamic shared memory
 * segment of maskgen.result_cache_size, made by the first backend that wants
 * it, and replaced by an empty one when the setting changes. A small piece of
 * PostgreSQL's own shared memory says which segment it is.
 *
 * Dynamic, so that the cache needs neither shared_preload_libraries nor a
 * restart to change its size. min_dynamic_shared_memory takes it from the
 * memory that the server reserves at its start, where /dev/shm is small.
 *
 * A server without room for it works without a cache, says so once in its log,
 * and tries again when the setting changes. A backend keeps a segment that was
 * replaced until it next looks here.
 */
#ifndef MASKGEN_PG_TASK_RESULT_SEGMENT_H
#define MASKGEN_PG_TASK_RESULT_SEGMENT_H

#include "postgres.h"
#include "core/cache.h"
#include "datatype/timestamp.h"
#include "pg/shared.h"
#include "port/atomics.h"
#include "storage/dsm.h"

#define RESULT_MOST_PARTITIONS 32

/* What a segment begins with; the partitions follow, each an MgCache. */
typedef struct ResultSegment
{
	MgHash secret; /* nobody outside of the server can tell which keys collide */
	int n_partitions;
	Size partition_size;
	LWLockPadded locks[RESULT_MOST_PARTITIONS]; /* shared to find, exclusive to add */
} ResultSegment;

/* What outlives segments. */
typedef struct ResultControl
{
	SharedHead head; /* its lock is for what follows; its tranche is that of all locks of the cache */
	int size;		 /* kB, of the setting that was followed last */
	bool making;	 /* a backend is about to follow another one */
	dsm_handle handle;
	pg_atomic_uint64 generation; /* counts changes of handle */

	/* Counted since reset, or with 0 since the server started. */
	TimestampTz reset;
	pg_atomic_uint64 hits, misses, evictions;
} ResultControl;

/* The segment of this moment, valid until the next call; NULL when there is no cache. Cheap when nothing changed. */
ResultSegment *result_segment(void);

ResultControl *result_control(void);

MgCache *result_partition(ResultSegment *segment, int number);

Size result_control_size(void);

#endif
