/*
 * Embedding the rows of a statement together, in a trigger after it:
 *
 *   embed_statement_trigger(model, source column ..., target column)
 *
 * The text is the source columns that are not NULL, a line each; the vector
 * is the one of embed_document. README.md has the rules of what is embedded.
 */
#ifndef MASKGEN_PG_TRIGGER_EMBED_H
#define MASKGEN_PG_TRIGGER_EMBED_H

#include "postgres.h"
#include "utils/rel.h"

#define EMBED_MOST_SOURCES 16

/* What a trigger's arguments mean for its table. */
typedef struct EmbedColumns
{
	const char *model;
	int n_sources;
	AttrNumber sources[EMBED_MOST_SOURCES];
	AttrNumber target;
	int n_keys;
	AttrNumber keys[INDEX_MAX_KEYS]; /* of the primary key */
} EmbedColumns;

/* Throws unless the arguments fit the table; hints at its triggers where there are some. */
void embed_columns_resolve(EmbedColumns *columns, Relation relation, char *const *args, int n_args, bool has_triggers);

#endif
