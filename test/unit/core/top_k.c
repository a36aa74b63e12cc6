/* The k largest, against sorting all. */
#include "core/top_k.h"

#include <stdlib.h>

#include "unit/tap.h"

static int
better_first(const void *a, const void *b)
{
	const MgScored *left = a, *right = b;

	if (left->score != right->score)
		return left->score > right->score ? -1 : 1;
	return left->id - right->id;
}

static uint32_t
next(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

int
main(void)
{
	static MgScored all[500], kept[500];
	uint32_t state = 7;
	bool same = true;

	for (int round = 0; round < 300; round++)
	{
		size_t n = next(&state) % 500, k = next(&state) % 40;
		MgTopK top = {kept, k, 0};

		for (size_t i = 0; i < n; i++)
		{
			/* Few values, so that there are many ties. */
			all[i] = (MgScored){(float) (next(&state) % 30) - 15, (int32_t) i};
			mg_top_k_offer(&top, all[i].score, all[i].id);
			mg_top_k_offer(&top, NAN, 1000);
		}
		qsort(all, n, sizeof *all, better_first);
		mg_top_k_sort(&top);
		same = same && top.n == (n < k ? n : k);
		for (size_t i = 0; i < top.n; i++)
			same = same && kept[i].id == all[i].id && kept[i].score == all[i].score;
	}
	ok(same, "300 random streams with ties give what sorting gives");
	return done();
}
