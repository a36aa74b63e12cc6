/*
 * Waiting for a model that a dump has and this database not yet.
 *
 * pg_restore --jobs loads tables side by side, the largest first. A table that needs a model while it is loaded may
 * come before the models; its session waits, as long as another session is writing that does not wait itself.
 */
#ifndef MASKGEN_PG_MODEL_RESTORE_H
#define MASKGEN_PG_MODEL_RESTORE_H

#include "postgres.h"

/* One look-up's wait; zeros to begin with. */
typedef struct RestoreWait
{
	int polls;
	int quiet;	   /* polls without anybody to hope for */
	int disturbed; /* polls in a row that said otherwise */
	int n_waiting; /* other sessions that wait */
} RestoreWait;

/* Whether this session runs what pg_dump wrote, by the settings with which that begins. */
bool restore_is_running(void);

/* Sleeps for a moment and is true if the model should be looked for once more; false at once in a session that does not restore. */
bool restore_wait(RestoreWait *wait, const char *name);

#endif
