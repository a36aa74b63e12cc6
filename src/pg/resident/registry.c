/*
 * The slots of the shared registry. Sixty-four of them are searched in a
 * line: it happens once for each model and connection, not for each call.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pg/resident/file.h"
#include "pg/resident/registry.h"

/* Set in each process on first use. Not inherited: the postmaster never attaches. */
static Registry *attached;

Size
registry_size(void)
{
	return MAXALIGN(sizeof(Registry));
}

static void
init_registry(void *piece)
{
	Registry *registry = piece;

	ConditionVariableInit(&registry->changed);
	for (int i = 0; i < REGISTRY_SLOTS; i++)
	{
		/* A mapping's generation is never 0. */
		pg_atomic_init_u64(&registry->slots[i].generation, 1);
		pg_atomic_init_u64(&registry->slots[i].last_used, 0);
	}
}

Registry *
registry_attach(void)
{
	if (attached == NULL)
		attached = shared_piece("maskgen_models", registry_size(), init_registry);
	return attached;
}

ModelSlot *
registry_find(Registry *registry, const ModelKey *key)
{
	for (int i = 0; i < REGISTRY_SLOTS; i++)
	{
		ModelSlot *slot = &registry->slots[i];

		if (slot->state != SLOT_FREE && slot->key.layout == key->layout &&
			memcmp(slot->key.digest, key->digest, DIGEST_SIZE) == 0)
			return slot;
	}
	return NULL;
}

void
registry_free(ModelSlot *slot)
{
	slot->state = SLOT_FREE;
	slot->pinned = false;
	slot->unverified = false;
	slot->loader = 0;
	slot->users = 0;
	slot->bytes = 0;
	slot->n_shown = 0;
	pg_atomic_fetch_add_u64(&slot->generation, 1);
}

void
registry_evict(ModelSlot *slot)
{
	resident_file_unlink(&slot->key);
	registry_free(slot);
}

static ModelSlot *
find_free(Registry *registry)
{
	for (int i = 0; i < REGISTRY_SLOTS; i++)
		if (registry->slots[i].state == SLOT_FREE)
			return &registry->slots[i];
	return NULL;
}

/* The model that would be evicted next, other than keep, or NULL. */
static ModelSlot *
find_victim(Registry *registry, const ModelSlot *keep)
{
	ModelSlot *oldest = NULL;

	for (int i = 0; i < REGISTRY_SLOTS; i++)
	{
		ModelSlot *slot = &registry->slots[i];

		if (slot == keep || slot->state != SLOT_READY || slot->pinned)
			continue;
		if (oldest == NULL || pg_atomic_read_u64(&slot->last_used) < pg_atomic_read_u64(&oldest->last_used))
			oldest = slot;
	}
	return oldest;
}

/* Bytes of all models other than keep. */
static uint64
bytes_beside(const Registry *registry, const ModelSlot *keep)
{
	uint64 total = 0;

	for (int i = 0; i < REGISTRY_SLOTS; i++)
		if (&registry->slots[i] != keep && registry->slots[i].state != SLOT_FREE)
			total += registry->slots[i].bytes;
	return total;
}

/*
 * Whether bytes, and a slot unless own is one, can be had by evicting alone;
 * else what stands in the way for longer: a load or only pins.
 */
static Reservation
judge_room(const Registry *registry, const ModelSlot *own, uint64 bytes, uint64 limit)
{
	uint64 pinned_bytes = 0;
	uint64 loading_bytes = 0;
	int n_pinned = 0;
	int n_loading = 0;

	for (int i = 0; i < REGISTRY_SLOTS; i++)
	{
		const ModelSlot *slot = &registry->slots[i];

		if (slot == own || slot->state == SLOT_FREE)
			continue;
		/* A model can be pinned while it is loading: waiting for it would be in vain. */
		if (slot->pinned)
		{
			pinned_bytes += slot->bytes;
			n_pinned++;
		}
		else if (slot->state == SLOT_LOADING)
		{
			loading_bytes += slot->bytes;
			n_loading++;
		}
	}
	if (limit > 0 && pinned_bytes > limit - bytes)
		return RESERVATION_FULL;
	if (own == NULL && n_pinned == REGISTRY_SLOTS)
		return RESERVATION_FULL;
	if (limit > 0 && pinned_bytes + loading_bytes > limit - bytes)
		return RESERVATION_WAIT;
	if (own == NULL && n_pinned + n_loading == REGISTRY_SLOTS)
		return RESERVATION_WAIT;
	return RESERVED;
}

Reservation
registry_reserve(Registry *registry, const ModelKey *key, uint64 bytes, uint64 limit, ModelSlot **slot)
{
	ModelSlot *own = registry_find(registry, key);
	Reservation outcome = judge_room(registry, own, bytes, limit);

	if (outcome != RESERVED)
		return outcome;
	while (limit > 0 && bytes_beside(registry, own) > limit - bytes)
		registry_evict(find_victim(registry, own));
	if (own == NULL && (own = find_free(registry)) == NULL)
	{
		own = find_victim(registry, NULL);
		registry_evict(own);
	}
	own->key = *key;
	own->state = SLOT_LOADING;
	own->loader = MyProcPid;
	own->bytes = bytes;
	*slot = own;
	return RESERVED;
}

bool
registry_add_unverified(Registry *registry, const ModelKey *key, uint64 bytes, TimestampTz last_used)
{
	ModelSlot *slot = find_free(registry);

	if (slot == NULL)
		return false;
	slot->key = *key;
	slot->state = SLOT_READY;
	slot->unverified = true;
	slot->bytes = bytes;
	pg_atomic_write_u64(&slot->last_used, (uint64) last_used);
	return true;
}
