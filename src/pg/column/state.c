/* Reading and writing what is known of embedded columns. */
#include "pg/column/state.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "pg/extension.h"
#include "pg/model/table_owner.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* Column numbers of embed_column that are read in C. */
#define COLUMN_ID 1
#define COLUMN_TARGET 2

uint64
embed_run(const char *statement, const EmbedParameters *parameters, long limit)
{
	int result;

	PushActiveSnapshot(GetTransactionSnapshot());
	result = SPI_execute_with_args(statement, parameters == NULL ? 0 : parameters->n, parameters == NULL ? NULL : (Oid *) parameters->types,
								   parameters == NULL ? NULL : (Datum *) parameters->values, NULL, false, limit);
	PopActiveSnapshot();
	if (result < 0)
		elog(ERROR, "could not run \"%s\": %s", statement, SPI_result_code_string(result));
	return SPI_processed;
}

/* With the names of tables for "@name". */
static char *
with_names(const char *statement)
{
	StringInfoData query;

	initStringInfo(&query);
	for (const char *c = statement; *c != '\0'; c++)
	{
		size_t n = strspn(c + 1, "abcdefghijklmnopqrstuvwxyz_");

		if (*c == '@' && n > 0)
		{
			appendStringInfoString(&query, extension_relation_name(pnstrdup(c + 1, n)));
			c += n;
		}
		else
			appendStringInfoChar(&query, *c);
	}
	return query.data;
}

uint64
embed_state_run(const char *statement, const EmbedParameters *parameters, long limit)
{
	/* Operators of the statement are the server's, whatever the caller's search_path is. */
	int level = NewGUCNestLevel();
	TableOwner owner;
	uint64 n;

	set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	table_owner_become(&owner);
	n = embed_run(with_names(statement), parameters, limit);
	table_owner_leave(&owner);
	AtEOXact_GUC(false, level);
	return n;
}

Datum
embed_result(uint64 row, int column, bool *is_null)
{
	bool null;
	Datum value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &null);

	if (is_null != NULL)
		*is_null = null;
	else if (null)
		elog(ERROR, "unexpected null in a table of embedded columns");
	return value;
}

Oid
embed_state_target(int32 id)
{
	Relation table = extension_table_open("embed_column");
	Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;
	Oid target = InvalidOid;

	ScanKeyInit(&key, COLUMN_ID, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(id));
	scan = systable_beginscan(table, get_relname_relid("embed_column_pkey", RelationGetNamespace(table)), true, snapshot, 1, &key);
	tuple = systable_getnext(scan);
	if (tuple != NULL)
	{
		bool is_null;

		target = DatumGetObjectId(heap_getattr(tuple, COLUMN_TARGET, RelationGetDescr(table), &is_null));
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(table, AccessShareLock);
	return target;
}

/* Those that have waited longest come first, so that none starves another. */
int
embed_state_list(EmbedWork **list, bool with_paused, MemoryContext context)
{
	uint64 n = embed_state_run("SELECT id, target::oid FROM @embed_column WHERE (NOT paused OR $1) AND (retry_at <= now() OR $1)"
							   " ORDER BY served_at, id",
							   &(EmbedParameters){1, {BOOLOID}, {BoolGetDatum(with_paused)}}, 0);

	*list = MemoryContextAlloc(context, Max(n, 1) * sizeof **list);
	for (uint64 i = 0; i < n; i++)
		(*list)[i] = (EmbedWork){DatumGetInt32(embed_result(i, 1, NULL)), DatumGetObjectId(embed_result(i, 2, NULL))};
	return (int) n;
}

void
embed_state_set_error(int32 id, const char *message)
{
	embed_state_run("UPDATE @embed_column SET error = $2, n_errors = n_errors + 1, served_at = now(),"
					" retry_at = now() + make_interval(secs => LEAST(300, power(2, LEAST(n_errors, 10))))"
					" WHERE id = (SELECT id FROM @embed_column WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED)",
					&(EmbedParameters){2, {INT4OID, TEXTOID}, {Int32GetDatum(id), CStringGetTextDatum(message)}}, 0);
}

void
embed_state_forget(int32 id)
{
	static const char *const statements[] = {"DELETE FROM @embed_queue WHERE column_id = $1", "DELETE FROM @embed_failure WHERE column_id = $1",
											 "DELETE FROM @embed_batch WHERE column_id = $1", "DELETE FROM @embed_column WHERE id = $1"};

	for (int i = 0; i < (int) lengthof(statements); i++)
		embed_state_run(statements[i], &(EmbedParameters){1, {INT4OID}, {Int32GetDatum(id)}}, 0);
}

long
embed_state_next_time(void)
{
	bool is_null;
	Datum wait;

	embed_state_run("SELECT ceil(1000 * EXTRACT(epoch FROM min(t) - clock_timestamp()))::int8 FROM ("
					"SELECT retry_at FROM @embed_column WHERE NOT paused AND n_errors > 0 UNION ALL"
					" SELECT q.not_before FROM @embed_queue q JOIN @embed_column c ON c.id = q.column_id AND NOT c.paused AND c.retry_at <= now()"
					" WHERE q.not_before > q.queued_at) w (t)",
					NULL, 0);
	wait = embed_result(0, 1, &is_null);
	return is_null ? -1 : (long) Max(DatumGetInt64(wait), 1);
}
