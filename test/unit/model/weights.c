/*
 * The table of weights, by an architecture made for this test: fused tensors
 * bound as one and in slices, stored transposed, optional, tied, of old names,
 * not in the first layer. Each number says whose it is, so a pointer that leads
 * elsewhere is seen.
 */
#include "model/facts.h"
#include "unit/images.h"
#include "unit/memory_files.h"

#define WIDTH 8
#define WIDE 12
#define VOCAB 10

typedef struct Layer
{
	MgMatrix qkv;	   /* [3 width, width] one tensor */
	MgMatrix up, gate; /* [wide, width] halves of one */
	MgMatrix down;	   /* [width, wide], [wide, width] in the checkpoint */
	const float *norm; /* not in layer 0 */
	const float *bias; /* optional */
} Layer;

typedef struct Weights
{
	MgMatrix words;
	const float *gain;
	const float *head;
	MgMatrix decoder; /* tied */
} Weights;

typedef struct Config
{
	MgSizes sizes;
	uint32_t wide, fused;
	float theta;
} Config;

static const Config toy_defaults = {.sizes = {.layers = 2, .width = WIDTH, .vocab = VOCAB, .longest = 16, .tied = true},
									.wide = WIDE,
									.theta = 0.5f};

static const MgKey toy_keys[] = {
	{"vocab_size", MG_KEY_SIZE, offsetof(Config, sizes.vocab), 1, MG_MAX_VOCAB},
	{"layers", MG_KEY_SIZE, offsetof(Config, sizes.layers), 1, MG_MAX_LAYERS},
	{"tie_word_embeddings", MG_KEY_FLAG, offsetof(Config, sizes.tied), 0, 0},
	{"rope.full.theta", MG_KEY_REAL, offsetof(Config, theta), 0, 1e9},
	{"id2label", MG_KEY_LIST, 0, 0, 0},
};

static bool
toy_settle(MgCtx *cx, const MgConfig *lists, void *config)
{
	Config *c = config;

	(void) cx;
	c->fused = 3 * c->sizes.width;
	c->sizes.labels = (uint32_t) mg_config_count(lists, "id2label");
	return true;
}

#define SIDE(field) offsetof(Config, field)

static const MgWeightSpec toy_weights[] = {
	{"words.weight", 0, MG_WORDS, 0, SIDE(sizes.vocab), SIDE(sizes.width), offsetof(Weights, words), NULL, 0},
	{"norm.weight", 0, MG_VECTOR, 0, SIDE(sizes.width), MG_ONE, offsetof(Weights, gain), NULL, 0},
	{"layer.%u.qkv.weight", 0, MG_LINEAR, MG_LAYERED, SIDE(fused), SIDE(sizes.width), offsetof(Layer, qkv), NULL, 0},
	{"layer.%u.up.weight", 0, MG_LINEAR, MG_LAYERED | MG_SLICE, SIDE(wide), SIDE(sizes.width), offsetof(Layer, up),
	 "layer.%u.Wi.weight", 0},
	{"layer.%u.gate.weight", 0, MG_LINEAR, MG_LAYERED | MG_SLICE, SIDE(wide), SIDE(sizes.width), offsetof(Layer, gate),
	 "layer.%u.Wi.weight", 0},
	{"layer.%u.down.weight", 0, MG_LINEAR, MG_LAYERED | MG_TRANSPOSED, SIDE(sizes.width), SIDE(wide),
	 offsetof(Layer, down), NULL, 0},
	{"layer.%u.norm.weight", 0, MG_VECTOR, MG_LAYERED | MG_NOT_FIRST, SIDE(sizes.width), MG_ONE, offsetof(Layer, norm),
	 NULL, 0},
	{"layer.%u.down.bias", 0, MG_VECTOR, MG_LAYERED | MG_OPTIONAL, SIDE(sizes.width), MG_ONE, offsetof(Layer, bias), NULL, 0},
	{"head.weight", 1, MG_VECTOR, 0, SIDE(sizes.width), MG_ONE, offsetof(Weights, head), NULL, 0},
	{"decoder.weight", 1, MG_WORDS, MG_TIED, SIDE(sizes.vocab), SIDE(sizes.width), offsetof(Weights, decoder), NULL, 0},
};

static const MgClass toy_classes[] = {{"ToyModel", 0}, {"ToyForHead", 1}, {NULL, 0}};
static const char *const toy_prefixes[] = {"", "toy.", NULL};
static const char *const toy_ignored[] = {"decoder.weight", NULL};
static const MgRename toy_renames[] = {{"norm.weight", "norm.gamma"}, {NULL, NULL}};

static const MgArch toy = {.name = "toy",
						   .classes = toy_classes,
						   .prefixes = toy_prefixes,
						   .ignored = toy_ignored,
						   .renames = toy_renames,
						   .keys = toy_keys,
						   .n_keys = sizeof toy_keys / sizeof *toy_keys,
						   .defaults = &toy_defaults,
						   .config_size = sizeof(Config),
						   .weights = toy_weights,
						   .n_weights = sizeof toy_weights / sizeof *toy_weights,
						   .weights_size = sizeof(Weights),
						   .layer_size = sizeof(Layer),
						   .can = {MG_CAN_EMBED, MG_CAN_FILL_MASK},
						   .settle = toy_settle};

/* In place of src/arch/registry.c. */
const MgArch *const mg_arches[] = {&toy, NULL};

/* A tensor of a made checkpoint; number i of it is 1000 * its place in the list + i. */
typedef struct Made
{
	const char *name;
	size_t rows, cols; /* cols 0: a vector */
} Made;

static const Made whole[] = {
	{"toy.words.weight", VOCAB, WIDTH},		 {"toy.norm.gamma", WIDTH, 0},
	{"toy.layer.0.qkv.weight", 3 * WIDTH, WIDTH}, {"toy.layer.0.Wi.weight", 2 * WIDE, WIDTH},
	{"toy.layer.0.down.weight", WIDE, WIDTH}, {"toy.layer.1.qkv.weight", 3 * WIDTH, WIDTH},
	{"toy.layer.1.Wi.weight", 2 * WIDE, WIDTH}, {"toy.layer.1.down.weight", WIDE, WIDTH},
	{"toy.layer.1.norm.weight", WIDTH, 0},	 {"toy.layer.1.down.bias", WIDTH, 0},
	{"head.weight", WIDTH, 0},				 {"decoder.weight", VOCAB, WIDTH},
};

#define N_WHOLE (sizeof whole / sizeof *whole)

/* A checkpoint of all tensors but one, with this configuration. */
static bool
make(MgCtx *cx, const char *config, size_t without, const char *options_text, Bytes *out)
{
	static uint8_t file[65536];
	char *header = (char *) file + 8;
	float *data;
	size_t at = 0, length;
	const char *vocab = "[UNK]\n[CLS]\n[SEP]\n[PAD]\n[MASK]\na\nb\n";
	MemoryFile files[] = {{"config.json", mg_span_of(config)}, {"vocab.txt", mg_span_of(vocab)},
						  {"model.safetensors", {file, 0}},	   {NULL, {NULL, 0}}};
	MgFiles directory = MEMORY_FILES(files);
	MgModelOptions options;
	MgSink sink = {out, append};
	MgPlan plan;

	length = (size_t) sprintf(header, "{");
	for (size_t i = 0; i < N_WHOLE; i++)
	{
		size_t n = whole[i].rows * (whole[i].cols > 0 ? whole[i].cols : 1);
		char shape[64];

		if (i == without)
			continue;
		snprintf(shape, sizeof shape, whole[i].cols > 0 ? "%zu,%zu" : "%zu", whole[i].rows, whole[i].cols);
		length += (size_t) sprintf(header + length, "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}",
								   length > 1 ? "," : "", whole[i].name, shape, at, at + 4 * n);
		at += 4 * n;
	}
	length += (size_t) sprintf(header + length, "}");
	while (length % 4 != 0)
		header[length++] = ' ';
	memcpy(file, &(uint64_t){length}, 8);
	data = (float *) (void *) (file + 8 + length);
	for (size_t i = 0; i < N_WHOLE; i++)
		for (size_t j = 0; i != without && j < whole[i].rows * (whole[i].cols > 0 ? whole[i].cols : 1); j++)
			*data++ = (float) (1000 * i + j);
	files[2].bytes.size = 8 + length + at;
	if (!mg_model_options_parse(cx, mg_span_of(options_text), &options) ||
		!mg_checkpoint_plan(cx, &directory, &options, &plan))
		return false;
	*out = (Bytes){mg_alloc(cx, plan.image.size), 0, plan.image.size};
	return mg_checkpoint_write(cx, mg_kernels(MG_CPU_SCALAR), &plan, &sink);
}

static const MgModel *
load(MgCtx *cx, const char *config, size_t without, const char *options)
{
	Bytes portable, resident;

	return make(cx, config, without, options, &portable) &&
			make_resident(cx, mg_span(portable.data, portable.used), MG_FORM_ROWS, &resident)
		? mg_model_bind(cx, mg_span(resident.data, resident.used))
		: NULL;
}

static void
test_binding(void)
{
	const char *config = "{\"architectures\": [\"ToyForHead\"], \"rope\": {\"full\": {\"theta\": 160000.0}},"
						 " \"id2label\": {\"0\": \"no\", \"1\": \"yes\"}, \"nobody\": [1, {\"knows\": null}]}";
	const MgModel *model;
	const Weights *w;
	const Layer *layers;
	const Config *c;
	size_t wrong = 0;
	MgCtx cx;

	mg_ctx_init(&cx, &cli_host);
	model = load(&cx, config, SIZE_MAX, "{}");
	if (!ok(model != NULL, "a model of all kinds of weights is bound (%s)", cx.error.message))
		return;
	w = model->weights;
	layers = model->layers;
	c = model->config;
	ok(w->words.data[1] == 1 && w->gain[2] == 1002, "an old name's tensor is found");
	ok(layers[1].qkv.rows == 3 * WIDTH && layers[1].qkv.data[3 * WIDTH * WIDTH - 1] == 5000 + 3 * WIDTH * WIDTH - 1,
	   "three in one are bound as one");
	ok(layers[0].up.rows == WIDE && layers[0].up.data[0] == 3000 && layers[0].gate.data[0] == 3000 + WIDE * WIDTH &&
		   layers[1].gate.data[WIDE * WIDTH - 1] == 6000 + 2 * WIDE * WIDTH - 1,
	   "two in one are bound as slices");
	for (size_t row = 0; row < WIDTH; row++)
		for (size_t col = 0; col < WIDE; col++)
			wrong += layers[1].down.data[row * WIDE + col] != (float) (7000 + col * WIDTH + row);
	is_int(wrong, 0, "what is stored transposed is turned");
	ok(layers[0].norm == NULL && layers[1].norm != NULL && layers[1].norm[0] == 8000, "the first layer lacks a norm");
	ok(layers[0].bias == NULL && layers[1].bias != NULL && layers[1].bias[3] == 9003, "an optional bias binds to NULL");
	ok(w->decoder.data == w->words.data && w->decoder.rows == VOCAB, "a tied matrix is the words'");
	ok(c->theta == 160000.0f && c->wide == WIDE && c->fused == 3 * WIDTH, "the configuration went through the image");
	is_int(model->sizes->labels, 2, "with its labels");
	ok(mg_span_is(mg_config_find(&model->keys, "id2label.1")->text, "yes"), "by their names");
	ok(mg_config_find(&model->keys, "nobody.0") == NULL, "and without what the table lacks");
	ok(mg_model_can(model, MG_CAN_FILL_MASK) && !mg_model_can(model, MG_CAN_EMBED), "it can what its parts can");
	mg_ctx_free(&cx);
}

static void
test_untied(void)
{
	const MgModel *model;
	const Weights *w;
	MgCtx cx;

	mg_ctx_init(&cx, &cli_host);
	model = load(&cx, "{\"architectures\": [\"ToyModel\"], \"tie_word_embeddings\": false}", SIZE_MAX, "{}");
	if (ok(model != NULL, "untied (%s)", cx.error.message))
	{
		w = model->weights;
		ok(w->decoder.data[5] == 11005, "the decoder is the checkpoint's");
	}
	mg_ctx_free(&cx);
}

/* Codes of a transposed matrix are those of the matrix that it stands for: a row's largest number is 127 steps. */
static void
test_transposed8(void)
{
	Bytes portable;
	MgSpan bytes;
	MgSource source;
	MgImage image;
	const MgSection *section;
	size_t wrong = 0;
	MgCtx cx;

	mg_ctx_init(&cx, &cli_host);
	if (!ok(make(&cx, "{\"architectures\": [\"ToyModel\"]}", SIZE_MAX, "{\"dtype\": \"int8\"}", &portable),
			"in 8 bits (%s)", cx.error.message))
		return;
	bytes = mg_span(portable.data, portable.used);
	source = mg_source_of_span(&bytes);
	ok(mg_image_open(&cx, &source, &image), "opened");
	section = mg_image_find(&image, "layer.1.down.weight");
	for (size_t row = 0; row < WIDTH; row++)
	{
		const uint8_t *codes = bytes.data + section->offset + row * (sizeof(float) + WIDE);
		float scale;

		memcpy(&scale, codes, sizeof scale);
		for (size_t col = 0; col < WIDE; col++)
			wrong += fabsf(scale * (float) (int8_t) codes[sizeof scale + col] - (float) (7000 + col * WIDTH + row)) > 0.51f * scale;
	}
	is_int(wrong, 0, "a transposed matrix in 8 bits is within half a step");
	mg_ctx_free(&cx);
}

static void
test_refused(void)
{
	static const struct
	{
		const char *config;
		size_t without;
		const char *message;
	} cases[] = {
		{"{\"architectures\": [\"ToyModel\"]}", 3, "tensor \"layer.0.Wi.weight\" is missing"},
		{"{\"architectures\": [\"ToyModel\"]}", 8, "tensor \"layer.1.norm.weight\" is missing"},
		{"{\"architectures\": [\"ToyForHead\"]}", 10, "tensor \"head.weight\" is missing"},
		{"{\"architectures\": [\"ToyForHead\"], \"tie_word_embeddings\": false}", 11, "tensor \"decoder.weight\" is missing"},
		{"{\"architectures\": [\"ToyModel\"], \"layers\": 3}", SIZE_MAX, "tensor \"layer.2.qkv.weight\" is missing"},
		{"{\"architectures\": [\"ToyModel\"], \"layers\": 1}", SIZE_MAX,
		 "tensor \"toy.layer.1.Wi.weight\" is not known to architecture \"toy\""},
		{"{\"architectures\": [\"ToyModel\"], \"vocab_size\": 11}", SIZE_MAX,
		 "tensor \"toy.words.weight\" has shape [10, 8], expected [11, 8]"},
		{"{\"architectures\": [\"ToyModel\"], \"vocab_size\": 1.5}", SIZE_MAX,
		 "file \"config.json\" has \"vocab_size\" 1.5, expected an integer from 1 to 4000000"},
		{"{\"architectures\": [\"ToyModel\"], \"vocab_size\": [10]}", SIZE_MAX,
		 "file \"config.json\" has \"vocab_size\" that is an array"},
		{"{\"architectures\": [\"ToyModel\"], \"tie_word_embeddings\": \"yes\"}", SIZE_MAX,
		 "file \"config.json\" has \"tie_word_embeddings\" \"yes\", expected true or false"},
		{"{\"architectures\": [\"ToyModel\"], \"rope\": {\"full\": {\"theta\": -1}}}", SIZE_MAX,
		 "file \"config.json\" has \"rope.full.theta\" -1, expected a number from 0 to 1e+09"},
		{"{\"architectures\": [\"ToyModel\"], \"id2label\": 7}", SIZE_MAX,
		 "file \"config.json\" has \"id2label\" that is neither an array nor an object"},
		{"{\"architectures\": [\"ToyModel\"], \"id2label\": {\"0\": {}}}", SIZE_MAX,
		 "file \"config.json\" has \"id2label.0\" that is neither a number, a text, true nor false"},
	};
	MgCtx cx;

	mg_ctx_init(&cx, &cli_host);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		mg_ctx_reset(&cx);
		ok(load(&cx, cases[i].config, cases[i].without, "{}") == NULL, "refused");
		is_text(cx.error.message, cases[i].message, "%s", cases[i].message);
	}
	mg_ctx_reset(&cx);
	ok(load(&cx, "{\"architectures\": [\"ToyModel\"]}", 10, "{}") != NULL, "without its head it is a model all the same");
	mg_ctx_free(&cx);
}

/* The bytes of keys and values, cut and changed anywhere: refused or read, never read beyond. */
static void
test_config_bytes(void)
{
	MgConfigValue values[] = {{mg_span_of("a"), MG_VALUE_INTEGER, -3, 0, {NULL, 0}},
						{mg_span_of("b.c"), MG_VALUE_REAL, 0, 0.1, {NULL, 0}},
						{mg_span_of("d"), MG_VALUE_FLAG, 1, 0, {NULL, 0}},
						{mg_span_of("e"), MG_VALUE_TEXT, 0, 0, mg_span_of("text")}};
	MgConfig config = {NULL, 4, values}, again;
	MgSpan bytes;
	size_t refused = 0;
	MgCtx cx;

	mg_ctx_init(&cx, &cli_host);
	ok(mg_config_write(&cx, &config, &bytes) && mg_config_read(&cx, bytes, &again), "written and read");
	ok(again.n == 4 && again.values[0].integer == -3 && again.values[1].real == 0.1 && again.values[2].integer == 1 &&
		   mg_span_is(again.values[3].text, "text") && mg_span_is(again.values[1].key, "b.c"),
	   "the same values");
	for (size_t size = 0; size < bytes.size; size++)
	{
		uint8_t *copy = malloc(size > 0 ? size : 1);

		memcpy(copy, bytes.data, size);
		memset(&cx.error, 0, sizeof cx.error);
		refused += !mg_config_read(&cx, mg_span(copy, size), &again);
		free(copy);
	}
	is_int(refused, bytes.size, "refused at every length");
	refused = 0;
	for (size_t i = 0; i < bytes.size; i++)
		for (int bit = 0; bit < 8; bit++)
		{
			uint8_t *byte = (uint8_t *) bytes.data + i;

			*byte ^= (uint8_t) (1 << bit);
			memset(&cx.error, 0, sizeof cx.error);
			refused += !mg_config_read(&cx, bytes, &again);
			*byte ^= (uint8_t) (1 << bit);
		}
	ok(refused > 0, "%zu of %zu changed bits are refused", refused, 8 * bytes.size);
	mg_ctx_free(&cx);
}

int
main(void)
{
	test_binding();
	test_untied();
	test_transposed8();
	test_refused();
	test_config_bytes();
	return done();
}
