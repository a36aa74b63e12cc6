/* A ring of priors under one lock; held for a scan of a few kB, never while computing. */
#include "pg/task/priors.h"

#include "common/cryptohash.h"
#include "miscadmin.h"
#include "pg/guc.h"
#include "pg/resident/registry.h"
#include "pg/shared.h"

#define PRIORS_ENTRIES 128

typedef struct PriorEntry
{
	PriorKey key;
	int n; /* 0: unused */
	float prior[PRIORS_MOST_LABELS];
} PriorEntry;

typedef struct Priors
{
	SharedHead head;
	int next;
	PriorEntry entries[PRIORS_ENTRIES];
} Priors;

static Priors *priors;

Size
priors_size(void)
{
	return MAXALIGN(sizeof(Priors));
}

/* Zeros are an empty ring. */
static void
init_priors(void *piece)
{
}

static void
attach(void)
{
	if (priors == NULL)
		priors = shared_piece("maskgen_priors", priors_size(), init_priors);
}

PriorKey
priors_key(const uint8 *model, const void *request, Size request_size)
{
	/* The database, so that nobody can probe which labels another one has. */
	uint32 compute[3] = {(uint32) maskgen_cpu, (uint32) maskgen_matmul, MyDatabaseId};
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA256);
	PriorKey key;

	if (hash == NULL || pg_cryptohash_init(hash) < 0 || pg_cryptohash_update(hash, model, DIGEST_SIZE) < 0 ||
		pg_cryptohash_update(hash, (const uint8 *) compute, sizeof compute) < 0 ||
		pg_cryptohash_update(hash, request, request_size) < 0 ||
		pg_cryptohash_final(hash, key.bytes, sizeof key.bytes) < 0)
		elog(ERROR, "could not compute SHA-256 of a label set");
	pg_cryptohash_free(hash);
	return key;
}

static PriorEntry *
find(const PriorKey *key, int n)
{
	for (int i = 0; i < PRIORS_ENTRIES; i++)
		if (priors->entries[i].n == n && memcmp(&priors->entries[i].key, key, sizeof *key) == 0)
			return &priors->entries[i];
	return NULL;
}

bool
priors_find(const PriorKey *key, int n, float *prior)
{
	const PriorEntry *entry;

	if (n < 1 || n > PRIORS_MOST_LABELS)
		return false;
	attach();
	LWLockAcquire(&priors->head.lock, LW_SHARED);
	entry = find(key, n);
	if (entry != NULL)
		memcpy(prior, entry->prior, (Size) n * sizeof *prior);
	LWLockRelease(&priors->head.lock);
	return entry != NULL;
}

void
priors_add(const PriorKey *key, int n, const float *prior)
{
	if (n < 1 || n > PRIORS_MOST_LABELS)
		return;
	attach();
	LWLockAcquire(&priors->head.lock, LW_EXCLUSIVE);
	if (find(key, n) == NULL)
	{
		PriorEntry *entry = &priors->entries[priors->next];

		priors->next = (priors->next + 1) % PRIORS_ENTRIES;
		entry->key = *key;
		entry->n = n;
		memcpy(entry->prior, prior, (Size) n * sizeof *prior);
	}
	LWLockRelease(&priors->head.lock);
}
