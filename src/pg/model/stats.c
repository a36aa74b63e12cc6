/*
 * Shared statistics.
 *
 * Counters are atomics. An entry changes owner, and is searched for, under
 * the lock; adding holds it shared, so that counts never land in an entry
 * that has just become somebody else's. The place of the last entry is
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
	uint8 digest[DIGEST_SIZE];
	TimestampTz reset;
	pg_atomic_uint64 last_used; /* TimestampTz */
	pg_atomic_uint64 counters[STATS_COUNTERS];
} StatsEntry;

typedef struct Stats
{
	SharedHead head;
	StatsEntry entries[STATS_ENTRIES];
} Stats;

static Stats *stats;
static StatsEntry *last_entry; /* may have changed owner since */

Size
stats_size(void)
{
	return MAXALIGN(sizeof(Stats));
}

static void
init_stats(void *piece)
{
	Stats *fresh = piece;

	for (int i = 0; i < STATS_ENTRIES; i++)
	{
		pg_atomic_init_u64(&fresh->entries[i].last_used, 0);
		for (int k = 0; k < STATS_COUNTERS; k++)
			pg_atomic_init_u64(&fresh->entries[i].counters[k], 0);
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

static StatsEntry *
find(const uint8 digest[DIGEST_SIZE])
{
	if (last_entry != NULL && is_of(last_entry, digest))
		return last_entry;
	for (int i = 0; i < STATS_ENTRIES; i++)
		if (is_of(&stats->entries[i], digest))
			return last_entry = &stats->entries[i];
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
take(const uint8 digest[DIGEST_SIZE])
{
	StatsEntry *oldest = NULL;

	for (int i = 0; i < STATS_ENTRIES; i++)
	{
		StatsEntry *entry = &stats->entries[i];

		if (oldest == NULL || pg_atomic_read_u64(&entry->last_used) < pg_atomic_read_u64(&oldest->last_used))
			oldest = entry;
	}
	zero(oldest);
	oldest->database = MyDatabaseId;
	memcpy(oldest->digest, digest, DIGEST_SIZE);
	return last_entry = oldest;
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
	StatsEntry *entry;

	attach();
	LWLockAcquire(&stats->head.lock, LW_SHARED);
	entry = find(digest);
	if (entry == NULL)
	{
		/* Somebody else may add the entry before the lock is had again. */
		LWLockRelease(&stats->head.lock);
		LWLockAcquire(&stats->head.lock, LW_EXCLUSIVE);
		entry = find(digest);
		if (entry == NULL)
			entry = take(digest);
	}
	add(entry, counts);
	LWLockRelease(&stats->head.lock);
}

int
stats_snapshot(StatsRow rows[STATS_ENTRIES])
{
	int n = 0;

	attach();
	LWLockAcquire(&stats->head.lock, LW_SHARED);
	for (int i = 0; i < STATS_ENTRIES; i++)
	{
		StatsEntry *entry = &stats->entries[i];

		if (!OidIsValid(entry->database))
			continue;
		rows[n].database = entry->database;
		memcpy(rows[n].digest, entry->digest, DIGEST_SIZE);
		rows[n].reset = entry->reset;
		for (int k = 0; k < STATS_COUNTERS; k++)
			rows[n].counts.values[k] = pg_atomic_read_u64(&entry->counters[k]);
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
	for (int i = 0; i < STATS_ENTRIES; i++)
	{
		StatsEntry *entry = &stats->entries[i];

		if (digest != NULL ? is_of(entry, digest) : entry->database == MyDatabaseId)
			zero(entry);
	}
	LWLockRelease(&stats->head.lock);
}
