/* From a directory to a bound model: failures at every point, and an image whose every byte of description is flipped. */
#include "task/embed.h"
#include "unit/images.h"

static bool
whole_way(MgCtx *cx, void *user)
{
	const MgSpan *portable = user;
	Bytes resident;

	return make_resident(cx, *portable, MG_FORM_PANELS, &resident) &&
		use_resident(cx, mg_span(resident.data, resident.used));
}

/* Header and some of the directory; meta, config, template and prompts of the tiny models. */
#define DIRECTORY_END (64 + 8 * 128)
#define FACTS_BEGIN 5000
#define FACTS_END 7000

static void
test_flips(MgSpan image, const char *what)
{
	TestHost test;
	MgCtx cx;
	uint8_t *copy = aligned_alloc(MG_ALIGNMENT, (image.size + MG_ALIGNMENT) / MG_ALIGNMENT * MG_ALIGNMENT);
	long refused = 0, lengths = 0, n = 0;

	test_host_init(&test);
	mg_ctx_init(&cx, &test.host);
	memcpy(copy, image.data, image.size);
	for (size_t i = 0; i < FACTS_END; i = i + 1 == DIRECTORY_END ? FACTS_BEGIN : i + 1)
		for (int flip = 0; flip < 2; flip++, n++)
		{
			uint8_t kept = copy[i];

			copy[i] ^= flip == 0 ? 0x01 : 0x80;
			mg_ctx_reset(&cx);
			refused += !use_resident(&cx, mg_span(copy, image.size));
			copy[i] = kept;
		}
	ok(refused > 0, "%s: %ld changes, %ld refused, none crashed", what, n, refused);
	refused = 0;
	for (size_t size = 0; size < image.size; size += 1 + image.size / 500, lengths++)
	{
		mg_ctx_reset(&cx);
		refused += !use_resident(&cx, mg_span(copy, size));
	}
	is_int(refused, lengths, "%s: refused at every length", what);
	mg_ctx_free(&cx);
	free(copy);
}

/* Polls and bytes that packing may take of a damaged image, as multiples of what the whole one takes. */
#define MOST_WORK 8

static bool
count_bytes(MgCtx *cx, void *user, const void *bytes, size_t size)
{
	Bytes *to = user;

	(void) bytes;
	to->used += size;
	return to->used <= to->room || mg_fail(cx, MG_STOPPED, "packing writes without end");
}

/* As a server loads a model: whatever the stored bytes say, it ends soon. */
static bool
pack(MgCtx *cx, MgSpan bytes, MgForm form, Bytes *out)
{
	MgSource source = mg_source_of_span(&bytes);
	MgSink sink = {out, count_bytes};
	MgImage portable, resident;

	out->used = 0;
	return mg_image_open(cx, &source, &portable) && mg_image_plan_pack(cx, &portable, form, &resident) &&
		mg_image_pack(cx, mg_kernels(MG_CPU_SCALAR), &source, &portable, &resident, &sink);
}

/* Each byte of header, directory and description, and some of the weights, by four other values. */
static void
test_work(MgSpan image, const char *what)
{
	static const uint8_t with[] = {0x01, 0x80, 0x7F, 0xFF};
	const size_t described = 64 + 128 * 64;
	TestHost test;
	MgCtx cx;
	Bytes out = {NULL, 0, SIZE_MAX};
	uint8_t *copy = malloc(image.size);
	long endless = 0, n = 0;

	test_host_init(&test);
	mg_ctx_init(&cx, &test.host);
	memcpy(copy, image.data, image.size);
	ok(pack(&cx, image, MG_FORM_PANELS, &out), "%s: packed undisturbed", what);
	out.room = MOST_WORK * out.used;
	test.failure = TEST_STOP;
	test.fail_at = MOST_WORK * test.n_polls;
	for (size_t i = 0; i < image.size; i += i < described ? 1 : 997)
		for (size_t flip = 0; flip < sizeof with; flip++, n++)
		{
			uint8_t kept = copy[i];

			copy[i] ^= with[flip];
			test.n_polls = 0;
			mg_ctx_reset(&cx);
			if (!pack(&cx, mg_span(copy, image.size), flip % 2 == 0 ? MG_FORM_PANELS : MG_FORM_BF16X2, &out) &&
				cx.error.code == MG_STOPPED)
			{
				printf("# endless with byte %zu changed by %02x\n", i, with[flip]);
				endless++;
			}
			copy[i] = kept;
		}
	is_int(endless, 0, "%s: packing ends, whichever of %ld bytes is changed", what, n);
	mg_ctx_free(&cx);
	free(copy);
}

static void
test_model(const char *name, const char *options)
{
	MgCtx cx;
	Bytes portable, resident;
	char directory[100];
	MgSpan bytes;

	mg_ctx_init(&cx, &cli_host);
	snprintf(directory, sizeof directory, TINY "%s", name);
	if (!ok(make_portable(&cx, directory, options, &portable), "%s: planned and written (%s)", name, cx.error.message))
		return;
	bytes = mg_span(portable.data, portable.used);
	sweep(name, whole_way, &bytes, 1);
	test_work(bytes, name);
	ok(make_resident(&cx, bytes, MG_FORM_PANELS, &resident), "%s: packed", name);
	bytes = mg_span(resident.data, resident.used);
	test_flips(bytes, name);
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
	size_t sizes[3], panels[3], pairs[3];
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
		ok(make_resident(&cx, mg_span(portable.data, portable.used), MG_FORM_PANELS, &resident) &&
			   use_resident(&cx, mg_span(resident.data, resident.used)),
		   "and used in panels");
		panels[i] = resident.used;
		ok(make_resident(&cx, mg_span(portable.data, portable.used), MG_FORM_BF16X2, &resident) &&
			   use_resident(&cx, mg_span(resident.data, resident.used)),
		   "and in pairs");
		pairs[i] = resident.used;
	}
	ok(sizes[1] < sizes[0] * 6 / 10 && sizes[1] == sizes[2], "two-byte types take about half");
	is_int((long) panels[2], (long) panels[0], "f16 is widened in memory");
	ok(pairs[0] < panels[0] * 11 / 10 && pairs[2] == pairs[0], "pairs take the memory of float32: %zu bytes of %zu", pairs[0],
	   panels[0]);
	ok(pairs[1] < pairs[0] * 7 / 10, "and half of it for bf16: %zu", pairs[1]);
	ok(panels[1] < panels[0] * 7 / 10, "bf16 stays narrow: %zu bytes of %zu", panels[1], panels[0]);
	mg_ctx_free(&cx);
}

/* Of the versions that there are, only those with the description that the bytes have. */
static void
test_versions(void)
{
	Bytes portable, resident;
	MgCtx cx;
	uint32_t version;

	mg_ctx_init(&cx, &cli_host);
	for (version = 0; version < 5; version++)
	{
		bool fine;

		mg_ctx_reset(&cx);
		ok(make_portable(&cx, TINY "bert-mlm", "{}", &portable), "version %u", version);
		memcpy(portable.data + 8, &version, sizeof version);
		fine = make_resident(&cx, mg_span(portable.data, portable.used), MG_FORM_PANELS, &resident);
		if (version == 3)
			ok(fine, "is read");
		else if (version == 0 || version > 3)
			ok(!fine && strstr(cx.error.message, "this library reads versions 1 to 3") != NULL && cx.error.hint[0] != '\0',
			   "is not: %s", cx.error.message);
		else
			is_text(cx.error.message, "model image is damaged", "has another description");
	}
	mg_ctx_free(&cx);
}

/* What a resident image says of a text: its vector, and what it puts for a mask. */
static bool
answer(MgCtx *cx, MgSpan bytes, float vector[32], MgFilled **filled)
{
	const MgModel *model = mg_model_bind(cx, bytes);
	MgEmbedOptions embed = {.normalize = true};
	MgFillMaskOptions fill = {.top_k = 5};
	MgSpan text = mg_span_of("Paris is [MASK].");
	MgUsage usage = {0};
	size_t n;

	return model != NULL && model->n_prompts == 1 && mg_span_is(model->prompts[0].text, "query: ") &&
		mg_span_is(model->template, "{mask} news: {text}") && mg_embed(RUN(cx, model, scalar_compute(), &usage), &embed, &text, 1, vector) &&
		mg_fill_mask(RUN(cx, model, scalar_compute(), &usage), &fill, text, filled, &n) && n == 5;
}

#define OLD_OPTIONS \
	"{\"dtype\": \"int8\", \"prompts\": {\"query\": \"query: \"}, \"pooling\": \"mean\", " \
	"\"template\": \"{mask} news: {text}\"}"

/* An image that 0.1.0 wrote, before its description had keys: it is read, and gives the same bits as one made now. */
static void
test_old_image(void)
{
	static uint8_t bytes[100000];
	FILE *file = fopen("test/golden/image/0.1.0-bert-mlm-int8.mgimage", "rb");
	MgSpan old = mg_span(bytes, file != NULL ? fread(bytes, 1, sizeof bytes, file) : 0);
	Bytes now, resident, old_resident;
	float vector[32], old_vector[32];
	MgFilled *filled, *old_filled;
	uint32_t version;
	MgCtx cx;

	mg_ctx_init(&cx, &cli_host);
	is_int(old.size, 68864, "an image of 0.1.0 is there");
	memcpy(&version, old.data + 8, sizeof version);
	is_int(version, 2, "of version 2");
	ok(make_resident(&cx, old, MG_FORM_PANELS, &old_resident) &&
		   answer(&cx, mg_span(old_resident.data, old_resident.used), old_vector, &old_filled),
	   "it is packed and bound (%s)", cx.error.message);
	ok(make_portable(&cx, TINY "bert-mlm", OLD_OPTIONS, &now) &&
		   make_resident(&cx, mg_span(now.data, now.used), MG_FORM_PANELS, &resident) &&
		   answer(&cx, mg_span(resident.data, resident.used), vector, &filled),
	   "one of the same files is made now (%s)", cx.error.message);
	ok(memcmp(vector, old_vector, sizeof vector) == 0, "their vectors are the same bit for bit");
	for (int i = 0; i < 5; i++)
		ok(filled[i].token_id == old_filled[i].token_id && filled[i].score == old_filled[i].score, "and so is word %d",
		   filled[i].token_id);
	sweep("old image", whole_way, &old, 1);
	test_work(old, "old image");
	test_flips(mg_span(old_resident.data, old_resident.used), "old image");
	mg_ctx_free(&cx);
	fclose(file);
}

/* A key and a section that this library does not know change nothing; a form of a section that it does not know is refused. */
static void
test_new_keys(void)
{
	MgFiles files = cli_directory(TINY "bert-mlm");
	MgModelOptions options;
	MgConfig more;
	MgConfigValue *values;
	MgPlan plan;
	Bytes portable, resident;
	MgSink sink = {&portable, append};
	MgSection *sections;
	MgCtx cx;

	mg_ctx_init(&cx, &cli_host);
	ok(mg_model_options_parse(&cx, mg_span_of("{}"), &options) && mg_checkpoint_plan(&cx, &files, &options, &plan),
	   "planned");
	values = mg_alloc_array(&cx, plan.image.keys.n + 2, sizeof *values);
	memcpy(values + 2, plan.image.keys.values, plan.image.keys.n * sizeof *values);
	values[0] = (MgConfigValue){.key = mg_span_of("rope_theta"), .kind = MG_VALUE_REAL, .real = 1e4};
	values[1] = (MgConfigValue){.key = mg_span_of("layer_types.0"), .kind = MG_VALUE_TEXT, .text = mg_span_of("full")};
	more = (MgConfig){NULL, plan.image.keys.n + 2, values};
	sections = (MgSection *) plan.image.sections;
	ok(mg_config_write(&cx, &more, (MgSpan *) &plan.bytes[1]), "two keys more");
	sections[1].size = plan.bytes[1].size;
	for (uint32_t version = 1; version < 3; version++)
	{
		bool fine;

		sections[1].version = version;
		if (!mg_image_lay_out(&cx, sections, plan.image.n_sections, &plan.image.size))
			return;
		portable = (Bytes){mg_alloc(&cx, plan.image.size), 0, plan.image.size};
		fine = mg_checkpoint_write(&cx, mg_kernels(MG_CPU_SCALAR), &plan, &sink) &&
			make_resident(&cx, mg_span(portable.data, portable.used), MG_FORM_PANELS, &resident) &&
			use_resident(&cx, mg_span(resident.data, resident.used));
		if (version == 1)
			ok(fine, "they are passed over (%s)", cx.error.message);
		else
			is_text(cx.error.message, "section \"config\" of the model image has version 2, this library reads version 1",
					"a section of a later form is refused");
	}
	mg_ctx_free(&cx);
}

int
main(void)
{
	test_model("bert-mlm", "{}");
	test_model("bert-embed-mean", "{}");
	test_model("bert-mlm", "{\"dtype\": \"int8\"}");
	test_versions();
	test_old_image();
	test_new_keys();
	test_refusals();
	test_dtypes();
	return done();
}
