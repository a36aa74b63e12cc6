/* What is asked before embedding triggers are made: what would fail at each statement afterwards is refused at once. */
#ifndef MASKGEN_PG_TRIGGER_CHECK_H
#define MASKGEN_PG_TRIGGER_CHECK_H

#include "pg/model/catalog.h"
#include "pg/trigger/embed.h"

/* Throws unless create_embed_trigger can be given so many columns. */
void embed_check_count(int n_columns);

/* Throws unless a relation is of a kind that has such triggers. It is not open, and may be gone. */
void embed_check_kind(Oid relation);

/* Throws unless the target column can hold what the model makes. */
void embed_check_target(Relation relation, const EmbedColumns *columns, const ModelEntry *model);

/* A NOTICE if there are rows with a text and without a vector. Some of a large table are looked at. */
void embed_tell_of_rows(Relation relation, const EmbedColumns *columns);

#endif
