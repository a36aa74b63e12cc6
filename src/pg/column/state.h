/*
 * The extension's table embed_column: which columns stay embedded, and how far the work on each is. Statements here run as
 * its owner, through SPI, which the caller has connected.
 */
#ifndef MASKGEN_PG_COLUMN_STATE_H
#define MASKGEN_PG_COLUMN_STATE_H

#include "postgres.h"
#include "datatype/timestamp.h"

/* Parameters of a statement. */
typedef struct EmbedParameters
{
	int n;
	Oid types[8];
	Datum values[8];
} EmbedParameters;

/*
 * Runs a statement as the owner of the extension's tables, whose names it gives after "+maskgen" as @name; a snapshot is
 * held meanwhile, and not afterwards. Results are in SPI_tuptable; returns how many rows.
 */
uint64 embed_state_run(const char *statement, const EmbedParameters *parameters, long limit);

/* The same for whoever is the current user. */
uint64 embed_run(const char *statement, const EmbedParameters *parameters, long limit);

/* A column of a row of the last result; is_null may be NULL where there are none. */
Datum embed_result(uint64 row, int column, bool *is_null);

/* The table of a column; InvalidOid if there is no such column. Without SPI. */
Oid embed_state_target(int32 id);

/* The columns that have been made, those that have waited longest first, into context. */
typedef struct EmbedWork
{
	int32 id;
	Oid target;
} EmbedWork;
int embed_state_list(EmbedWork **list, bool with_paused, MemoryContext context);

/* The work on a column has failed as a whole: when it is tried again, and why. */
void embed_state_set_error(int32 id, const char *message);

/* Removes all that is known of a column. */
void embed_state_forget(int32 id);

/* Milliseconds until an entry or a column is to be tried again that waits for its time; -1: nothing waits. */
long embed_state_next_time(void);

#endif
