/*
 * Rows in the order of their exact distances, while only estimates are known
 * of those that are still to come.
 *
 * A row may be returned when its exact distance is below what the next
 * estimate can stand for: that estimate, plus the mean of the errors seen so far in this
 * scan, minus MARGIN of their standard deviations. So a LIMIT of 10 fetches 10
 * rows and those within the margin behind them, not all that the search found.
 */
#ifndef MASKGEN_PG_HNSW_RANKING_H
#define MASKGEN_PG_HNSW_RANKING_H

#include "postgres.h"
#include "storage/itemptr.h"

typedef struct HnswRow
{
	double distance; /* exact */
	ItemPointerData tid;
} HnswRow;

typedef struct HnswRanking
{
	HnswRow *rows; /* heap, nearest first */
	int n, room;
	MemoryContext memory;
	double n_errors, mean, squares; /* of exact - estimated: number, mean, sum of squared deviations */
} HnswRanking;

void hnsw_ranking_init(HnswRanking *ranking, MemoryContext memory);
void hnsw_ranking_clear(HnswRanking *ranking);

void hnsw_ranking_add(HnswRanking *ranking, double distance, const ItemPointerData *tid);
HnswRow hnsw_ranking_take(HnswRanking *ranking); /* the nearest; there must be one */

void hnsw_ranking_learn(HnswRanking *ranking, double estimate, double exact);

/* The least that a row of this estimate is expected to have; -INFINITY as long as too little was learnt. */
double hnsw_ranking_least(const HnswRanking *ranking, double estimate);

#endif
