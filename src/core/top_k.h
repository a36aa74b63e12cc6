/*
 * The k largest of a stream of scores, by a min-heap in caller's memory.
 * Equal scores: the smaller id wins, so that results do not depend on order.
 */
#ifndef MG_CORE_TOP_K_H
#define MG_CORE_TOP_K_H

#include <stddef.h>
#include <stdint.h>

typedef struct MgScored
{
	float score;
	int32_t id;
} MgScored;

typedef struct MgTopK
{
	MgScored *items; /* [k], caller's */
	size_t k;
	size_t n; /* filled so far */
} MgTopK;

/* Offers one score; NaN never enters. */
void mg_top_k_offer(MgTopK *top, float score, int32_t id);

/* Orders items [0, n) best first; no offers after that. */
void mg_top_k_sort(MgTopK *top);

#endif
