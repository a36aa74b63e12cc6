/* From a directory to a bound model: failures at every point, and an image whose every byte of description is flipped. */
#include "model/image.h"

#include "cli/host.h"
#include "model/checkpoint.h"
#include "model/model.h"
#include "task/embed.h"
#include "task/fill_mask.h"
#include "unit/host.h"

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
static bool
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

static bool
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
static bool
use_resident(MgCtx *cx, MgSpan bytes)
{
	MgCompute compute = {.kernels = mg_kernels(MG_CPU_SCALAR), .provider = MG_NATIVE, .pool = NULL};
	const MgModel *model = mg_model_bind(cx, "test", bytes, &compute);
	MgSpan text = mg_span_of("Paris is [MASK].");
	MgUsage usage = {0};

	if (model == NULL)
		return false;
	if (mg_model_has(model, MG_PART_HEAD))
	{
		MgFillMaskOptions options = {.top_k = 2};
		MgFilled *filled;
		size_t n;

		return mg_fill_mask(cx, model, &options, text, &filled, &n, &usage);
	}

	MgEmbedOptions options = {.normalize = true};
	float *vector = mg_alloc_array(cx, model->meta.hyper.hidden, sizeof *vector);

	return vector != NULL && mg_embed(cx, model, &options, &text, 1, vector, &usage);
}

static bool
whole_way(MgCtx *cx, void *user)
{
	const MgSpan *portable = user;
	Bytes resident;

	return make_resident(cx, *portable, MG_FORM_PANELS, &resident) &&
		use_resident(cx, mg_span(resident.data, resident.used));
}

static void
test_flips(MgSpan image, size_t end, const char *what)
{
	TestHost test;
	MgCtx cx;
	uint8_t *copy = aligned_alloc(MG_ALIGNMENT, (image.size + MG_ALIGNMENT) / MG_ALIGNMENT * MG_ALIGNMENT);
	long refused = 0;

	test_host_init(&test);
	mg_ctx_init(&cx, &test.host);
	memcpy(copy, image.data, image.size);
	for (size_t i = 0; i < end; i++)
		for (int flip = 0; flip < 2; flip++)
		{
			uint8_t kept = copy[i];

			copy[i] ^= flip == 0 ? 0x01 : 0x80;
			mg_ctx_reset(&cx);
			refused += !use_resident(&cx, mg_span(copy, image.size));
			copy[i] = kept;
		}
	ok(refused > 0, "%s: %zu bytes flipped twice, %ld refused, none crashed", what, end, refused);
	for (size_t size = 0; size < image.size; size += 1 + image.size / 500)
	{
		mg_ctx_reset(&cx);
		if (use_resident(&cx, mg_span(copy, size)))
			break;
		if (size + 1 + image.size / 500 >= image.size)
			ok(true, "%s: refused at every length", what);
	}
	mg_ctx_free(&cx);
	free(copy);
}

static void
test_model(const char *name)
{
	MgCtx cx;
	Bytes portable, resident;
	char directory[100];
	MgSpan bytes;

	mg_ctx_init(&cx, &cli_host);
	snprintf(directory, sizeof directory, TINY "%s", name);
	if (!ok(make_portable(&cx, directory, "{}", &portable), "%s: planned and written (%s)", name, cx.error.message))
		return;
	bytes = mg_span(portable.data, portable.used);
	sweep(name, whole_way, &bytes, 1);
	ok(make_resident(&cx, bytes, MG_FORM_PANELS, &resident), "%s: packed", name);
	bytes = mg_span(resident.data, resident.used);
	test_flips(bytes, 64 + 8 * 128, name);
	mg_ctx_free(&cx);
}

/* What is wrong with these options or files, in words that a user reads. */
static void
test_refusals(void)
{
	static const struct
	{
		const char *directory, *options, *message;
	} cases[] = {
		{TINY "bert-mlm", "{\"dtyp\": \"f32\"}", "option \"dtyp\" is not known"},
		{TINY "bert-mlm", "{\"dtype\": \"int3\"}", "option \"dtype\" has value \"int3\""},
		{TINY "bert-mlm", "{\"pooling\": \"sum\"}", "option \"pooling\" has value \"sum\""},
		{TINY "bert-mlm", "{\"max_tokens\": 100000}", "option \"max_tokens\" is 100000"},
		{TINY "bert-mlm", "{\"normalize\": \"yes\"}", "option \"normalize\" is \"yes\", expected true or false"},
		{TINY "bert-mlm", "[]", "options are not a JSON object"},
		{TINY "bert-mlm", "{\"prompts\": {\"a\": 1}}", "prompt \"a\" is not a string"},
		{TINY "bert-mlm", "{\"template\": \"about {text}\"}", "option \"template\" lacks {text} or {mask}"},
		{TINY "none", "{}", "file \"config.json\" does not exist"},
	};
	MgCtx cx;

	mg_ctx_init(&cx, &cli_host);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		Bytes out;

		mg_ctx_reset(&cx);
		ok(!make_portable(&cx, cases[i].directory, cases[i].options, &out), "refused: %s", cases[i].message);
		is_text(cx.error.message, cases[i].message, "and said so");
	}
	mg_ctx_free(&cx);
}

static void
test_dtypes(void)
{
	static const char *const options[] = {"{\"dtype\": \"f32\"}", "{\"dtype\": \"bf16\"}", "{\"dtype\": \"f16\"}"};
	size_t sizes[3];
	MgCtx cx;

	mg_ctx_init(&cx, &cli_host);
	for (size_t i = 0; i < 3; i++)
	{
		Bytes portable, resident;

		ok(make_portable(&cx, TINY "bert-mlm", options[i], &portable) &&
			   make_resident(&cx, mg_span(portable.data, portable.used), MG_FORM_ROWS, &resident) &&
			   use_resident(&cx, mg_span(resident.data, resident.used)),
		   "stored with %s", options[i]);
		sizes[i] = portable.used;
	}
	ok(sizes[1] < sizes[0] * 6 / 10 && sizes[1] == sizes[2], "two-byte types take about half");
	mg_ctx_free(&cx);
}

int
main(void)
{
	test_model("bert-mlm");
	test_model("bert-embed-mean");
	test_refusals();
	test_dtypes();
	return done();
}
