/*
 * Portable images of 8 bits as table rows may hold them: an input patches the
 * image of a tiny model, which is then packed, bound and used. Four bytes a
 * patch: u16 place (the whole image has fewer than 64 kB), u8 length - 1 (of a
 * run, modulo 8), u8 value.
 *
 * Run from the root of the tree, where the model is found.
 */
#include "cli/host.h"
#include "core/reader.h"
#include "fuzz/host.h"
#include "model/checkpoint.h"
#include "model/model.h"
#include "task/embed.h"
#include "unit/run.h"

typedef struct Bytes
{
	uint8_t *data;
	size_t used, room;
} Bytes;

static bool
append(MgCtx *cx, void *user, const void *bytes, size_t size)
{
	Bytes *to = user;

	fuzz_require(size <= to->room - to->used);
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
	MgFiles files = cli_directory("test/golden/tiny/bert-embed-mean");
	MgModelOptions options;
	MgPlan plan;
	Bytes image = {NULL, 0, 0};
	MgSink sink = {&image, append};

	mg_ctx_init(&cx, &cli_host);
	fuzz_require(mg_model_options_parse(&cx, mg_span_of("{\"dtype\": \"int8\"}"), &options) &&
				 mg_checkpoint_plan(&cx, &files, &options, &plan));
	image.room = plan.image.size;
	image.data = malloc(image.room);
	fuzz_require(image.data != NULL && image.room < 65536 &&
				 mg_checkpoint_write(&cx, mg_kernels(MG_CPU_SCALAR), &plan, &sink));
	mg_ctx_free(&cx);
	return image;
}

static bool
use(MgCtx *cx, MgSpan bytes)
{
	MgCompute compute = {.kernels = mg_kernels(mg_cpu_level()), .provider = MG_NATIVE, .pool = NULL};
	MgEmbedOptions options = {.normalize = true};
	MgSource source = mg_source_of_span(&bytes);
	MgSpan text = mg_span_of("The capital of paris \xC3\xA9t\xC3\xA9 is red!");
	MgUsage usage = {0};
	MgImage portable, resident;
	Bytes to = {NULL, 0, 0};
	MgSink sink = {&to, append};
	const MgModel *model;
	float *vector;

	if (!mg_image_open(cx, &source, &portable) ||
		!mg_image_plan_pack(cx, &portable, MG_FORM_PANELS, &resident))
		return false;
	to.room = resident.size;
	to.data = mg_alloc(cx, to.room);
	if (to.data == NULL || !mg_image_pack(cx, compute.kernels, &source, &portable, &resident, &sink))
		return false;
	fuzz_require(to.used == to.room);
	model = mg_model_bind(cx, mg_span(to.data, to.used));
	if (model == NULL)
		return false;
	vector = mg_alloc_array(cx, model->sizes->width, sizeof *vector);
	return vector != NULL && mg_embed(RUN(cx, model, &compute, &usage), &options, &text, 1, vector);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static Bytes image;
	MgReader reader = mg_reader(mg_span(data, size));
	uint8_t *copy;
	MgCtx cx;
	bool fine;

	if (image.data == NULL)
		image = make_image();
	/* Of its own size exactly, so that a sanitizer sees a read past its end. */
	copy = malloc(image.used);
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
	fine = use(&cx, mg_span(copy, image.used));
	fuzz_judge(&cx, fine);
	mg_ctx_free(&cx);
	free(copy);
	return 0;
}
