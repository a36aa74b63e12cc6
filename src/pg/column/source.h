/* What a column's vectors are of: an expression over the columns of a row, or the names of columns. */
#ifndef MASKGEN_PG_COLUMN_SOURCE_H
#define MASKGEN_PG_COLUMN_SOURCE_H

#include "postgres.h"
#include "utils/rel.h"

typedef struct EmbedSource
{
	char *expression; /* of SQL, its columns unqualified */
	int n;			  /* columns that it reads */
	AttrNumber *columns;
	char *names; /* ", 'a', 'b'" of a list of columns; NULL of an expression */
} EmbedSource;

/*
 * Reads '{title,body}', a list of columns that are joined by line feeds without those that are NULL, or an expression, which has to be
 * immutable. It may not read the destination. Throws unless it is one; with only_columns an expression must be one column.
 */
void embed_source_read(EmbedSource *source, Relation table, const char *written, const char *destination, bool only_columns);

/* The same of an expression that a definition has. */
void embed_source_again(EmbedSource *source, Relation table, const char *expression, const char *destination);

#endif
