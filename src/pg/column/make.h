/* What embed_column and reembed have in common: a table, a model, a column of vectors, a state. */
#ifndef MASKGEN_PG_COLUMN_MAKE_H
#define MASKGEN_PG_COLUMN_MAKE_H

#include "pg/column/column.h"
#include "pg/model/catalog.h"

/* Throws unless the current user owns a table; it is not locked, so who has no right to it does not hold up others either. */
void embed_check_owner(Oid relation);

/* A table that the current user owns, locked as CREATE TRIGGER does; throws unless its columns can stay embedded. */
Relation embed_open_own(Oid relation);

/* A model that makes embeddings, which the table's owner must be allowed to use. */
ModelEntry *embed_find_model(Oid target, const char *name);

/* Its content, as maskgen_models.version has it. */
char *embed_version_of(const ModelEntry *model);

/* The column of vectors: added if it is not there. The table must be open once, and is again afterwards. With SPI connected. */
Relation embed_make_destination(Relation table, const char *destination, const ModelEntry *model);

/* A new row of embed_column; returns its id. With SPI connected. */
int32 embed_new_state(Oid target, const char *destination);

#endif
