/*
 * Writing to tables on behalf of a user who has no privilege on them: as
 * their owner, for the duration of a few statements. An error in between
 * resets the user with the transaction.
 */
#ifndef MASKGEN_PG_MODEL_TABLE_OWNER_H
#define MASKGEN_PG_MODEL_TABLE_OWNER_H

#include "postgres.h"

typedef struct TableOwner
{
	Oid saved_user;
	int saved_context;
} TableOwner;

/* Of the extension's tables. */
void table_owner_become(TableOwner *owner);

/* Of another relation: for code of our own, for what its owner has made of it is not run as the owner. */
void table_owner_become_of(TableOwner *owner, Oid relation);

void table_owner_leave(const TableOwner *owner);

#endif
