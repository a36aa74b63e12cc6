/* Reading what a column's vectors are of. */
#include "pg/column/source.h"

#include "access/sysattr.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/analyze.h"
#include "parser/parser.h"
#include "tcop/tcopprot.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"

static void
refuse(const char *written, const char *why)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_COLUMN_DEFINITION), errmsg("\"%s\" is not what a column can be embedded from: %s", written, why),
					errhint("Name a column, several as '{title,body}', or an expression over columns of the table.")));
}

/* One expression over the table, and nothing else of a query. */
static Query *
analyse(Relation table, const char *expression)
{
	char *text = psprintf("SELECT (%s) FROM %s AS t", expression,
						  quote_qualified_identifier(get_namespace_name(RelationGetNamespace(table)), RelationGetRelationName(table)));
	List *statements = pg_parse_query(text);
	Query *query;

	if (list_length(statements) != 1 || !IsA(linitial_node(RawStmt, statements)->stmt, SelectStmt))
		refuse(expression, "it is not one expression");
	query = parse_analyze_fixedparams(linitial_node(RawStmt, statements), text, NULL, 0, NULL);
	if (list_length(query->rtable) != 1 || list_length(query->targetList) != 1 || query->jointree->quals != NULL || query->hasSubLinks || query->hasAggs ||
		query->hasWindowFuncs || query->hasTargetSRFs || query->groupClause != NIL || query->sortClause != NIL || query->limitCount != NULL ||
		query->setOperations != NULL || query->cteList != NIL || query->distinctClause != NIL || query->rowMarks != NIL)
		refuse(expression, "it is not one expression");
	return query;
}

static void
add_column(EmbedSource *source, Relation table, AttrNumber number, const char *written, const char *destination)
{
	if (number <= 0)
		refuse(written, "it reads a whole row or a system column");
	if (strcmp(NameStr(TupleDescAttr(RelationGetDescr(table), number - 1)->attname), destination) == 0)
		refuse(written, "it reads the column of the vectors");
	source->columns[source->n++] = number;
}

/* With the schemas of functions and operators, so that no search_path matters later. */
static char *
qualified_text(Relation table, Node *expression)
{
	int level = NewGUCNestLevel();
	char *text;

	set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	text = deparse_expression(expression, deparse_context_for(RelationGetRelationName(table), RelationGetRelid(table)), false, false);
	AtEOXact_GUC(false, level);
	return text;
}

static void
add_columns(EmbedSource *source, Relation table, Node *expression, const char *written, const char *destination)
{
	Bitmapset *numbers = NULL;
	int i = -1;

	pull_varattnos(expression, 1, &numbers);
	source->columns = palloc(Max(bms_num_members(numbers), 1) * sizeof *source->columns);
	while ((i = bms_next_member(numbers, i)) >= 0)
		add_column(source, table, i + FirstLowInvalidHeapAttributeNumber, written, destination);
	if (source->n == 0)
		refuse(written, "it reads no column");
}

static void
read_expression(EmbedSource *source, Relation table, const char *written, const char *destination)
{
	Query *query = analyse(table, written);
	Node *expression = (Node *) linitial_node(TargetEntry, query->targetList)->expr;

	if (type_is_rowtype(exprType(expression)))
		refuse(written, "it is a row");
	if (contain_mutable_functions(expression))
		refuse(written, "functions in it must be marked IMMUTABLE");
	add_columns(source, table, expression, written, destination);
	source->expression = qualified_text(table, expression);
}

void
embed_source_again(EmbedSource *source, Relation table, const char *expression, const char *destination)
{
	Query *query = analyse(table, expression);

	*source = (EmbedSource){.expression = pstrdup(expression)};
	add_columns(source, table, (Node *) linitial_node(TargetEntry, query->targetList)->expr, expression, destination);
}

static AttrNumber
find_column(Relation table, const char *name)
{
	AttrNumber number = get_attnum(RelationGetRelid(table), name);

	if (number <= 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN), errmsg("column \"%s\" of relation \"%s\" does not exist", name, RelationGetRelationName(table))));
	return number;
}

/* Columns, joined as embedding triggers do: those that are not NULL, a line each. */
static void
read_columns(EmbedSource *source, Relation table, Datum *names, int n, const char *written, const char *destination)
{
	StringInfoData list, quoted;

	initStringInfo(&list);
	initStringInfo(&quoted);
	source->columns = palloc(Max(n, 1) * sizeof *source->columns);
	for (int i = 0; i < n; i++)
	{
		char *name = TextDatumGetCString(names[i]);

		add_column(source, table, find_column(table, name), written, destination);
		appendStringInfo(&list, "%s%s", i == 0 ? "" : ", ", quote_identifier(name));
		appendStringInfo(&quoted, ", %s", quote_literal_cstr(name));
	}
	if (n == 0)
		refuse(written, "it names no column");
	source->names = quoted.data;
	source->expression = n == 1 ? list.data
								: psprintf("CASE WHEN pg_catalog.num_nonnulls(%s) > 0 THEN pg_catalog.concat_ws(E'\\n', %s) END", list.data, list.data);
}

void
embed_source_read(EmbedSource *source, Relation table, const char *written, const char *destination, bool only_columns)
{
	Datum *names;
	bool *nulls;
	int n;

	*source = (EmbedSource){0};
	if (written[0] == '{')
	{
		deconstruct_array(DatumGetArrayTypeP(OidInputFunctionCall(F_ARRAY_IN, (char *) written, TEXTOID, -1)), TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &n);
		for (int i = 0; i < n; i++)
			if (nulls[i])
				refuse(written, "a column in it is NULL");
		read_columns(source, table, names, n, written, destination);
		return;
	}
	if (get_attnum(RelationGetRelid(table), written) > 0)
	{
		names = palloc(sizeof *names);
		names[0] = CStringGetTextDatum(written);
		read_columns(source, table, names, 1, written, destination);
		return;
	}
	if (only_columns)
		refuse(written, "mode \"sync\" takes columns");
	read_expression(source, table, written, destination);
}
