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

/* W [rows, cols] in a layout, for MG_PANELS16 rounded to bf16; the numbers are the caller's to free through *memory. */
__attribute__((unused)) static MgMatrix
matrix(MgLayout layout, const float *w, size_t rows, size_t cols, float **memory)
{
	size_t size = rows * cols * sizeof(float), planes = mg_bf16x2_planes(layout);
	MgMatrix m = {layout, rows, cols, {NULL}};

	if (layout == MG_INT8)
		mg_int8_size(rows, cols, &size);
	else if (planes > 0)
		size = mg_bf16x2_size(rows, cols, planes, &size) ? size * sizeof(uint16_t) : 0;
	else if (layout != MG_ROWS && mg_panels_size(rows, cols, &size))
		size *= layout == MG_PANELS ? sizeof(float) : sizeof(uint16_t);
	*memory = aligned_alloc(MG_ALIGNMENT, (size / MG_ALIGNMENT + 1) * MG_ALIGNMENT);
	m.data = *memory;
	if (layout == MG_ROWS)
		memcpy(*memory, w, rows * cols * sizeof(float));
	for (size_t i = 0; layout != MG_ROWS && i < rows; i += MG_PANEL)
	{
		size_t n = rows - i < MG_PANEL ? rows - i : MG_PANEL;
		int8_t *codes = malloc(n * cols + 1);
		uint16_t *narrow = malloc(n * cols * sizeof *narrow + 1);
		float scales[MG_PANEL];

		for (size_t j = 0; j < n; j++)
			scales[j] = mg_int8_quantize_row(w + (i + j) * cols, cols, codes + j * cols);
		if (layout == MG_INT8)
			mg_int8_pack_panel(codes, scales, n, cols, (uint8_t *) *memory + i / MG_PANEL * mg_int8_panel_size(cols));
		else if (planes > 0)
			mg_pack_bf16x2(w + i * cols, n, cols, planes,
						  (uint16_t *) (void *) *memory + i / MG_PANEL * mg_bf16x2_panel(cols, planes));
		else if (layout == MG_PANELS)
			mg_pack_panel(w + i * cols, n, cols, *memory + i * cols);
		else
		{
			mg_from_f32(MG_BF16, w + i * cols, n * cols, narrow);
			mg_pack_panel16(narrow, n, cols, (uint16_t *) *memory + i * cols);
		}
		free(narrow);
		free(codes);
	}
	return m;
}

#define FOR_EACH_LEVEL(level) for (MgCpuLevel level = MG_CPU_SCALAR; level <= mg_cpu_level(); level++)

#endif
