/*
 * Commands on resident models: pin, unload, forget, list.
 *
 * They change slots under the registry's lock and remove files there; only
 * unloading waits, for a load to end, without the lock.
 */
#include "postgres.h"

#include "pg/resident/resident.h"
#include "utils/wait_event.h"

static Registry *
attach(void)
{
	resident_attach();
	return registry_attach();
}

bool
resident_pin(const ModelKey *key, bool pin)
{
	Registry *registry = attach();
	ModelSlot *slot;
	bool resident;

	LWLockAcquire(&registry->head.lock, LW_EXCLUSIVE);
	slot = registry_find(registry, key);
	resident = slot != NULL && slot->state == SLOT_READY && !slot->unverified;
	if (resident)
		slot->pinned = pin;
	LWLockRelease(&registry->head.lock);
	/* An unpinned model may be the room that another backend waits for. */
	ConditionVariableBroadcast(&registry->changed);
	return resident;
}

/* Evicts the ready copies. Sets *evicted if there was one; returns whether another is loading. */
static bool
evict_all(Registry *registry, const uint8 digest[DIGEST_SIZE], bool *evicted)
{
	bool is_loading = false;
	bool made_room = false;

	LWLockAcquire(&registry->head.lock, LW_EXCLUSIVE);
	for (int i = 0; i < REGISTRY_SLOTS; i++)
	{
		ModelSlot *slot = &registry->slots[i];

		if (slot->state == SLOT_FREE || memcmp(slot->key.digest, digest, DIGEST_SIZE) != 0)
			continue;
		if (slot->state == SLOT_LOADING)
			is_loading = true;
		else
		{
			registry_evict(slot);
			made_room = true;
		}
	}
	LWLockRelease(&registry->head.lock);
	/* Not without need: the caller may be among those who sleep. */
	if (made_room)
		ConditionVariableBroadcast(&registry->changed);
	*evicted |= made_room;
	return is_loading;
}

bool
resident_unload(const uint8 digest[DIGEST_SIZE])
{
	Registry *registry = attach();
	bool evicted = false;

	ConditionVariablePrepareToSleep(&registry->changed);
	while (evict_all(registry, digest, &evicted))
		ConditionVariableSleep(&registry->changed, PG_WAIT_EXTENSION);
	ConditionVariableCancelSleep();
	resident_drop_stale();
	return evicted;
}

void
resident_forget(const uint8 digest[DIGEST_SIZE])
{
	/* It was attached when it was allowed to throw, so this does not. */
	Registry *registry = registry_attach();
	bool evicted = false;

	evict_all(registry, digest, &evicted);
	resident_drop_stale();
}

/* Strikes a database off those that have shown the copy; whether none is left. */
static bool
strike(ModelSlot *slot, Oid database)
{
	uint32 n = Min(slot->n_shown, REGISTRY_DATABASES), kept = 0;

	for (uint32 i = 0; i < n; i++)
		if (slot->shown[i] != database)
			slot->shown[kept++] = slot->shown[i];
	slot->n_shown = kept;
	return kept == 0;
}

void
resident_leave(Oid database)
{
	Registry *registry = registry_attach();

	LWLockAcquire(&registry->head.lock, LW_EXCLUSIVE);
	for (int i = 0; i < REGISTRY_SLOTS; i++)
	{
		ModelSlot *slot = &registry->slots[i];

		if (slot->state == SLOT_READY && strike(slot, database))
			registry_evict(slot);
	}
	LWLockRelease(&registry->head.lock);
	ConditionVariableBroadcast(&registry->changed);
	resident_drop_stale();
}

int
resident_snapshot(ResidentInfo infos[REGISTRY_SLOTS])
{
	Registry *registry = attach();
	int n = 0;

	LWLockAcquire(&registry->head.lock, LW_SHARED);
	for (int i = 0; i < REGISTRY_SLOTS; i++)
	{
		ModelSlot *slot = &registry->slots[i];

		if (slot->state == SLOT_FREE)
			continue;
		infos[n++] = (ResidentInfo){slot->key,
									slot->state,
									slot->pinned,
									slot->unverified,
									slot->loader,
									slot->users,
									slot->bytes,
									(TimestampTz) pg_atomic_read_u64(&slot->last_used)};
	}
	LWLockRelease(&registry->head.lock);
	return n;
}
