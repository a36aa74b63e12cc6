/*
 * Resident copies at the end of a transaction: those of models that it
 * created are removed when it rolls back, those of models that it dropped when
 * it commits, those that no other database has shown when the extension or the
 * database is dropped (by a session that has the library). Another model of the
 * same content is just loaded again.
 */
#ifndef MASKGEN_PG_MODEL_FORGET_H
#define MASKGEN_PG_MODEL_FORGET_H

#include "postgres.h"

/* Does all that may fail; before either of the others. */
void forget_prepare(void);

void forget_on_abort(const uint8 *digest);
void forget_on_commit(const uint8 *digest);

/* For _PG_init: hears of DROP EXTENSION and DROP DATABASE. */
void forget_install(void);

#endif
