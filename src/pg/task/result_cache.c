/*
 * Partitions by the second half of a key, each under a lock of its own. Under
 * a lock nothing throws but the palloc of a find, which holds it shared and
 * has changed nothing: so entries are whole at any time.
 */
#include "pg/task/result_cache.h"

#include "fmgr.h"
#include "funcapi.h"
#include "pg/compat.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(maskgen_result_cache_state);
PG_FUNCTION_INFO_V1(maskgen_result_cache_reset);

static int
partition_of(const ResultSegment *segment, const MgHash *key)
{
	return (int) (key->words[1] % (uint64) segment->n_partitions);
}

struct varlena *
result_cache_find(ResultSegment *segment, const MgHash *key)
{
	int partition = partition_of(segment, key);
	MgCache *cache = result_partition(segment, partition);
	struct varlena *value = NULL;
	uint32 entry;

	LWLockAcquire(&segment->locks[partition].lock, LW_SHARED);
	entry = mg_cache_find(cache, key);
	if (entry != MG_CACHE_NONE)
	{
		Size size = mg_cache_size(cache, entry);

		value = palloc(VARHDRSZ + size);
		SET_VARSIZE(value, VARHDRSZ + size);
		mg_cache_read(cache, entry, VARDATA(value));
	}
	LWLockRelease(&segment->locks[partition].lock);
	return value;
}

void
result_cache_add(ResultSegment *segment, const MgHash *key, MgSpan value)
{
	int partition = partition_of(segment, key);
	MgCache *cache = result_partition(segment, partition);
	uint64 evicted;

	LWLockAcquire(&segment->locks[partition].lock, LW_EXCLUSIVE);
	evicted = cache->n_evicted;
	mg_cache_add(cache, key, value);
	evicted = cache->n_evicted - evicted;
	LWLockRelease(&segment->locks[partition].lock);
	if (evicted > 0)
		pg_atomic_fetch_add_u64(&result_control()->evictions, (int64) evicted);
}

void
result_cache_count(uint64 hits, uint64 misses)
{
	ResultControl *control = result_control();

	if (hits > 0)
		pg_atomic_fetch_add_u64(&control->hits, (int64) hits);
	if (misses > 0)
		pg_atomic_fetch_add_u64(&control->misses, (int64) misses);
}

Datum
maskgen_result_cache_state(PG_FUNCTION_ARGS)
{
	ResultControl *control = result_control();
	ResultSegment *segment = result_segment();
	int64 size = 0, entries = 0, bytes = 0;
	TimestampTz reset;
	TupleDesc descriptor;
	Datum values[7];
	bool nulls[7] = {false};

	for (int p = 0; segment != NULL && p < segment->n_partitions; p++)
	{
		const MgCache *cache = result_partition(segment, p);

		LWLockAcquire(&segment->locks[p].lock, LW_SHARED);
		size += (int64) segment->partition_size;
		entries += cache->n_entries;
		bytes += (int64) mg_cache_used(cache);
		LWLockRelease(&segment->locks[p].lock);
	}
	LWLockAcquire(&control->head.lock, LW_SHARED);
	reset = control->reset;
	LWLockRelease(&control->head.lock);
	values[0] = Int64GetDatum(size);
	values[1] = Int64GetDatum(entries);
	values[2] = Int64GetDatum(bytes);
	values[3] = Int64GetDatum((int64) pg_atomic_read_u64(&control->hits));
	values[4] = Int64GetDatum((int64) pg_atomic_read_u64(&control->misses));
	values[5] = Int64GetDatum((int64) pg_atomic_read_u64(&control->evictions));
	values[6] = TimestampTzGetDatum(reset);
	nulls[6] = reset == 0;
	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls)));
}

Datum
maskgen_result_cache_reset(PG_FUNCTION_ARGS)
{
	ResultControl *control = result_control();
	ResultSegment *segment = result_segment();

	for (int p = 0; segment != NULL && p < segment->n_partitions; p++)
	{
		LWLockAcquire(&segment->locks[p].lock, LW_EXCLUSIVE);
		mg_cache_init(result_partition(segment, p), segment->partition_size);
		LWLockRelease(&segment->locks[p].lock);
	}
	LWLockAcquire(&control->head.lock, LW_EXCLUSIVE);
	pg_atomic_write_u64(&control->hits, 0);
	pg_atomic_write_u64(&control->misses, 0);
	pg_atomic_write_u64(&control->evictions, 0);
	control->reset = GetCurrentTimestamp();
	LWLockRelease(&control->head.lock);
	PG_RETURN_VOID();
}
