/* Making, finding and replacing the segment. No lock is held while one is made. */
#include "pg/task/cache_segment.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

/* A partition of less would hold too few vectors; more of them than CACHE_MOST_PARTITIONS serve nobody. */
#define PARTITION_LEAST ((Size) 256 * 1024)

Size
cache_control_size(void)
{
	return MAXALIGN(sizeof(CacheControl));
}

static void
init_control(void *piece)
{
	CacheControl *fresh = piece;

	pg_atomic_init_u64(&fresh->generation, 0);
	pg_atomic_init_u64(&fresh->hits, 0);
	pg_atomic_init_u64(&fresh->misses, 0);
	pg_atomic_init_u64(&fresh->evictions, 0);
}

static CacheControl *
control_of(SharedCache *cache)
{
	if (cache->control == NULL)
		cache->control = shared_piece(cache->piece, cache_control_size(), init_control);
	return cache->control;
}

static Size
head_size(void)
{
	return TYPEALIGN(PG_CACHE_LINE_SIZE, sizeof(CacheSegment));
}

static MgCache *
partition(CacheSegment *segment, int number)
{
	return (MgCache *) ((char *) segment + head_size() + (Size) number * segment->partition_size);
}

static void
format(const SharedCache *cache, CacheSegment *segment, Size size)
{
	Size room = size - head_size();
	int n = (int) Min(room / PARTITION_LEAST, cache->most_partitions);

	segment->n_partitions = Max(n, 1);
	segment->partition_size = room / (Size) segment->n_partitions & ~(Size) (PG_CACHE_LINE_SIZE - 1);
	if (!pg_strong_random(&segment->secret, sizeof segment->secret))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate a random key")));
	for (int p = 0; p < segment->n_partitions; p++)
	{
		LWLockInitialize(&segment->locks[p].lock, cache->control->head.tranche);
		mg_cache_init(partition(segment, p), segment->partition_size);
	}
}

/* A new segment of that size, pinned, or with 0 the one of that handle; mapped until it is detached. NULL if there is none. */
static dsm_segment *
make_or_map(const SharedCache *cache, Size size, dsm_handle handle)
{
	dsm_segment *segment = size > 0 ? dsm_create(size, DSM_CREATE_NULL_IF_MAXSEGMENTS) : dsm_attach(handle);

	if (segment == NULL)
		return NULL;
	if (size > 0)
	{
		format(cache, dsm_segment_address(segment), size);
		dsm_pin_segment(segment);
	}
	dsm_pin_mapping(segment);
	return segment;
}

/*
 * The same, but an error is a line of the log and gives NULL: no statement fails for want of a cache. A resource owner
 * of its own takes back what a failure leaves. After a cancel, which may be what failed, the caller gets the error.
 */
static dsm_segment *
try_make_or_map(const SharedCache *cache, Size size, dsm_handle handle)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner caller = CurrentResourceOwner, owner = ResourceOwnerCreate(caller, "maskgen cache");
	dsm_segment *volatile segment = NULL;
	ErrorData *volatile error = NULL;

	CurrentResourceOwner = owner;
	PG_TRY();
	{
		segment = make_or_map(cache, size, handle);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	CurrentResourceOwner = caller;
	ResourceOwnerRelease(owner, RESOURCE_RELEASE_BEFORE_LOCKS, false, false);
	ResourceOwnerRelease(owner, RESOURCE_RELEASE_LOCKS, false, false);
	ResourceOwnerRelease(owner, RESOURCE_RELEASE_AFTER_LOCKS, false, false);
	ResourceOwnerDelete(owner);
	if (segment == NULL && (size > 0 || error != NULL) && !InterruptPending)
		ereport(LOG, (size > 0 ? errmsg("could not create %s of %zu kB", cache->name, size / 1024) : errmsg("could not map %s", cache->name),
					  errdetail("%s", error != NULL ? error->message : "There are too many dynamic shared memory segments."),
					  errhint("Lower %s, or raise min_dynamic_shared_memory.", cache->setting)));
	return segment;
}

static void
let_go(SharedCache *cache)
{
	dsm_segment *segment = cache->mapped;

	cache->mapped = NULL;
	if (segment != NULL)
		dsm_detach(segment);
}

/* Replaces the segment by one of the setting's size. Others go without a cache meanwhile. */
static void
replace(SharedCache *cache, int size)
{
	CacheControl *control = cache->control;
	dsm_segment *fresh = NULL;
	dsm_handle old;
	bool interrupted;

	let_go(cache);
	if (size > 0)
		fresh = try_make_or_map(cache, (Size) size * 1024, DSM_HANDLE_INVALID);
	interrupted = size > 0 && fresh == NULL && InterruptPending;
	cache->mapped = fresh;

	LWLockAcquire(&control->head.lock, LW_EXCLUSIVE);
	control->making = false;
	old = control->handle;
	if (!interrupted)
	{
		control->handle = fresh != NULL ? dsm_segment_handle(fresh) : DSM_HANDLE_INVALID;
		control->size = cache->followed_size = size;
		cache->followed_generation = pg_atomic_add_fetch_u64(&control->generation, 1);
	}
	LWLockRelease(&control->head.lock);
	if (!interrupted && old != DSM_HANDLE_INVALID)
		dsm_unpin_segment(old);
}

/*
 * Follows the setting, if it has changed since this backend last did, and then the segment that another one may have
 * made. Settings reach backends one by one: who has not seen a change yet must not undo it.
 */
static void
follow(SharedCache *cache, int size)
{
	CacheControl *control = cache->control;
	dsm_handle handle;
	bool make;

	LWLockAcquire(&control->head.lock, LW_EXCLUSIVE);
	make = size != cache->followed_size && size != control->size && !control->making;
	if (make)
		control->making = true;
	else if (!control->making)
		cache->followed_size = size;
	handle = control->handle;
	cache->followed_generation = pg_atomic_read_u64(&control->generation);
	LWLockRelease(&control->head.lock);

	if (make)
		replace(cache, size);
	else if (cache->mapped == NULL || dsm_segment_handle(cache->mapped) != handle)
	{
		let_go(cache);
		if (handle != DSM_HANDLE_INVALID)
			cache->mapped = try_make_or_map(cache, 0, handle);
	}
}

CacheSegment *
cache_segment(SharedCache *cache)
{
	int size = *cache->size;

	if (cache->followed_generation != pg_atomic_read_u64(&control_of(cache)->generation) || size != cache->followed_size)
		follow(cache, size);
	return cache->mapped != NULL && size > 0 ? dsm_segment_address(cache->mapped) : NULL;
}

MgCache *
cache_partition(CacheSegment *segment, const MgHash *key, LWLock **lock)
{
	int number = (int) (key->words[1] % (uint64) segment->n_partitions);

	*lock = &segment->locks[number].lock;
	return partition(segment, number);
}

void
cache_add(SharedCache *cache, CacheSegment *segment, const MgHash *key, MgSpan value)
{
	LWLock *lock;
	MgCache *part = cache_partition(segment, key, &lock);
	uint64 evicted;

	LWLockAcquire(lock, LW_EXCLUSIVE);
	evicted = part->n_evicted;
	mg_cache_add(part, key, value);
	evicted = part->n_evicted - evicted;
	LWLockRelease(lock);
	if (evicted > 0)
		pg_atomic_fetch_add_u64(&control_of(cache)->evictions, (int64) evicted);
}

void
cache_count(SharedCache *cache, uint64 hits, uint64 misses)
{
	CacheControl *control = control_of(cache);

	if (hits > 0)
		pg_atomic_fetch_add_u64(&control->hits, (int64) hits);
	if (misses > 0)
		pg_atomic_fetch_add_u64(&control->misses, (int64) misses);
}

Datum
cache_state(SharedCache *cache, FunctionCallInfo fcinfo)
{
	CacheControl *control = control_of(cache);
	CacheSegment *segment = cache_segment(cache);
	int64 size = 0, entries = 0, bytes = 0;
	TimestampTz reset;
	TupleDesc descriptor;
	Datum values[7];
	bool nulls[7] = {false};

	for (int p = 0; segment != NULL && p < segment->n_partitions; p++)
	{
		const MgCache *part = partition(segment, p);

		LWLockAcquire(&segment->locks[p].lock, LW_SHARED);
		size += (int64) segment->partition_size;
		entries += part->n_entries;
		bytes += (int64) mg_cache_used(part);
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

void
cache_reset(SharedCache *cache)
{
	CacheControl *control = control_of(cache);
	CacheSegment *segment = cache_segment(cache);

	for (int p = 0; segment != NULL && p < segment->n_partitions; p++)
	{
		LWLockAcquire(&segment->locks[p].lock, LW_EXCLUSIVE);
		mg_cache_init(partition(segment, p), segment->partition_size);
		LWLockRelease(&segment->locks[p].lock);
	}
	LWLockAcquire(&control->head.lock, LW_EXCLUSIVE);
	pg_atomic_write_u64(&control->hits, 0);
	pg_atomic_write_u64(&control->misses, 0);
	pg_atomic_write_u64(&control->evictions, 0);
	control->reset = GetCurrentTimestamp();
	LWLockRelease(&control->head.lock);
}
