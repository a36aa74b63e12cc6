/*
 * Keys of rows as texts. A queue that serves tables of all kinds holds the columns of a primary key as text[], in the
 * order of its index, and statements compare them cast to the columns' types, so that the index is used.
 */
#ifndef MASKGEN_PG_COLUMN_KEY_H
#define MASKGEN_PG_COLUMN_KEY_H

#include "postgres.h"
#include "executor/tuptable.h"
#include "lib/stringinfo.h"
#include "utils/rel.h"

typedef struct EmbedKey
{
	int n;
	AttrNumber columns[INDEX_MAX_KEYS];
} EmbedKey;

/* Throws unless the table has a primary key. */
void embed_key_find(EmbedKey *key, Relation table);

/* The key of a row, a text[]. */
Datum embed_key_of_slot(const EmbedKey *key, Relation table, TupleTableSlot *slot);

/* Settings under which types write what they can read under any; within a level of settings that the caller has begun. */
void embed_key_set_output(void);

/* "ARRAY[t.a::text, ...]" */
void embed_key_append_array(StringInfo query, const EmbedKey *key, Relation table);

/* "t.a = n."+k1"::type AND ..." */
void embed_key_append_equal(StringInfo query, const EmbedKey *key, Relation table);

/* `ROWS FROM (unnest($1), ...) WITH ORDINALITY AS n ("+k1", ..., "+i")` of arrays of text, $1 to $n */
void embed_key_append_rows(StringInfo query, const EmbedKey *key, const char *more, const char *more_names);

#endif
