/* Whether a table, its column and a model suit each other, and what the triggers will not do. */
#include "pg/trigger/check.h"

#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "pg/extension.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* Rows of a table that are looked at for one without a vector; mostly the first is. */
#define MOST_ROWS 10000

void
embed_check_count(int n_columns)
{
	if (n_columns < 2 || n_columns > EMBED_MOST_SOURCES + 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("create_embed_trigger takes 2 to %d columns, not %d", EMBED_MOST_SOURCES + 1, n_columns),
						errdetail("Name the columns of text, then the column of the vector.")));
}

void
embed_check_kind(Oid relation)
{
	char kind = get_rel_relkind(relation);

	if (kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE || kind == '\0')
		return;
	ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is not a table", get_rel_name(relation)),
					kind == RELKIND_VIEW
						? errhint("Make the triggers on the table that the view reads: what is written through the view is embedded as well.")
						: errhint("Embedding triggers are for tables and partitioned tables.")));
}

static char *
table_name(Relation relation)
{
	return quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)), RelationGetRelationName(relation));
}

/* The type that a model's vectors are stored in, for a hint. */
static char *
wanted_type(const ModelEntry *model)
{
	return psprintf("%s(%d)", format_type_be_qualified(extension_type("vector")), model->dims);
}

static bool
holds_vectors(Oid type)
{
	Oid function;

	switch (find_coercion_pathway(type, extension_type("vector"), COERCION_ASSIGNMENT, &function))
	{
		case COERCION_PATH_RELABELTYPE:
		case COERCION_PATH_FUNC:
			return true;
		default:
			/* By its text form a vector would fit any column of text. */
			return false;
	}
}

void
embed_check_target(Relation relation, const EmbedColumns *columns, const ModelEntry *model)
{
	Form_pg_attribute target = TupleDescAttr(RelationGetDescr(relation), columns->target - 1);
	const char *name = NameStr(target->attname);
	int32 dims = target->atttypmod;
	Oid base = getBaseTypeAndTypmod(target->atttypid, &dims);

	if (!model->embeds)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("model \"%s\" does not make embeddings", NameStr(model->name)),
						errhint("See column \"tasks\" of the view maskgen.maskgen_models.")));
	if (target->attgenerated != '\0')
		ereport(ERROR, (errcode(ERRCODE_GENERATED_ALWAYS),
						errmsg("column \"%s\" of relation \"%s\" is a generated column", name, RelationGetRelationName(relation)),
						errdetail("Its own expression gives its value, and nothing else can write it."),
						errhint("A generated column that calls embed_document() needs no trigger; or name another column last.")));
	if (!holds_vectors(base))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("column \"%s\" has type %s, which holds no vectors", name, format_type_be(target->atttypid)),
						errhint("Name the column of the vector last. Add one: ALTER TABLE %s ADD embedding %s.", table_name(relation),
								wanted_type(model))));
	if (dims >= 0 && dims != model->dims)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("column \"%s\" has %d dimensions, but model \"%s\" makes vectors of %d", name, dims, NameStr(model->name), model->dims),
						errhint("Change it: ALTER TABLE %s ALTER %s TYPE %s USING NULL.", table_name(relation), quote_identifier(name),
								wanted_type(model))));
}

/* Whether a row has a text and no vector. */
static bool
lacks_vector(TupleTableSlot *row, const AttrNumber *sources, int n_sources, AttrNumber target)
{
	if (!slot_attisnull(row, target))
		return false;
	for (int i = 0; i < n_sources; i++)
		if (!slot_attisnull(row, sources[i]))
			return true;
	return false;
}

/* The same in one table or partition, whose columns may have other numbers. */
static bool
table_lacks_vectors(Relation table, Relation parent, const EmbedColumns *columns)
{
	AttrNumber sources[EMBED_MOST_SOURCES], target = get_attnum(RelationGetRelid(table), get_attname(RelationGetRelid(parent), columns->target, false));
	Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
	TupleTableSlot *row = table_slot_create(table, NULL);
	TableScanDesc scan = table_beginscan(table, snapshot, 0, NULL);
	bool lacks = false;

	for (int i = 0; i < columns->n_sources; i++)
		sources[i] = get_attnum(RelationGetRelid(table), get_attname(RelationGetRelid(parent), columns->sources[i], false));
	for (int n = 0; n < MOST_ROWS && !lacks && table_scan_getnextslot(scan, ForwardScanDirection, row); n++)
	{
		CHECK_FOR_INTERRUPTS();
		lacks = lacks_vector(row, sources, columns->n_sources, target);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(row);
	UnregisterSnapshot(snapshot);
	return lacks;
}

static bool
lacks_vectors(Relation relation, const EmbedColumns *columns)
{
	ListCell *cell;

	foreach(cell, find_all_inheritors(RelationGetRelid(relation), AccessShareLock, NULL))
	{
		Relation table = relation_open(lfirst_oid(cell), NoLock);
		bool lacks = table->rd_rel->relkind == RELKIND_RELATION && !RELATION_IS_OTHER_TEMP(table) && table_lacks_vectors(table, relation, columns);

		relation_close(table, NoLock);
		if (lacks)
			return true;
	}
	return false;
}

/* The names of the columns of text, in brackets behind what a query begins with. */
static char *
with_sources(const char *start, Relation relation, const EmbedColumns *columns)
{
	StringInfoData expression;

	initStringInfo(&expression);
	appendStringInfoString(&expression, start);
	for (int i = 0; i < columns->n_sources; i++)
		appendStringInfo(&expression, "%s%s", i == 0 ? "" : ", ",
						 quote_identifier(get_attname(RelationGetRelid(relation), columns->sources[i], false)));
	appendStringInfoChar(&expression, ')');
	return expression.data;
}

void
embed_tell_of_rows(Relation relation, const EmbedColumns *columns)
{
	const char *target = quote_identifier(get_attname(RelationGetRelid(relation), columns->target, false));
	bool is_one = columns->n_sources == 1;

	if (!lacks_vectors(relation, columns))
		return;
	ereport(NOTICE,
			(errmsg("rows of table \"%s\" have no vectors yet", RelationGetRelationName(relation)),
			 errdetail("The triggers embed only what is written from now on."),
			 errhint("For the rows that are there: UPDATE %s SET %s = %s(%s, %s WHERE %s IS NULL%s;", table_name(relation), target,
					 extension_function_name("embed_document"), quote_literal_cstr(columns->model),
					 is_one ? with_sources("", relation, columns) : psprintf("%s)", with_sources("concat_ws(E'\\n', ", relation, columns)), target,
					 is_one ? "" : psprintf(" AND %s > 0", with_sources("num_nonnulls(", relation, columns)))));
}
