/* Results in the segment, and what SQL sees of it. */
#include "pg/task/result_cache.h"

#include "fmgr.h"
#include "pg/compat.h"
#include "pg/guc.h"

PG_FUNCTION_INFO_V1(maskgen_result_cache_state);
PG_FUNCTION_INFO_V1(maskgen_result_cache_reset);

static SharedCache results = {.piece = "maskgen_result_cache", .name = "result cache", .setting = "maskgen.result_cache_size",
							  .size = &maskgen_result_cache_size, .most_partitions = CACHE_MOST_PARTITIONS, .followed_size = -1};

CacheSegment *
result_segment(void)
{
	return maskgen_enable_result_cache ? cache_segment(&results) : NULL;
}

struct varlena *
result_cache_find(CacheSegment *segment, const MgHash *key)
{
	LWLock *lock;
	MgCache *cache = cache_partition(segment, key, &lock);
	struct varlena *value = NULL;
	uint32 entry;

	LWLockAcquire(lock, LW_SHARED);
	entry = mg_cache_find(cache, key);
	if (entry != MG_CACHE_NONE)
	{
		Size size = mg_cache_size(cache, entry);

		value = palloc(VARHDRSZ + size);
		SET_VARSIZE(value, VARHDRSZ + size);
		mg_cache_read(cache, entry, VARDATA(value));
	}
	LWLockRelease(lock);
	return value;
}

void
result_cache_add(CacheSegment *segment, const MgHash *key, MgSpan value)
{
	cache_add(&results, segment, key, value);
}

void
result_cache_count(uint64 hits, uint64 misses)
{
	cache_count(&results, hits, misses);
}

Datum
maskgen_result_cache_state(PG_FUNCTION_ARGS)
{
	return cache_state(&results, fcinfo);
}

Datum
maskgen_result_cache_reset(PG_FUNCTION_ARGS)
{
	cache_reset(&results);
	PG_RETURN_VOID();
}
