/* Making and dropping the triggers of an embedded column. */
#include "pg/column/triggers.h"

#include "catalog/pg_class.h"
#include "commands/defrem.h"
#include "executor/spi.h"
#include "pg/column/key.h"
#include "pg/extension.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

char *
embed_name_of_table(Relation table)
{
	return quote_qualified_identifier(get_namespace_name(RelationGetNamespace(table)), RelationGetRelationName(table));
}

void
embed_execute(const char *statement)
{
	if (SPI_execute(statement, false, 0) < 0)
		elog(ERROR, "could not execute \"%s\"", statement);
}

/* "NEW.a, NEW.b"; rows of them are compared by their bytes, with which no collation or operator has to do. */
static char *
list_of(const char *version, Relation table, const AttrNumber *columns, int n)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < n; i++)
		appendStringInfo(&list, "%s%s.%s", i == 0 ? "" : ", ", version, quote_identifier(NameStr(TupleDescAttr(RelationGetDescr(table), columns[i] - 1)->attname)));
	return list.data;
}

/*
 * When an UPDATE queues its row: its text is new and its vector was not given with it; its key is; or it has no vector,
 * which is how rows that move while old rows are looked for are not missed. (A vector that goes with its text is not one.)
 */
static char *
condition_of_update(Relation table, const EmbedSource *source, const EmbedKey *key, const char *destination)
{
	const char *vector = quote_identifier(destination);

	return psprintf("(pg_catalog.record_image_ne(ROW(%s), ROW(%s)) AND pg_catalog.record_image_eq(ROW(OLD.%s), ROW(NEW.%s)))"
					" OR pg_catalog.record_image_ne(ROW(%s), ROW(%s)) OR (NEW.%s IS NULL AND pg_catalog.num_nonnulls(%s) > 0)",
					list_of("OLD", table, source->columns, source->n), list_of("NEW", table, source->columns, source->n), vector, vector,
					list_of("OLD", table, key->columns, key->n), list_of("NEW", table, key->columns, key->n), vector,
					list_of("NEW", table, source->columns, source->n));
}

static char *
trigger_name(const char *destination, const char *event)
{
	return makeObjectName(destination, "stays_embedded", event);
}

static void
create_trigger(Relation table, const EmbedColumn *column, const char *event, const char *condition)
{
	const char *name = quote_identifier(trigger_name(column->destination, event));
	const char *args[EMBED_N_ARGS] = {[EMBED_ARG_ID] = psprintf("%d", column->id),		 [EMBED_ARG_DESTINATION] = column->destination,
									  [EMBED_ARG_SOURCE] = column->source,				 [EMBED_ARG_MODEL] = column->model,
									  [EMBED_ARG_VERSION] = column->version,			 [EMBED_ARG_MODE] = embed_mode_name(column->mode)};
	StringInfoData statement;

	initStringInfo(&statement);
	appendStringInfo(&statement, "CREATE TRIGGER %s AFTER %s ON %s FOR EACH ROW WHEN (%s) EXECUTE FUNCTION %s(", name, event, embed_name_of_table(table),
					 condition, extension_function_name("embed_row_trigger"));
	for (int i = 0; i < EMBED_N_ARGS; i++)
		appendStringInfo(&statement, "%s%s", i == 0 ? "" : ", ", quote_literal_cstr(args[i]));
	appendStringInfoChar(&statement, ')');
	embed_execute(statement.data);
	/* The consent: see trigger/consent.h. */
	embed_execute(psprintf("ALTER TRIGGER %s ON %s DEPENDS ON EXTENSION maskgen", name, embed_name_of_table(table)));
}

void
embed_triggers_make(Relation table, const EmbedColumn *column, const EmbedSource *source)
{
	EmbedKey key;

	embed_key_find(&key, table);
	if (column->mode == EMBED_SYNC)
	{
		/* Never fires: it has the definition. */
		create_trigger(table, column, "insert", "false");
		embed_execute(psprintf("SELECT %s(%u, %s%s, %s)", extension_function_name("create_embed_trigger"), RelationGetRelid(table), quote_literal_cstr(column->model),
						 source->names, quote_literal_cstr(column->destination)));
		return;
	}
	/* A row that an UPDATE moves to another partition is inserted there, with a new text perhaps and the vector of the old one. */
	create_trigger(table, column, "insert",
				   table->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ? "true" : psprintf("NEW.%s IS NULL", quote_identifier(column->destination)));
	create_trigger(table, column, "update", condition_of_update(table, source, &key, column->destination));
}

void
embed_triggers_drop(Relation table, const char *destination, bool is_sync)
{
	static const char *const events[] = {"insert", "update"};

	for (int i = 0; i < 2; i++)
		embed_execute(psprintf("DROP TRIGGER IF EXISTS %s ON %s", quote_identifier(trigger_name(destination, events[i])), embed_name_of_table(table)));
	if (is_sync)
		embed_execute(psprintf("SELECT %s(%u, %s)", extension_function_name("drop_embed_trigger"), RelationGetRelid(table), quote_literal_cstr(destination)));
}

