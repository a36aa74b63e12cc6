/*
 * Shared statistics.
 *
 * Counters are atomics. An entry changes owner, and is searched for, under
 * the lock; adding holds it shared, so that counts never land in an entry
 * that has just become somebody else's. The places of the last entries are
 * remembered by each backend: a query uses one model at a time.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "pg/model/stats.h"
#include "port/atomics.h"
#include "utils/timestamp.h"

typedef struct StatsEntry
{
	Oid database; /* InvalidOid: unused */
	Oid role;	  /* InvalidOid: all of them */
	uint8 digest[DIGEST_SIZE];
	pg_atomic_uint64 last_used; /* TimestampTz */
	TimestampTz reset;
	pg_atomic_uint64 counters[STATS_COUNTERS];
} StatsEntry;

/* So that many roles never push out what is counted of a model. */
typedef enum StatsKind
{
	STATS_OF_ALL,
	STATS_OF_ROLES,
	STATS_KINDS
} StatsKind;

typedef struct Stats
{
	SharedHead head;
	StatsEntry entries[STATS_KINDS][STATS_ENTRIES];
} Stats;

static Stats *stats;
static StatsEntry *last_entry[STATS_KINDS]; /* may have changed owner since */

Size
stats_size(void)
{
	return MAXALIGN(sizeof(Stats));
}

static void
init_stats(void *piece)
{
	Stats *fresh = piece;

	for (int i = 0; i < STATS_KINDS * STATS_ENTRIES; i++)
	{
		StatsEntry *entry = &fresh->entries[i / STATS_ENTRIES][i % STATS_ENTRIES];

		pg_atomic_init_u64(&entry->last_used, 0);
		for (int k = 0; k < STATS_COUNTERS; k++)
			pg_atomic_init_u64(&entry->counters[k], 0);
	}
}

static void
attach(void)
{
	if (stats == NULL)
		stats = shared_piece("maskgen_stats", stats_size(), init_stats);
}

static bool
is_of(const StatsEntry *entry, const uint8 digest[DIGEST_SIZE])
{
	return entry->database == MyDatabaseId && OidIsValid(entry->database) &&
		   memcmp(entry->digest, digest, DIGEST_SIZE) == 0;
}

static Oid
role_of(StatsKind kind)
{
	return kind == STATS_OF_ROLES ? GetUserId() : InvalidOid;
}

static StatsEntry *
find(StatsKind kind, const uint8 digest[DIGEST_SIZE])
{
	Oid role = role_of(kind);

	if (last_entry[kind] != NULL && last_entry[kind]->role == role && is_of(last_entry[kind], digest))
		return last_entry[kind];
	for (int i = 0; i < STATS_ENTRIES; i++)
		if (stats->entries[kind][i].role == role && is_of(&stats->entries[kind][i], digest))
			return last_entry[kind] = &stats->entries[kind][i];
	return NULL;
}

static void
zero(StatsEntry *entry)
{
	for (int k = 0; k < STATS_COUNTERS; k++)
		pg_atomic_write_u64(&entry->counters[k], 0);
	entry->reset = GetCurrentTimestamp();
}

/* An unused entry, or the one that was used least recently. Lock held exclusively. */
static StatsEntry *
take(StatsKind kind, const uint8 digest[DIGEST_SIZE])
{
	StatsEntry *oldest = NULL;

	for (int i = 0; i < STATS_ENTRIES; i++)
	{
		StatsEntry *entry = &stats->entries[kind][i];

		if (oldest == NULL || pg_atomic_read_u64(&entry->last_used) < pg_atomic_read_u64(&oldest->last_used))
			oldest = entry;
	}
	zero(oldest);
	oldest->database = MyDatabaseId;
	oldest->role = role_of(kind);
	memcpy(oldest->digest, digest, DIGEST_SIZE);
	return last_entry[kind] = oldest;
}

static void
add(StatsEntry *entry, const StatsCounts *counts)
{
	for (int k = 0; k < STATS_COUNTERS; k++)
		if (counts->values[k] != 0)
			pg_atomic_fetch_add_u64(&entry->counters[k], (int64) counts->values[k]);
	pg_atomic_write_u64(&entry->last_used, (uint64) GetCurrentStatementStartTimestamp());
}

void
stats_add(const uint8 digest[DIGEST_SIZE], const StatsCounts *counts)
{
	StatsEntry *found[STATS_KINDS];
	bool all = true;

	attach();
	LWLockAcquire(&stats->head.lock, LW_SHARED);
	for (int kind = 0; kind < STATS_KINDS; kind++)
		all &= (found[kind] = find(kind, digest)) != NULL;
	if (!all)
	{
		/* Somebody else may add an entry, or take one, before the lock is had again. */
		LWLockRelease(&stats->head.lock);
		LWLockAcquire(&stats->head.lock, LW_EXCLUSIVE);
		for (int kind = 0; kind < STATS_KINDS; kind++)
			if ((found[kind] = find(kind, digest)) == NULL)
				found[kind] = take(kind, digest);
	}
	for (int kind = 0; kind < STATS_KINDS; kind++)
		add(found[kind], counts);
	LWLockRelease(&stats->head.lock);
}

int
stats_snapshot(bool by_role, StatsRow rows[STATS_ENTRIES])
{
	const StatsEntry *entries;
	int n = 0;

	attach();
	entries = stats->entries[by_role ? STATS_OF_ROLES : STATS_OF_ALL];
	LWLockAcquire(&stats->head.lock, LW_SHARED);
	for (int i = 0; i < STATS_ENTRIES; i++)
	{
		const StatsEntry *entry = &entries[i];

		if (!OidIsValid(entry->database))
			continue;
		rows[n].database = entry->database;
		rows[n].role = entry->role;
		memcpy(rows[n].digest, entry->digest, DIGEST_SIZE);
		rows[n].reset = entry->reset;
		for (int k = 0; k < STATS_COUNTERS; k++)
			rows[n].counts.values[k] = pg_atomic_read_u64(unconstify(pg_atomic_uint64 *, &entry->counters[k]));
		n++;
	}
	LWLockRelease(&stats->head.lock);
	return n;
}

void
stats_reset(const uint8 digest[DIGEST_SIZE])
{
	attach();
	LWLockAcquire(&stats->head.lock, LW_EXCLUSIVE);
	for (int i = 0; i < STATS_KINDS * STATS_ENTRIES; i++)
	{
		StatsEntry *entry = &stats->entries[i / STATS_ENTRIES][i % STATS_ENTRIES];

		if (digest != NULL ? is_of(entry, digest) : entry->database == MyDatabaseId)
			zero(entry);
	}
	LWLockRelease(&stats->head.lock);
}
