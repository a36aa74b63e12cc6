/* Images: the directory, checked; and the way from the portable to the resident form. */
#include "model/image.h"

#include <float.h>
#include <stddef.h>
#include <stdio.h>

#include "core/reader.h"

_Static_assert(sizeof(size_t) == sizeof(uint64_t), "shapes of an image fit a size_t");
_Static_assert(sizeof(MgSection) == 128 && sizeof(MgMeta) % 8 == 0, "a section of the directory has a fixed size");

/* Weights are read, converted and written in pieces of about this many bytes: no model needs its size in memory. */
#define PIECE ((size_t) 1024 * 1024)

static const uint8_t zeros[MG_ALIGNMENT];

/* True when a fixed field holds a terminated string. */
static bool
terminated(const char *field, size_t size)
{
	return memchr(field, '\0', size) != NULL;
}

static bool
damaged(MgCtx *cx, const char *what)
{
	mg_fail(cx, MG_BAD_FILE, "model image is damaged");
	return mg_detail(cx, "%s", what);
}

/* Bytes that a weight's section must have; false when they do not fit. */
static bool
weight_size(const MgSection *section, uint64_t *size)
{
	size_t rows = (size_t) section->rows, cols = (size_t) section->cols, n;
	bool fine;

	switch ((MgLayout) section->layout)
	{
		case MG_PANELS:
			fine = mg_panels_size(rows, cols, &n) && mg_multiply(n, mg_dtype_size((MgDtype) section->dtype), &n);
			break;
		case MG_INT8:
			fine = mg_int8_size(rows, cols, &n);
			break;
		default:
			fine = mg_dtype_row_size((MgDtype) section->dtype, cols, &n) && mg_multiply(rows, n, &n);
	}
	*size = n;
	return fine;
}

/* Whether a weight's type and layout are ones that the form of image has. */
static bool
fits_form(const MgSection *section, MgForm form)
{
	if (form == MG_FORM_PORTABLE)
		return section->layout == MG_ROWS && (section->dtype != MG_Q8 || section->cols <= MG_INT8_MOST_COLS);
	switch ((MgLayout) section->layout)
	{
		case MG_INT8:
		case MG_ROWS8:
			return section->dtype == MG_Q8;
		case MG_ROWS16:
			return section->dtype == MG_BF16;
		default:
			return section->dtype == MG_F32;
	}
}

static bool
check_section(MgCtx *cx, const MgImage *image, const MgSection *section, uint64_t *end)
{
	uint64_t size;

	if (!terminated(section->name, sizeof section->name))
		return damaged(cx, "The name of a section has no end.");
	if (section->offset < *end || section->offset - *end >= MG_ALIGNMENT || section->offset % MG_ALIGNMENT != 0)
		return damaged(cx, "A section does not follow the one before it.");
	if (section->offset > image->size || section->size > image->size - section->offset)
		return damaged(cx, "A section lies outside of the image.");
	*end = section->offset + section->size;
	if (section->rows == 0 && section->cols == 0)
		return true;
	if (section->dtype >= MG_N_DTYPES || section->layout > MG_ROWS16 || !weight_size(section, &size) ||
		size != section->size)
		return damaged(cx, "The size of a weight contradicts its shape.");
	if (!fits_form(section, image->form))
		return damaged(cx, "A weight's type or layout does not fit the image's form.");
	return true;
}

static bool
check_meta(MgCtx *cx, MgImage *image)
{
	const MgMeta *meta = &image->meta;

	if (!terminated(meta->arch, sizeof meta->arch))
		return damaged(cx, "The name of the architecture has no end.");
	image->arch = mg_arch_find(mg_span_of(meta->arch));
	if (image->arch == NULL)
		return mg_fail(cx, MG_UNSUPPORTED, "architecture \"%s\" is not supported", meta->arch);
	if (!image->arch->check(cx, &meta->hyper))
		return false;
	if (meta->parts >= 1u << MG_N_PARTS || (meta->parts & (1u << MG_PART_ENCODER)) == 0 ||
		meta->pooling > MG_POOL_LAST || meta->normalize > 1 || meta->calibrate > 1 || meta->dtype >= MG_N_DTYPES ||
		meta->max_tokens < 3 || meta->max_tokens > meta->hyper.positions)
		return damaged(cx, "A field of its description is out of range.");
	return true;
}

bool
mg_image_open(MgCtx *cx, const MgSource *source, MgImage *image)
{
	uint8_t head[MG_IMAGE_HEADER];
	MgReader reader = mg_reader(mg_span(head, sizeof head));
	uint32_t version, form;
	uint64_t end;
	MgSection *sections;

	if (source->size < sizeof head)
		return damaged(cx, "It is shorter than its header.");
	if (!source->read(cx, source->user, 0, head, sizeof head))
		return false;
	if (!mg_span_is(mg_read_span(&reader, 8), MG_IMAGE_MAGIC))
		return damaged(cx, "It does not begin with the magic bytes.");
	version = mg_read_u32(&reader);
	if (version < MG_IMAGE_OLDEST || version > MG_IMAGE_VERSION)
	{
		mg_fail(cx, MG_UNSUPPORTED, "model image has format version %u, this library reads versions %d to %d",
				version, MG_IMAGE_OLDEST, MG_IMAGE_VERSION);
		return mg_hint(cx, "Create the model again from its files.");
	}
	form = mg_read_u32(&reader);
	image->size = mg_read_u64(&reader);
	image->n_sections = mg_read_u32(&reader);
	if (form > MG_FORM_PANELS || image->size != source->size || image->n_sections < 1 ||
		image->n_sections > MG_MAX_SECTIONS ||
		image->n_sections > (source->size - sizeof head) / sizeof *image->sections)
		return damaged(cx, "A field of its header is out of range.");
	image->form = (MgForm) form;

	sections = mg_alloc_array(cx, image->n_sections, sizeof *sections);
	if (sections == NULL ||
		!source->read(cx, source->user, sizeof head, sections, image->n_sections * sizeof *sections))
		return false;
	image->sections = sections;
	end = sizeof head + image->n_sections * sizeof *sections;
	for (size_t i = 0; i < image->n_sections; i++)
		if (!check_section(cx, image, &sections[i], &end))
			return false;

	if (strcmp(sections[0].name, "meta") != 0 || sections[0].size != sizeof image->meta)
		return damaged(cx, "It has no description of the model.");
	if (!source->read(cx, source->user, sections[0].offset, &image->meta, sizeof image->meta))
		return false;
	return check_meta(cx, image);
}

const MgSection *
mg_image_find(const MgImage *image, const char *name)
{
	for (size_t i = 0; i < image->n_sections; i++)
		if (strcmp(image->sections[i].name, name) == 0)
			return &image->sections[i];
	return NULL;
}

bool
mg_image_lay_out(MgCtx *cx, MgSection *sections, size_t n_sections, uint64_t *size)
{
	uint64_t end = MG_IMAGE_HEADER + n_sections * sizeof *sections;

	for (size_t i = 0; i < n_sections; i++)
	{
		MgSection *section = &sections[i];

		if ((section->rows > 0 && !weight_size(section, &section->size)) ||
			end > UINT64_MAX / 2 || section->size > UINT64_MAX / 4)
			return mg_fail(cx, MG_TOO_LARGE, "model is too large");
		section->offset = (end + MG_ALIGNMENT - 1) / MG_ALIGNMENT * MG_ALIGNMENT;
		end = section->offset + section->size;
	}
	*size = end;
	return true;
}

bool
mg_image_write_head(MgCtx *cx, const MgImage *image, const MgSink *sink)
{
	uint8_t head[MG_IMAGE_HEADER] = {0};
	uint32_t version = MG_IMAGE_VERSION, form = image->form, n = (uint32_t) image->n_sections;
	size_t directory = image->n_sections * sizeof *image->sections;
	uint64_t end = sizeof head + directory;

	memcpy(head, MG_IMAGE_MAGIC, 8);
	memcpy(head + 8, &version, 4);
	memcpy(head + 12, &form, 4);
	memcpy(head + 16, &image->size, 8);
	memcpy(head + 24, &n, 4);
	return sink->write(cx, sink->user, head, sizeof head) &&
		sink->write(cx, sink->user, image->sections, directory) &&
		sink->write(cx, sink->user, zeros, (size_t) (image->sections[0].offset - end));
}

bool
mg_image_write_gap(MgCtx *cx, const MgSection *section, uint64_t next, const MgSink *sink)
{
	size_t gap = (size_t) (next - section->offset - section->size);

	return gap == 0 || sink->write(cx, sink->user, zeros, gap);
}

/* The role of a weight's section, from the architecture's table: names with a layer are matched by their ends. */
static MgRole
role_of(const MgArch *arch, const MgSection *section)
{
	for (size_t i = 0; i < arch->n_weights; i++)
	{
		const MgWeightSpec *spec = &arch->weights[i];
		char name[sizeof section->name];
		unsigned layer;

		if (spec->role == MG_VECTOR)
			continue;
		if (!spec->layered)
			snprintf(name, sizeof name, "%s", spec->name);
		else if (sscanf(section->name, "%*[^0-9]%u", &layer) == 1)
			snprintf(name, sizeof name, spec->name, layer);
		else
			continue;
		if (strcmp(name, section->name) == 0)
			return spec->role;
	}
	return MG_VECTOR;
}

/* How a weight is resident; others than these are float32. */
static void
plan_weight(const MgArch *arch, MgForm form, MgSection *section)
{
	MgRole role = role_of(arch, section);

	if (section->dtype == MG_Q8)
		section->layout = role == MG_LINEAR ? MG_INT8 : MG_ROWS8;
	else if (section->dtype == MG_BF16 && role == MG_WORDS)
		section->layout = MG_ROWS16;
	else
	{
		section->dtype = MG_F32;
		section->layout = form == MG_FORM_PANELS && role == MG_LINEAR ? MG_PANELS : MG_ROWS;
	}
}

bool
mg_image_plan_pack(MgCtx *cx, const MgImage *portable, MgForm form, MgImage *resident)
{
	MgSection *sections = mg_alloc_array(cx, portable->n_sections, sizeof *sections);

	if (sections == NULL)
		return false;
	*resident = *portable;
	resident->form = form;
	resident->sections = sections;
	for (size_t i = 0; i < portable->n_sections; i++)
	{
		sections[i] = portable->sections[i];
		if (sections[i].rows > 0)
			plan_weight(portable->arch, form, &sections[i]);
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
	size_t row_size, panel_floats;
	uint8_t *raw;
	float *rows, *panel;

	if (!mg_multiply(cols, width, &row_size) || !mg_multiply(cols, MG_PANEL, &panel_floats))
		return mg_fail(cx, MG_TOO_LARGE, "model is too large");
	raw = mg_alloc_array(cx, MG_PANEL, row_size);
	rows = mg_alloc_array(cx, panel_floats, sizeof *rows);
	panel = mg_alloc_array(cx, panel_floats, sizeof *panel);
	if (raw == NULL || rows == NULL || panel == NULL)
		return false;

	for (uint64_t row = 0; row < from->rows; row += MG_PANEL)
	{
		size_t n = from->rows - row < MG_PANEL ? (size_t) (from->rows - row) : MG_PANEL;
		const float *out = rows;
		size_t n_out = n * cols;

		if (!mg_poll(cx) || !source->read(cx, source->user, from->offset + row * row_size, raw, n * row_size))
			return false;
		mg_to_f32(kernels, (MgDtype) from->dtype, raw, n * cols, rows);
		if (to->layout == MG_PANELS)
		{
			mg_pack_panel(rows, n, cols, panel);
			out = panel;
			n_out = panel_floats;
		}
		if (!sink->write(cx, sink->user, out, n_out * sizeof *out))
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
			return damaged(cx, "The scale of a row is not a finite number of zero or more.");
		if (memchr(row, 0x80, cols) != NULL)
			return damaged(cx, "A code of a row is out of range.");
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
			: from->dtype == MG_Q8							   ? pack_weight8(cx, source, from, to, sink)
															   : pack_weight(cx, kernels, source, from, to, sink);

		if (!fine || !mg_image_write_gap(cx, to, next, sink))
			return false;
		mg_rewind(cx, mark);
	}
	return true;
}
