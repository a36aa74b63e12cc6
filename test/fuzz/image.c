/*
 * Resident images as table rows may hold them: an input patches the image of a
 * tiny model, which is then bound and used. Four bytes a patch: u16 place
 * (in the first 64 kB: header, directory, description, tokeniser and the first
 * weights), u8 length - 1 (of a run, modulo 8), u8 value.
 *
 * Run from the root of the tree, where the model is found.
 */
#include "cli/host.h"
#include "core/reader.h"
#include "fuzz/host.h"
#include "model/checkpoint.h"
#include "model/model.h"
#include "task/fill_mask.h"
#include "unit/run.h"

typedef struct Bytes
{
	uint8_t *data;
	size_t used;
} Bytes;

static bool
append(MgCtx *cx, void *user, const void *bytes, size_t size)
{
	Bytes *to = user;

	(void) cx;
	if (size > 0)
		memcpy(to->data + to->used, bytes, size);
	to->used += size;
	return true;
}

/* The image that is patched; made once. */
static Bytes
make_image(void)
{
	MgCtx cx;
	MgFiles files = cli_directory("test/golden/tiny/bert-mlm");
	MgModelOptions options;
	MgPlan plan;
	MgImage portable, resident;
	Bytes from = {NULL, 0}, to = {NULL, 0};
	MgSink from_sink = {&from, append}, to_sink = {&to, append};
	MgSpan bytes;
	MgSource source;

	mg_ctx_init(&cx, &cli_host);
	fuzz_require(mg_model_options_parse(&cx, mg_span_of("{}"), &options) &&
				 mg_checkpoint_plan(&cx, &files, &options, &plan));
	from.data = malloc(plan.image.size);
	fuzz_require(mg_checkpoint_write(&cx, mg_kernels(MG_CPU_SCALAR), &plan, &from_sink));
	bytes = mg_span(from.data, from.used);
	source = mg_source_of_span(&bytes);
	fuzz_require(mg_image_open(&cx, &source, &portable) &&
				 mg_image_plan_pack(&cx, &portable, MG_FORM_PANELS, &resident));
	to.data = malloc(resident.size);
	fuzz_require(mg_image_pack(&cx, mg_kernels(MG_CPU_SCALAR), &source, &portable, &resident, &to_sink));
	free(from.data);
	mg_ctx_free(&cx);
	return to;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static Bytes image;
	MgReader reader = mg_reader(mg_span(data, size));
	MgFillMaskOptions options = {.top_k = 3};
	MgSpan text = mg_span_of("The capital of paris \xC3\xA9t\xC3\xA9 is [MASK]!");
	MgUsage usage = {0};
	MgFilled *filled;
	size_t n;
	uint8_t *copy;
	const MgModel *model;
	MgCtx cx;
	bool fine;

	if (image.data == NULL)
		image = make_image();
	/* Of its own size exactly, so that a sanitizer sees a read past its end. */
	copy = aligned_alloc(MG_ALIGNMENT, (image.used + MG_ALIGNMENT - 1) / MG_ALIGNMENT * MG_ALIGNMENT);
	fuzz_require(copy != NULL);
	memcpy(copy, image.data, image.used);
	while (mg_reader_left(&reader) >= 4)
	{
		size_t place = mg_read_u8(&reader), run, value;

		place |= (size_t) mg_read_u8(&reader) << 8;
		run = mg_read_u8(&reader) % 8 + 1u;
		value = mg_read_u8(&reader);
		for (size_t i = place; i < place + run && i < image.used; i++)
			copy[i] = (uint8_t) value;
	}
	mg_ctx_init(&cx, &fuzz_host);
	model = mg_model_bind(&cx, mg_span(copy, image.used));
	fine = model != NULL && mg_fill_mask(RUN(&cx, model, scalar_compute(), &usage), &options, text, &filled, &n);
	fuzz_judge(&cx, fine);
	mg_ctx_free(&cx);
	free(copy);
	return 0;
}
