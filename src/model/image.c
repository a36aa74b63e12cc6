/* Images: header and directory, written and checked. */
#include "model/image.h"

#include <stddef.h>
#include <stdio.h>

#include "core/reader.h"
#include "model/classes.h"
#include "model/meta.h"
#include "tensor/kernels.h"

_Static_assert(sizeof(size_t) == sizeof(uint64_t), "shapes of an image fit a size_t");
_Static_assert(sizeof(MgSection) == 128, "a section of the directory has a fixed size");

/* Of one fact; labels are the only ones that take more than some kB. */
#define FACT_LIMIT ((size_t) 16 * 1024 * 1024)

static const uint8_t zeros[MG_ALIGNMENT];

/* True when a fixed field holds a terminated string. */
static bool
terminated(const char *field, size_t size)
{
	return memchr(field, '\0', size) != NULL;
}

bool
mg_image_damaged(MgCtx *cx, const char *what)
{
	mg_fail(cx, MG_BAD_FILE, "model image is damaged");
	return mg_detail(cx, "%s", what);
}

bool
mg_image_lacks(MgCtx *cx, const MgWeight *weight)
{
	mg_fail(cx, MG_BAD_FILE, "model image is damaged");
	return mg_detail(cx, "Weight \"%s\" is missing or has another shape.", weight->name);
}

MgForm
mg_image_form(const MgKernels *kernels, MgProvider provider)
{
	return provider != MG_NATIVE ? MG_FORM_ROWS : kernels->prefers_bf16x2 ? MG_FORM_BF16X2 : MG_FORM_PANELS;
}

/* Bytes that a weight's section must have; false when they do not fit. */
static bool
weight_size(const MgSection *section, uint64_t *size)
{
	size_t rows = (size_t) section->rows, cols = (size_t) section->cols, n = 0;
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
		case MG_BF16X2:
		case MG_BF16X1:
			fine = mg_bf16x2_size(rows, cols, mg_bf16x2_planes((MgLayout) section->layout), &n) && mg_multiply(n, sizeof(uint16_t), &n);
			break;
		case MG_GROUPS4:
		case MG_GROUPS8:
			fine = mg_groups_size((MgLayout) section->layout, rows, cols, &n);
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
		case MG_GROUPS4:
			return section->dtype == MG_Q4G;
		case MG_GROUPS8:
			return section->dtype == MG_Q8G;
		case MG_ROWS16:
		case MG_PANELS16:
		case MG_BF16X1:
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
		return mg_image_damaged(cx, "The name of a section has no end.");
	if (section->offset < *end || section->offset - *end >= MG_ALIGNMENT || section->offset % MG_ALIGNMENT != 0)
		return mg_image_damaged(cx, "A section does not follow the one before it.");
	if (section->offset > image->size || section->size > image->size - section->offset)
		return mg_image_damaged(cx, "A section lies outside of the image.");
	*end = section->offset + section->size;
	if (section->rows == 0 && section->cols == 0)
		return true;
	/* Of rows without bytes there could be any number, and packing walks over them. */
	if (section->rows == 0 || section->cols == 0)
		return mg_image_damaged(cx, "A weight has rows without columns, or columns without rows.");
	if (section->dtype >= MG_N_DTYPES || section->layout > MG_LAST_LAYOUT || !weight_size(section, &size) ||
		size != section->size)
		return mg_image_damaged(cx, "The size of a weight contradicts its shape.");
	if (!fits_form(section, image->form))
		return mg_image_damaged(cx, "A weight's type or layout does not fit the image's form.");
	return true;
}

/* The forms of facts that are read here; the tokeniser's bytes say their own version. */
static bool
check_version(MgCtx *cx, const MgSection *section)
{
	static const char *const facts[] = {"meta", "config", "template", "prompts", "generation", "chat_template"};

	for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
		if (section->version > MG_FACT_VERSION && strcmp(section->name, facts[i]) == 0)
		{
			mg_fail(cx, MG_UNSUPPORTED, "section \"%s\" of the model image has version %u, this library reads version %d",
					section->name, section->version, MG_FACT_VERSION);
			return mg_hint(cx, "Create the model again from its files.");
		}
	return true;
}

/* The bytes of a fact, in arena memory. */
static bool
read_fact(MgCtx *cx, const MgSource *source, const MgImage *image, const char *name, MgSpan *bytes)
{
	const MgSection *section = mg_image_find(image, name);
	uint8_t *copy;

	if (section == NULL || section->size > FACT_LIMIT)
		return mg_image_damaged(cx, section == NULL ? "It has no description of the model."
													: "The description of the model is too long.");
	copy = mg_alloc(cx, (size_t) section->size);
	*bytes = mg_span(copy, (size_t) section->size);
	return copy != NULL && source->read(cx, source->user, section->offset, copy, (size_t) section->size);
}

static bool
has_weight(const void *user, const MgWeightSpec *spec)
{
	char name[MG_NAME_SIZE];

	snprintf(name, sizeof name, spec->name, 0u);
	return mg_image_find(user, name) != NULL;
}

uint32_t
mg_image_can(const MgImage *image)
{
	const MgSizes *sizes = mg_image_sizes(image);
	uint32_t can = 0;
	size_t class;

	for (uint32_t part = 0; part < MG_MAX_PARTS; part++)
		if ((image->parts & 1u << part) != 0)
			can |= image->arch->can[part];
	if (image->meta.pooling == MG_POOL_NONE)
		can &= ~(uint32_t) MG_CAN_EMBED;
	if (sizes->both_sides)
		can &= ~(uint32_t) MG_CAN_GENERATE;
	/* The ways of task/classify.c. */
	if ((can & (MG_CAN_EMBED | MG_CAN_GENERATE | MG_CAN_FIND_REPLACED)) != 0)
		can |= MG_CAN_CLASSIFY;
	if ((can & MG_CAN_SCORE) == 0)
		return can;
	if (mg_class_entailment(&image->keys, sizes, &class))
		can |= MG_CAN_CLASSIFY;
	if (sizes->labels > 1 && mg_class_kind(sizes) != MG_CLASSES_NUMBERS)
		can |= MG_CAN_CHOOSE;
	return sizes->labels <= 2 ? can | MG_CAN_RERANK : can;
}

/* Meta and configuration, and what follows from them. */
static bool
read_facts(MgCtx *cx, const MgSource *source, MgImage *image)
{
	MgSpan meta, config;

	if (!read_fact(cx, source, image, "meta", &meta))
		return false;
	if (image->version < MG_IMAGE_KEYED ? !mg_meta_read_old(cx, meta, image)
										: !mg_meta_read(cx, meta, image) ||
				!read_fact(cx, source, image, "config", &config) || !mg_config_read(cx, config, &image->keys))
		return false;
	image->config = mg_arch_configure(cx, image->arch, &image->keys);
	if (image->config == NULL)
		return false;
	if (image->meta.max_tokens > mg_image_sizes(image)->longest)
		return mg_image_damaged(cx, "Its longest sequence is longer than the model reads.");
	image->parts = mg_weights_parts(image->arch, has_weight, image);
	image->can = mg_image_can(image);
	return true;
}

bool
mg_image_open(MgCtx *cx, const MgSource *source, MgImage *image)
{
	uint8_t head[MG_IMAGE_HEADER];
	MgReader reader = mg_reader(mg_span(head, sizeof head));
	uint32_t form;
	uint64_t end;
	MgSection *sections;

	if (source->size < sizeof head)
		return mg_image_damaged(cx, "It is shorter than its header.");
	if (!source->read(cx, source->user, 0, head, sizeof head))
		return false;
	if (!mg_span_is(mg_read_span(&reader, 8), MG_IMAGE_MAGIC))
		return mg_image_damaged(cx, "It does not begin with the magic bytes.");
	image->version = mg_read_u32(&reader);
	if (image->version < MG_IMAGE_OLDEST || image->version > MG_IMAGE_VERSION)
	{
		mg_fail(cx, MG_UNSUPPORTED, "model image has format version %u, this library reads versions %d to %d",
				image->version, MG_IMAGE_OLDEST, MG_IMAGE_VERSION);
		return mg_hint(cx, "Create the model again from its files.");
	}
	form = mg_read_u32(&reader);
	image->size = mg_read_u64(&reader);
	image->n_sections = mg_read_u32(&reader);
	if (form > MG_FORM_BF16X2 || image->size != source->size || image->n_sections < 1 ||
		image->n_sections > MG_MAX_SECTIONS ||
		image->n_sections > (source->size - sizeof head) / sizeof *image->sections)
		return mg_image_damaged(cx, "A field of its header is out of range.");
	image->form = (MgForm) form;

	sections = mg_alloc_array(cx, image->n_sections, sizeof *sections);
	if (sections == NULL ||
		!source->read(cx, source->user, sizeof head, sections, image->n_sections * sizeof *sections))
		return false;
	image->sections = sections;
	end = sizeof head + image->n_sections * sizeof *sections;
	for (size_t i = 0; i < image->n_sections; i++)
		if (!check_section(cx, image, &sections[i], &end) || !check_version(cx, &sections[i]))
			return false;
	return read_facts(cx, source, image);
}

const MgSection *
mg_image_find_next(const MgImage *image, const char *name, size_t *at)
{
	for (size_t i = 0; i < image->n_sections; i++)
	{
		const MgSection *section = &image->sections[(*at + i) % image->n_sections];

		if (strcmp(section->name, name) == 0)
		{
			*at = (size_t) (section - image->sections) + 1;
			return section;
		}
	}
	return NULL;
}

const MgSection *
mg_image_find(const MgImage *image, const char *name)
{
	return mg_image_find_next(image, name, &(size_t){0});
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
	uint32_t version = image->version, form = image->form, n = (uint32_t) image->n_sections;
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
