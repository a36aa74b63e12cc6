/* Images: header and directory, written and checked. */
#include "model/image.h"

#include <stddef.h>

#include "core/reader.h"
#include "tensor/kernels.h"

_Static_assert(sizeof(size_t) == sizeof(uint64_t), "shapes of an image fit a size_t");
_Static_assert(sizeof(MgSection) == 128 && sizeof(MgMeta) % 8 == 0, "a section of the directory has a fixed size");

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

MgForm
mg_image_form(const MgKernels *kernels, MgProvider provider)
{
	return provider != MG_NATIVE ? MG_FORM_ROWS : kernels->prefers_pairs ? MG_FORM_PAIRS : MG_FORM_PANELS;
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
		case MG_PANELS16:
			fine = mg_panels_size(rows, cols, &n) && mg_multiply(n, mg_dtype_size((MgDtype) section->dtype), &n);
			break;
		case MG_INT8:
			fine = mg_int8_size(rows, cols, &n);
			break;
		case MG_PAIRS:
		case MG_PAIRS16:
			fine = mg_pairs_size(rows, cols, mg_pairs_planes((MgLayout) section->layout), &n) && mg_multiply(n, sizeof(uint16_t), &n);
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
		case MG_PANELS16:
		case MG_PAIRS16:
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
	/* Of rows without bytes there could be any number, and packing walks over them. */
	if (section->rows == 0 || section->cols == 0)
		return damaged(cx, "A weight has rows without columns, or columns without rows.");
	if (section->dtype >= MG_N_DTYPES || section->layout > MG_PAIRS16 || !weight_size(section, &size) ||
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
	if (form > MG_FORM_PAIRS || image->size != source->size || image->n_sections < 1 ||
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
