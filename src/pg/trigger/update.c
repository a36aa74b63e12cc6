/*
 * The UPDATE behind an embedding trigger. Its parameters are arrays: of each
 * key column, of each source column as text, and of vectors. Names are
 * qualified and operators those of the columns' types, so that no search_path
 * matters.
 */
#include "pg/trigger/update.h"

#include "catalog/pg_type.h"
#include "pg/extension.h"
#include "pg/trigger/columns.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#define MOST_PARAMETERS (INDEX_MAX_KEYS + EMBED_MOST_SOURCES + 1)

static Form_pg_attribute
attribute_of(const EmbedUpdate *update, AttrNumber column)
{
	return TupleDescAttr(RelationGetDescr(update->relation), column - 1);
}

static const char *
name_of(const EmbedUpdate *update, AttrNumber column)
{
	return quote_identifier(NameStr(attribute_of(update, column)->attname));
}

static char *
make_query(const EmbedUpdate *update)
{
	const EmbedColumns *columns = update->columns;
	int n_parameters = columns->n_keys + columns->n_sources + 1;
	char *schema = get_namespace_name(RelationGetNamespace(update->relation));
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfo(&query, "UPDATE %s AS t SET %s = n.v FROM ROWS FROM (",
					 quote_qualified_identifier(schema, RelationGetRelationName(update->relation)),
					 name_of(update, columns->target));
	for (int i = 1; i <= n_parameters; i++)
		appendStringInfo(&query, "%spg_catalog.unnest($%d)", i == 1 ? "" : ", ", i);
	appendStringInfoString(&query, ") AS n (");
	for (int i = 1; i <= columns->n_keys; i++)
		appendStringInfo(&query, "k%d, ", i);
	for (int i = 1; i <= columns->n_sources; i++)
		appendStringInfo(&query, "s%d, ", i);
	appendStringInfoString(&query, "v) WHERE ");
	for (int i = 0; i < columns->n_keys; i++)
	{
		embed_append_equality(&query, attribute_of(update, columns->keys[i])->atttypid, psprintf("t.%s", name_of(update, columns->keys[i])),
							  psprintf("n.k%d", i + 1));
		appendStringInfoString(&query, " AND ");
	}
	for (int i = 0; i < columns->n_sources; i++)
	{
		const char *name = name_of(update, columns->sources[i]);

		appendStringInfo(&query,
						 "%s(t.%s::pg_catalog.text OPERATOR(pg_catalog.=) n.s%d OR (t.%s IS NULL AND n.s%d IS NULL))",
						 i == 0 ? "" : " AND ", name, i + 1, name, i + 1);
	}
	return query.data;
}

/* Types of the elements of each parameter; returns how many there are. */
static int
element_types(const EmbedUpdate *update, Oid types[MOST_PARAMETERS])
{
	const EmbedColumns *columns = update->columns;
	int n = 0;

	for (int i = 0; i < columns->n_keys; i++)
		types[n++] = attribute_of(update, columns->keys[i])->atttypid;
	for (int i = 0; i < columns->n_sources; i++)
		types[n++] = TEXTOID;
	types[n++] = extension_type("vector");
	return n;
}

static EmbedPlan *
find_plan(const EmbedUpdate *update)
{
	Oid types[MOST_PARAMETERS];
	int n = element_types(update, types);

	for (int i = 0; i < n; i++)
	{
		Oid array = get_array_type(types[i]);

		if (!OidIsValid(array))
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
							errmsg("could not find array type for data type %s", format_type_be(types[i]))));
		types[i] = array;
	}
	return embed_plan_find(update->trigger, &(EmbedStatement){make_query(update), n, types, update->as_owner});
}

static Datum
make_array(const Datum *values, const bool *nulls, int n, Oid type)
{
	int dims[1] = {n}, bounds[1] = {1};
	int16 length;
	bool by_value;
	char align;

	get_typlenbyvalalign(type, &length, &by_value, &align);
	return PointerGetDatum(construct_md_array((Datum *) values, (bool *) nulls, 1, dims, bounds, type, length, by_value,
											  align));
}

/* The parameters of the statement. */
static void
make_arrays(const EmbedUpdate *update, const EmbedRow *rows, int n, Datum arrays[MOST_PARAMETERS])
{
	const EmbedColumns *columns = update->columns;
	Datum *values = palloc(n * sizeof *values);
	bool *nulls = palloc(n * sizeof *nulls);
	Oid types[MOST_PARAMETERS];
	int n_arrays = element_types(update, types);

	for (int k = 0; k < n_arrays; k++)
	{
		int source = k - columns->n_keys;

		for (int i = 0; i < n; i++)
		{
			nulls[i] = source < 0 ? false : k == n_arrays - 1 ? rows[i].vector_null : rows[i].source_nulls[source];
			if (!nulls[i])
				values[i] = source < 0 ? rows[i].keys[k]
					: k == n_arrays - 1	? rows[i].vector
										: rows[i].sources[source];
		}
		arrays[k] = make_array(values, nulls, n, types[k]);
	}
}

void
embed_update_run(EmbedUpdate *update, const EmbedRow *rows, int n, MemoryContext context)
{
	MemoryContext caller;
	Datum arrays[MOST_PARAMETERS];

	if (update->plan == NULL)
		update->plan = find_plan(update);
	caller = MemoryContextSwitchTo(context);
	make_arrays(update, rows, n, arrays);
	if (!embed_plan_run(update->plan, arrays))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("could not store vectors in table \"%s\"", RelationGetRelationName(update->relation)),
						errdetail("A rule does something else instead of UPDATE.")));
	MemoryContextSwitchTo(caller);
}
