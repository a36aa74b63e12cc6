/*
 * The workers that empty queues: which there are, in shared memory, and how one is woken or started.
 *
 * A worker belongs to one database. It is started by the first commit that queued something, takes what is there, and ends
 * after some seconds without work; so an idle server has none, and DROP DATABASE does not wait for one longer than it waits anyway.
 */
#ifndef MASKGEN_PG_COLUMN_POOL_H
#define MASKGEN_PG_COLUMN_POOL_H

#include "postgres.h"
#include "datatype/timestamp.h"

#define EMBED_POOL_SLOTS 32

Size embed_pool_size(void);

/* For _PG_init, when all settings are defined: the launcher, if the library is being preloaded; else a worker that looks for a queue, once. */
void embed_pool_install(void);

/* Wakes the workers of this database, or starts one. Never throws. */
void embed_pool_wake(void);

/* One more worker for a database, if its number allows; for a worker that has more than it can do. */
void embed_pool_start(Oid database);

/* For a worker: takes its slot; false if it is not wanted any more. Gives the slot back when the process ends. */
bool embed_pool_enter(int slot);

/* When shared memory was made: after a start or a crash of any process it is another time. */
TimestampTz embed_pool_made(void);

/* Whether a database may have a queue: it has columns, or nobody has looked since the server started. */
bool embed_pool_is_wanted(Oid database);

/* For a worker: what it has found in its database. */
void embed_pool_tell(bool has_columns);

#endif
