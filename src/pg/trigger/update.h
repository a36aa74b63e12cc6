/* Writing vectors to the rows of a table, many with one UPDATE: see plan.h for whose rights it has. */
#ifndef MASKGEN_PG_TRIGGER_UPDATE_H
#define MASKGEN_PG_TRIGGER_UPDATE_H

#include "postgres.h"
#include "pg/trigger/embed.h"
#include "pg/trigger/plan.h"

/* A row to be written. */
typedef struct EmbedRow
{
	Datum *keys;		/* [n_keys] */
	Datum *sources;		/* [n_sources] that the vector is of */
	bool *source_nulls; /* [n_sources] */
	Datum vector;
	bool vector_null;
} EmbedRow;

typedef struct EmbedUpdate
{
	const EmbedColumns *columns;
	Relation relation;
	Oid trigger; /* whose plan is kept from call to call; InvalidOid: none's */
	bool as_owner;
	EmbedPlan *plan; /* NULL until the first row */
} EmbedUpdate;

/* Writes rows [n] that are still there and have these sources; allocates in context, which the caller resets. */
void embed_update_run(EmbedUpdate *update, const EmbedRow *rows, int n, MemoryContext context);

#endif
