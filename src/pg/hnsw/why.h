/* Why an index is not used, for EXPLAIN (VERBOSE). */
#ifndef MASKGEN_PG_HNSW_WHY_H
#define MASKGEN_PG_HNSW_WHY_H

#include "pg/hnsw/paths.h"

/* Adds what there is to say about an index of a relation whose paths are made; nothing where the statement has no distance of its column. */
void hnsw_why(const HnswPlanned *planned);

#endif
