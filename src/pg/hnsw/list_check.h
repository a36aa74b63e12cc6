/* Looking at the lists of an index: for check.c. */
#ifndef MASKGEN_PG_HNSW_LIST_CHECK_H
#define MASKGEN_PG_HNSW_LIST_CHECK_H

#include "pg/hnsw/list.h"

typedef struct HnswListWatch
{
	void *user;
	void (*complain)(void *user, BlockNumber block, const char *text);
	void (*row)(void *user, const uint8 *item); /* of each row in a list */
} HnswListWatch;

/* Goes through all chains; the number of pages that they have. */
uint64 hnsw_lists_check(const HnswStore *store, const HnswListWatch *watch);

#endif
