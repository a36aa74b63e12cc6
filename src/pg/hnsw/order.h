/*
 * What a plan tells its scans: planned by order.c and paths.c, obeyed by scan.c.
 *
 * A scan learns of it by the collation of a key's operator. The types have none, so that it means nothing else, and it goes wherever a
 * plan goes: into caches and to workers.
 */
#ifndef MASKGEN_PG_HNSW_ORDER_H
#define MASKGEN_PG_HNSW_ORDER_H

#include "postgres.h"

/* Of an order: it need not be kept, since what a LIMIT keeps of the rows is sorted. */
#define HNSW_SORTED_ABOVE 1
/* Of a radius: it is exact whatever maskgen.exact_radius says, since it stands for a comparison, and a plain WHERE promises all rows. */
#define HNSW_EXACT 2
/* Of either: the plan is right only as long as the index has left out no row without a value, or none with a distance of NaN (meta.h). */
#define HNSW_NEEDS_NULLS 4
#define HNSW_NEEDS_NUMBERS 8

/* For _PG_init. */
void hnsw_order_install(void);

#endif
