/* Binding: from the bytes of a resident image to pointers that forward() can follow without another check. */
#include "model/model.h"

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

/* Architectures follow pointers without asking how a weight is laid out: each role has its layouts. */
static bool
takes_layout(MgRole role, MgLayout layout)
{
	switch (role)
	{
		case MG_LINEAR:
			return layout == MG_ROWS || layout == MG_PANELS || layout == MG_PANELS16 || layout == MG_INT8 ||
				layout == MG_BF16X2 || layout == MG_BF16X1 || mg_layout_is_grouped(layout);
		case MG_WORDS:
			return layout == MG_ROWS || layout == MG_ROWS8 || layout == MG_ROWS16 || mg_layout_is_grouped(layout);
		default:
			return layout == MG_ROWS;
	}
}

/* Where a weight's pointer goes. */
static void *
field_of(const MgModel *model, const MgWeightSpec *spec, uint32_t layer)
{
	uint8_t *weights = (spec->flags & MG_LAYERED) != 0 ? (uint8_t *) model->layers + layer * model->arch->layer_size
													   : model->weights;

	return weights + spec->field;
}

static bool
bind_weight(MgCtx *cx, const MgModel *model, const MgWeight *weight, const MgSection *section, MgSpan bytes)
{
	void *field = field_of(model, weight->spec, weight->layer);
	const float *data;

	if (section == NULL && (weight->spec->flags & MG_OPTIONAL) != 0)
		return true;
	if (section == NULL || section->rows != weight->rows || section->cols != weight->cols ||
		!takes_layout(weight->spec->role, (MgLayout) section->layout))
		return mg_image_lacks(cx, weight);
	data = (const float *) (const void *) (bytes.data + section->offset);
	if (weight->spec->role == MG_VECTOR)
		*(const float **) field = data;
	else
		*(MgMatrix *) field = (MgMatrix){(MgLayout) section->layout, weight->rows, weight->cols, {data}};
	return true;
}

/* Matrices that are not stored, since the words stand in for them. */
static void
bind_tied(MgModel *model)
{
	const MgArch *arch = model->arch;

	for (size_t i = 0; model->sizes->tied && i < arch->n_weights; i++)
		if ((arch->weights[i].flags & MG_TIED) != 0 && arch->weights[i].role == MG_WORDS)
			*(MgMatrix *) field_of(model, &arch->weights[i], 0) = *(MgMatrix *) field_of(model, &arch->weights[0], 0);
}

static bool
bind_weights(MgCtx *cx, MgModel *model, const MgImage *image, MgSpan bytes)
{
	MgWeight weight = {0};
	size_t at = 0;

	model->weights = mg_alloc_zeroed(cx, 1, model->arch->weights_size);
	model->layers = mg_alloc_zeroed(cx, model->sizes->layers, model->arch->layer_size);
	if (model->weights == NULL || model->layers == NULL)
		return false;
	while (mg_weights_next(image->arch, image->config, image->parts, &weight))
		if (!mg_poll(cx) || !bind_weight(cx, model, &weight, mg_image_find_next(image, weight.name, &at), bytes))
			return false;
	bind_tied(model);
	return true;
}

const MgModel *
mg_model_bind(MgCtx *cx, MgSpan image_bytes)
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
	model->arch = image.arch;
	model->meta = image.meta;
	model->keys = image.keys;
	model->config = image.config;
	model->sizes = mg_image_sizes(&image);
	model->can = image.can;
	model->resident_size = image.size;
	model->template = section_bytes(&image, image_bytes, "template");
	model->generation = section_bytes(&image, image_bytes, "generation");
	model->chat_template = section_bytes(&image, image_bytes, "chat_template");
	if (!bind_prompts(cx, model, section_bytes(&image, image_bytes, "prompts")) ||
		!bind_weights(cx, model, &image, image_bytes))
		return NULL;
	model->tokenizer = mg_tokenizer_bind(cx, section_bytes(&image, image_bytes, "tokenizer"));
	if (model->tokenizer == NULL)
		return NULL;
	if (mg_tokenizer_size(model->tokenizer) > model->sizes->vocab)
	{
		mg_fail(cx, MG_BAD_FILE, "tokenizer has %zu tokens, the model %u", mg_tokenizer_size(model->tokenizer),
				model->sizes->vocab);
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
