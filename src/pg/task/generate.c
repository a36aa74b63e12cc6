/* generate(). */
#include "postgres.h"

#include "fmgr.h"
#include "format/json.h"
#include "pg/arrays.h"
#include "pg/guc.h"
#include "pg/task/call.h"
#include "task/decoder.h"
#include "task/generate.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

PG_FUNCTION_INFO_V1(maskgen_generate);

/* Positions of arguments. */
enum
{
	ARG_MAX_TOKENS = 2,
	ARG_TEMPERATURE,
	ARG_TOP_K,
	ARG_TOP_P,
	ARG_MIN_P,
	ARG_STOP,
	ARG_SEED,
	ARG_OPTIONS
};

/* The one option that does not concern sampling. */
#define SPECIAL_TOKENS "special_tokens"

/* Options as a JSON object: what sampling knows, and whether special tokens are read in the prompt. */
static bool
read_options(MgCtx *cx, MgSpan json, MgGenerateOptions *options)
{
	const MgJson *object = mg_json_parse(cx, "options", json);

	if (object == NULL)
		return false;
	if (object->kind != MG_JSON_OBJECT)
		return mg_fail(cx, MG_BAD_ARGUMENT, "options are not a JSON object");
	for (size_t i = 0; i < object->n; i++)
		if (!mg_sampling_knows(object->keys[i]) && !mg_span_is(object->keys[i], SPECIAL_TOKENS))
			return mg_fail(cx, MG_BAD_ARGUMENT, "option \"%.*s\" is not known", MG_SPAN_ARGS(object->keys[i]));
	return mg_sampling_read(cx, NULL, object, &options->sampling) &&
		mg_json_get_bool(cx, NULL, object, SPECIAL_TOKENS, &options->read_specials);
}

/* What arguments say beyond the model's defaults; -1 says nothing. */
static bool
read_arguments(const TaskCall *call, MgCtx *cx, MgGenerateOptions *options)
{
	MgSampling *sampling = &options->sampling;
	float temperature = DatumGetFloat4(call->args[ARG_TEMPERATURE]), top_p = DatumGetFloat4(call->args[ARG_TOP_P]);
	float min_p = DatumGetFloat4(call->args[ARG_MIN_P]);
	int top_k = DatumGetInt32(call->args[ARG_TOP_K]), max_tokens = DatumGetInt32(call->args[ARG_MAX_TOKENS]);

	if (max_tokens < 1)
	{
		mg_fail(cx, MG_BAD_ARGUMENT, "max_tokens is %d", max_tokens);
		return mg_detail(cx, "It is at least 1.");
	}
	if (top_k < -1)
	{
		mg_fail(cx, MG_BAD_ARGUMENT, "top_k is %d", top_k);
		return mg_detail(cx, "It is at least 1, 0 for all tokens, or -1 for what the model's files say.");
	}
	options->max_tokens = (size_t) max_tokens;
	if (temperature != -1)
		sampling->temperature = temperature;
	if (top_k != -1)
		sampling->top_k = (size_t) top_k;
	if (top_p != -1)
		sampling->top_p = top_p;
	if (min_p != -1)
		sampling->min_p = min_p;
	sampling->seed = (uint64) DatumGetInt64(call->args[ARG_SEED]);
	return true;
}

static bool
generate(TaskCall *call, MgSpan json, MgGenerateOptions *options, const MgSpan *inputs, int n, MgAnswer **answers)
{
	const MgRun *run = &call->use.run;
	MgIds unused;

	*answers = mg_alloc_array(run->cx, (size_t) n, sizeof **answers);
	return *answers != NULL && mg_decoder_can(run) && mg_generation_defaults(run, &options->sampling, &unused) &&
		read_arguments(call, run->cx, options) && read_options(run->cx, json, options) &&
		mg_generate(run, options, inputs, (size_t) n, *answers);
}

static void
run_generate(TaskCall *call, const MgSpan *inputs, int n, Datum *results)
{
	MgGenerateOptions options = {.memory = (size_t) maskgen_kv_memory * 1024};
	Jsonb *json = DatumGetJsonbP(call->args[ARG_OPTIONS]);
	MgSpan text = mg_span_of(JsonbToCString(NULL, &json->root, VARSIZE(json)));
	MgAnswer *answers = NULL;
	int n_stops;
	bool fine;

	options.stops = spans_of_text_array(DatumGetArrayTypeP(call->args[ARG_STOP]), "stop", &n_stops);
	options.n_stops = (size_t) n_stops;
	task_begin(call);
	options.refusals = task_refusals(call, 0);
	fine = generate(call, text, &options, inputs, n, &answers);
	for (int i = 0; fine && i < n; i++)
		if (!task_refused(call, i))
			results[i] = PointerGetDatum(cstring_to_text_with_len((const char *) answers[i].text.data, (int) answers[i].text.size));
	task_end(call, fine);
}

const TaskFunction generate_tasks[] = {
	{"maskgen_generate", maskgen_generate, 10,
	 {{"model", TASK_TEXT}, {"prompt", TASK_TEXT}, {"max_tokens", TASK_INT}, {"temperature", TASK_REAL}, {"top_k", TASK_INT},
	  {"top_p", TASK_REAL}, {"min_p", TASK_REAL}, {"stop", TASK_TEXTS}, {"seed", TASK_BIGINT}, {"options", TASK_JSONB}},
	 NULL, TASK_VARLENA, TASK_COST_GENERATE, run_generate, NULL},
};
const int n_generate_tasks = lengthof(generate_tasks);

Datum
maskgen_generate(PG_FUNCTION_ARGS)
{
	return task_scalar(fcinfo, &generate_tasks[0]);
}
