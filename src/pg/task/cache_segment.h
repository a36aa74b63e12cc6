/*
 * The memory of a cache that all sessions share (task/result_cache.h, task/prompts.h): one dynamic shared memory segment
 * of a setting's size, made by the first backend that wants it, and replaced by an empty one when the setting changes. A
 * small piece of PostgreSQL's own shared memory says which segment it is.
 *
 * Dynamic, so that a cache needs neither shared_preload_libraries nor a restart to change its size. min_dynamic_shared_memory
 * takes it from the memory that the server reserves at its start, where /dev/shm is small.
 *
 * A server without room for it works without a cache, says so once in its log, and tries again when the setting changes. A
 * backend keeps a segment that was replaced until it next looks here.
 *
 * A segment has partitions by the second half of a key, each under a lock of its own, which is shared to find and exclusive
 * to add. Under it nothing throws but what allocates for a find, which has changed nothing: so entries are whole at any time.
 */
#ifndef MASKGEN_PG_TASK_CACHE_SEGMENT_H
#define MASKGEN_PG_TASK_CACHE_SEGMENT_H

#include "postgres.h"
#include "core/cache.h"
#include "datatype/timestamp.h"
#include "fmgr.h"
#include "pg/shared.h"
#include "port/atomics.h"
#include "storage/dsm.h"

#define CACHE_MOST_PARTITIONS 32

/* What a segment begins with; the partitions follow, each an MgCache. */
typedef struct CacheSegment
{
	MgHash secret; /* nobody outside of the server can tell which keys collide */
	int n_partitions;
	Size partition_size;
	LWLockPadded locks[CACHE_MOST_PARTITIONS];
} CacheSegment;

/* What outlives segments. */
typedef struct CacheControl
{
	SharedHead head; /* its lock is for what follows; its tranche is that of all locks of the cache */
	int size;		 /* kB, of the setting that was followed last */
	bool making;	 /* a backend is about to follow another one */
	dsm_handle handle;
	pg_atomic_uint64 generation; /* counts changes of handle */

	/* Counted since reset, or with 0 since the server started. */
	TimestampTz reset;
	pg_atomic_uint64 hits, misses, evictions;
} CacheControl;

/* A cache, as a backend knows it. */
typedef struct SharedCache
{
	const char *piece;	 /* the name of its piece of shared memory */
	const char *name;	 /* as messages have it */
	const char *setting; /* the name of */
	const int *size;	 /* kB */
	int most_partitions; /* few, where entries are large: an entry is at most a quarter of one */

	CacheControl *control;
	dsm_segment *mapped;
	int followed_size; /* the setting and generation that this backend followed; -1: nothing yet */
	uint64 followed_generation;
} SharedCache;

/* The segment of this moment, valid until the next call; NULL when there is no cache. Cheap when nothing changed. */
CacheSegment *cache_segment(SharedCache *cache);

/* The partition of a key, and its lock. */
MgCache *cache_partition(CacheSegment *segment, const MgHash *key, LWLock **lock);

/* Adds a value; what is too large, or there already, is not added. */
void cache_add(SharedCache *cache, CacheSegment *segment, const MgHash *key, MgSpan value);

/* Counts what was found and what was not. */
void cache_count(SharedCache *cache, uint64 hits, uint64 misses);

/* A row: bytes of the segment, entries, bytes of these, hits, misses, evictions, time of the reset. */
Datum cache_state(SharedCache *cache, FunctionCallInfo fcinfo);

/* Empties it, and sets its counters to zero. */
void cache_reset(SharedCache *cache);

/* Of the piece of shared memory. */
Size cache_control_size(void);

#endif
