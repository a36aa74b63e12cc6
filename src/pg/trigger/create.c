/* create_embed_trigger and drop_embed_trigger: the two triggers that embed_statement_trigger needs, by name. */
#include "pg/trigger/embed.h"

#include "access/relation.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "commands/defrem.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pg/arrays.h"
#include "pg/compat.h"
#include "pg/extension.h"
#include "pg/model/catalog.h"
#include "pg/model/table_owner.h"
#include "pg/trigger/check.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(maskgen_create_embed_trigger);
PG_FUNCTION_INFO_V1(maskgen_drop_embed_trigger);

static void
execute(const char *statement)
{
	if (SPI_execute(statement, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not execute \"%s\"", statement);
}

static char *
qualified_name(Relation relation)
{
	return quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
									  RelationGetRelationName(relation));
}

/* event is "insert" or "update", in the name "embedding_embed_insert". */
static void
create_trigger(Relation relation, char *const *args, int n_args, const char *event, const char *tables)
{
	const char *name = quote_identifier(makeObjectName(args[n_args - 1], "embed", event));
	StringInfoData statement;

	initStringInfo(&statement);
	appendStringInfo(&statement, "CREATE TRIGGER %s AFTER %s ON %s REFERENCING %s FOR EACH STATEMENT "
					 "EXECUTE FUNCTION %s(", name, event, qualified_name(relation), tables,
					 extension_function_name("embed_statement_trigger"));
	for (int i = 0; i < n_args; i++)
		appendStringInfo(&statement, "%s%s", i == 0 ? "" : ", ", quote_literal_cstr(args[i]));
	appendStringInfoChar(&statement, ')');
	execute(statement.data);
	/* The consent: see consent.h. */
	execute(psprintf("ALTER TRIGGER %s ON %s DEPENDS ON EXTENSION maskgen", name, qualified_name(relation)));
}

static void
refuse_missing(Oid relation)
{
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", relation)));
}

/* Asked for before the table is locked: who has no right to it may not hold up others either. */
static void
check_owner(Oid relation)
{
	if (get_rel_name(relation) == NULL)
		refuse_missing(relation);
	if (!relation_ownercheck(relation, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(get_rel_relkind(relation)), get_rel_name(relation));
}

/* Statements that drop a table's embedding triggers of a column. */
static List *
drop_statements(Relation relation, const char *target)
{
	Oid function = extension_function("embed_statement_trigger");
	List *statements = NIL;

	for (int i = 0; relation->trigdesc != NULL && i < relation->trigdesc->numtriggers; i++)
	{
		Trigger *trigger = &relation->trigdesc->triggers[i];

		if (trigger->tgfoid == function && trigger->tgnargs > 0 &&
			strcmp(trigger->tgargs[trigger->tgnargs - 1], target) == 0)
			statements = lappend(statements, psprintf("DROP TRIGGER %s ON %s", quote_identifier(trigger->tgname),
													  qualified_name(relation)));
	}
	return statements;
}

static void
check_none(Relation relation, const char *target)
{
	if (drop_statements(relation, target) != NIL)
		ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
						errmsg("column \"%s\" of table \"%s\" has an embedding trigger already", target, RelationGetRelationName(relation)),
						errhint("Remove it first: SELECT maskgen.drop_embed_trigger(%s, %s).",
								quote_literal_cstr(qualified_name(relation)), quote_literal_cstr(target))));
}

/* Somebody whose variable is unset must not believe that it is done. */
static void
check_no_null(FunctionCallInfo fcinfo, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("argument \"%s\" is NULL", names[i])));
}

Datum
maskgen_create_embed_trigger(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"table_name", "model", "columns"};
	Oid oid;
	int n_columns;
	MgSpan *columns;
	char **args;
	Relation relation;
	EmbedColumns resolved;
	ModelEntry *model;
	TableOwner owner;

	check_no_null(fcinfo, names, lengthof(names));
	oid = PG_GETARG_OID(0);
	columns = spans_of_text_array(PG_GETARG_ARRAYTYPE_P(2), "columns", &n_columns);
	args = palloc((n_columns + 1) * sizeof *args);
	embed_check_count(n_columns);
	args[0] = text_to_cstring(PG_GETARG_TEXT_PP(1));
	for (int i = 0; i < n_columns; i++)
		args[i + 1] = pnstrdup((const char *) columns[i].data, columns[i].size);
	check_owner(oid);
	embed_check_kind(oid);
	/* The lock that creating triggers takes: without a stronger one to follow. */
	relation = try_table_open(oid, ShareRowExclusiveLock);
	if (relation == NULL)
		refuse_missing(oid);
	embed_columns_resolve(&resolved, relation, args, n_columns + 1, false);
	table_owner_become_of(&owner, oid);
	model = catalog_find(resolved.model);
	table_owner_leave(&owner);
	embed_check_target(relation, &resolved, model);
	check_none(relation, args[n_columns]);
	SPI_connect();
	create_trigger(relation, args, n_columns + 1, "insert", "NEW TABLE AS new_rows");
	create_trigger(relation, args, n_columns + 1, "update", "OLD TABLE AS old_rows NEW TABLE AS new_rows");
	SPI_finish();
	embed_tell_of_rows(relation, &resolved);
	table_close(relation, NoLock);
	PG_RETURN_VOID();
}

Datum
maskgen_drop_embed_trigger(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"table_name", "target"};
	Oid oid;
	char *target;
	Relation relation;
	List *statements;
	ListCell *cell;

	check_no_null(fcinfo, names, lengthof(names));
	oid = PG_GETARG_OID(0);
	target = text_to_cstring(PG_GETARG_TEXT_PP(1));
	check_owner(oid);
	relation = try_relation_open(oid, AccessShareLock);
	if (relation == NULL)
		refuse_missing(oid);
	statements = drop_statements(relation, target);
	if (statements == NIL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("table \"%s\" has no embedding trigger for column \"%s\"", RelationGetRelationName(relation),
							   target),
						errhint("The column is that of the vector.")));
	relation_close(relation, AccessShareLock);
	SPI_connect();
	foreach(cell, statements)
		execute(lfirst(cell));
	SPI_finish();
	PG_RETURN_VOID();
}
