/* How rows of a table are found again: by the primary key, compared by the operators of its types. */
#ifndef MASKGEN_PG_TRIGGER_COLUMNS_H
#define MASKGEN_PG_TRIGGER_COLUMNS_H

#include "postgres.h"
#include "lib/stringinfo.h"
#include "pg/trigger/embed.h"

/* The columns of a table's primary key, in the order of its index; returns how many. Throws unless it has one. */
int embed_primary_key(Relation relation, AttrNumber keys[INDEX_MAX_KEYS]);

/* Appends "left = right" by the equality operator of a type, whatever the search_path is. */
void embed_append_equality(StringInfo query, Oid type, const char *left, const char *right);

#endif
