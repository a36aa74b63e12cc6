/* Opening an index that SQL names. */
#ifndef MASKGEN_PG_HNSW_OPEN_H
#define MASKGEN_PG_HNSW_OPEN_H

#include "postgres.h"
#include "storage/lockdefs.h"
#include "utils/rel.h"

/* The index and its table, locked, table first. Throws unless it is a valid index of ours. */
void hnsw_open(Oid oid, LOCKMODE mode, Relation *heap, Relation *index);

/* Locks are kept until the end of the transaction. */
void hnsw_close(Relation heap, Relation index);

#endif
