/*
 * Conditions of a scan that its index can test, on included columns (cover.h), before the table is touched.
 *
 * What an item says may be of a row that the scan must not see: dead, not committed, or hidden by a policy. So only
 * conditions are tested whose functions the server trusts not to tell of their arguments, by an error or otherwise (LEAKPROOF, as those of
 * comparing numbers, texts, times and UUIDs are); these it may itself put before a policy. All conditions are tested again on the rows themselves.
 */
#ifndef MASKGEN_PG_HNSW_COVERED_H
#define MASKGEN_PG_HNSW_COVERED_H

#include "postgres.h"
#include "pg/hnsw/cover.h"
#include "pg/hnsw/filter.h"

typedef struct HnswCovered HnswCovered;

/* In the current memory context; NULL if there is no such condition. cover: NULL or of the index of the node's scan. */
HnswCovered *hnsw_covered_of(const HnswNode *node, HnswCover *cover, Relation heap);

void hnsw_covered_end(HnswCovered *covered);

/* A search begins: what columns are compared with is computed. */
void hnsw_covered_begin(HnswCovered *covered);

/* Whether an item passes; true for covered of NULL. What does not is counted for EXPLAIN, as the executor would. */
bool hnsw_covered_passes(HnswCovered *covered, const uint8 *item);

/*
 * What the first included column has to be equal to: the hashes of that (hnsw_cover_hash; HNSW_NULL_KEY of NULL), ascending, none twice.
 * False when there is no such condition. Until the next search begins.
 */
bool hnsw_covered_keys(const HnswCovered *covered, const uint64 **keys, int *n);

#endif
