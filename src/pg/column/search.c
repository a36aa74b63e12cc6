/*
 * search and search_sql: rows of an embedded column by meaning, and by words where an index has them.
 *
 * All is one statement of SQL, which search_sql shows and search runs, as the caller: with its rights, its row security and its search_path for
 * the filter. Ranks are fused by reciprocal rank (Cormack, Clarke and Buettcher 2009).
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "nodes/nodeFuncs.h"
#include "pg/column/column.h"
#include "pg/column/key.h"
#include "pg/column/triggers.h"
#include "pg/extension.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(maskgen_search_sql);
PG_FUNCTION_INFO_V1(maskgen_search);

enum
{
	SEARCH_TARGET,
	SEARCH_QUERY,
	SEARCH_TOP_K,
	SEARCH_FILTER,
	SEARCH_HYBRID,
	SEARCH_RERANK_MODEL,
	SEARCH_DESTINATION
};

#define SEARCH_COLUMNS 6

/* Candidates of each list for a row that is asked for, and how many there are at least. */
#define CANDIDATES 4
#define LEAST_CANDIDATES 40

#define MOST_TOP_K 10000

/* What a table has for words. */
typedef struct Words
{
	char *expression; /* of type tsvector; NULL: there is no index of words */
	char *parser;	  /* its text search configuration, quoted */
} Words;

static bool
find_parser(Node *node, Oid *parser)
{
	if (node == NULL)
		return false;
	if (IsA(node, Const) && ((Const *) node)->consttype == REGCONFIGOID && !((Const *) node)->constisnull)
	{
		*parser = DatumGetObjectId(((Const *) node)->constvalue);
		return true;
	}
	return expression_tree_walker(node, find_parser, parser);
}

/* The first key of a GIN index, if it is a tsvector; of a generated column the parser is in what generates it. */
static bool
read_index(Words *words, Relation table, Relation index)
{
	AttrNumber column = index->rd_index->indkey.values[0];
	Oid parser = InvalidOid;
	Node *expression;

	/* A GIN index of text has the column's type as its key's input; the opclass stores lexemes. */
	if (index->rd_rel->relam != GIN_AM_OID || !index->rd_index->indisvalid || RelationGetIndexPredicate(index) != NIL)
		return false;
	expression = column == 0 ? linitial(RelationGetIndexExpressions(index)) : NULL;
	if (column == 0 ? exprType(expression) != TSVECTOROID : TupleDescAttr(RelationGetDescr(table), column - 1)->atttypid != TSVECTOROID)
		return false;
	if (column != 0 && TupleDescAttr(RelationGetDescr(table), column - 1)->attgenerated != '\0')
		expression = build_column_default(table, column);
	(void) find_parser(expression, &parser);
	words->expression = TextDatumGetCString(DirectFunctionCall3(pg_get_indexdef_ext, ObjectIdGetDatum(RelationGetRelid(index)), Int32GetDatum(1), BoolGetDatum(true)));
	words->parser = OidIsValid(parser) ? psprintf("%s::regconfig", quote_literal_cstr(DatumGetCString(DirectFunctionCall1(regconfigout, ObjectIdGetDatum(parser)))))
									   : pstrdup("pg_catalog.get_current_ts_config()");
	return true;
}

static Words
find_words(Relation table)
{
	Words words = {NULL, NULL};
	ListCell *cell;

	foreach(cell, RelationGetIndexList(table))
	{
		Relation index = index_open(lfirst_oid(cell), AccessShareLock);
		bool is_it = read_index(&words, table, index);

		index_close(index, NoLock);
		if (is_it)
			break;
	}
	return words;
}

/* "t.a, t.b" */
static char *
key_list(const EmbedKey *key, Relation table, const char *prefix)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < key->n; i++)
		appendStringInfo(&list, "%s%s%s", i == 0 ? "" : ", ", prefix, quote_identifier(NameStr(TupleDescAttr(RelationGetDescr(table), key->columns[i] - 1)->attname)));
	return list.data;
}

static char *
make_statement(FunctionCallInfo fcinfo)
{
	Oid target = PG_GETARG_OID(SEARCH_TARGET);
	char *query = quote_literal_cstr(text_to_cstring(PG_GETARG_TEXT_PP(SEARCH_QUERY)));
	int top_k = PG_GETARG_INT32(SEARCH_TOP_K), n = Max(top_k * CANDIDATES, LEAST_CANDIDATES);
	char *filter = PG_ARGISNULL(SEARCH_FILTER) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(SEARCH_FILTER));
	bool is_ranked = !PG_ARGISNULL(SEARCH_RERANK_MODEL);
	EmbedColumn column;
	EmbedKey key;
	Relation table;
	Words words;
	const char *schema;
	char *name, *asked, *distance, *keys;
	StringInfoData sql;

	if (top_k < 1 || top_k > MOST_TOP_K)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("top_k %d is not between 1 and %d", top_k, MOST_TOP_K)));
	embed_column_look_up(target, NameStr(*PG_GETARG_NAME(SEARCH_DESTINATION)), &column);
	table = relation_open(target, AccessShareLock);
	embed_key_find(&key, table);
	words = PG_GETARG_BOOL(SEARCH_HYBRID) ? find_words(table) : (Words){NULL, NULL};
	schema = quote_identifier(get_namespace_name(get_rel_namespace(extension_relation("maskgen_models", false))));
	name = embed_name_of_table(table);
	asked = psprintf("%s.embed_for(%s::regclass, %s, %s)", schema, quote_literal_cstr(name), quote_literal_cstr(column.destination), query);
	distance = psprintf("t.%s OPERATOR(%s.<=>) %s", quote_identifier(column.destination), schema, asked);
	keys = key_list(&key, table, "");
	initStringInfo(&sql);
	appendStringInfo(&sql, "WITH by_vector AS (\n\tSELECT %s, row_number() OVER (ORDER BY distance, %s) AS rank\n\tFROM (SELECT %s, %s AS distance FROM %s AS t", keys, keys,
					 key_list(&key, table, "t."), distance, name);
	appendStringInfo(&sql, " WHERE t.%s IS NOT NULL", quote_identifier(column.destination));
	if (filter != NULL)
		appendStringInfo(&sql, " AND (%s)", filter);
	appendStringInfo(&sql, "\n\t\tORDER BY %s LIMIT %d) AS near),\n", distance, n);
	appendStringInfo(&sql, "by_words AS (\n\tSELECT %s, row_number() OVER (ORDER BY score DESC, %s) AS rank\n", keys, keys);
	if (words.expression != NULL)
	{
		/* Any of the words, as in a search engine; plainto_tsquery asks for all. */
		appendStringInfo(&sql, "\tFROM (SELECT %s, ts_rank_cd(%s, any_word, 1) AS score FROM %s AS t,\n"
						 "\t\t\t(SELECT replace(plainto_tsquery(%s, %s)::text, ' & ', ' | ')::tsquery AS any_word) AS asked\n\t\tWHERE %s @@ any_word", key_list(&key, table, "t."), words.expression, name, words.parser, query, words.expression);
		if (filter != NULL)
			appendStringInfo(&sql, " AND (%s)", filter);
		appendStringInfo(&sql, "\n\t\tORDER BY score DESC LIMIT %d) AS found),\n", n);
	}
	else
		appendStringInfo(&sql, "\tFROM (SELECT %s, 0 AS score FROM %s AS t WHERE false) AS none),\n", key_list(&key, table, "t."), name);
	appendStringInfo(&sql, "fused AS (\n\tSELECT %s, by_vector.rank AS rank_vector, by_words.rank AS rank_text,\n"
					 "\t\tcoalesce(1.0 / (60 + by_vector.rank), 0) + coalesce(1.0 / (60 + by_words.rank), 0) AS score\n"
					 "\tFROM by_vector FULL JOIN by_words USING (%s) ORDER BY score DESC, %s LIMIT %d)\n", keys, keys, keys, is_ranked ? n : top_k);
	appendStringInfo(&sql, "SELECT %s AS key, %s AS score, (%s)::real AS distance, rank_text::int, rank_vector::int,\n\tleft((%s)::text, 200) AS snippet\n"
					 "FROM fused JOIN %s AS t USING (%s)\nORDER BY score DESC, %s LIMIT %d",
					 key.n == 1 ? psprintf("%s::text", keys) : psprintf("ROW(%s)::text", keys),
					 is_ranked ? psprintf("%s.rerank_score(%s, %s, (%s)::text)::real", schema, quote_literal_cstr(text_to_cstring(PG_GETARG_TEXT_PP(SEARCH_RERANK_MODEL))), query, column.source)
							   : "fused.score::real",
					 distance, column.source, name, keys, keys, top_k);
	relation_close(table, NoLock);
	return sql.data;
}

static bool
has_null(FunctionCallInfo fcinfo)
{
	return PG_ARGISNULL(SEARCH_TARGET) || PG_ARGISNULL(SEARCH_QUERY) || PG_ARGISNULL(SEARCH_TOP_K) || PG_ARGISNULL(SEARCH_HYBRID) || PG_ARGISNULL(SEARCH_DESTINATION);
}

Datum
maskgen_search_sql(PG_FUNCTION_ARGS)
{
	if (has_null(fcinfo))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(make_statement(fcinfo)));
}

Datum
maskgen_search(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *results = (ReturnSetInfo *) fcinfo->resultinfo;
	char *statement;

	InitMaterializedSRF(fcinfo, 0);
	if (has_null(fcinfo))
		return (Datum) 0;
	statement = make_statement(fcinfo);
	SPI_connect();
	if (SPI_execute(statement, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not search");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Datum values[SEARCH_COLUMNS];
		bool nulls[SEARCH_COLUMNS];

		for (int k = 0; k < SEARCH_COLUMNS; k++)
			values[k] = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, k + 1, &nulls[k]);
		tuplestore_putvalues(results->setResult, results->setDesc, values, nulls);
	}
	SPI_finish();
	return (Datum) 0;
}
