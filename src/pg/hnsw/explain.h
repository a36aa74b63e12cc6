/*
 * EXPLAIN (VERBOSE) says why an index of ours is not used, where the statement has a distance of the index's column:
 *
 *   Index Not Used: t_v: ORDER BY asks for the farthest first, and the index has the nearest
 *
 * Reasons are found while a statement is planned (why.c), and told after its plan.
 */
#ifndef MASKGEN_PG_HNSW_EXPLAIN_H
#define MASKGEN_PG_HNSW_EXPLAIN_H

#include "postgres.h"

/* Whether the statement that is being planned is explained, and its reasons are wanted. */
bool hnsw_explain_is_wanted(void);

/* A reason. NULL: the index could be used; if the plan does not, that is a matter of costs. */
void hnsw_explain_add(Oid index, const char *reason);

/* For _PG_init. */
void hnsw_explain_install(void);

#endif
