/*
 * What belongs to the extension maskgen: its tables, found by membership and
 * never by the name of a schema, which anybody may give to a schema of theirs
 * and which ALTER SCHEMA can change.
 */
#ifndef MASKGEN_PG_EXTENSION_H
#define MASKGEN_PG_EXTENSION_H

#include "postgres.h"
#include "utils/relcache.h"

/* The extension's relation of that name; InvalidOid, or an error, when it is not installed. */
Oid extension_relation(const char *name, bool missing_ok);

/* The extension's relation, opened with AccessShareLock; throws when the extension is not installed. */
Relation extension_table_open(const char *name);

/* The extension's type and function of that name, which no other member shares; throws when there is none. */
Oid extension_type(const char *name);
Oid extension_function(const char *name);

/* Its name as SQL has it, with the schema and quotes. */
char *extension_relation_name(const char *name);
char *extension_function_name(const char *name);

#endif
