/*
 * The least distance that a row may have, by what its entry in the index says.
 *
 * Codes are some per cent off, so what decides whether a row must be looked at is not their distance but what the distance
 * may be at least. With u the vector, u^ its code, e = u - u^ and q the query:
 *
 *   the code's scale is the one of least error, so e is orthogonal to u^, and |u|^2 = |u^|^2 + |e|^2. Under cosine |u| = 1, so
 *   |e| is known; else |e|^2 is a share of |u^|^2 that its 16 levels cannot exceed but for rotations that are not met: 0.0115
 *   for normal coordinates, more for few.
 *
 *   e comes from rounding in rotated space and knows nothing of a direction that is not u's own: its product with such a
 *   vector w has a deviation of |w| |e| / sqrt(padded). DEVIATIONS of these are one row in 10^11, and it never exceeds |w| |e|.
 *
 *   l2      |q - u^|^2 = D + 2 <q - u, e> + |e|^2 with D = |q - u|^2, and <q - u, e> <= k |e| sqrt(D), k = DEVIATIONS / sqrt(padded):
 *           sqrt(D) >= sqrt(|q - u^|^2 - |e|^2 (1 - k^2)) - k |e|
 *   ip      -<q, u> >= -<q, u^> - |q| |e| (k + |e| / |u^|)
 *
 * The query's own rounding to bytes comes on top. Plain entries are exact, rounded by no more than half a step a dimension, or
 * trimmed, which says nothing.
 */
#ifndef MASKGEN_PG_HNSW_LEAST_H
#define MASKGEN_PG_HNSW_LEAST_H

#include "pg/hnsw/store.h"

typedef struct HnswLeast
{
	const HnswStore *store;
	const MgQuery *query;
	double length; /* of the query */
	double share;  /* k */
	double error;  /* |e|^2 / |u^|^2 */
} HnswLeast;

/* store and query must outlive it. */
void hnsw_least_init(HnswLeast *least, const HnswStore *store, const MgQuery *query);

/* In the operator's measure, of a valid entry of level 0; -INFINITY where it says nothing. */
double hnsw_least_of(const HnswLeast *least, const uint8 *entry);

/* The same of a value as an entry has it. */
double hnsw_least_of_value(const HnswLeast *least, const uint8 *value, uint32 size);

#endif
