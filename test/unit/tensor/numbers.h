/* What the tests of the numeric layer share: numbers that repeat, exact-sized arrays, comparison. */
#ifndef TEST_UNIT_TENSOR_NUMBERS_H
#define TEST_UNIT_TENSOR_NUMBERS_H

#include <stdint.h>
#include <stdlib.h>

#include "tensor/kernels.h"
#include "tensor/pool.h"
#include "unit/host.h"

static uint64_t number_state = 88172645463325252u;

/* Marsaglia's xorshift, in [-1, 1). */
__attribute__((unused)) static float
number(void)
{
	number_state ^= number_state << 13;
	number_state ^= number_state >> 7;
	number_state ^= number_state << 17;
	return (float) (int32_t) (number_state >> 32) * 0x1p-31f;
}

/* n numbers in memory that ends with the last of them, so that a sanitizer sees a read past it. */
__attribute__((unused)) static float *
numbers(size_t n)
{
	float *x = malloc(n > 0 ? n * sizeof *x : 1);

	for (size_t i = 0; x != NULL && i < n; i++)
		x[i] = number();
	return x;
}

/* The largest |got - want|; NaN counts as infinite. */
__attribute__((unused)) static double
distance(const float *got, const double *want, size_t n)
{
	double most = 0.0;

	for (size_t i = 0; i < n; i++)
	{
		double d = fabs((double) got[i] - want[i]);

		if (!(d <= most))
			most = isnan(d) ? INFINITY : d;
	}
	return most;
}

/* W [rows, cols] in a layout; the numbers are the caller's to free through *memory. */
__attribute__((unused)) static MgMatrix
matrix(MgLayout layout, const float *w, size_t rows, size_t cols, float **memory)
{
	size_t n = 0;
	float *data;

	if (layout == MG_ROWS || !mg_panels_size(rows, cols, &n))
		n = rows * cols;
	data = *memory = malloc(n > 0 ? n * sizeof *data : 1);
	if (layout == MG_ROWS)
		memcpy(data, w, rows * cols * sizeof *data);
	else
		for (size_t i = 0; i < rows; i += MG_PANEL)
			mg_pack_panel(w + i * cols, rows - i < MG_PANEL ? rows - i : MG_PANEL, cols, data + i * cols);
	return (MgMatrix){layout, rows, cols, {data}};
}

#define FOR_EACH_LEVEL(level) for (MgCpuLevel level = MG_CPU_SCALAR; level <= mg_cpu_level(); level++)

#endif
