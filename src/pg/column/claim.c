/*
 * Claims, in the table embed_batch.
 *
 * Who has a claim holds a session lock on its number. A claim whose lock is free was left by a process that ended. If the server has
 * started since, its entries are charged with an attempt: a row that crashes the server is alone in its batch after three times and has failed after five.
 */
#include "pg/column/claim.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pg/column/pool.h"
#include "pg/column/state.h"
#include "storage/lock.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* Advisory locks of SQL have 1 and 2 here. */
#define LOCK_CLASS 0x6d67

static LOCKTAG
lock_of(int32 column, int64 claim)
{
	LOCKTAG tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) column, (uint32) claim, LOCK_CLASS);
	return tag;
}

static Datum
array_of(const int64 *values, int n)
{
	Datum *datums = palloc(Max(n, 1) * sizeof *datums);

	for (int i = 0; i < n; i++)
		datums[i] = Int64GetDatum(values[i]);
	return PointerGetDatum(construct_array(datums, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* Entries go on or have failed; $1 the column, $2 their ids, $3 what happened. */
static void
charge_entries(int32 column, Datum entries, const char *message)
{
	EmbedParameters parameters = {4,
								  {INT4OID, INT8ARRAYOID, TEXTOID, INT4OID},
								  {Int32GetDatum(column), entries, CStringGetTextDatum(message), Int32GetDatum(EMBED_MOST_ATTEMPTS)}};

	embed_state_run("WITH failed AS (DELETE FROM @embed_queue WHERE column_id = $1 AND id = ANY ($2) AND attempts + 1 >= $4 RETURNING key)"
					" INSERT INTO @embed_failure (column_id, key, error) SELECT DISTINCT $1, key, $3 FROM failed"
					" ON CONFLICT (column_id, key) DO UPDATE SET error = excluded.error, failed_at = excluded.failed_at",
					&parameters, 0);
	parameters.n = 2;
	embed_state_run("UPDATE @embed_queue SET attempts = attempts + 1 WHERE column_id = $1 AND id = ANY ($2)", &parameters, 0);
}

/* Claims whose processes are gone. */
static void
recover(int32 column)
{
	EmbedParameters parameters = {2, {INT4OID, TIMESTAMPTZOID}, {Int32GetDatum(column), TimestampTzGetDatum(embed_pool_made())}};
	uint64 n = embed_state_run("SELECT id, entries, server <> $2 FROM @embed_batch WHERE column_id = $1", &parameters, 0);
	int64 *ids = palloc(Max(n, 1) * sizeof *ids);
	Datum *entries = palloc(Max(n, 1) * sizeof *entries);
	bool *has_restarted = palloc(Max(n, 1) * sizeof *has_restarted);
	int n_left = 0;

	for (uint64 i = 0; i < n; i++)
	{
		LOCKTAG tag = lock_of(column, DatumGetInt64(embed_result(i, 1, NULL)));

		if (LockAcquire(&tag, ExclusiveLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
			continue;
		ids[n_left] = DatumGetInt64(embed_result(i, 1, NULL));
		has_restarted[n_left] = DatumGetBool(embed_result(i, 3, NULL));
		entries[n_left++] = PointerGetDatum(DatumGetArrayTypePCopy(embed_result(i, 2, NULL)));
	}
	for (int i = 0; i < n_left; i++)
	{
		if (has_restarted[i])
			charge_entries(column, entries[i], "the server ended while this row was computed");
		embed_state_run("DELETE FROM @embed_batch WHERE id = $1", &(EmbedParameters){1, {INT8OID}, {Int64GetDatum(ids[i])}}, 0);
	}
}

/* Entries of one number of attempts, which decides how many are tried together. */
static void
take_entries(EmbedClaim *claim, uint64 n, int most)
{
	int attempts = n == 0 ? 0 : DatumGetInt32(embed_result(0, 3, NULL));
	int size = Max(most >> Min(4 * attempts, 16), 1);
	MemoryContext inner;

	inner = MemoryContextSwitchTo(claim->context);
	claim->entries = palloc(Max(n, 1) * sizeof *claim->entries);
	claim->keys = palloc(Max(n, 1) * sizeof *claim->keys);
	for (uint64 i = 0; i < n && claim->n < size; i++)
	{
		if (DatumGetInt32(embed_result(i, 3, NULL)) != attempts)
			continue;
		claim->entries[claim->n] = DatumGetInt64(embed_result(i, 1, NULL));
		claim->keys[claim->n++] = DatumGetArrayTypePCopy(embed_result(i, 2, NULL));
	}
	MemoryContextSwitchTo(inner);
	claim->is_full = n == (uint64) most || (uint64) claim->n < n;
}

bool
embed_claim_others(int32 column)
{
	LOCKTAG all = lock_of(column, 0);

	/* Who has just claimed some commits that first. */
	LockAcquire(&all, ExclusiveLock, false, false);
	recover(column);
	return embed_state_run("SELECT FROM @embed_batch WHERE column_id = $1 LIMIT 1", &(EmbedParameters){1, {INT4OID}, {Int32GetDatum(column)}}, 0) > 0;
}

void
embed_claim(EmbedClaim *claim, int32 column, int most, MemoryContext context)
{
	LOCKTAG all = lock_of(column, 0), tag;
	EmbedParameters parameters;
	uint64 n;

	*claim = (EmbedClaim){.column = column, .context = context};
	/* One at a time looks for entries that are free; until the commit, with which the claim is seen. */
	LockAcquire(&all, ExclusiveLock, false, false);
	recover(column);
	n = embed_state_run("SELECT id, key, attempts FROM @embed_queue q WHERE column_id = $1 AND not_before <= now() AND NOT EXISTS ("
						"SELECT FROM @embed_batch b WHERE b.column_id = $1 AND q.id = ANY (b.entries)) ORDER BY id LIMIT $2",
						&(EmbedParameters){2, {INT4OID, INT4OID}, {Int32GetDatum(column), Int32GetDatum(most)}}, 0);
	take_entries(claim, n, most);
	if (claim->n == 0)
		return;
	parameters = (EmbedParameters){3,
								   {INT4OID, INT8ARRAYOID, TIMESTAMPTZOID},
								   {Int32GetDatum(column), array_of(claim->entries, claim->n), TimestampTzGetDatum(embed_pool_made())}};
	embed_state_run("INSERT INTO @embed_batch (column_id, entries, server) VALUES ($1, $2, $3) RETURNING id", &parameters, 0);
	claim->id = DatumGetInt64(embed_result(0, 1, NULL));
	tag = lock_of(column, claim->id);
	LockAcquire(&tag, ExclusiveLock, true, false);
}

static void
delete_entries(int32 column, const int64 *entries, int n)
{
	embed_state_run("DELETE FROM @embed_queue WHERE column_id = $1 AND id = ANY ($2)",
					&(EmbedParameters){2, {INT4OID, INT8ARRAYOID}, {Int32GetDatum(column), array_of(entries, n)}}, 0);
}

void
embed_claim_end(const EmbedClaim *claim, const int64 *done, int n)
{
	EmbedParameters parameters = {2, {INT4OID, INT8ARRAYOID}, {Int32GetDatum(claim->column), array_of(done, n)}};

	/* A row that had failed, and has been written since. */
	embed_state_run("DELETE FROM @embed_failure f USING @embed_queue q WHERE f.column_id = $1 AND q.column_id = $1 AND q.id = ANY ($2) AND f.key = q.key", &parameters, 0);
	delete_entries(claim->column, done, n);
	embed_state_run("DELETE FROM @embed_batch WHERE id = $1", &(EmbedParameters){1, {INT8OID}, {Int64GetDatum(claim->id)}}, 0);
}

void
embed_claim_release(EmbedClaim *claim)
{
	LOCKTAG tag = lock_of(claim->column, claim->id);

	if (claim->id != 0)
		LockRelease(&tag, ExclusiveLock, true);
	claim->id = 0;
}

void
embed_claim_charge(const EmbedClaim *claim, const char *message)
{
	charge_entries(claim->column, array_of(claim->entries, claim->n), message);
	embed_state_run("DELETE FROM @embed_batch WHERE id = $1", &(EmbedParameters){1, {INT8OID}, {Int64GetDatum(claim->id)}}, 0);
}

void
embed_claim_fail(int32 column, const int64 *entries, const char *const *messages, int n)
{
	for (int i = 0; i < n; i++)
		embed_state_run("WITH failed AS (DELETE FROM @embed_queue WHERE column_id = $1 AND id = $2 RETURNING key)"
						" INSERT INTO @embed_failure (column_id, key, error) SELECT DISTINCT $1, key, $3 FROM failed"
						" ON CONFLICT (column_id, key) DO UPDATE SET error = excluded.error, failed_at = excluded.failed_at",
						&(EmbedParameters){3,
										   {INT4OID, INT8OID, TEXTOID},
										   {Int32GetDatum(column), Int64GetDatum(entries[i]), CStringGetTextDatum(messages[i])}}, 0);
}

void
embed_claim_delay(const int64 *entries, int n, int32 column)
{
	embed_state_run("UPDATE @embed_queue SET not_before = now() + interval '1 second' WHERE column_id = $1 AND id = ANY ($2)",
					&(EmbedParameters){2, {INT4OID, INT8ARRAYOID}, {Int32GetDatum(column), array_of(entries, n)}}, 0);
}
