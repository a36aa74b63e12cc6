/*
 * Getting at resident models: who loads, who waits, who maps. Commands on
 * them are in resident/control.c.
 *
 * A backend has a list of its mappings and at most one load under way. What
 * it owes to others - user counts, a slot that is loading, a partial file -
 * is given back by one before_shmem_exit callback when it ends with a load
 * under way (FATAL), and by the PG_CATCH around a load on an ERROR. A backend
 * that is killed outright takes shared memory with it; then only the partial
 * file is left, and the next first user sweeps it.
 *
 * The registry's lock is held for looking, reserving, mapping (which must not
 * race with an unlink) and publishing; never while building, checking,
 * populating or waiting.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "pg/guc.h"
#include "pg/resident/resident.h"
#include "storage/ipc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

static Registry *registry; /* NULL until resident_attach has done all of its work */
static Resident *mappings;
static ModelSlot *loading; /* the slot that this backend is loading, or NULL */

/* What one look at the registry came to. */
typedef enum Step
{
	STEP_MAPPED,
	STEP_LOAD, /* `loading` is set */
	STEP_WAIT,
	STEP_FULL,
	STEP_FAILED /* errno says why */
} Step;

/* Frees the slot of a load that failed. A file that was only being checked goes back to where it was. */
static void
abandon_load(void)
{
	ModelSlot *slot = loading;

	loading = NULL;
	resident_file_abandon(&slot->key);
	LWLockAcquire(&registry->head.lock, LW_EXCLUSIVE);
	if (slot->unverified)
	{
		slot->state = SLOT_READY;
		slot->loader = 0;
	}
	else
		registry_free(slot);
	LWLockRelease(&registry->head.lock);
	ConditionVariableBroadcast(&registry->changed);
}

static bool
is_stale(const Resident *resident)
{
	return pg_atomic_read_u64(&resident->slot->generation) != resident->generation;
}

static void
before_exit(int code, Datum arg)
{
	if (loading != NULL)
		abandon_load();
	LWLockAcquire(&registry->head.lock, LW_EXCLUSIVE);
	for (Resident *resident = mappings; resident != NULL; resident = resident->next)
		if (!is_stale(resident))
			resident->slot->users--;
	LWLockRelease(&registry->head.lock);
	mappings = NULL;
}

static bool
add_found(void *arg, const ModelKey *key, uint64 size, TimestampTz written)
{
	return registry_add_unverified(arg, key, size, written);
}

void
resident_attach(void)
{
	Registry *shared;

	if (registry != NULL)
		return;
	shared = registry_attach();
	LWLockAcquire(&shared->head.lock, LW_EXCLUSIVE);
	if (!shared->swept)
	{
		/* Nobody is loading, so whatever is incomplete is an orphan. Repeated from the start if it throws. */
		for (int i = 0; i < REGISTRY_SLOTS; i++)
			if (shared->slots[i].state != SLOT_FREE)
				registry_free(&shared->slots[i]);
		resident_file_sweep(add_found, shared);
		shared->swept = true;
	}
	LWLockRelease(&shared->head.lock);
	before_shmem_exit(before_exit, 0);
	registry = shared;
}

void
resident_drop_stale(void)
{
	Resident **link = &mappings;

	while (*link != NULL)
	{
		Resident *resident = *link;

		if (resident->references == 0 && is_stale(resident))
		{
			*link = resident->next;
			resident_file_unmap(&resident->map);
			pfree(resident);
		}
		else
			link = &resident->next;
	}
}

static Resident *
find_mapping(const ModelKey *key)
{
	for (Resident *resident = mappings; resident != NULL; resident = resident->next)
		if (resident->key.layout == key->layout && memcmp(resident->key.digest, key->digest, DIGEST_SIZE) == 0 &&
			!is_stale(resident))
			return resident;
	return NULL;
}

static void
touch(ModelSlot *slot)
{
	uint64 now = (uint64) GetCurrentStatementStartTimestamp();

	/* Once a statement, so that connections do not fight over the cache line. */
	if (pg_atomic_read_u64(&slot->last_used) < now)
		pg_atomic_write_u64(&slot->last_used, now);
}

static const Resident *
reference(Resident *resident)
{
	/* Not counted before it is done: a cancelled populating leaves a mapping for the next attempt. */
	if (!resident->populated)
		resident_file_populate(&resident->map);
	resident->populated = true;
	touch(resident->slot);
	resident->references++;
	return resident;
}

/* Maps a slot that is ready into a Resident that is not in the list yet. Lock held; errno on failure. */
static bool
map_slot(ModelSlot *slot, Resident *resident)
{
	int error = resident_file_map(&slot->key, slot->bytes, &resident->map);

	errno = error;
	if (error != 0)
		return false;
	resident->key = slot->key;
	resident->slot = slot;
	resident->generation = pg_atomic_read_u64(&slot->generation);
	resident->references = 0;
	resident->next = mappings;
	mappings = resident;
	slot->users++;
	touch(slot);
	return true;
}

/* size 0: only look for a copy that is ready. */
static Step
look(const ModelKey *key, uint64 size, uint64 limit, Resident *fresh)
{
	ModelSlot *slot = registry_find(registry, key);

	if (slot != NULL && slot->state == SLOT_LOADING)
		return STEP_WAIT;
	if (slot != NULL && !slot->unverified && (size == 0 || slot->bytes == size))
	{
		if (map_slot(slot, fresh))
			return STEP_MAPPED;
		if (errno != ENOENT)
			return STEP_FAILED;
		/* Somebody removed or cut the file behind our back. */
		registry_evict(slot);
		slot = NULL;
	}
	if (size == 0)
		return STEP_WAIT;
	if (slot != NULL && slot->bytes != size)
		registry_evict(slot);
	switch (registry_reserve(registry, key, size, limit, &slot))
	{
		case RESERVED:
			loading = slot;
			return STEP_LOAD;
		case RESERVATION_WAIT:
			return STEP_WAIT;
		case RESERVATION_FULL:
			break;
	}
	return STEP_FULL;
}

static Step
look_locked(const ModelKey *key, uint64 size, uint64 limit, Resident *fresh)
{
	Step step;

	LWLockAcquire(&registry->head.lock, LW_EXCLUSIVE);
	step = look(key, size, limit, fresh);
	LWLockRelease(&registry->head.lock);
	return step;
}

/* Publishes the model that was loaded and maps it, before anyone can evict it. */
static Step
publish(Resident *fresh)
{
	ModelSlot *slot = loading;
	int error;
	bool mapped;

	LWLockAcquire(&registry->head.lock, LW_EXCLUSIVE);
	slot->state = SLOT_READY;
	slot->unverified = false;
	slot->loader = 0;
	loading = NULL;
	mapped = map_slot(slot, fresh);
	error = errno;
	LWLockRelease(&registry->head.lock);
	ConditionVariableBroadcast(&registry->changed);
	errno = error;
	return mapped ? STEP_MAPPED : STEP_FAILED;
}

static Step
load(uint64 size, ResidentBuild build, void *arg, Resident *fresh)
{
	PG_TRY();
	{
		if (!loading->unverified || !resident_file_verify(&loading->key, size))
		{
			/* From here on a failure leaves nothing behind. */
			if (loading->unverified)
				resident_file_unlink(&loading->key);
			loading->unverified = false;
			resident_file_build(&loading->key, size, build, arg);
		}
	}
	PG_CATCH();
	{
		abandon_load();
		PG_RE_THROW();
	}
	PG_END_TRY();
	return publish(fresh);
}

static void
check_size(uint64 size, uint64 limit)
{
	if (loading != NULL)
		elog(ERROR, "cannot acquire a model while loading another");
	if (size == 0)
		elog(ERROR, "a resident model has no bytes");
	if (limit > 0 && size > limit)
		ereport(ERROR, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
						errmsg("model does not fit into maskgen.max_model_memory"),
						errdetail("The model takes " UINT64_FORMAT " MB, the limit is %d MB.",
								  (size + 1024 * 1024 - 1) / (1024 * 1024), maskgen_max_model_memory),
						errhint("Raise maskgen.max_model_memory.")));
}

/* Looks until there is something to do other than to wait. */
static Step
wait_for_turn(const ModelKey *key, uint64 size, uint64 limit, Resident *fresh)
{
	Step step = look_locked(key, size, limit, fresh);

	if (step != STEP_WAIT)
		return step;
	ConditionVariablePrepareToSleep(&registry->changed);
	while ((step = look_locked(key, size, limit, fresh)) == STEP_WAIT)
		ConditionVariableSleep(&registry->changed, PG_WAIT_EXTENSION);
	ConditionVariableCancelSleep();
	return step;
}

static void
throw_step(Step step)
{
	if (step == STEP_FULL)
		ereport(ERROR, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
						errmsg("pinned models leave no room for another"),
						errdetail("At most %d models and %d MB (maskgen.max_model_memory, 0 is no limit) can be resident.",
								  REGISTRY_SLOTS, maskgen_max_model_memory),
						errhint("Unload a pinned model, or raise maskgen.max_model_memory.")));
	ereport(ERROR, (errcode_for_file_access(), errmsg("could not map the resident copy of a model: %m")));
}

const Resident *
resident_acquire(const ModelKey *key, uint64 size, ResidentBuild build, void *arg)
{
	uint64 limit = (uint64) maskgen_max_model_memory * 1024 * 1024;
	Resident *fresh;
	Step step;

	resident_attach();
	resident_drop_stale();
	fresh = find_mapping(key);
	if (fresh != NULL && fresh->map.size == size)
		return reference(fresh);
	check_size(size, limit);
	fresh = MemoryContextAllocZero(TopMemoryContext, sizeof *fresh);
	PG_TRY();
	{
		step = wait_for_turn(key, size, limit, fresh);
		if (step == STEP_LOAD)
			step = load(size, build, arg, fresh);
		if (step != STEP_MAPPED)
			throw_step(step);
	}
	PG_CATCH();
	{
		pfree(fresh);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return reference(fresh);
}

const Resident *
resident_find(const ModelKey *key)
{
	Resident *fresh;

	resident_attach();
	resident_drop_stale();
	fresh = find_mapping(key);
	if (fresh != NULL)
		return reference(fresh);
	fresh = MemoryContextAllocZero(TopMemoryContext, sizeof *fresh);
	if (look_locked(key, 0, 0, fresh) == STEP_MAPPED)
		return reference(fresh);
	pfree(fresh);
	return NULL;
}

void
resident_release(const Resident *resident)
{
	((Resident *) resident)->references--;
	resident_drop_stale();
}

bool
resident_is_current(const Resident *resident)
{
	if (is_stale(resident))
		return false;
	touch(resident->slot);
	return true;
}

static bool
has_shown(const ModelSlot *slot, Oid database)
{
	for (uint32 i = 0; i < Min(slot->n_shown, REGISTRY_DATABASES); i++)
		if (slot->shown[i] == database)
			return true;
	return false;
}

bool
resident_is_shown(const Resident *resident)
{
	bool shown;

	LWLockAcquire(&registry->head.lock, LW_SHARED);
	shown = !is_stale(resident) && has_shown(resident->slot, MyDatabaseId);
	LWLockRelease(&registry->head.lock);
	return shown;
}

void
resident_show(const Resident *resident)
{
	ModelSlot *slot = resident->slot;

	LWLockAcquire(&registry->head.lock, LW_EXCLUSIVE);
	if (!is_stale(resident) && !has_shown(slot, MyDatabaseId))
		slot->shown[slot->n_shown++ % REGISTRY_DATABASES] = MyDatabaseId;
	LWLockRelease(&registry->head.lock);
}
