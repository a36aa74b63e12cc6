#include "tensor/weigh.h"

#include <math.h>

/* Whether scores are more than scaled before the softmax, which cannot mask where the scale is zero. */
static bool
is_adjusted(const MgWeighing *w)
{
	return w->soft_cap > 0 || w->bias != NULL || w->scale == 0;
}

/* Scores before the softmax, where they are not just products times scale. */
static void
adjust(const MgWeighing *w, const MgScores *range)
{
	w->kernels->scale(range->scores, range->n, w->soft_cap > 0 ? w->scale / w->soft_cap : w->scale);
	if (w->soft_cap > 0)
	{
		w->kernels->epilogue(range->scores, range->n, 1, range->n, NULL, MG_ACT_TANH);
		w->kernels->scale(range->scores, range->n, w->soft_cap);
	}
	if (w->bias != NULL)
		w->bias(w->bias_user, range);
}

float
mg_weigh(const MgWeighing *w, const MgScores *range, size_t before, size_t after)
{
	float *scores = range->scores - before, scale = w->scale, sum;

	if (range->n == 0)
	{
		memset(scores, 0, (before + after) * sizeof *scores);
		return 1.0f;
	}
	if (is_adjusted(w))
	{
		adjust(w, range);
		scale = 1.0f;
	}
	for (size_t j = 0; j < before; j++)
		scores[j] = scale > 0 ? -INFINITY : INFINITY;
	sum = w->kernels->softmax(scores, before + range->n, scale);
	memset(scores + before + range->n, 0, after * sizeof *scores);
	return sum;
}
