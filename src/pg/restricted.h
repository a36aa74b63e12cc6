/*
 * Running what the owner of a table has made of it, functions in expressions of its indexes first of all, on
 * behalf of somebody else, as the server's own maintenance does: as the owner; in a
 * security-restricted operation, out of which no code gets by changing the role or leaving something behind; with a
 * search_path that holds nobody's objects; and with settings that are what they were afterwards.
 */
#ifndef MASKGEN_PG_RESTRICTED_H
#define MASKGEN_PG_RESTRICTED_H

#include "postgres.h"
#include "utils/rel.h"

typedef struct Restricted
{
	Oid user;
	int context, nest_level;
} Restricted;

/* After the table is opened, before anything that knows its indexes. An error in between ends it as well. */
void restricted_enter(Restricted *restricted, Relation table);
void restricted_leave(const Restricted *restricted);

#endif
