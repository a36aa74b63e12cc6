/*
 * Resident models: one copy of a model's weights for all connections of the
 * server, whatever their database.
 *
 * A caller keeps a Resident, and what it bound to its bytes, for as long as
 * it likes; per call it asks resident_is_current (nanoseconds) and on false
 * releases it and acquires anew. The bytes stay readable until the release
 * even when the model was evicted, unloaded or dropped meanwhile.
 *
 *     resident = resident_find(&key);
 *     if (resident == NULL)            (only now the size must be worked out)
 *         resident = resident_acquire(&key, size, build, arg);
 *
 * Works in parallel workers, in background workers and during recovery: no
 * transaction id, no catalog and no heavyweight lock is used. build may use
 * them. The folder's README has the locks and what happens when a loader dies.
 */
#ifndef MASKGEN_PG_RESIDENT_RESIDENT_H
#define MASKGEN_PG_RESIDENT_RESIDENT_H

#include "postgres.h"
#include "pg/resident/file.h"
#include "pg/resident/registry.h"

/* A mapping of this backend. */
typedef struct Resident
{
	ModelKey key;
	ResidentMap map; /* map.bytes, map.size: the resident bytes */

	ModelSlot *slot;
	uint64 generation; /* of the slot when it was mapped */
	int references;
	bool populated;
	struct Resident *next;
} Resident;

/* The model if its copy is there and was checked, else NULL without waiting. Counts a reference. */
const Resident *resident_find(const ModelKey *key);

/*
 * The model, of size bytes, made if need be: by build in this backend while
 * others wait, or by another backend while this one waits (interruptibly).
 * A file that an earlier run of the server left is used if its checksum is
 * right. Evicts models to stay below maskgen.max_model_memory, and throws if
 * the model alone, or together with pinned ones, exceeds it. Counts a reference.
 *
 * build must not acquire another model, and the caller must not hold a lock
 * that a build in another backend may want: no deadlock detector sees the wait.
 */
const Resident *resident_acquire(const ModelKey *key, uint64 size, ResidentBuild build, void *arg);

/* Gives back one reference. The mapping stays, for the next acquire, unless it is stale. */
void resident_release(const Resident *resident);

/* False when the model was evicted, unloaded or dropped since; on true it counts as used by this statement. */
bool resident_is_current(const Resident *resident);

/*
 * Whether this database has shown that it stores the image of that digest since the copy was made or the server was
 * started, and noting that it has. A copy serves all databases, so a digest alone must not be enough to use it.
 */
bool resident_is_shown(const Resident *resident);
void resident_show(const Resident *resident);

/* Exempts a resident model from eviction, or no longer. False when it is not resident. */
bool resident_pin(const ModelKey *key, bool pin);

/*
 * Removes the copies of a model in all layouts, pinned or not: a pin protects
 * from eviction, not from a command. Waits for a load to end. True if there was one.
 */
bool resident_unload(const uint8 digest[DIGEST_SIZE]);

/* Attaches this process to the registry. The others do it themselves when they have to. */
void resident_attach(void);

/*
 * For drop and rollback: as resident_unload, but passes over a copy that
 * another backend is loading right now. Made for transaction callbacks: never
 * throws, if resident_attach was called before, at a time when throwing was allowed.
 */
void resident_forget(const uint8 digest[DIGEST_SIZE]);

/* Likewise all copies that no other database has shown; those of an earlier run of the server, which nobody has shown, among them. */
void resident_leave(Oid database);

/* Unmaps what is stale and not referenced; acquiring and releasing do it in passing. */
void resident_drop_stale(void);

/* A slot as the view shows it. */
typedef struct ResidentInfo
{
	ModelKey key;
	SlotState state;
	bool pinned;
	bool unverified;
	pid_t loader; /* 0 unless loading */
	uint32 users; /* backends that map it */
	uint64 bytes;
	TimestampTz last_used; /* 0: not since it was loaded */
} ResidentInfo;

/* Copies the slots that are not free; returns how many. */
int resident_snapshot(ResidentInfo infos[REGISTRY_SLOTS]);

#endif
