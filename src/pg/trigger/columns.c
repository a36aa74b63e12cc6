/* The columns that an embedding trigger reads and writes. */
#include "pg/trigger/embed.h"

#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

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

static bool
find_primary_key(EmbedColumns *columns, Oid index)
{
	HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	Form_pg_index form;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_index) GETSTRUCT(tuple);
	if (form->indisprimary && form->indisvalid)
	{
		columns->n_keys = form->indnkeyatts;
		memcpy(columns->keys, form->indkey.values, form->indnkeyatts * sizeof *columns->keys);
	}
	ReleaseSysCache(tuple);
	return columns->n_keys > 0;
}

/* A deferrable key does: rows that share one for a while differ in their text, or have the same vector. */
static void
find_keys(EmbedColumns *columns, Relation relation)
{
	List *indexes = RelationGetIndexList(relation);
	ListCell *cell;

	columns->n_keys = 0;
	foreach(cell, indexes)
		if (find_primary_key(columns, lfirst_oid(cell)))
			break;
	list_free(indexes);
	if (columns->n_keys == 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("table \"%s\" has no primary key", RelationGetRelationName(relation)),
						errdetail("A trigger after a statement finds its rows again by their primary key."),
						errhint("Add one, or embed in a generated column.")));
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
	find_keys(columns, relation);
}
