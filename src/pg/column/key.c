/* Keys as texts: see key.h. */
#include "pg/column/key.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "pg/trigger/columns.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

void
embed_key_find(EmbedKey *key, Relation table)
{
	key->n = embed_primary_key(table, key->columns);
}

static Form_pg_attribute
attribute_of(const EmbedKey *key, Relation table, int i)
{
	return TupleDescAttr(RelationGetDescr(table), key->columns[i] - 1);
}

/* Types whose output no setting changes, and that most keys are of. */
static bool
is_plain(Oid type)
{
	return type == INT4OID || type == INT8OID || type == TEXTOID || type == UUIDOID || type == VARCHAROID;
}

void
embed_key_set_output(void)
{
	static const char *const settings[][2] = {{"datestyle", "ISO, MDY"}, {"intervalstyle", "postgres"}, {"extra_float_digits", "3"},
											   {"bytea_output", "hex"}, {"search_path", "pg_catalog, pg_temp"}};

	for (int i = 0; i < (int) lengthof(settings); i++)
		set_config_option(settings[i][0], settings[i][1], PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

Datum
embed_key_of_slot(const EmbedKey *key, Relation table, TupleTableSlot *slot)
{
	Datum texts[INDEX_MAX_KEYS];
	bool all_plain = true;
	int level = 0;

	for (int i = 0; i < key->n; i++)
		all_plain = all_plain && is_plain(attribute_of(key, table, i)->atttypid);
	if (!all_plain)
	{
		level = NewGUCNestLevel();
		embed_key_set_output();
	}
	for (int i = 0; i < key->n; i++)
	{
		Oid output;
		bool is_varlena, is_null;
		Datum value = slot_getattr(slot, key->columns[i], &is_null);

		/* Columns of a primary key are never NULL. */
		getTypeOutputInfo(attribute_of(key, table, i)->atttypid, &output, &is_varlena);
		texts[i] = CStringGetTextDatum(OidOutputFunctionCall(output, value));
	}
	if (!all_plain)
		AtEOXact_GUC(false, level);
	return PointerGetDatum(construct_array(texts, key->n, TEXTOID, -1, false, TYPALIGN_INT));
}

void
embed_key_append_array(StringInfo query, const EmbedKey *key, Relation table)
{
	for (int i = 0; i < key->n; i++)
		appendStringInfo(query, "%st.%s::pg_catalog.text", i == 0 ? "ARRAY[" : ", ", quote_identifier(NameStr(attribute_of(key, table, i)->attname)));
	appendStringInfoChar(query, ']');
}

void
embed_key_append_equal(StringInfo query, const EmbedKey *key, Relation table)
{
	for (int i = 0; i < key->n; i++)
	{
		Form_pg_attribute attribute = attribute_of(key, table, i);

		embed_append_equality(query, attribute->atttypid, psprintf("%st.%s", i == 0 ? "" : " AND ", quote_identifier(NameStr(attribute->attname))),
							  psprintf("n.\"+k%d\"::%s", i + 1, format_type_be_qualified(attribute->atttypid)));
	}
}

void
embed_key_append_rows(StringInfo query, const EmbedKey *key, const char *more, const char *more_names)
{
	appendStringInfoString(query, "ROWS FROM (");
	for (int i = 1; i <= key->n; i++)
		appendStringInfo(query, "%spg_catalog.unnest($%d::pg_catalog.text[])", i == 1 ? "" : ", ", i);
	appendStringInfo(query, "%s) WITH ORDINALITY AS n (", more);
	for (int i = 1; i <= key->n; i++)
		appendStringInfo(query, "\"+k%d\", ", i);
	appendStringInfo(query, "%s\"+i\")", more_names);
}
