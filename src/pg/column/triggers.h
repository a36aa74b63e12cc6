/* The triggers of an embedded column: its definition is in their arguments, and they queue rows. With SPI connected. */
#ifndef MASKGEN_PG_COLUMN_TRIGGERS_H
#define MASKGEN_PG_COLUMN_TRIGGERS_H

#include "pg/column/column.h"
#include "pg/column/source.h"

/* A table's name as SQL has it, with its schema. */
char *embed_name_of_table(Relation table);

/* Runs a statement of SQL as the current user. */
void embed_execute(const char *statement);

/* Makes the triggers of a column by its definition. Of the mode "sync" source->names must be there. */
void embed_triggers_make(Relation table, const EmbedColumn *column, const EmbedSource *source);

/* Drops those of that destination, if there are any; embed_statement_trigger's as well if the column is of mode "sync". */
void embed_triggers_drop(Relation table, const char *destination, bool is_sync);

#endif
