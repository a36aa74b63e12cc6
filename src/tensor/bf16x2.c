/* Splitting weights into two bfloat16 numbers each, and laying them out for products; compute.h says how. */
#include "tensor/kernels.h"

#define HALF (MG_PANEL / 2) /* rows of a tile */
#define TILE ((size_t) HALF * MG_BF16X2_DEPTH) /* numbers of it */

size_t
mg_bf16x2_cols(size_t cols)
{
	return (cols + MG_BF16X2_DEPTH - 1) / MG_BF16X2_DEPTH * MG_BF16X2_DEPTH;
}

size_t
mg_bf16x2_planes(MgLayout layout)
{
	return layout == MG_BF16X2 ? 2 : layout == MG_BF16X1 ? 1 : 0;
}

size_t
mg_bf16x2_panel(size_t cols, size_t planes)
{
	return mg_bf16x2_cols(cols) * planes * MG_PANEL;
}

bool
mg_bf16x2_size(size_t rows, size_t cols, size_t planes, size_t *n_numbers)
{
	size_t n_panels = rows / MG_PANEL + (rows % MG_PANEL != 0);

	return cols <= SIZE_MAX / (4 * MG_PANEL) - MG_BF16X2_DEPTH && mg_multiply(n_panels, mg_bf16x2_panel(cols, planes), n_numbers);
}

void
mg_pack_bf16x2(const float *rows, size_t n_rows, size_t cols, size_t planes, uint16_t *panel)
{
	memset(panel, 0, mg_bf16x2_panel(cols, planes) * sizeof *panel);
	for (size_t i = 0; i < n_rows; i++)
		for (size_t k = 0; k < cols; k++)
		{
			size_t step = k / MG_BF16X2_DEPTH, pair = k % MG_BF16X2_DEPTH / 2;
			uint16_t *to = panel + step * planes * 2 * TILE + i / HALF * TILE + pair * MG_PANEL + i % HALF * 2 + k % 2;
			float x = rows[i * cols + k], upper, rest;

			mg_from_f32(MG_BF16, &x, 1, to);
			if (planes == 1)
				continue;
			upper = mg_bf16_to_float(*to);
			rest = x - upper;
			mg_from_f32(MG_BF16, &rest, 1, to + 2 * TILE);
		}
}
