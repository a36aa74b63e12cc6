/* Weights in groups: quantising rows, laying them out for products, widening them again; compute.h says how. */
#include <float.h>
#include <math.h>

#include "core/half.h"
#include "tensor/kernels.h"

#define DEEP 4 /* codes of a channel that stand together */
#define CODES 4 /* where they begin in a group of a row */

size_t
mg_group_panel(MgLayout layout)
{
	return MG_PANEL * (layout == MG_GROUPS4 ? MG_GROUP / 2 : MG_GROUP) + 2 * MG_PANEL * sizeof(uint16_t);
}

bool
mg_groups_size(MgLayout layout, size_t rows, size_t cols, size_t *size)
{
	size_t n_panels = rows / MG_PANEL + (rows % MG_PANEL != 0);

	return cols % MG_GROUP == 0 && mg_multiply(n_panels, cols / MG_GROUP, size) && mg_multiply(*size, mg_group_panel(layout), size);
}

static uint16_t
half_at(const uint8_t *bytes)
{
	uint16_t half;

	memcpy(&half, bytes, sizeof half);
	return half;
}

/* The k-th code of a group of a row. */
static uint8_t
code_of(MgDtype dtype, const uint8_t *group, size_t k)
{
	if (dtype == MG_Q8G)
		return group[CODES + k];
	return k < MG_GROUP / 2 ? group[CODES + k] & 15 : group[CODES + k - MG_GROUP / 2] >> 4;
}

static void
pack_group(MgDtype dtype, const uint8_t *rows, size_t row_size, size_t n_rows, uint8_t *panel)
{
	size_t n_codes = MG_PANEL * (dtype == MG_Q4G ? MG_GROUP / 2 : MG_GROUP);

	memset(panel, 0, n_codes + 2 * MG_PANEL * sizeof(uint16_t));
	for (size_t i = 0; i < n_rows; i++)
	{
		const uint8_t *group = rows + i * row_size;

		memcpy(panel + n_codes + i * sizeof(uint16_t), group, sizeof(uint16_t));
		memcpy(panel + n_codes + (MG_PANEL + i) * sizeof(uint16_t), group + 2, sizeof(uint16_t));
		for (size_t k = 0; k < MG_GROUP; k++)
		{
			size_t step = k / DEEP;
			uint8_t code = code_of(dtype, group, k);

			/* Of 4 bits, two steps share their bytes. */
			if (dtype == MG_Q4G)
				panel[step / 2 * MG_PANEL * DEEP + i * DEEP + k % DEEP] |= (uint8_t) (step % 2 == 0 ? code : code << 4);
			else
				panel[step * MG_PANEL * DEEP + i * DEEP + k % DEEP] = code;
		}
	}
}

void
mg_group_pack_panel(MgDtype dtype, const uint8_t *rows, size_t n_rows, size_t cols, uint8_t *panel)
{
	size_t group_size = mg_group_size(dtype), row_size = cols / MG_GROUP * group_size;
	size_t panel_size = mg_group_panel(dtype == MG_Q4G ? MG_GROUPS4 : MG_GROUPS8);

	for (size_t g = 0; g < cols / MG_GROUP; g++)
		pack_group(dtype, rows + g * group_size, row_size, n_rows, panel + g * panel_size);
}

void
mg_group_widen_row(const MgMatrix *w, size_t row, float *to)
{
	size_t size = mg_group_panel(w->layout), lane = row % MG_PANEL;
	size_t n_codes = size - 2 * MG_PANEL * sizeof(uint16_t);
	const uint8_t *panel = w->panels + row / MG_PANEL * (w->cols / MG_GROUP) * size;

	for (size_t g = 0; g < w->cols / MG_GROUP; g++, panel += size)
	{
		float d = mg_half_to_float(half_at(panel + n_codes + lane * sizeof(uint16_t)));
		float m = mg_half_to_float(half_at(panel + n_codes + (MG_PANEL + lane) * sizeof(uint16_t)));

		for (size_t k = 0; k < MG_GROUP; k++)
		{
			size_t step = k / DEEP, at = lane * DEEP + k % DEEP;
			int code = w->layout == MG_GROUPS8 ? panel[step * MG_PANEL * DEEP + at]
											   : panel[step / 2 * MG_PANEL * DEEP + at] >> (step % 2 * 4) & 15;

			to[g * MG_GROUP + k] = (float) code * d + m;
		}
	}
}

/* The nearest float16, of the largest magnitude that is finite. */
static uint16_t
finite_half(float value)
{
	return mg_half_of_float(fminf(fmaxf(value, -(float) MG_HALF_MAX), (float) MG_HALF_MAX));
}

static void
quantize_group(MgDtype dtype, const float *numbers, uint8_t *group)
{
	int most_code = dtype == MG_Q4G ? 15 : 255;
	float least = numbers[0], most = numbers[0], d, m, factor;
	uint16_t halves[2];

	for (size_t k = 1; k < MG_GROUP; k++)
	{
		least = fminf(least, numbers[k]);
		most = fmaxf(most, numbers[k]);
	}
	halves[0] = finite_half((most - least) / (float) most_code);
	halves[1] = finite_half(least);
	memcpy(group, halves, sizeof halves);
	memset(group + CODES, 0, mg_group_size(dtype) - CODES);
	d = mg_half_to_float(halves[0]);
	m = mg_half_to_float(halves[1]);
	factor = d > 0 ? 1.0f / d : 0.0f;
	for (size_t k = 0; k < MG_GROUP; k++)
	{
		float code = rintf((numbers[k] - m) * factor);
		uint8_t cut = (uint8_t) (code < 0 ? 0 : code > (float) most_code ? most_code : (int) code);

		if (dtype == MG_Q8G)
			group[CODES + k] = cut;
		else
			group[CODES + k % (MG_GROUP / 2)] |= (uint8_t) (k < MG_GROUP / 2 ? cut : cut << 4);
	}
}

void
mg_group_quantize_row(MgDtype dtype, const float *row, size_t cols, uint8_t *groups)
{
	for (size_t g = 0; g < cols / MG_GROUP; g++)
		quantize_group(dtype, row + g * MG_GROUP, groups + g * mg_group_size(dtype));
}
