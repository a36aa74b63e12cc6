/* Images of tiny models, for tests: made from a directory, packed, bound and used. */
#ifndef TEST_UNIT_IMAGES_H
#define TEST_UNIT_IMAGES_H

#include "cli/host.h"
#include "model/checkpoint.h"
#include "model/image.h"
#include "model/model.h"
#include "task/embed.h"
#include "task/fill_mask.h"
#include "unit/host.h"
#include "unit/run.h"

#define TINY "test/golden/tiny/"

typedef struct Bytes
{
	uint8_t *data;
	size_t used, room;
} Bytes;

static bool
append(MgCtx *cx, void *user, const void *bytes, size_t size)
{
	Bytes *to = user;

	if (size > to->room - to->used)
		return mg_fail(cx, MG_IO, "more bytes than were planned");
	if (size > 0)
		memcpy(to->data + to->used, bytes, size);
	to->used += size;
	return true;
}

/* The files of a model, read once: descriptors would leak at a jump. */
__attribute__((unused)) static bool
make_portable(MgCtx *cx, const char *directory, const char *options_text, Bytes *out)
{
	MgFiles files = cli_directory(directory);
	MgModelOptions options;
	MgSink sink = {out, append};
	MgPlan plan;

	if (!mg_model_options_parse(cx, mg_span_of(options_text), &options) ||
		!mg_checkpoint_plan(cx, &files, &options, &plan))
		return false;
	out->room = plan.image.size;
	out->used = 0;
	out->data = mg_alloc(cx, out->room);
	return out->data != NULL && mg_checkpoint_write(cx, mg_kernels(MG_CPU_SCALAR), &plan, &sink) &&
		(out->used == out->room || mg_fail(cx, MG_IO, "fewer bytes than were planned"));
}

__attribute__((unused)) static bool
make_resident(MgCtx *cx, MgSpan portable_bytes, MgForm form, Bytes *out)
{
	MgSource source = mg_source_of_span(&portable_bytes);
	MgSink sink = {out, append};
	MgImage portable, resident;

	if (!mg_image_open(cx, &source, &portable) || !mg_image_plan_pack(cx, &portable, form, &resident))
		return false;
	out->room = resident.size;
	out->used = 0;
	out->data = mg_alloc(cx, out->room);
	return out->data != NULL && mg_image_pack(cx, mg_kernels(MG_CPU_SCALAR), &source, &portable, &resident, &sink) &&
		(out->used == out->room || mg_fail(cx, MG_IO, "fewer bytes than were planned"));
}

/* Binds, and uses what is bound: a damaged image may be refused, but not read out of bounds. */
__attribute__((unused)) static bool
use_resident(MgCtx *cx, MgSpan bytes)
{
	const MgModel *model = mg_model_bind(cx, bytes);
	MgSpan text = mg_span_of("Paris is [MASK].");
	MgUsage usage = {0};

	if (model == NULL)
		return false;
	if (mg_model_can(model, MG_CAN_FILL_MASK))
	{
		MgFillMaskOptions options = {.top_k = 2};
		MgFilled *filled;
		size_t n;

		return mg_fill_mask(RUN(cx, model, scalar_compute(), &usage), &options, text, &filled, &n);
	}

	MgEmbedOptions options = {.normalize = true};
	float *vector = mg_alloc_array(cx, model->sizes->width, sizeof *vector);

	return vector != NULL && mg_embed(RUN(cx, model, scalar_compute(), &usage), &options, &text, 1, vector);
}

#endif
