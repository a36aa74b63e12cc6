/* Between attention.c and cached.c: scores to weights, one query in one head. */
#ifndef MG_TENSOR_WEIGH_H
#define MG_TENSOR_WEIGH_H

#include "tensor/attention.h"
#include "tensor/kernels.h"

typedef struct MgWeighing
{
	const MgKernels *kernels;
	float scale, soft_cap; /* as in MgAttention, and so is bias */
	void (*bias)(const void *user, const MgScores *scores);
	const void *bias_user;
} MgWeighing;

/*
 * The products of a range, some number of floats before them and some after: those of the range become weights, not yet divided by their
 * sum, which is returned, and the others zeros. The first of all is that of the first key of a panel.
 */
float mg_weigh(const MgWeighing *weighing, const MgScores *range, size_t before, size_t after);

#endif
