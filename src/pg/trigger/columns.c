/* The columns that an embedding trigger reads and writes. */
#include "pg/trigger/columns.h"

#include "access/htup_details.h"
#include "catalog/pg_index.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

static AttrNumber
find_column(Relation relation, const char *name, bool has_triggers)
{
	int number = SPI_fnumber(RelationGetDescr(relation), name);

	if (number <= 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("column \"%s\" of relation \"%s\" does not exist", name, RelationGetRelationName(relation)),
						has_triggers ? errhint("Drop the embedding triggers of the table and create them for the columns it has.")
									 : errhint("Name the columns of text first and the column of the vector last.")));
	return (AttrNumber) number;
}

/* A column whose values are texts as they are stored. */
static AttrNumber
find_source(Relation relation, const char *name, bool has_triggers)
{
	AttrNumber number = find_column(relation, name, has_triggers);
	Oid type = TupleDescAttr(RelationGetDescr(relation), number - 1)->atttypid;

	if (!IsBinaryCoercible(getBaseType(type), TEXTOID))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("column \"%s\" has type %s, not text", name, format_type_be(type)),
						errhint("A generated column can hold it as text. Name the column of the vector last.")));
	return number;
}

static int
read_primary_key(Oid index, AttrNumber keys[INDEX_MAX_KEYS])
{
	int n = 0;
	HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	Form_pg_index form;

	if (!HeapTupleIsValid(tuple))
		return 0;
	form = (Form_pg_index) GETSTRUCT(tuple);
	if (form->indisprimary && form->indisvalid)
	{
		n = form->indnkeyatts;
		memcpy(keys, form->indkey.values, n * sizeof *keys);
	}
	ReleaseSysCache(tuple);
	return n;
}

/* A deferrable key does: rows that share one for a while differ in their text, or have the same vector. */
int
embed_primary_key(Relation relation, AttrNumber keys[INDEX_MAX_KEYS])
{
	List *indexes = RelationGetIndexList(relation);
	ListCell *cell;
	int n = 0;

	foreach(cell, indexes)
		if ((n = read_primary_key(lfirst_oid(cell), keys)) > 0)
			break;
	list_free(indexes);
	if (n == 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("table \"%s\" has no primary key", RelationGetRelationName(relation)),
						errdetail("Rows that were written are found again by their primary key."),
						errhint("Add one, or embed in a generated column.")));
	return n;
}

void
embed_append_equality(StringInfo query, Oid type, const char *left, const char *right)
{
	HeapTuple tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr));
	Form_pg_operator form;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_FUNCTION),
						errmsg("could not identify an equality operator for type %s", format_type_be(type))));
	form = (Form_pg_operator) GETSTRUCT(tuple);
	appendStringInfo(query, "%s OPERATOR(%s.%s) %s", left, quote_identifier(get_namespace_name(form->oprnamespace)), NameStr(form->oprname), right);
	ReleaseSysCache(tuple);
}

void
embed_columns_resolve(EmbedColumns *columns, Relation relation, char *const *args, int n_args, bool has_triggers)
{
	if (n_args < 3 || n_args > EMBED_MOST_SOURCES + 2)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("embedding trigger of table \"%s\" has %d arguments", RelationGetRelationName(relation),
							   n_args),
						errdetail("They are a model, 1 to %d columns of text, and the column of the vector.",
								  EMBED_MOST_SOURCES)));
	columns->model = args[0];
	columns->n_sources = n_args - 2;
	for (int i = 0; i < columns->n_sources; i++)
		columns->sources[i] = find_source(relation, args[i + 1], has_triggers);
	columns->target = find_column(relation, args[n_args - 1], has_triggers);
	columns->n_keys = embed_primary_key(relation, columns->keys);
}
