/*
 * Pieces of PostgreSQL's shared memory: the registry of models (resident/registry.h),
 * the statistics (model/stats.h), the priors of label sets (task/priors.h), what
 * workers tell of texts that were cut and rows that failed (task/cut.h), what runs now (model/progress.h) and what says
 * where caches of results and prompts are (task/cache_segment.h).
 *
 * A piece is made by the first backend that asks for it, under
 * AddinShmemInitLock, out of the slack that every server keeps (100 kB and
 * more); together they take less than 88 kB. shared_preload_libraries is
 * therefore optional: with it the room is reserved instead of borrowed.
 * After a crash of any backend the server starts shared memory anew, and the
 * pieces with it.
 */
#ifndef MASKGEN_PG_SHARED_H
#define MASKGEN_PG_SHARED_H

#include "postgres.h"
#include "storage/lwlock.h"

/* The first member of each piece. */
typedef struct SharedHead
{
	LWLock lock;
	int tranche;
} SharedHead;

/*
 * The piece of that name, which doubles as the name of its lock in
 * pg_stat_activity. The backend that makes it gets zeros, a ready lock, and a
 * call of init, which must not throw. Throws when shared memory has no room.
 */
void *shared_piece(const char *name, Size size, void (*init)(void *piece));

/* For _PG_init: reserves room for all pieces together when the library is being preloaded, else does nothing. */
void shared_reserve(Size size);

#endif
