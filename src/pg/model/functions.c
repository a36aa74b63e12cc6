/* Functions about models: load, unload, grant, revoke, and what the views read. Creating and dropping: model/create.c. */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/extension.h"
#include "pg/model/catalog.h"
#include "pg/model/session.h"
#include "pg/model/stats.h"
#include "pg/model/stored_image.h"
#include "pg/model/table_owner.h"
#include "pg/resident/resident.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(maskgen_load_model);
PG_FUNCTION_INFO_V1(maskgen_unload_model);
PG_FUNCTION_INFO_V1(maskgen_grant_model);
PG_FUNCTION_INFO_V1(maskgen_revoke_model);
PG_FUNCTION_INFO_V1(maskgen_model_state);
PG_FUNCTION_INFO_V1(maskgen_model_statistics);
PG_FUNCTION_INFO_V1(maskgen_role_statistics);
PG_FUNCTION_INFO_V1(maskgen_stat_models_reset);

Datum
maskgen_load_model(PG_FUNCTION_ARGS)
{
	const ModelEntry *entry = catalog_find(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	bool pin = PG_GETARG_BOOL(1);
	const Resident *resident;
	ModelKey key = stored_image_key(entry, session_form());

	if (pin)
		catalog_check_owner(entry);
	resident = stored_image_acquire(entry, session_form());
	/* Evicted between the two, it is loaded once more. */
	while (pin && !resident_pin(&key, true))
	{
		resident_release(resident);
		resident = stored_image_acquire(entry, session_form());
	}
	resident_release(resident);
	PG_RETURN_VOID();
}

Datum
maskgen_unload_model(PG_FUNCTION_ARGS)
{
	const ModelEntry *entry = catalog_find_any(text_to_cstring(PG_GETARG_TEXT_PP(0)));

	catalog_check_owner(entry);
	resident_unload(entry->digest);
	PG_RETURN_VOID();
}

/* The role of that name; "public" is everybody, InvalidOid. */
static Oid
role_of_name(const char *name)
{
	return strcmp(name, "public") == 0 ? InvalidOid : get_role_oid(name, false);
}

/* Sets a model's grants to an expression of those that it has, "grants", and of the role, $2, if a condition of them holds. */
static void
change_grants(FunctionCallInfo fcinfo, const char *expression, const char *condition)
{
	const ModelEntry *entry = catalog_find_any(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	Oid role = role_of_name(text_to_cstring(PG_GETARG_TEXT_PP(1))), types[2] = {INT8OID, OIDOID};
	Datum values[2] = {Int64GetDatum(entry->id), ObjectIdGetDatum(role)};
	TableOwner owner;
	char *statement;

	catalog_check_owner(entry);
	SPI_connect();
	table_owner_become(&owner);
	statement = psprintf("UPDATE %s SET grants = %s WHERE id OPERATOR(pg_catalog.=) $1 AND part OPERATOR(pg_catalog.=) -1 AND %s",
						 extension_relation_name("model"), expression, condition);
	if (SPI_execute_with_args(statement, 2, types, values, NULL, false, 0) < 0)
		elog(ERROR, "could not change the grants of a model");
	table_owner_leave(&owner);
	SPI_finish();
}

#define GRANTS "grants::pg_catalog.oid[]"
#define IS_GRANTED "$2 OPERATOR(pg_catalog.=) ANY (" GRANTS ")"

Datum
maskgen_grant_model(PG_FUNCTION_ARGS)
{
	change_grants(fcinfo, "pg_catalog.array_append(" GRANTS ", $2)", "NOT " IS_GRANTED);
	PG_RETURN_VOID();
}

Datum
maskgen_revoke_model(PG_FUNCTION_ARGS)
{
	change_grants(fcinfo, "pg_catalog.array_remove(" GRANTS ", $2)", IS_GRANTED);
	PG_RETURN_VOID();
}

Datum
maskgen_model_state(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	ResidentInfo *infos = palloc(REGISTRY_SLOTS * sizeof *infos);
	ModelEntry *list;
	int n_models = catalog_list(&list), n_infos;

	resident_attach();
	n_infos = resident_snapshot(infos);
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < n_models; i++)
	{
		int64 bytes = 0, users = 0;
		bool loaded = false, pinned = false;
		Datum values[6];
		bool nulls[6] = {false};

		for (int j = 0; j < n_infos; j++)
			if (memcmp(infos[j].key.digest, list[i].digest, DIGEST_SIZE) == 0 && infos[j].state == SLOT_READY &&
				!infos[j].unverified)
			{
				loaded = true;
				bytes += (int64) infos[j].bytes;
				users += infos[j].users;
				pinned = pinned || infos[j].pinned;
			}
		values[0] = Int64GetDatum(list[i].id);
		values[1] = Int64GetDatum(bytes);
		nulls[1] = !loaded;
		values[2] = BoolGetDatum(loaded);
		values[3] = BoolGetDatum(pinned);
		values[4] = Int32GetDatum((int32) users);
		values[5] = CStringGetTextDatum(session_kernel(&list[i]));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

#define STATISTICS 10 /* columns of counts, and since when */

static void
put_statistics(const StatsRow *row, Datum *values, bool *nulls)
{
	const uint64 *counts = row->counts.values;

	values[0] = Int64GetDatum((int64) counts[STATS_CALLS]);
	values[1] = Int64GetDatum((int64) counts[STATS_ROWS]);
	values[2] = Int64GetDatum((int64) counts[STATS_TOKENS]);
	values[3] = Int64GetDatum((int64) counts[STATS_BATCHES]);
	values[4] = Float8GetDatum((double) counts[STATS_MICROSECONDS] / 1000);
	values[5] = Int64GetDatum((int64) counts[STATS_ERRORS]);
	values[6] = Int64GetDatum((int64) counts[STATS_CACHE_HITS]);
	values[7] = TimestampTzGetDatum(row->reset);
	nulls[7] = row->reset == 0;
	values[8] = Int64GetDatum((int64) (counts[STATS_TOKENS] - counts[STATS_DECODED]));
	values[9] = Int64GetDatum((int64) counts[STATS_NEW_TOKENS]);
}

static bool
is_about(const StatsRow *row, const ModelEntry *entry)
{
	return row->database == MyDatabaseId && memcmp(row->digest, entry->digest, DIGEST_SIZE) == 0;
}

Datum
maskgen_model_statistics(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	StatsRow *rows = palloc(STATS_ENTRIES * sizeof *rows);
	ModelEntry *list;
	int n_models = catalog_list(&list), n_rows = stats_snapshot(false, rows);

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < n_models; i++)
	{
		StatsRow found = {0};
		Datum values[1 + STATISTICS] = {Int64GetDatum(list[i].id)};
		bool nulls[1 + STATISTICS] = {false};

		for (int j = 0; j < n_rows; j++)
			if (is_about(&rows[j], &list[i]))
				found = rows[j];
		put_statistics(&found, values + 1, nulls + 1);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* Others' use is no business of whoever may not read others' statistics, as in pg_stat_activity. */
Datum
maskgen_role_statistics(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	StatsRow *rows = palloc(STATS_ENTRIES * sizeof *rows);
	bool all = has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
	ModelEntry *list;
	int n_models = catalog_list(&list), n_rows = stats_snapshot(true, rows);

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < n_rows; i++)
		for (int j = 0; j < n_models; j++)
		{
			Datum values[2 + STATISTICS] = {ObjectIdGetDatum(rows[i].role), Int64GetDatum(list[j].id)};
			bool nulls[2 + STATISTICS] = {false};

			if (!is_about(&rows[i], &list[j]) || !(all || has_privs_of_role(GetUserId(), rows[i].role)))
				continue;
			put_statistics(&rows[i], values + 2, nulls + 2);
			tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		}
	return (Datum) 0;
}

Datum
maskgen_stat_models_reset(PG_FUNCTION_ARGS)
{
	const char *name = text_to_cstring(PG_GETARG_TEXT_PP(0));

	stats_reset(name[0] == '\0' ? NULL : catalog_find_any(name)->digest);
	PG_RETURN_VOID();
}
