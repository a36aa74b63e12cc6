/* Making, finding and replacing the segment. No lock is held while one is made. */
#include "pg/task/result_segment.h"

#include "miscadmin.h"
#include "pg/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

/* A partition of less would hold too few vectors; more of them than RESULT_MOST_PARTITIONS serve nobody. */
#define PARTITION_LEAST ((Size) 256 * 1024)

static ResultControl *control;

/* What this backend has mapped, and the setting and generation that it followed. */
static dsm_segment *mapped;
static int followed_size = -1; /* nothing yet */
static uint64 followed_generation;

Size
result_control_size(void)
{
	return MAXALIGN(sizeof(ResultControl));
}

static void
init_control(void *piece)
{
	ResultControl *fresh = piece;

	pg_atomic_init_u64(&fresh->generation, 0);
	pg_atomic_init_u64(&fresh->hits, 0);
	pg_atomic_init_u64(&fresh->misses, 0);
	pg_atomic_init_u64(&fresh->evictions, 0);
}

ResultControl *
result_control(void)
{
	if (control == NULL)
		control = shared_piece("maskgen_result_cache", result_control_size(), init_control);
	return control;
}

static Size
head_size(void)
{
	return TYPEALIGN(PG_CACHE_LINE_SIZE, sizeof(ResultSegment));
}

MgCache *
result_partition(ResultSegment *segment, int number)
{
	return (MgCache *) ((char *) segment + head_size() + (Size) number * segment->partition_size);
}

static void
format(ResultSegment *segment, Size size)
{
	Size room = size - head_size();
	int n = (int) Min(room / PARTITION_LEAST, RESULT_MOST_PARTITIONS);

	segment->n_partitions = Max(n, 1);
	segment->partition_size = room / (Size) segment->n_partitions & ~(Size) (PG_CACHE_LINE_SIZE - 1);
	if (!pg_strong_random(&segment->secret, sizeof segment->secret))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate a random key")));
	for (int p = 0; p < segment->n_partitions; p++)
	{
		LWLockInitialize(&segment->locks[p].lock, control->head.tranche);
		mg_cache_init(result_partition(segment, p), segment->partition_size);
	}
}

/* A new segment of that size, pinned, or with 0 the one of that handle; mapped until it is detached. NULL if there is none. */
static dsm_segment *
make_or_map(Size size, dsm_handle handle)
{
	dsm_segment *segment = size > 0 ? dsm_create(size, DSM_CREATE_NULL_IF_MAXSEGMENTS) : dsm_attach(handle);

	if (segment == NULL)
		return NULL;
	if (size > 0)
	{
		format(dsm_segment_address(segment), size);
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
try_make_or_map(Size size, dsm_handle handle)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner caller = CurrentResourceOwner, owner = ResourceOwnerCreate(caller, "maskgen result cache");
	dsm_segment *volatile segment = NULL;
	ErrorData *volatile error = NULL;

	CurrentResourceOwner = owner;
	PG_TRY();
	{
		segment = make_or_map(size, handle);
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
		ereport(LOG, (size > 0 ? errmsg("could not create result cache of %zu kB", size / 1024) : errmsg("could not map result cache"),
					  errdetail("%s", error != NULL ? error->message : "There are too many dynamic shared memory segments."),
					  errhint("Lower maskgen.result_cache_size, or raise min_dynamic_shared_memory.")));
	return segment;
}

static void
let_go(void)
{
	dsm_segment *segment = mapped;

	mapped = NULL;
	if (segment != NULL)
		dsm_detach(segment);
}

/* Replaces the segment by one of the setting's size. Others go without a cache meanwhile. */
static void
replace(int size)
{
	dsm_segment *fresh = NULL;
	dsm_handle old;
	bool interrupted;

	let_go();
	if (size > 0)
		fresh = try_make_or_map((Size) size * 1024, DSM_HANDLE_INVALID);
	interrupted = size > 0 && fresh == NULL && InterruptPending;
	mapped = fresh;

	LWLockAcquire(&control->head.lock, LW_EXCLUSIVE);
	control->making = false;
	old = control->handle;
	if (!interrupted)
	{
		control->handle = fresh != NULL ? dsm_segment_handle(fresh) : DSM_HANDLE_INVALID;
		control->size = followed_size = size;
		followed_generation = pg_atomic_add_fetch_u64(&control->generation, 1);
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
follow(int size)
{
	dsm_handle handle;
	bool make;

	LWLockAcquire(&control->head.lock, LW_EXCLUSIVE);
	make = size != followed_size && size != control->size && !control->making;
	if (make)
		control->making = true;
	else if (!control->making)
		followed_size = size;
	handle = control->handle;
	followed_generation = pg_atomic_read_u64(&control->generation);
	LWLockRelease(&control->head.lock);

	if (make)
		replace(size);
	else if (mapped == NULL || dsm_segment_handle(mapped) != handle)
	{
		let_go();
		if (handle != DSM_HANDLE_INVALID)
			mapped = try_make_or_map(0, handle);
	}
}

ResultSegment *
result_segment(void)
{
	int size = maskgen_result_cache_size;

	result_control();
	if (size != followed_size || followed_generation != pg_atomic_read_u64(&control->generation))
		follow(size);
	return mapped != NULL && size > 0 ? dsm_segment_address(mapped) : NULL;
}
