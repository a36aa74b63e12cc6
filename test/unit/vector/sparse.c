/* Distances of sparse rows against the same rows written out. */
#include "vector/sparse.h"

#include <stdlib.h>

#include "unit/tap.h"
#include "vector/distance.h"

enum { DIM = 40 };

static uint32_t random_state = 1;

static uint32_t
random_bits(void)
{
	random_state = random_state * 1664525 + 1013904223;
	return random_state >> 8;
}

/* One in `every` dimensions is not zero; all are written to dense. */
static MgSparse *
sparse_new(uint32_t every, double *dense)
{
	MgSparse *sparse;
	float values[DIM];
	int32_t indices[DIM], nnz = 0;

	for (int i = 0; i < DIM; i++)
	{
		dense[i] = 0;
		if (random_bits() % every != 0)
			continue;
		values[nnz] = (float) (random_bits() % 19) - 9.5f;
		dense[i] = values[nnz];
		indices[nnz++] = i;
	}
	sparse = malloc(mg_sparse_size((size_t) nnz));
	if (sparse == NULL)
		exit(1);
	*sparse = (MgSparse){DIM, nnz, 0};
	memcpy(sparse->indices, indices, (size_t) nnz * sizeof *indices);
	memcpy(sparse->indices + nnz, values, (size_t) nnz * sizeof *values);
	return sparse;
}

static double
plain(MgMetric metric, const double *a, const double *b)
{
	double ab = 0, aa = 0, bb = 0, square = 0, absolute = 0;

	for (int i = 0; i < DIM; i++)
	{
		ab += a[i] * b[i];
		aa += a[i] * a[i];
		bb += b[i] * b[i];
		square += (a[i] - b[i]) * (a[i] - b[i]);
		absolute += fabs(a[i] - b[i]);
	}
	return metric == MG_METRIC_L2 ? square : metric == MG_METRIC_L1 ? absolute
		: metric == MG_METRIC_INNER_PRODUCT						? -ab
																	: 1 - ab / sqrt(aa * bb);
}

static void
check(MgMetric metric, const char *name)
{
	MgDistance distance;
	size_t wrong = 0;

	if (!ok(mg_distance_find(MG_ELEMENT_SPARSE, metric, mg_cpu_level(), &distance), "there is %s", name))
		return;
	for (int round = 0; round < 4000; round++)
	{
		double dense_a[DIM], dense_b[DIM], got, want;
		MgSparse *a = sparse_new(1 + (uint32_t) round % 13, dense_a), *b = sparse_new(1 + (uint32_t) round % 7, dense_b);

		got = distance.pair(a, b, DIM);
		want = plain(metric, dense_a, dense_b);
		/* Sums of multiples of a quarter are exact; the cosine divides. */
		wrong += !(metric == MG_METRIC_COSINE ? fabs(got - want) < 1e-12 || (isnan(got) && isnan(want)) : got == want) ||
			(distance.pair(b, a, DIM) != got && !isnan(got));
		free(a);
		free(b);
	}
	is_int(wrong, 0, "%s of 4000 pairs", name);
}

int
main(void)
{
	check(MG_METRIC_L2, "l2");
	check(MG_METRIC_INNER_PRODUCT, "inner product");
	check(MG_METRIC_COSINE, "cosine");
	check(MG_METRIC_L1, "l1");
	is_int(mg_sparse_size(3), 12 + 24, "the size of a row");
	is_int(mg_row_size(MG_ELEMENT_SPARSE, 1000), 12, "and of its fixed part");
	return done();
}
