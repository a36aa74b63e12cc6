/*
 * Writing to the extension's tables on behalf of a user who has no privilege
 * on them: as their owner, for the duration of a few statements. An error in
 * between resets the user with the transaction.
 */
#ifndef MASKGEN_PG_TABLE_OWNER_H
#define MASKGEN_PG_TABLE_OWNER_H

#include "postgres.h"

typedef struct TableOwner
{
	Oid saved_user;
	int saved_context;
} TableOwner;

void table_owner_become(TableOwner *owner);
void table_owner_leave(const TableOwner *owner);

#endif
