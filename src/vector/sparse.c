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

ALWAYS_INLINE double
term_of(MgTerm term, double difference)
{
	return term == MG_TERM_SQUARE ? difference * difference : fabs(difference);
}

ALWAYS_INLINE double
sum_of_differences(MgTerm term, const MgSparse *x, const MgSparse *y)
{
	const float *x_values = mg_sparse_values(x), *y_values = mg_sparse_values(y);
	int32_t i = 0, j = 0;
	double sum = 0;

	while (i < x->nnz && j < y->nnz)
	{
		int32_t at = x->indices[i], other = y->indices[j];
		double of_x = x_values[i], of_y = y_values[j];

		sum += term_of(term, (at <= other ? of_x : 0) - (other <= at ? of_y : 0));
		i += at <= other;
		j += other <= at;
	}
	for (; i < x->nnz; i++)
		sum += term_of(term, x_values[i]);
	for (; j < y->nnz; j++)
		sum += term_of(term, y_values[j]);
	return sum;
}

double
mg_sparse_l2(const void *a, const void *b, size_t n)
{
	(void) n;
	return sum_of_differences(MG_TERM_SQUARE, a, b);
}

double
mg_sparse_l1(const void *a, const void *b, size_t n)
{
	(void) n;
	return sum_of_differences(MG_TERM_ABSOLUTE, a, b);
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
