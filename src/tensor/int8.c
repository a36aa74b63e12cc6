/* Quantising weights to 8 bits, and laying them out for products; compute.h says how. */
#include <math.h>

#include "tensor/kernels.h"

#define DEEP 4 /* codes of a channel that stand together */

static size_t
padded_cols(size_t cols)
{
	return (cols + DEEP - 1) / DEEP * DEEP;
}

size_t
mg_int8_panel_size(size_t cols)
{
	return padded_cols(cols) * MG_PANEL + MG_PANEL * (sizeof(float) + sizeof(int32_t));
}

bool
mg_int8_size(size_t rows, size_t cols, size_t *size)
{
	size_t n_panels = rows / MG_PANEL + (rows % MG_PANEL != 0);

	return cols <= MG_INT8_MOST_COLS && mg_multiply(n_panels, mg_int8_panel_size(cols), size);
}

float
mg_int8_quantize_row(const float *row, size_t cols, int8_t *codes)
{
	float most = 0.0f, scale;

	for (size_t k = 0; k < cols; k++)
		most = fabsf(row[k]) > most ? fabsf(row[k]) : most;
	scale = most / 127.0f;
	/* Too small to divide by. */
	if (!(scale >= 1e-37f))
	{
		memset(codes, 0, cols);
		return 0.0f;
	}
	for (size_t k = 0; k < cols; k++)
	{
		float code = rintf(row[k] / scale);

		codes[k] = (int8_t) (code > 127.0f ? 127.0f : code >= -127.0f ? code : -127.0f); /* NaN: -127 */
	}
	return scale;
}

void
mg_int8_pack_panel(const int8_t *codes, const float *scales, size_t n_rows, size_t cols, uint8_t *panel)
{
	uint8_t *ends = panel + padded_cols(cols) * MG_PANEL;
	float *panel_scales = (float *) ends;
	int32_t *sums = (int32_t *) (ends + MG_PANEL * sizeof(float));

	memset(sums, 0, MG_PANEL * sizeof *sums);
	memset(panel, 128, padded_cols(cols) * MG_PANEL);
	for (size_t i = 0; i < MG_PANEL; i++)
	{
		const int8_t *row = codes + i * cols;

		for (size_t k = 0; i < n_rows && k < cols; k++)
		{
			panel[k / DEEP * DEEP * MG_PANEL + i * DEEP + k % DEEP] = (uint8_t) (row[k] + 128);
			sums[i] += row[k];
		}
		panel_scales[i] = i < n_rows ? scales[i] : 0.0f;
	}
}
