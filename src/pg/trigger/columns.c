/* The columns that an embedding trigger reads and writes. */
#include "pg/trigger/embed.h"

#include "access/sysattr.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static AttrNumber
find_column(Relation relation, const char *name)
{
	int number = SPI_fnumber(RelationGetDescr(relation), name);

	if (number <= 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("column \"%s\" of relation \"%s\" does not exist", name, RelationGetRelationName(relation)),
						errhint("Drop the embedding triggers of the table and create them for the columns it has.")));
	return (AttrNumber) number;
}

/* A column whose values are texts as they are stored. */
static AttrNumber
find_source(Relation relation, const char *name)
{
	AttrNumber number = find_column(relation, name);
	Oid type = TupleDescAttr(RelationGetDescr(relation), number - 1)->atttypid;

	if (!IsBinaryCoercible(getBaseType(type), TEXTOID))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("column \"%s\" has type %s, not text", name, format_type_be(type)),
						errhint("A generated column can hold it as text. The column of the vector is named last.")));
	return number;
}

static void
find_keys(EmbedColumns *columns, Relation relation)
{
	Bitmapset *keys = RelationGetIndexAttrBitmap(relation, INDEX_ATTR_BITMAP_PRIMARY_KEY);
	int number = -1;

	columns->n_keys = 0;
	while ((number = bms_next_member(keys, number)) >= 0)
		columns->keys[columns->n_keys++] = (AttrNumber) (number + FirstLowInvalidHeapAttributeNumber);
	bms_free(keys);
	if (columns->n_keys == 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("table \"%s\" has no primary key", RelationGetRelationName(relation)),
						errdetail("A trigger after a statement finds its rows again by their primary key."),
						errhint("Add one, or embed in a generated column.")));
}

void
embed_columns_resolve(EmbedColumns *columns, Relation relation, char *const *args, int n_args)
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
		columns->sources[i] = find_source(relation, args[i + 1]);
	columns->target = find_column(relation, args[n_args - 1]);
	find_keys(columns, relation);
}
