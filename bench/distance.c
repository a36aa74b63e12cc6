/*
 * How fast distances are: build/bench/distance [DIMENSIONS ...] (default: 384 1536)
 *
 * Nanoseconds of one pair for each kind of element, metric and level of this
 * CPU, the best of several rounds, in CPU time, of one query against rows
 * that fit the second-level cache; "plain" is the loop that one would write,
 * in float32, as the compiler makes it at -O2. "many" is mg_distance_many()
 * at the highest level over rows in random order that fit no cache.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vector/distance.h"
#include "core/half.h"

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

static volatile double sink;

static double
plain_f32(MgMetric metric, const float *a, const float *b, size_t n)
{
	float sum = 0, aa = 0, bb = 0;

	for (size_t i = 0; i < n; i++)
		if (metric == MG_METRIC_L2)
			sum += (a[i] - b[i]) * (a[i] - b[i]);
		else if (metric == MG_METRIC_L1)
			sum += a[i] > b[i] ? a[i] - b[i] : b[i] - a[i];
		else
		{
			sum += a[i] * b[i];
			aa += a[i] * a[i];
			bb += b[i] * b[i];
		}
	return sum + aa + bb;
}

/* Rows of n random elements, stride bytes apart. */
static char *
rows_new(MgElement element, size_t n_rows, size_t stride)
{
	char *rows = aligned_alloc(64, n_rows * stride);

	if (rows == NULL)
	{
		fprintf(stderr, "out of memory\n");
		exit(1);
	}
	for (size_t i = 0; i < n_rows * stride; i++)
		rows[i] = (char) rand();
	for (size_t i = 0; element == MG_ELEMENT_F32 && i < n_rows * stride / 4; i++)
		((float *) rows)[i] = (float) rand() / (float) RAND_MAX - 0.5f;
	for (size_t i = 0; element == MG_ELEMENT_F16 && i < n_rows * stride / 2; i++)
		((uint16_t *) rows)[i] = mg_half_of_float((float) rand() / (float) RAND_MAX - 0.5f);
	return rows;
}

static size_t
stride_of(MgElement element, size_t n)
{
	return (mg_row_size(element, n) + 63) / 64 * 64;
}

/* Nanoseconds of one pair: by the kernel, or without one by the plain loop. */
static double
cached(const MgDistance *distance, MgMetric metric, const char *rows, size_t n_rows, size_t stride, size_t n)
{
	double best = 1e9;

	for (int round = 0; round < 15; round++)
	{
		int times = (int) (4000000 / (n * n_rows)) + 1;
		double start = now(), sum = 0;

		for (int t = 0; t < times; t++)
			for (size_t i = 1; i < n_rows; i++)
				sum += distance != NULL ? distance->pair(rows, rows + i * stride, n)
										: plain_f32(metric, (const float *) rows, (const float *) (rows + i * stride), n);
		sink = sum;
		start = (now() - start) / times / (double) (n_rows - 1);
		best = start < best ? start : best;
	}
	return best * 1e9;
}

static double
scattered(const MgDistance *distance, size_t n)
{
	size_t stride = stride_of(distance->element, n), n_rows = ((size_t) 256 << 20) / stride;
	char *rows = rows_new(distance->element, n_rows, stride);
	const void *some[32];
	double distances[32], best = 1e9;

	for (int round = 0; round < 7; round++)
	{
		double start;
		int times = 2000;

		start = now();
		for (int t = 0; t < times; t++)
		{
			for (int i = 0; i < 32; i++)
				some[i] = rows + (size_t) rand() % n_rows * stride;
			mg_distance_many(distance, rows, some, 32, n, distances);
			sink = distances[0];
		}
		start = (now() - start) / times / 32;
		best = start < best ? start : best;
	}
	free(rows);
	return best * 1e9;
}

static void
measure(MgElement element, MgMetric metric, size_t n)
{
	static const char *const elements[] = {"float32", "float16", "int8", "bit"};
	static const char *const metrics[] = {"l2", "inner product", "cosine", "l1", "hamming", "jaccard"};
	size_t stride = stride_of(element, n), n_rows = 64;
	MgDistance distance;
	char *rows;

	if (!mg_distance_find(element, metric, MG_CPU_SCALAR, &distance))
		return;
	rows = rows_new(element, n_rows, stride);
	printf("%5zu %-8s %-14s", n, elements[element], metrics[metric]);
	if (element == MG_ELEMENT_F32)
		printf(" plain %7.1f", cached(NULL, metric, rows, n_rows, stride, n));
	else
		printf("%14s", "");
	for (int level = 0; level <= (int) mg_cpu_level(); level++)
		if (mg_distance_find(element, metric, (MgCpuLevel) level, &distance))
			printf("  %s %7.1f", mg_cpu_level_name((MgCpuLevel) level),
				   cached(&distance, metric, rows, n_rows, stride, n));
	printf("  many %7.1f\n", scattered(&distance, n));
	fflush(stdout);
	free(rows);
}

int
main(int argc, char **argv)
{
	static char *defaults[] = {"", "384", "1536"};
	char **args = argc > 1 ? argv : defaults;
	int n_args = argc > 1 ? argc : 3;

	for (int i = 1; i < n_args; i++)
		for (int element = 0; element < MG_ELEMENT_SPARSE; element++)
			for (int metric = 0; metric < MG_N_METRICS; metric++)
				measure((MgElement) element, (MgMetric) metric, (size_t) atoi(args[i]));
	return 0;
}
