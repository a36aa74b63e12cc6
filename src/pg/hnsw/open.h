/* Opening an index that SQL names. */
#ifndef MASKGEN_PG_HNSW_OPEN_H
#define MASKGEN_PG_HNSW_OPEN_H

#include "postgres.h"
#include "pg/restricted.h"
#include "storage/lockdefs.h"
#include "utils/rel.h"

typedef struct HnswOpened
{
	Relation heap, index;
	Restricted restricted;
} HnswOpened;

/*
 * The index and its table, locked, table first. Throws unless it is a valid index of ours. Until it is closed
 * all code runs as the table's owner: expressions of indexes are the owner's.
 */
void hnsw_open(Oid oid, LOCKMODE mode, HnswOpened *opened);

/* Locks are kept until the end of the transaction. */
void hnsw_close(const HnswOpened *opened);

#endif
