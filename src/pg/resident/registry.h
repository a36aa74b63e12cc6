/*
 * The shared list of resident models: which exist, who is loading one, what
 * may be evicted. It holds no weights; those are in files (resident/file.h).
 *
 * Everything but the two atomics is guarded by head.lock. The functions below
 * expect it to be held exclusively, never throw and never wait; what they do
 * to files is one unlink. Whoever frees a slot or ends a load broadcasts
 * `changed` after releasing the lock.
 */
#ifndef MASKGEN_PG_RESIDENT_REGISTRY_H
#define MASKGEN_PG_RESIDENT_REGISTRY_H

#include "postgres.h"
#include "datatype/timestamp.h"
#include "pg/shared.h"
#include "port/atomics.h"
#include "storage/condition_variable.h"

#define DIGEST_SIZE 32

/*
 * What a resident copy is a function of. The layout tells apart the forms
 * that one model takes on different CPUs; it must change whenever the
 * meaning of a form's bytes changes, for copies outlive the library.
 */
typedef struct ModelKey
{
	uint8 digest[DIGEST_SIZE];
	uint8 layout;
} ModelKey;

#define REGISTRY_SLOTS 64

/* Databases that a slot remembers; one more has the oldest show its image again. */
#define REGISTRY_DATABASES 16

typedef enum SlotState
{
	SLOT_FREE,
	SLOT_LOADING, /* one backend, `loader`, is writing or checking the file */
	SLOT_READY	  /* the file is there */
} SlotState;

typedef struct ModelSlot
{
	/* Changes whenever the slot is freed: a backend whose mapping carries an older number lets go of it. */
	pg_atomic_uint64 generation;
	pg_atomic_uint64 last_used; /* TimestampTz of the newest statement that used it */

	ModelKey key;
	SlotState state;
	bool pinned;	 /* never evicted to make room */
	bool unverified; /* left by an earlier run of the server and not checked since */
	pid_t loader;	 /* while loading */
	uint32 users;	 /* backends that map this generation */
	uint64 bytes;
	uint32 n_shown;
	Oid shown[REGISTRY_DATABASES]; /* databases that have shown that they store the image of the digest; the last n_shown */
} ModelSlot;

typedef struct Registry
{
	SharedHead head;
	bool swept; /* the directory was looked through since the server started */
	ConditionVariable changed;
	ModelSlot slots[REGISTRY_SLOTS];
} Registry;

/* What became of a request for a slot. */
typedef enum Reservation
{
	RESERVED,		  /* the slot is the caller's, and loading */
	RESERVATION_WAIT, /* something that is loading now can be evicted once it is loaded */
	RESERVATION_FULL  /* only pinned models are in the way */
} Reservation;

Size registry_size(void);

/* Attaches this process on the first call, which may throw; needs no lock. */
Registry *registry_attach(void);

/* The slot of that model, in whatever state, or NULL. */
ModelSlot *registry_find(Registry *registry, const ModelKey *key);

/*
 * Makes room for a model of that size and gives it a slot: its own when it
 * has an unverified one, else a free one. Evicts the least recently used
 * models that are ready and not pinned, but only if that suffices.
 * limit is in bytes, 0 for none, and bytes at most limit.
 */
Reservation registry_reserve(Registry *registry, const ModelKey *key, uint64 bytes, uint64 limit, ModelSlot **slot);

/* Adds a file that an earlier run left behind; false when all slots are taken. */
bool registry_add_unverified(Registry *registry, const ModelKey *key, uint64 bytes, TimestampTz last_used);

/* Forgets what the slot held; mappings of it are stale from now on. Does not touch the file. */
void registry_free(ModelSlot *slot);

/* Removes the file of a slot that is ready, and frees the slot. */
void registry_evict(ModelSlot *slot);

#endif
