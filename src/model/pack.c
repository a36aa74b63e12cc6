/* From portable images to resident ones: how each weight is laid out, and streaming it there. */
#include <float.h>

#include "model/image.h"
#include "tensor/compute.h"

/* Sections are copied in pieces of this many bytes: no model needs its size in memory. */
#define PIECE ((size_t) 1024 * 1024)

/* How a weight is resident; others than these are float32. */
static void
plan_weight(MgRole role, MgForm form, MgSection *section)
{
	if (mg_dtype_is_grouped((MgDtype) section->dtype))
		section->layout = section->dtype == MG_Q4G ? MG_GROUPS4 : MG_GROUPS8;
	else if (section->dtype == MG_Q8)
		section->layout = role == MG_LINEAR ? MG_INT8 : MG_ROWS8;
	else if (section->dtype == MG_BF16 && role == MG_WORDS)
		section->layout = MG_ROWS16;
	else if (section->dtype == MG_BF16 && role == MG_LINEAR && form != MG_FORM_ROWS)
		section->layout = form == MG_FORM_BF16X2 ? MG_BF16X1 : MG_PANELS16;
	else
	{
		section->dtype = MG_F32;
		section->layout = role != MG_LINEAR || form == MG_FORM_ROWS ? MG_ROWS : form == MG_FORM_BF16X2 ? MG_BF16X2 : MG_PANELS;
	}
}

bool
mg_image_plan_pack(MgCtx *cx, const MgImage *portable, MgForm form, MgImage *resident)
{
	MgSection *sections = mg_alloc_array(cx, portable->n_sections, sizeof *sections);
	MgWeight weight = {0};
	size_t at = 0;

	if (sections == NULL)
		return false;
	*resident = *portable;
	resident->form = form;
	resident->sections = sections;
	for (size_t i = 0; i < portable->n_sections; i++)
	{
		sections[i] = portable->sections[i];
		/* What no table knows is used by nobody. */
		if (sections[i].rows > 0)
			plan_weight(MG_VECTOR, form, &sections[i]);
	}
	while (mg_weights_next(portable->arch, portable->config, portable->parts, &weight))
	{
		const MgSection *from = mg_image_find_next(portable, weight.name, &at);

		if (!mg_poll(cx))
			return false;
		if (from == NULL && (weight.spec->flags & MG_OPTIONAL) != 0)
			continue;
		if (from == NULL || from->rows == 0)
			return mg_image_lacks(cx, &weight);
		sections[from - portable->sections] = *from;
		plan_weight(weight.spec->role, form, &sections[from - portable->sections]);
	}
	return mg_image_lay_out(cx, sections, portable->n_sections, &resident->size);
}

/* Copies a section that is no weight, or stays as it is. */
static bool
copy_section(MgCtx *cx, const MgSource *source, const MgSection *from, const MgSink *sink)
{
	uint8_t *piece = mg_alloc(cx, PIECE);

	if (piece == NULL)
		return false;
	for (uint64_t done = 0; done < from->size;)
	{
		size_t size = from->size - done < PIECE ? (size_t) (from->size - done) : PIECE;

		if (!source->read(cx, source->user, from->offset + done, piece, size) ||
			!sink->write(cx, sink->user, piece, size) || !mg_poll(cx))
			return false;
		done += size;
	}
	return true;
}

/* Converts a weight panel by panel: MG_PANEL rows are read, widened and, where the layout wants it, packed. */
static bool
pack_weight(MgCtx *cx, const MgKernels *kernels, const MgSource *source, const MgSection *from, const MgSection *to,
			const MgSink *sink)
{
	size_t cols = (size_t) from->cols, width = mg_dtype_size((MgDtype) from->dtype);
	size_t planes = mg_bf16x2_planes((MgLayout) to->layout), row_size, row_floats, panel_floats;
	uint8_t *raw;
	float *rows, *panel;

	if (!mg_multiply(cols, width, &row_size) || !mg_multiply(cols, MG_PANEL, &row_floats) ||
		!mg_bf16x2_size(MG_PANEL, cols, 2, &panel_floats))
		return mg_fail(cx, MG_TOO_LARGE, "model is too large");
	raw = mg_alloc_array(cx, MG_PANEL, row_size);
	rows = mg_alloc_array(cx, row_floats, sizeof *rows);
	panel = mg_alloc_array(cx, panel_floats, sizeof *panel);
	if (raw == NULL || rows == NULL || panel == NULL)
		return false;

	for (uint64_t row = 0; row < from->rows; row += MG_PANEL)
	{
		size_t n = from->rows - row < MG_PANEL ? (size_t) (from->rows - row) : MG_PANEL;
		const float *out = rows;
		size_t out_size = n * cols * sizeof *rows;

		if (!mg_poll(cx) || !source->read(cx, source->user, from->offset + row * row_size, raw, n * row_size))
			return false;
		mg_to_f32(kernels, (MgDtype) from->dtype, raw, n * cols, rows);
		if (to->layout == MG_PANELS)
		{
			mg_pack_panel(rows, n, cols, panel);
			out = panel;
			out_size = row_floats * sizeof *panel;
		}
		if (planes > 0)
		{
			mg_pack_bf16x2(rows, n, cols, planes, (uint16_t *) (void *) panel);
			out = panel;
			out_size = mg_bf16x2_panel(cols, planes) * sizeof(uint16_t);
		}
		if (!sink->write(cx, sink->user, out, out_size))
			return false;
	}
	return true;
}

/* The rows of a panel of 8-bit weights, apart; they come from a table of a database, which somebody may have changed. */
static bool
split_rows(MgCtx *cx, const uint8_t *raw, size_t n, size_t cols, int8_t *codes, float *scales)
{
	for (size_t i = 0; i < n; i++)
	{
		int8_t *row = codes + i * cols;

		memcpy(&scales[i], raw + i * (sizeof *scales + cols), sizeof *scales);
		memcpy(row, raw + i * (sizeof *scales + cols) + sizeof *scales, cols);
		if (!(scales[i] >= 0 && scales[i] <= FLT_MAX))
			return mg_image_damaged(cx, "The scale of a row is not a finite number of zero or more.");
		if (memchr(row, 0x80, cols) != NULL)
			return mg_image_damaged(cx, "A code of a row is out of range.");
	}
	return true;
}

/* The same for weights of 8 bits, which stay so. */
static bool
pack_weight8(MgCtx *cx, const MgSource *source, const MgSection *from, const MgSection *to, const MgSink *sink)
{
	size_t cols = (size_t) from->cols, row_size, panel_size = mg_int8_panel_size(cols);
	float scales[MG_PANEL];
	uint8_t *raw, *panel;
	int8_t *codes;

	if (!mg_dtype_row_size(MG_Q8, cols, &row_size))
		return mg_fail(cx, MG_TOO_LARGE, "model is too large");
	raw = mg_alloc_array(cx, MG_PANEL, row_size);
	codes = mg_alloc_array(cx, MG_PANEL, cols);
	panel = mg_alloc(cx, panel_size);
	if (raw == NULL || codes == NULL || panel == NULL)
		return false;

	for (uint64_t row = 0; row < from->rows; row += MG_PANEL)
	{
		size_t n = from->rows - row < MG_PANEL ? (size_t) (from->rows - row) : MG_PANEL;

		if (!mg_poll(cx) || !source->read(cx, source->user, from->offset + row * row_size, raw, n * row_size) ||
			!split_rows(cx, raw, n, cols, codes, scales))
			return false;
		if (to->layout == MG_INT8)
			mg_int8_pack_panel(codes, scales, n, cols, panel);
		if (!(to->layout == MG_INT8 ? sink->write(cx, sink->user, panel, panel_size)
									: sink->write(cx, sink->user, raw, n * row_size)))
			return false;
	}
	return true;
}

/* The same for weights of bf16, which stay so. */
static bool
pack_weight16(MgCtx *cx, const MgSource *source, const MgSection *from, const MgSink *sink)
{
	size_t cols = (size_t) from->cols, panel_size;
	uint16_t *rows, *panel;

	if (!mg_multiply(cols, MG_PANEL * sizeof *panel, &panel_size))
		return mg_fail(cx, MG_TOO_LARGE, "model is too large");
	rows = mg_alloc(cx, panel_size);
	panel = mg_alloc(cx, panel_size);
	if (rows == NULL || panel == NULL)
		return false;

	for (uint64_t row = 0; row < from->rows; row += MG_PANEL)
	{
		size_t n = from->rows - row < MG_PANEL ? (size_t) (from->rows - row) : MG_PANEL;
		size_t row_size = cols * sizeof *rows;

		if (!mg_poll(cx) || !source->read(cx, source->user, from->offset + row * row_size, rows, n * row_size))
			return false;
		mg_pack_panel16(rows, n, cols, panel);
		if (!sink->write(cx, sink->user, panel, panel_size))
			return false;
	}
	return true;
}

/* The same for weights in groups, which stay so. */
static bool
pack_groups(MgCtx *cx, const MgSource *source, const MgSection *from, const MgSection *to, const MgSink *sink)
{
	size_t cols = (size_t) from->cols, row_size, panel_size, rows_size;
	uint8_t *rows, *panel;

	if (!mg_dtype_row_size((MgDtype) from->dtype, cols, &row_size) || !mg_multiply(row_size, MG_PANEL, &rows_size) ||
		!mg_groups_size((MgLayout) to->layout, MG_PANEL, cols, &panel_size))
		return mg_fail(cx, MG_TOO_LARGE, "model is too large");
	rows = mg_alloc(cx, rows_size);
	panel = mg_alloc(cx, panel_size);
	if (rows == NULL || panel == NULL)
		return false;
	for (uint64_t row = 0; row < from->rows; row += MG_PANEL)
	{
		size_t n = from->rows - row < MG_PANEL ? (size_t) (from->rows - row) : MG_PANEL;

		if (!mg_poll(cx) || !source->read(cx, source->user, from->offset + row * row_size, rows, n * row_size))
			return false;
		mg_group_pack_panel((MgDtype) from->dtype, rows, n, cols, panel);
		if (!sink->write(cx, sink->user, panel, panel_size))
			return false;
	}
	return true;
}

bool
mg_image_pack(MgCtx *cx, const MgKernels *kernels, const MgSource *source, const MgImage *portable,
			  const MgImage *resident, const MgSink *sink)
{
	if (!mg_image_write_head(cx, resident, sink))
		return false;
	for (size_t i = 0; i < resident->n_sections; i++)
	{
		const MgSection *from = &portable->sections[i], *to = &resident->sections[i];
		uint64_t next = i + 1 < resident->n_sections ? to[1].offset : resident->size;
		MgMark mark = mg_mark(cx);
		bool fine = from->rows == 0 || to->layout == MG_ROWS16 ? copy_section(cx, source, from, sink)
			: mg_layout_is_grouped((MgLayout) to->layout)	   ? pack_groups(cx, source, from, to, sink)
			: from->dtype == MG_Q8							   ? pack_weight8(cx, source, from, to, sink)
			: to->layout == MG_PANELS16						   ? pack_weight16(cx, source, from, sink)
															   : pack_weight(cx, kernels, source, from, to, sink);

		if (!fine || !mg_image_write_gap(cx, to, next, sink))
			return false;
		mg_rewind(cx, mark);
	}
	return true;
}
