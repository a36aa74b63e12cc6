#include "hnsw/select.h"

uint32_t
mg_select(const float *distances, uint32_t n, uint32_t most, MgBetween between, void *user, uint32_t *chosen)
{
	uint32_t passed[MG_SELECT_MOST], n_passed = 0, n_chosen = 0;

	for (uint32_t i = 0; i < n && n_chosen < most; i++)
	{
		bool good = true;

		for (uint32_t k = 0; k < n_chosen && good; k++)
		{
			float apart = between(user, chosen[k], i);

			good = !(apart < distances[i] || (apart == 0 && distances[i] == 0));
		}
		if (good)
			chosen[n_chosen++] = i;
		else
			passed[n_passed++] = i;
	}
	for (uint32_t i = 0; i < n_passed && n_chosen < most; i++)
		chosen[n_chosen++] = passed[i];
	return n_chosen;
}
