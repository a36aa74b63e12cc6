/*
 * What each model has been used for since the server started, and by which
 * role: an entry for each pair of database and model, and one for each role that
 * used it, in shared memory, lost at a restart.
 *
 * There are 128 entries of each kind. A new one takes the place of the one that was
 * used least recently, so a server with more in use sees counts start over. What roles
 * used stays when they are dropped.
 */
#ifndef MASKGEN_PG_MODEL_STATS_H
#define MASKGEN_PG_MODEL_STATS_H

#include "postgres.h"
#include "datatype/timestamp.h"
#include "pg/resident/registry.h"

#define STATS_ENTRIES 128

typedef enum StatsCounter
{
	STATS_CALLS,		/* of SQL functions */
	STATS_ROWS,			/* inputs computed or answered from a cache */
	STATS_TOKENS,		/* computed */
	STATS_BATCHES,		/* forward passes */
	STATS_MICROSECONDS, /* of computing */
	STATS_ERRORS,
	STATS_CACHE_HITS, /* inputs answered without computing */
	STATS_DECODED,	  /* tokens computed behind a prompt; the others were read */
	STATS_NEW_TOKENS, /* drawn */
	STATS_COUNTERS
} StatsCounter;

/* Added to the entry; the entry of a snapshot. */
typedef struct StatsCounts
{
	uint64 values[STATS_COUNTERS];
} StatsCounts;

typedef struct StatsRow
{
	Oid database;
	Oid role; /* InvalidOid: all of them */
	uint8 digest[DIGEST_SIZE];
	StatsCounts counts;
	TimestampTz reset; /* counts begin here */
} StatsRow;

Size stats_size(void);

/*
 * Adds to the entries of the current database, of all roles and of the current user. May throw only on the first call of
 * a process. Tens of nanoseconds; call it once for each SQL call, not for each row of a batch.
 */
void stats_add(const uint8 digest[DIGEST_SIZE], const StatsCounts *counts);

/* Copies the entries of all databases, those of roles or those of all roles together; returns how many. */
int stats_snapshot(bool by_role, StatsRow rows[STATS_ENTRIES]);

/* Zeroes the counts of one model, or with NULL of all, in the current database, those of roles as well. */
void stats_reset(const uint8 digest[DIGEST_SIZE]);

#endif
