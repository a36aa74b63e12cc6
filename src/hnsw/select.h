/*
 * Choosing neighbours: the heuristic of HNSW (arXiv 1603.09320, algorithm 4).
 * In the order of distance, a candidate is chosen if it is nearer to the node
 * than to each one chosen before: so links lead in different directions. Those
 * passed over fill what is left, nearest first (keepPrunedConnections). Of copies of the node, which are as far from each other as from it, one is
 * chosen, so that they do not take all links. And where the candidates are of several scales, as in a cluster of near copies, a quarter of the
 * links is of the largest: a search that comes down in another cluster has to find out of it.
 */
#ifndef MG_HNSW_SELECT_H
#define MG_HNSW_SELECT_H

#include "hnsw/layout.h"

/* More candidates are never looked at: the farther ones of a larger ef_construction. */
#define MG_SELECT_MOST 1024

/* Distance between the candidates i and j. */
typedef float (*MgBetween)(void *user, uint32_t i, uint32_t j);

/*
 * distances [n], from the node, ascending. chosen [most] gets places, the nearest first, those that others would
 * replace last; the number of them. n at most MG_SELECT_MOST.
 */
uint32_t mg_select(const float *distances, uint32_t n, uint32_t most, MgBetween between, void *user, uint32_t *chosen);

#endif
