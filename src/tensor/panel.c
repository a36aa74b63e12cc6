/*
 * Packing rows of a matrix into panels.
 *
 *   rows    a0 a1 a2 ...        panel   a0 b0 c0 ...   MG_PANEL floats
 *           b0 b1 b2 ...                a1 b1 c1 ...
 *           c0 c1 c2 ...                a2 b2 c2 ...
 *
 * Four by four at a time in vector registers; one level serves all CPUs, since
 * this runs once per weight, and in attention once per head.
 */
#include "tensor/kernels.h"

typedef float v4 __attribute__((vector_size(16)));

bool
mg_panels_size(size_t rows, size_t cols, size_t *n_numbers)
{
	size_t padded;

	if (__builtin_add_overflow(rows, (size_t) MG_PANEL - 1, &padded))
		return false;
	padded -= padded % MG_PANEL;
	return mg_multiply(padded, cols, n_numbers);
}

static inline v4
load4(const float *from)
{
	v4 v;

	memcpy(&v, from, sizeof v);
	return v;
}

static inline void
store4(float *to, v4 v)
{
	memcpy(to, &v, sizeof v);
}

/* to[j * MG_PANEL + i] = from[i * stride + j] for i, j < 4 */
static inline void
transpose4(const float *from, size_t stride, float *to)
{
	v4 a = load4(from);
	v4 b = load4(from + stride);
	v4 c = load4(from + 2 * stride);
	v4 d = load4(from + 3 * stride);
	v4 ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
	v4 ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
	v4 cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
	v4 cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);

	store4(to, __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5));
	store4(to + MG_PANEL, __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7));
	store4(to + 2 * MG_PANEL, __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5));
	store4(to + 3 * MG_PANEL, __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7));
}

void
mg_pack_panel_strided(const float *rows, size_t stride, size_t n_rows, size_t cols, float *panel)
{
	size_t whole_rows = n_rows - n_rows % 4;
	size_t whole_cols = cols - cols % 4;

	for (size_t j = 0; j < whole_cols; j += 4)
		for (size_t i = 0; i < whole_rows; i += 4)
			transpose4(rows + i * stride + j, stride, panel + j * MG_PANEL + i);
	for (size_t j = 0; j < cols; j++)
	{
		float *to = panel + j * MG_PANEL;

		for (size_t i = j < whole_cols ? whole_rows : 0; i < n_rows; i++)
			to[i] = rows[i * stride + j];
		if (n_rows < MG_PANEL)
			memset(to + n_rows, 0, (MG_PANEL - n_rows) * sizeof(float));
	}
}

void
mg_pack_panel(const float *rows, size_t n_rows, size_t cols, float *panel)
{
	mg_pack_panel_strided(rows, cols, n_rows, cols, panel);
}

void
mg_pack_panel16(const uint16_t *rows, size_t n_rows, size_t cols, uint16_t *panel)
{
	for (size_t j = 0; j < cols; j++, panel += MG_PANEL)
	{
		for (size_t i = 0; i < n_rows; i++)
			panel[i] = rows[i * cols + j];
		memset(panel + n_rows, 0, (MG_PANEL - n_rows) * sizeof *panel);
	}
}

bool
mg_matrix_rows(const MgMatrix *w, size_t first, size_t n, MgMatrix *part)
{
	size_t panel = first / MG_PANEL;

	*part = *w;
	part->rows = n;
	if (w->layout != MG_ROWS && first % MG_PANEL != 0)
		return false;
	switch (w->layout)
	{
		case MG_ROWS:
		case MG_PANELS:
			part->data += first * w->cols;
			return true;
		case MG_INT8:
			part->panels += panel * mg_int8_panel_size(w->cols);
			return true;
		case MG_GROUPS4:
		case MG_GROUPS8:
			part->panels += panel * (w->cols / MG_GROUP) * mg_group_panel(w->layout);
			return true;
		case MG_PANELS16:
			part->panels16 += first * w->cols;
			return true;
		case MG_BF16X2:
		case MG_BF16X1:
			part->panels16 += panel * mg_bf16x2_panel(w->cols, mg_bf16x2_planes(w->layout));
			return true;
		default:
			return false;
	}
}
