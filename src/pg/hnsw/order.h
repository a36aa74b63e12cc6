/* Which scans need not be in order, since what a LIMIT keeps of their rows is sorted: planned by order.c, obeyed by scan.c. */
#ifndef MASKGEN_PG_HNSW_ORDER_H
#define MASKGEN_PG_HNSW_ORDER_H

#include "postgres.h"
#include "catalog/pg_collation_d.h"

/*
 * A scan learns of it by the collation of the operator that it is ordered by. The types have none, so that it means nothing else,
 * and it goes wherever a plan goes: into caches and to workers.
 */
#define HNSW_SORTED_ABOVE C_COLLATION_OID

/* For _PG_init. */
void hnsw_order_install(void);

#endif
