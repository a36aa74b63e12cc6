#include "hnsw/select.h"

/*
 * Candidates sorted by distance, each so many times farther than the one before at most, are of one scale. In a cluster of near
 * copies the next one is not; among vectors without such, of 384 dimensions, only the first few are so far apart.
 */
#define SCALE 4.0f

/* Whether a candidate is nearer to one of those chosen than to the node, or is a copy of the node as that one is. */
static bool
is_passed_over(const float *distances, uint32_t i, const uint32_t *chosen, uint32_t n_chosen, MgBetween between, void *user)
{
	for (uint32_t k = 0; k < n_chosen; k++)
	{
		float apart = between(user, chosen[k], i);

		if (apart < distances[i] || (apart == 0 && distances[i] == 0))
			return true;
	}
	return false;
}

/* The first candidate of the largest scale; 0 when all are of one. */
static uint32_t
find_outside(const float *distances, uint32_t n)
{
	for (uint32_t i = n; i-- > 1;)
		if (distances[i - 1] >= 0 && distances[i] > SCALE * distances[i - 1])
			return i;
	return 0;
}

/*
 * A quarter of the links at least leads out of the node's own cluster, if there are candidates: those chosen last give way.
 * They come behind the nearest.
 */
static uint32_t
keep_outside(const float *distances, uint32_t n, uint32_t most, MgBetween between, void *user, uint32_t *chosen,
			 uint32_t n_chosen)
{
	uint32_t outside[MG_MAX_M + 1], inside[2 * MG_MAX_M], n_outside = 0, n_inside = 0;
	uint32_t first = find_outside(distances, n), wanted = most < 4 ? 1 : most / 4;

	for (uint32_t i = 0; i < n_chosen && first > 0; i++)
		if (chosen[i] < first)
			inside[n_inside++] = chosen[i];
	if (n_inside == 0 || n_chosen - n_inside >= wanted)
		return n_chosen;
	for (uint32_t i = first; i < n && n_outside < wanted; i++)
		if (!is_passed_over(distances, i, outside, n_outside, between, user))
			outside[n_outside++] = i;
	if (n_inside + n_outside > most)
		n_inside = most - n_outside;
	chosen[0] = inside[0];
	for (uint32_t i = 0; i < n_outside; i++)
		chosen[1 + i] = outside[i];
	for (uint32_t i = 1; i < n_inside; i++)
		chosen[n_outside + i] = inside[i];
	return n_inside + n_outside;
}

uint32_t
mg_select(const float *distances, uint32_t n, uint32_t most, MgBetween between, void *user, uint32_t *chosen)
{
	uint32_t passed[MG_SELECT_MOST], n_passed = 0, n_chosen = 0;

	for (uint32_t i = 0; i < n && n_chosen < most; i++)
		if (is_passed_over(distances, i, chosen, n_chosen, between, user))
			passed[n_passed++] = i;
		else
			chosen[n_chosen++] = i;
	for (uint32_t i = 0; i < n_passed && n_chosen < most; i++)
		chosen[n_chosen++] = passed[i];
	return n_chosen < 2 ? n_chosen : keep_outside(distances, n, most, between, user, chosen, n_chosen);
}
