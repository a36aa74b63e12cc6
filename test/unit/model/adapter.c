/* Adapters merged as PEFT merges them: test/golden/make_adapters.py; and what is refused by name. */
#include "model/adapter.h"

#include "cli/host.h"
#include "task/embed.h"
#include "unit/host.h"
#include "unit/memory_files.h"
#include "unit/run.h"
#include "unit/whole_file.h"

#define TOLERANCE 1e-4
#define MOST 512

static MgCtx cx;

/* "vector N ...": the largest difference. */
static double
difference(const MgRun *run, MgSpan text, const char *numbers)
{
	MgEmbedOptions options = {.normalize = false};
	size_t width = run->model->sizes->width;
	double worst = 0;
	float found[MOST];
	char *end;

	if (width > MOST || !mg_embed(run, &options, &text, 1, found))
		return INFINITY;
	for (size_t i = 0; i < width; i++, numbers = end)
		worst = fmax(worst, fabs(strtod(numbers, &end) - found[i]));
	return worst;
}

static void
check_adapter(const char *name)
{
	char path[200], base_path[300] = "test/golden/", line[20000], text[200] = "";
	MgFiles adapter, base;
	MgUsage usage = {0};
	const MgModel *model;
	double worst = 0;
	long n = 0;
	FILE *file;

	snprintf(path, sizeof path, "test/golden/adapter/%s.txt", name);
	file = fopen(path, "r");
	if (file == NULL || fgets(line, sizeof line, file) == NULL)
	{
		ok(false, "%s: there are values", name);
		return;
	}
	snprintf(base_path, sizeof base_path, "test/golden/%.*s", (int) strcspn(line + 5, "\n"), line + 5);
	snprintf(path, sizeof path, "test/golden/adapter/%s", name);
	mg_ctx_reset(&cx);
	adapter = cli_directory(path);
	base = cli_directory(base_path);
	base.adapter = &adapter;
	model = cli_load_files(&cx, &base, "{\"pooling\": \"mean\", \"normalized\": false, \"dtype\": \"f32\"}", mg_kernels(MG_CPU_SCALAR), MG_FORM_PANELS, NULL);
	ok(model != NULL, "%s: is merged (%s)", name, cx.error.message);
	while (model != NULL && fgets(line, sizeof line, file) != NULL)
	{
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "text ", 5) == 0)
			snprintf(text, sizeof text, "%.190s", line + 5);
		else
		{
			worst = fmax(worst, difference(RUN(&cx, model, scalar_compute(), &usage), mg_span_of(text), line + 7));
			n++;
		}
	}
	ok(n == 3 && worst <= TOLERANCE, "%s: %ld vectors within %g: %g", name, n, TOLERANCE, worst);
	fclose(file);
}

/* The adapter "plain" with a part of its configuration replaced. */
static void
refused(const char *from, const char *to, const char *message)
{
	MemoryFile array[3] = {{MG_ADAPTER_CONFIG, {NULL, 0}}, {"adapter_model.safetensors", {NULL, 0}}, {NULL, {NULL, 0}}};
	MgFiles adapter = MEMORY_FILES(array), base = cli_directory("test/golden/tiny/bert-embed-mean");
	size_t config_size = 0, size = 0;
	char *config = read_whole("test/golden/adapter/plain/adapter_config.json", &config_size), changed[8000], *place;
	char *weights = read_whole("test/golden/adapter/plain/adapter_model.safetensors", &size);
	MgTensors tensors;

	mg_ctx_reset(&cx);
	snprintf(changed, sizeof changed, "%.*s", (int) config_size, config);
	place = strstr(changed, from);
	if (place == NULL)
	{
		ok(false, "%s is there", from);
		return;
	}
	memmove(place + strlen(to), place + strlen(from), strlen(place + strlen(from)) + 1);
	memcpy(place, to, strlen(to));
	array[0].bytes = mg_span_of(changed);
	array[1].bytes = mg_span(weights, size);
	ok(mg_tensors_open(&cx, &base, &tensors) && !mg_adapter_merge(&cx, &adapter, &tensors), "refused: %s", message);
	is_text(cx.error.message, message, "with these words");
	free(config);
	free(weights);
}

static void
check_base(void)
{
	MemoryFile none[1] = {{NULL, {NULL, 0}}};
	MemoryFile array[2] = {{MG_ADAPTER_CONFIG, mg_span_of("{\"base_model_name_or_path\": \"/srv/base\"}")}, {NULL, {NULL, 0}}};
	MgFiles files = MEMORY_FILES(array), others = MEMORY_FILES(none);
	const char *path;

	mg_ctx_reset(&cx);
	ok(mg_adapter_base(&cx, &files, mg_span("", 0), &path) && strcmp(path, "/srv/base") == 0, "an absolute path in the file is the base's");
	ok(mg_adapter_base(&cx, &files, mg_span_of("/other"), &path) && strcmp(path, "/other") == 0, "the option comes first");
	ok(mg_adapter_base(&cx, &others, mg_span("", 0), &path) && path == NULL, "a directory without its file is no adapter");
	ok(!mg_adapter_base(&cx, &others, mg_span_of("/other"), &path), "and takes no base");
	mg_ctx_reset(&cx);
	array[0].bytes = mg_span_of("{\"base_model_name_or_path\": \"meta/Llama\"}");
	ok(!mg_adapter_base(&cx, &files, mg_span("", 0), &path), "a name of a hub is no path");
	is_text(cx.error.hint, "Give the directory of the base model as the option \"base\".", "and the hint says what to do");
}

int
main(void)
{
	mg_ctx_init(&cx, &cli_host);
	check_adapter("plain");
	check_adapter("rank-stabilised");
	check_adapter("fan-in-fan-out");
	refused("\"use_dora\": false", "\"use_dora\": true", "adapter with option \"use_dora\" is not supported");
	refused("\"bias\": \"none\"", "\"bias\": \"all\"", "adapter with option \"bias\" is not supported");
	refused("\"alpha_pattern\": {}", "\"alpha_pattern\": {\"query\": 2}", "adapter with option \"alpha_pattern\" is not supported");
	refused("\"init_lora_weights\": true", "\"init_lora_weights\": \"pissa\"", "adapter with option \"init_lora_weights\" is not supported");
	refused("\"peft_type\": \"LORA\"", "\"peft_type\": \"IA3\"", "adapter of type \"IA3\" is not supported");
	refused("\"fan_in_fan_out\": false", "\"fan_in_fan_out\": true",
			"tensor \"base_model.model.encoder.layer.0.intermediate.dense.lora_A.weight\" does not fit tensor \"encoder.layer.0.intermediate.dense.weight\" of the base model");
	check_base();
	mg_ctx_free(&cx);
	return done();
}
