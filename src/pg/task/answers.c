/*
 * Answers that are more than one value: generate_samples(), a set, and generate_stream(), a value per call.
 *
 * What a stream has lives in the memory of the set-returning call, keys included, and goes with it: when the last piece was fetched, when a
 * cursor is closed, or its transaction ends. Between two pieces it holds nothing else. With each piece the model is looked up anew, as by any call:
 * for privileges, and for a copy of the weights, which may be another one by then.
 */
#include "postgres.h"

#include "funcapi.h"
#include "pg/arrays.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "pg/host.h"
#include "pg/model/session.h"
#include "pg/task/generate.h"
#include "pg/task/prompts.h"
#include "task/answer_stream.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(maskgen_generate_samples);
PG_FUNCTION_INFO_V1(maskgen_generate_stream);

#define MOST_SAMPLES 1024

static void
copy_arguments(FunctionCallInfo fcinfo, Datum *args)
{
	for (int i = 0; i < GENERATE_ARGS; i++)
		args[i] = PG_GETARG_DATUM(i);
}

/* All samples of one prompt, which is read once. */
static bool
draw_samples(const MgRun *run, const Datum *args, MgSpan json, MgSpan prompt, int n, MgGenerateOptions *options, MgAnswer **answers)
{
	MgIds *prompts = mg_alloc_array(run->cx, (size_t) n, sizeof *prompts);

	*answers = mg_alloc_array(run->cx, (size_t) n, sizeof **answers);
	options->samples = true;
	if (prompts == NULL || *answers == NULL || !generate_settings(run, args, json, options, NULL) ||
		!mg_generate_prompt(run, options, prompt, &prompts[0]))
		return false;
	for (int i = 1; i < n; i++)
		prompts[i] = prompts[0];
	run->usage->rows++;
	return mg_generate_ids(run, options, prompts, (size_t) n, *answers);
}

Datum
maskgen_generate_samples(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum args[GENERATE_ARGS];
	int n = PG_GETARG_INT32(GENERATE_ARGS);
	MgGenerateOptions options;
	MgPromptCache cache;
	MgAnswer *answers = NULL;
	char *model = text_to_cstring(PG_GETARG_TEXT_PP(GENERATE_MODEL));
	MgSpan json, prompt = span_of_text(PG_GETARG_TEXT_PP(GENERATE_PROMPT));
	ModelUse use;

	if (n < 1 || n > MOST_SAMPLES)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("n is %d", n), errdetail("It is from 1 to %d.", MOST_SAMPLES)));
	copy_arguments(fcinfo, args);
	json = generate_begin(args, &options);
	model_use_begin_as(&use, model, "generate_samples");
	options.cache = prompts_begin(&use, &cache);
	model_use_end(&use, draw_samples(&use.run, args, json, prompt, n, &options, &answers));
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < n; i++)
	{
		Datum values[3] = {Int32GetDatum(i + 1), PointerGetDatum(cstring_to_text_with_len((const char *) answers[i].text.data, (int) answers[i].text.size)),
						   Float4GetDatum((float) answers[i].score)};
		bool nulls[3] = {false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

typedef struct Streaming
{
	char *model;
	uint8 digest[DIGEST_SIZE];
	MgHost host;
	MgCtx cx; /* the stream's own */
	Datum args[GENERATE_ARGS];
	MgSpan json, prompt;
	MgGenerateOptions options;
	MgPromptCache cache;
	MgAnswerStream stream;
} Streaming;

/* Arguments in memory of the set-returning call. */
static Streaming *
keep_arguments(FunctionCallInfo fcinfo)
{
	Streaming *streaming = palloc0(sizeof *streaming);

	copy_arguments(fcinfo, streaming->args);
	streaming->args[GENERATE_PROMPT] = PointerGetDatum(PG_GETARG_TEXT_P_COPY(GENERATE_PROMPT));
	streaming->args[GENERATE_STOP] = PointerGetDatum(PG_GETARG_ARRAYTYPE_P_COPY(GENERATE_STOP));
	streaming->args[GENERATE_OPTIONS] = PointerGetDatum(DatumGetJsonbPCopy(PG_GETARG_DATUM(GENERATE_OPTIONS)));
	streaming->model = text_to_cstring(PG_GETARG_TEXT_PP(GENERATE_MODEL));
	streaming->prompt = span_of_text(DatumGetTextPP(streaming->args[GENERATE_PROMPT]));
	streaming->json = generate_begin(streaming->args, &streaming->options);
	streaming->host = host_in(CurrentMemoryContext);
	mg_ctx_init(&streaming->cx, &streaming->host);
	return streaming;
}

static bool
begin(const MgRun *run, Streaming *streaming)
{
	MgIds prompt;

	run->usage->rows++;
	return generate_settings(run, streaming->args, streaming->json, &streaming->options, NULL) &&
		mg_generate_prompt(run, &streaming->options, streaming->prompt, &prompt) &&
		mg_answer_stream_begin(run, &streaming->options, prompt, &streaming->stream);
}

/* The next piece; empty: that was all. */
static MgSpan
next_piece(Streaming *streaming, bool is_first)
{
	MgSpan piece = {NULL, 0};
	ModelUse use;
	bool fine;

	model_use_begin_as(&use, streaming->model, "generate_stream");
	if (is_first)
	{
		memcpy(streaming->digest, use.entry->digest, DIGEST_SIZE);
		streaming->options.cache = prompts_begin(&use, &streaming->cache);
	}
	else if (memcmp(streaming->digest, use.entry->digest, DIGEST_SIZE) != 0)
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE), errmsg("model \"%s\" was replaced while it was generating", streaming->model)));
	use.run.cx = &streaming->cx;
	fine = (!is_first || begin(&use.run, streaming)) && mg_answer_stream_next(&use.run, &streaming->stream, &piece);
	model_use_end(&use, fine);
	return piece;
}

Datum
maskgen_generate_stream(PG_FUNCTION_ARGS)
{
	FuncCallContext *context;
	Streaming *streaming;
	bool is_first = SRF_IS_FIRSTCALL();
	MgSpan piece;

	if (is_first)
	{
		MemoryContext caller;

		context = SRF_FIRSTCALL_INIT();
		caller = MemoryContextSwitchTo(context->multi_call_memory_ctx);
		context->user_fctx = keep_arguments(fcinfo);
		MemoryContextSwitchTo(caller);
	}
	context = SRF_PERCALL_SETUP();
	streaming = context->user_fctx;
	piece = next_piece(streaming, is_first);
	if (piece.size == 0)
		SRF_RETURN_DONE(context);
	SRF_RETURN_NEXT(context, PointerGetDatum(cstring_to_text_with_len((const char *) piece.data, (int) piece.size)));
}
