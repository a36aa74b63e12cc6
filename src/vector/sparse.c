/*
 * Distances of sparse rows: two ascending lists are merged, in double. A
 * product looks only at what both have, the others at each.
 */
#include "vector/sparse.h"

#include <math.h>

#include "vector/kernels.h"

double
mg_sparse_inner_product(const void *a, const void *b, size_t n)
{
	const MgSparse *x = a, *y = b;
	const float *x_values = mg_sparse_values(x), *y_values = mg_sparse_values(y);
	double sum = 0;

	(void) n;
	for (int32_t i = 0, j = 0; i < x->nnz && j < y->nnz;)
	{
		int32_t at = x->indices[i], other = y->indices[j];

		if (at == other)
			sum += (double) x_values[i] * y_values[j];
		/* Both steps without a jump: which list is behind cannot be predicted. */
		i += at <= other;
		j += other <= at;
	}
	return -sum;
}

/* The next difference of a merge; false at the end. */
static inline bool
next_difference(const MgSparse *x, const MgSparse *y, int32_t *i, int32_t *j, double *difference)
{
	const float *x_values = mg_sparse_values(x), *y_values = mg_sparse_values(y);
	int32_t at = *i < x->nnz ? x->indices[*i] : INT32_MAX, other = *j < y->nnz ? y->indices[*j] : INT32_MAX;

	if (*i >= x->nnz && *j >= y->nnz)
		return false;
	*difference = (at <= other ? (double) x_values[*i] : 0) - (other <= at ? (double) y_values[*j] : 0);
	*i += at <= other;
	*j += other <= at;
	return true;
}

double
mg_sparse_l2(const void *a, const void *b, size_t n)
{
	double sum = 0, difference;

	(void) n;
	for (int32_t i = 0, j = 0; next_difference(a, b, &i, &j, &difference);)
		sum += difference * difference;
	return sum;
}

double
mg_sparse_l1(const void *a, const void *b, size_t n)
{
	double sum = 0, difference;

	(void) n;
	for (int32_t i = 0, j = 0; next_difference(a, b, &i, &j, &difference);)
		sum += fabs(difference);
	return sum;
}

static double
sum_of_squares(const MgSparse *sparse)
{
	const float *values = mg_sparse_values(sparse);
	double sum = 0;

	for (int32_t i = 0; i < sparse->nnz; i++)
		sum += (double) values[i] * values[i];
	return sum;
}

double
mg_sparse_cosine(const void *a, const void *b, size_t n)
{
	return mg_cosine_of(-mg_sparse_inner_product(a, b, n), sum_of_squares(a), sum_of_squares(b));
}
