/* generate() and chat(). */
#include "postgres.h"

#include "fmgr.h"
#include "format/json.h"
#include "pg/arrays.h"
#include "pg/guc.h"
#include "pg/task/call.h"
#include "pg/task/generate.h"
#include "pg/task/prompts.h"
#include "task/decoder.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(maskgen_generate);
PG_FUNCTION_INFO_V1(maskgen_chat);
PG_FUNCTION_INFO_V1(maskgen_chat_prompt);

/* The one option that does not concern sampling. */
#define SPECIAL_TOKENS "special_tokens"

/* Options as a JSON object: what sampling knows, whether special tokens are read in the prompt, and what concerns a chat. */
static bool
read_options(MgCtx *cx, MgSpan json, MgGenerateOptions *options, MgChatOptions *chat)
{
	const MgJson *object = mg_json_parse(cx, "options", json);

	if (object == NULL)
		return false;
	if (object->kind != MG_JSON_OBJECT)
		return mg_fail(cx, MG_BAD_ARGUMENT, "options are not a JSON object");
	for (size_t i = 0; i < object->n; i++)
		if (!mg_sampling_knows(object->keys[i]) && !(chat != NULL ? mg_chat_knows(object->keys[i]) : mg_span_is(object->keys[i], SPECIAL_TOKENS)))
		{
			char names[256];

			mg_sampling_names(names, sizeof names);
			mg_fail(cx, MG_BAD_ARGUMENT, "option \"%.*s\" is not known", MG_SPAN_ARGS(object->keys[i]));
			return mg_hint(cx, "Known are %s, %s.", names, chat != NULL ? MG_CHAT_OPTIONS : SPECIAL_TOKENS);
		}
	return mg_sampling_read(cx, NULL, object, &options->sampling) &&
		(chat != NULL ? mg_chat_options_read(cx, object, chat) : mg_json_get_bool(cx, NULL, object, SPECIAL_TOKENS, &options->read_specials));
}

/* What arguments say beyond the model's defaults; -1 says nothing. */
static bool
read_arguments(const Datum *args, MgCtx *cx, MgGenerateOptions *options)
{
	MgSampling *sampling = &options->sampling;
	float temperature = DatumGetFloat4(args[GENERATE_TEMPERATURE]), top_p = DatumGetFloat4(args[GENERATE_TOP_P]);
	float min_p = DatumGetFloat4(args[GENERATE_MIN_P]);
	int top_k = DatumGetInt32(args[GENERATE_TOP_K]), max_tokens = DatumGetInt32(args[GENERATE_MAX_TOKENS]);

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
	sampling->seed = (uint64) DatumGetInt64(args[GENERATE_SEED]);
	return true;
}

MgSpan
generate_begin(const Datum *args, MgGenerateOptions *options)
{
	Jsonb *json = DatumGetJsonbP(args[GENERATE_OPTIONS]);
	int n_stops;

	*options = (MgGenerateOptions){.memory = (size_t) maskgen_kv_memory * 1024};
	options->stops = spans_of_text_array(DatumGetArrayTypeP(args[GENERATE_STOP]), "stop strings", &n_stops);
	options->n_stops = (size_t) n_stops;
	return mg_span_of(JsonbToCString(NULL, &json->root, VARSIZE(json)));
}

bool
generate_settings(const MgRun *run, const Datum *args, MgSpan json, MgGenerateOptions *options, MgChatOptions *chat)
{
	MgIds unused;

	return mg_decoder_can(run) && mg_generation_defaults(run, &options->sampling, &unused) && read_arguments(args, run->cx, options) &&
		read_options(run->cx, json, options, chat);
}

/* Both tasks: a chat's prompt is messages, as JSON. */
static void
run_answers(TaskCall *call, const MgSpan *inputs, int n, bool is_chat, Datum *results)
{
	MgGenerateOptions options;
	MgPromptCache cache;
	MgChatOptions chat = {.add_generation_prompt = true};
	MgSpan json = generate_begin(call->args, &options);
	MgAnswer *answers;
	bool fine;

	task_begin(call);
	options.refusals = task_refusals(call, 0);
	options.cache = prompts_begin(&call->use, &cache);
	answers = mg_alloc_array(call->use.run.cx, (size_t) n, sizeof *answers);
	fine = answers != NULL && generate_settings(&call->use.run, call->args, json, &options, is_chat ? &chat : NULL);
	if (fine)
		fine = is_chat ? mg_chat(&call->use.run, &options, &chat, inputs, (size_t) n, answers)
					   : mg_generate(&call->use.run, &options, inputs, (size_t) n, answers);
	for (int i = 0; fine && i < n; i++)
		if (!task_refused(call, i))
			results[i] = PointerGetDatum(cstring_to_text_with_len((const char *) answers[i].text.data, (int) answers[i].text.size));
	task_end(call, fine);
}

static void
run_generate(TaskCall *call, const MgSpan *inputs, int n, Datum *results)
{
	run_answers(call, inputs, n, false, results);
}

static void
run_chat(TaskCall *call, const MgSpan *inputs, int n, Datum *results)
{
	run_answers(call, inputs, n, true, results);
}

#define GENERATE_ARGUMENTS \
	{{"model", TASK_TEXT}, {"prompt", TASK_TEXT}, {"max_tokens", TASK_INT}, {"temperature", TASK_REAL}, {"top_k", TASK_INT}, \
	 {"top_p", TASK_REAL}, {"min_p", TASK_REAL}, {"stop", TASK_TEXTS}, {"seed", TASK_BIGINT}, {"options", TASK_JSONB}}

const TaskFunction generate_tasks[] = {
	{"maskgen_generate", maskgen_generate, GENERATE_ARGS, GENERATE_ARGUMENTS, NULL, TASK_VARLENA, TASK_COST_GENERATE, run_generate, NULL},
	{"maskgen_chat", maskgen_chat, GENERATE_ARGS, GENERATE_ARGUMENTS, NULL, TASK_VARLENA, TASK_COST_GENERATE, run_chat, NULL},
};
const int n_generate_tasks = lengthof(generate_tasks);

Datum
maskgen_generate(PG_FUNCTION_ARGS)
{
	return task_scalar(fcinfo, &generate_tasks[0]);
}

/* The prompt as JSON text, which SQL's chat() makes of its jsonb. */
Datum
maskgen_chat(PG_FUNCTION_ARGS)
{
	return task_scalar(fcinfo, &generate_tasks[1]);
}

static bool
render(ModelUse *use, MgSpan messages, MgSpan json, MgRendered *rendered)
{
	MgCtx *cx = use->run.cx;
	MgChatOptions options = {.add_generation_prompt = true};
	const MgTemplate *template = mg_chat_template(&use->run);
	const MgJson *object = template != NULL ? mg_json_parse(cx, "options", json) : NULL;

	if (object == NULL)
		return false;
	if (object->kind != MG_JSON_OBJECT)
		return mg_fail(cx, MG_BAD_ARGUMENT, "options are not a JSON object");
	for (size_t i = 0; i < object->n; i++)
		if (!mg_chat_knows(object->keys[i]))
		{
			mg_fail(cx, MG_BAD_ARGUMENT, "option \"%.*s\" is not known", MG_SPAN_ARGS(object->keys[i]));
			return mg_hint(cx, "Known are %s.", MG_CHAT_OPTIONS);
		}
	return mg_chat_options_read(cx, object, &options) && mg_chat_prompt(&use->run, template, &options, messages, rendered);
}

Datum
maskgen_chat_prompt(PG_FUNCTION_ARGS)
{
	char *model = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Jsonb *messages = PG_GETARG_JSONB_P(1), *json = PG_GETARG_JSONB_P(2);
	MgSpan texts[] = {mg_span_of(JsonbToCString(NULL, &messages->root, VARSIZE(messages))), mg_span_of(JsonbToCString(NULL, &json->root, VARSIZE(json)))};
	MgRendered rendered;
	ModelUse use;

	model_use_begin(&use, model);
	model_use_end(&use, render(&use, texts[0], texts[1], &rendered));
	if (rendered.text.size > MaxAllocSize - VARHDRSZ)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("prompt is too long")));
	PG_RETURN_TEXT_P(cstring_to_text_with_len((const char *) rendered.text.data, (int) rendered.text.size));
}
