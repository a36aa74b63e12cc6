/*
 * Columns that stay embedded: what one is, and what is remembered of its work.
 *
 * The definition is in the arguments of two row triggers of the table, so it is dumped, restored and dropped with the
 * table, and nobody but its owner can have written it (trigger/consent.h). The table embed_column has an id for each and how far
 * the work on it is. README.md has the whole.
 */
#ifndef MASKGEN_PG_COLUMN_COLUMN_H
#define MASKGEN_PG_COLUMN_COLUMN_H

#include "postgres.h"
#include "utils/rel.h"
#include "utils/reltrigger.h"

typedef enum EmbedMode
{
	EMBED_SYNC,	 /* in the statement that writes, by embed_statement_trigger; has no queue */
	EMBED_QUEUE, /* soon after it, by a background worker */
	EMBED_MANUAL /* when somebody calls embed_pending */
} EmbedMode;

/* Arguments of the triggers, in this order. */
enum
{
	EMBED_ARG_ID,
	EMBED_ARG_DESTINATION,
	EMBED_ARG_SOURCE,
	EMBED_ARG_MODEL,
	EMBED_ARG_VERSION,
	EMBED_ARG_MODE,
	EMBED_N_ARGS
};

typedef struct EmbedColumn
{
	int32 id;
	Oid target;
	char *destination; /* column of vectors */
	char *source;	   /* expression of the text, over columns of the table */
	char *model, *version; /* its name, and its content as maskgen_models.version has it */
	EmbedMode mode;
} EmbedColumn;

/* The mode of that name, or an error; and its name. */
EmbedMode embed_mode_named(const char *name);
const char *embed_mode_name(EmbedMode mode);

/* Reads a definition from a trigger of ours; false if it is none, or its owner has not consented. */
bool embed_column_of_trigger(EmbedColumn *column, Oid target, const Trigger *trigger);

/* The definition of that id on an open table; false if it has none. A partition has those of its root. */
bool embed_column_of_table(EmbedColumn *column, Relation target, int32 id);

/* The one whose vectors are in that column of an open table; false if it has none. */
bool embed_column_named(EmbedColumn *column, Relation target, const char *destination);

/* The id and target that the state has, of a column that a user names; throws if there is none. */
void embed_column_look_up(Oid target, const char *destination, EmbedColumn *column);

#endif
