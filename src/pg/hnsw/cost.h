/* amcostestimate */
#ifndef MASKGEN_PG_HNSW_COST_H
#define MASKGEN_PG_HNSW_COST_H

#include "postgres.h"
#include "nodes/pathnodes.h"

void hnsw_cost(PlannerInfo *root, IndexPath *path, double loop_count, Cost *startup, Cost *total,
			   Selectivity *selectivity, double *correlation, double *pages);

#endif
