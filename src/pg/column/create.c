/* embed_column, drop_embed_column and their kin: triggers and state of a column, by name. */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pg/column/make.h"
#include "pg/column/queue.h"
#include "pg/column/source.h"
#include "pg/column/state.h"
#include "pg/column/triggers.h"
#include "pg/extension.h"
#include "pg/guc.h"
#include "pg/trigger/check.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(maskgen_embed_column);
PG_FUNCTION_INFO_V1(maskgen_drop_embed_column);
PG_FUNCTION_INFO_V1(maskgen_pause_embed_column);
PG_FUNCTION_INFO_V1(maskgen_resume_embed_column);
PG_FUNCTION_INFO_V1(maskgen_retry_failed);
PG_FUNCTION_INFO_V1(maskgen_column_model);

static bool
has_index(Relation table, AttrNumber column)
{
	ListCell *cell;

	foreach(cell, RelationGetIndexList(table))
	{
		Relation index = index_open(lfirst_oid(cell), AccessShareLock);
		bool is_it = index->rd_index->indkey.values[0] == column && strcmp(get_am_name(index->rd_rel->relam), "maskgen_hnsw") == 0;

		index_close(index, NoLock);
		if (is_it)
			return true;
	}
	return false;
}

/*
 * The statement that makes an index, or NULL if there is one. On a table of which rows have no vector yet this is done at once, and rows enter it as
 * they are embedded.
 */
static char *
index_statement(Relation table, const char *destination)
{
	const char *schema = quote_identifier(get_namespace_name(get_rel_namespace(extension_relation("maskgen_models", false))));

	if (has_index(table, get_attnum(RelationGetRelid(table), destination)))
		return NULL;
	return psprintf("CREATE INDEX ON %s USING maskgen_hnsw (%s %s.vector_cosine_ops)", embed_name_of_table(table), quote_identifier(destination), schema);
}

static void
refuse_second(Relation table, const char *destination)
{
	EmbedColumn column;

	if (embed_column_named(&column, table, destination) && embed_state_target(column.id) == RelationGetRelid(table))
		ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
						errmsg("column \"%s\" of table \"%s\" stays embedded already", destination, RelationGetRelationName(table)),
						errhint("For another model call maskgen.reembed; for another text maskgen.drop_embed_column first.")));
}

Datum
maskgen_embed_column(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"target", "source", "destination", "model", "mode", "index"};
	EmbedColumn column = {0};
	EmbedSource source;
	Relation table;
	ModelEntry *model;
	char *index;
	int client_messages;

	for (int i = 0; i < (int) lengthof(names); i++)
		if (PG_ARGISNULL(i) && i != 3)
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("argument \"%s\" is NULL", names[i])));
	column.target = PG_GETARG_OID(0);
	column.destination = NameStr(*PG_GETARG_NAME(2));
	column.model = PG_ARGISNULL(3) ? maskgen_embed_model : text_to_cstring(PG_GETARG_TEXT_PP(3));
	column.mode = embed_mode_named(text_to_cstring(PG_GETARG_TEXT_PP(4)));
	if (column.model[0] == '\0')
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("no model is named"),
						errhint("Give the argument \"model\", or set maskgen.embed_model.")));
	table = embed_open_own(column.target);
	refuse_second(table, column.destination);
	embed_source_read(&source, table, text_to_cstring(PG_GETARG_TEXT_PP(1)), column.destination, column.mode == EMBED_SYNC);
	column.source = source.expression;
	model = embed_find_model(column.target, column.model);
	column.version = embed_version_of(model);
	SPI_connect();
	client_messages = NewGUCNestLevel();
	set_config_option("client_min_messages", "warning", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	embed_triggers_drop(table, column.destination, false);
	table = embed_make_destination(table, column.destination, model);
	column.id = embed_new_state(column.target, column.destination);
	embed_triggers_make(table, &column, &source);
	index = PG_GETARG_BOOL(5) ? index_statement(table, column.destination) : NULL;
	table_close(table, NoLock);
	if (index != NULL)
		embed_execute(index);
	AtEOXact_GUC(false, client_messages);
	SPI_finish();
	embed_queue_expect();
	PG_RETURN_VOID();
}

/* The column that a caller names, whose table it must own. */
static EmbedColumn
own_column(FunctionCallInfo fcinfo)
{
	EmbedColumn column;
	Oid target = PG_GETARG_OID(0);

	embed_check_owner(target);
	embed_column_look_up(target, NameStr(*PG_GETARG_NAME(1)), &column);
	return column;
}

static EmbedParameters
of_id(const EmbedColumn *column)
{
	return (EmbedParameters){1, {INT4OID}, {Int32GetDatum(column->id)}};
}

Datum
maskgen_drop_embed_column(PG_FUNCTION_ARGS)
{
	EmbedColumn column = own_column(fcinfo);
	Relation table = embed_open_own(column.target);
	char *drop_column;

	SPI_connect();
	embed_triggers_drop(table, column.destination, column.mode == EMBED_SYNC);
	drop_column = psprintf("ALTER TABLE %s DROP %s", embed_name_of_table(table), quote_identifier(column.destination));
	table_close(table, NoLock);
	if (PG_GETARG_BOOL(2))
		embed_execute(drop_column);
	embed_state_forget(column.id);
	SPI_finish();
	PG_RETURN_VOID();
}

static void
change_state(const EmbedColumn *column, const char *statement)
{
	EmbedParameters parameters = of_id(column);

	SPI_connect();
	embed_state_run(statement, &parameters, 0);
	SPI_finish();
	embed_queue_expect();
}

Datum
maskgen_pause_embed_column(PG_FUNCTION_ARGS)
{
	EmbedColumn column = own_column(fcinfo);

	change_state(&column, "UPDATE @embed_column SET paused = true WHERE id = $1");
	PG_RETURN_VOID();
}

Datum
maskgen_resume_embed_column(PG_FUNCTION_ARGS)
{
	EmbedColumn column = own_column(fcinfo);

	change_state(&column, "UPDATE @embed_column SET paused = false, retry_at = now(), n_errors = 0 WHERE id = $1");
	PG_RETURN_VOID();
}

/* Failed rows are queued again, and rows without a vector looked for from the beginning. */
Datum
maskgen_retry_failed(PG_FUNCTION_ARGS)
{
	EmbedColumn column = own_column(fcinfo);
	EmbedParameters parameters = of_id(&column);
	uint64 n;

	SPI_connect();
	n = embed_state_run("WITH failed AS (DELETE FROM @embed_failure WHERE column_id = $1 RETURNING key)"
						" INSERT INTO @embed_queue (column_id, key) SELECT $1, key FROM failed",
						&parameters, 0);
	embed_state_run("UPDATE @embed_column SET scan_done = false, scan_table = 0, scan_file = 0, scan_block = 0, retry_at = now(), n_errors = 0, error = NULL WHERE id = $1",
					&parameters, 0);
	SPI_finish();
	embed_queue_expect();
	PG_RETURN_INT64((int64) n);
}

/* Anybody may ask who may read the column; its name comes out of a definition that the owner has made. */
Datum
maskgen_column_model(PG_FUNCTION_ARGS)
{
	EmbedColumn column;
	Oid target = PG_GETARG_OID(0);

	embed_column_look_up(target, NameStr(*PG_GETARG_NAME(1)), &column);
	if (pg_class_aclcheck(target, GetUserId(), ACL_SELECT) != ACLCHECK_OK &&
		pg_attribute_aclcheck(target, get_attnum(target, NameStr(*PG_GETARG_NAME(1))), GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(get_rel_relkind(target)), get_rel_name(target));
	if (strcmp(embed_version_of(catalog_find(column.model)), column.version) != 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("model \"%s\" is not the one that column \"%s\" was embedded with", column.model, column.destination),
						errhint("CALL maskgen.reembed embeds all rows with the present one.")));
	PG_RETURN_TEXT_P(cstring_to_text(column.model));
}
