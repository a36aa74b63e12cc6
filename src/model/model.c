/* Binding: from the bytes of a resident image to pointers that forward() can follow without another check. */
#include "model/model.h"

#include <stdio.h>

#include "core/reader.h"

#define MAX_PROMPTS 1000

static MgSpan
section_bytes(const MgImage *image, MgSpan bytes, const char *name)
{
	const MgSection *section = mg_image_find(image, name);

	return section == NULL ? mg_span(NULL, 0) : mg_span(bytes.data + section->offset, (size_t) section->size);
}

/* Prompts: u32 number, then for each u32 and bytes of its name and of its text. */
static bool
bind_prompts(MgCtx *cx, MgModel *model, MgSpan bytes)
{
	MgReader reader = mg_reader(bytes);
	uint32_t n = bytes.size > 0 ? mg_read_u32(&reader) : 0;
	MgPrompt *prompts;

	if (n > MAX_PROMPTS)
		return mg_fail(cx, MG_BAD_FILE, "model image is damaged");
	prompts = mg_alloc_array(cx, n, sizeof *prompts);
	if (prompts == NULL)
		return false;
	for (uint32_t i = 0; i < n; i++)
	{
		prompts[i].name = mg_read_span(&reader, mg_read_u32(&reader));
		prompts[i].text = mg_read_span(&reader, mg_read_u32(&reader));
	}
	if (reader.failed)
		return mg_fail(cx, MG_BAD_FILE, "model image is damaged");
	model->prompts = prompts;
	model->n_prompts = n;
	return true;
}

/* Finds a weight, from the position behind the last one found: images keep the table's order. */
static const MgSection *
find_weight(const MgImage *image, const char *name, size_t *at)
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

/* Architectures follow pointers without asking how a weight is laid out: each role has its layouts. */
static bool
takes_layout(MgRole role, MgLayout layout)
{
	switch (role)
	{
		case MG_LINEAR:
			return layout == MG_ROWS || layout == MG_PANELS || layout == MG_PANELS16 || layout == MG_INT8 ||
				layout == MG_PAIRS || layout == MG_PAIRS16;
		case MG_WORDS:
			return layout == MG_ROWS || layout == MG_ROWS8 || layout == MG_ROWS16;
		default:
			return layout == MG_ROWS;
	}
}

static bool
bind_weight(MgCtx *cx, const MgModel *model, const MgImage *image, MgSpan bytes, const MgWeightSpec *spec,
			const char *name, size_t *at, uint8_t *weights)
{
	const MgSection *section = find_weight(image, name, at);
	size_t rows = mg_dim_size(&model->meta.hyper, spec->rows), cols = mg_dim_size(&model->meta.hyper, spec->cols);
	const float *data;

	if (section == NULL || section->rows != rows || section->cols != cols ||
		!takes_layout(spec->role, (MgLayout) section->layout))
	{
		mg_fail(cx, MG_BAD_FILE, "model image is damaged");
		return mg_detail(cx, "Weight \"%s\" is missing or has another shape.", name);
	}
	data = (const float *) (const void *) (bytes.data + section->offset);
	if (spec->role == MG_VECTOR)
		*(const float **) (void *) (weights + spec->field) = data;
	else
		*(MgMatrix *) (void *) (weights + spec->field) = (MgMatrix){(MgLayout) section->layout, rows, cols, {data}};
	return true;
}

static bool
bind_weights(MgCtx *cx, MgModel *model, const MgImage *image, MgSpan bytes)
{
	const MgArch *arch = model->arch;
	size_t at = 0;

	model->weights = mg_alloc_zeroed(cx, 1, arch->weights_size);
	model->layers = mg_alloc_zeroed(cx, model->meta.hyper.layers, arch->layer_size);
	if (model->weights == NULL || model->layers == NULL)
		return false;
	for (uint32_t layer = 0; layer < model->meta.hyper.layers; layer++)
		for (size_t i = 0; i < arch->n_weights; i++)
		{
			const MgWeightSpec *spec = &arch->weights[i];
			uint8_t *weights = spec->layered ? (uint8_t *) model->layers + layer * arch->layer_size : model->weights;
			char name[sizeof image->sections->name];

			if (!mg_model_has(model, spec->part) || (!spec->layered && layer > 0))
				continue;
			snprintf(name, sizeof name, spec->name, layer);
			if (!bind_weight(cx, model, image, bytes, spec, name, &at, weights))
				return false;
		}
	return true;
}

MgModel *
mg_model_bind(MgCtx *cx, const char *name, MgSpan image_bytes, const MgCompute *compute)
{
	MgModel *model = mg_alloc_zeroed(cx, 1, sizeof *model);
	MgSource source = mg_source_of_span(&image_bytes);
	MgImage image;

	if (model == NULL || (uintptr_t) image_bytes.data % MG_ALIGNMENT != 0 || !mg_image_open(cx, &source, &image))
		return NULL;
	if (image.form == MG_FORM_PORTABLE)
	{
		mg_fail(cx, MG_BAD_ARGUMENT, "model image is in its portable form");
		return NULL;
	}
	model->name = mg_copy_text(cx, mg_span_of(name));
	model->arch = image.arch;
	model->compute = *compute;
	model->meta = image.meta;
	model->resident_size = image.size;
	model->template = section_bytes(&image, image_bytes, "template");
	if (model->name == NULL || !bind_prompts(cx, model, section_bytes(&image, image_bytes, "prompts")) ||
		!bind_weights(cx, model, &image, image_bytes))
		return NULL;
	model->tokenizer = mg_tokenizer_bind(cx, section_bytes(&image, image_bytes, "tokenizer"));
	if (model->tokenizer == NULL)
		return NULL;
	if (mg_tokenizer_size(model->tokenizer) > model->meta.hyper.vocab_size)
	{
		mg_fail(cx, MG_BAD_FILE, "tokenizer has %zu tokens, the model %u", mg_tokenizer_size(model->tokenizer),
				model->meta.hyper.vocab_size);
		return NULL;
	}
	model->specials = mg_special_tokens(model->tokenizer);
	return model;
}

const MgPrompt *
mg_model_prompt(const MgModel *model, MgSpan name)
{
	for (size_t i = 0; i < model->n_prompts; i++)
		if (mg_span_equal(model->prompts[i].name, name))
			return &model->prompts[i];
	return NULL;
}

const char *
mg_meta_tasks(const MgMeta *meta)
{
	bool embeds = meta->pooling != MG_POOL_NONE, masked = (meta->parts & (1u << MG_PART_HEAD)) != 0;

	if (embeds && masked)
		return "embed, fill_mask, classify";
	if (embeds)
		return "embed";
	return masked ? "fill_mask, classify" : "";
}
