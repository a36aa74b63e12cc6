/* amcostestimate */
#ifndef MASKGEN_PG_HNSW_COST_H
#define MASKGEN_PG_HNSW_COST_H

#include "postgres.h"
#include "nodes/pathnodes.h"

void hnsw_cost(PlannerInfo *root, IndexPath *path, double loop_count, Cost *startup, Cost *total,
			   Selectivity *selectivity, double *correlation, double *pages);

/* Whether a scan goes on until it has given all that its radius, or its order, promises. */
bool hnsw_cost_is_complete(const IndexPath *path);

#endif
