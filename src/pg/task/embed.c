/* embed() and its kin. */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "pg/arrays.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "pg/host.h"
#include "pg/task/call.h"
#include "pg/vector/vector.h"
#include "task/embed.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(maskgen_embed);
PG_FUNCTION_INFO_V1(maskgen_embed_default);
PG_FUNCTION_INFO_V1(maskgen_embed_batch);
PG_FUNCTION_INFO_V1(maskgen_embed_query);
PG_FUNCTION_INFO_V1(maskgen_embed_document);

/* More than a window of the library's (task/schedule.h) holds of all but the shortest texts. */
#define TEXTS_AT_ONCE 4096

static MgEmbedOptions
make_options(const text *prompt, int dims, bool normalize)
{
	if (dims < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("dims is %d", dims),
						errdetail("It is at least 0, which means all dimensions of the model.")));
	return (MgEmbedOptions){prompt != NULL ? span_of_text(prompt) : mg_span(NULL, 0), (size_t) dims, normalize, guc_long_input(), NULL};
}

/* n texts of the model in use; out gets a vector for each. The caller ends the use and throws. */
static bool
embed_texts(ModelUse *use, const MgEmbedOptions *options, const MgSpan *texts, int n, float **values, size_t *dims)
{
	if (!mg_embed_dims(&use->run, options, dims))
		return false;
	if (*dims > VECTOR_MAX_DIM)
		return mg_fail(use->run.cx, MG_TOO_LARGE, "model \"%s\" has %zu dimensions", use->run.name, *dims);
	*values = mg_alloc_array(use->run.cx, (size_t) n, *dims * sizeof **values);
	return *values != NULL && mg_embed(&use->run, options, texts, (size_t) n, *values);
}

static Datum
datum_of_values(const float *values, size_t dims)
{
	Vector *vector = vector_new((int) dims);

	memcpy(vector->x, values, dims * sizeof *values);
	return PointerGetDatum(vector);
}

/* After task_begin. In slices, so that vectors of many texts are not held twice. */
static void
finish_run(TaskCall *call, MgEmbedOptions *options, const MgSpan *inputs, int n, Datum *results)
{
	MgCtx *cx = call->use.run.cx;
	int done = 0;
	bool fine;

	do
	{
		MgMark mark = mg_mark(cx);
		int part = Min(n - done, TEXTS_AT_ONCE);
		float *values = NULL;
		size_t dims = 0;

		options->refusals = task_refusals(call, done);
		call->use.run.cut = call->cut != NULL ? call->cut + done : NULL;
		fine = embed_texts(&call->use, options, inputs + done, part, &values, &dims);
		for (int i = 0; fine && i < part; i++)
			if (!task_refused(call, done + i))
				results[done + i] = datum_of_values(values + (size_t) i * dims, dims);
		done += part;
		mg_rewind(cx, mark);
	} while (fine && done < n);
	task_end(call, fine);
}

static void
run_embed(TaskCall *call, const MgSpan *inputs, int n, Datum *results)
{
	MgEmbedOptions options =
		make_options(DatumGetTextPP(call->args[2]), DatumGetInt32(call->args[3]), DatumGetBool(call->args[4]));

	task_begin(call);
	finish_run(call, &options, inputs, n, results);
}

static void
run_default(TaskCall *call, const MgSpan *inputs, int n, Datum *results)
{
	MgEmbedOptions options = {.normalize = true, .long_input = guc_long_input()};

	task_begin(call);
	finish_run(call, &options, inputs, n, results);
}

/* With the model's own prompt of that name, or of the other one; a model without them gets the text as it is. */
static void
run_prompted(TaskCall *call, const char *const names[2], const MgSpan *inputs, int n, Datum *results)
{
	MgEmbedOptions options = make_options(NULL, DatumGetInt32(call->args[2]), true);
	const MgPrompt *prompt;

	task_begin(call);
	prompt = mg_model_prompt(call->use.run.model, mg_span_of(names[0]));
	if (prompt == NULL)
		prompt = mg_model_prompt(call->use.run.model, mg_span_of(names[1]));
	if (prompt != NULL)
		options.prompt = prompt->text;
	finish_run(call, &options, inputs, n, results);
}

static void
run_query(TaskCall *call, const MgSpan *inputs, int n, Datum *results)
{
	run_prompted(call, (const char *const[]){"query", "question"}, inputs, n, results);
}

static void
run_document(TaskCall *call, const MgSpan *inputs, int n, Datum *results)
{
	/* What retrieval models call it differs. */
	run_prompted(call, (const char *const[]){"document", "passage"}, inputs, n, results);
}

const TaskFunction embed_tasks[] = {
	{"maskgen_embed", maskgen_embed, 5,
	 {{"model", TASK_TEXT}, {"input", TASK_TEXT}, {"prompt", TASK_TEXT}, {"dims", TASK_INT}, {"normalized", TASK_BOOL}},
	 NULL, TASK_VARLENA, TASK_COST_EMBED, run_embed, NULL},
	{"maskgen_embed_default", maskgen_embed_default, 1, {{"input", TASK_TEXT}},
	 &maskgen_embed_model, TASK_VARLENA, TASK_COST_EMBED, run_default, NULL},
	{"maskgen_embed_query", maskgen_embed_query, 3, {{"model", TASK_TEXT}, {"input", TASK_TEXT}, {"dims", TASK_INT}},
	 NULL, TASK_VARLENA, TASK_COST_EMBED, run_query, NULL},
	{"maskgen_embed_document", maskgen_embed_document, 3, {{"model", TASK_TEXT}, {"input", TASK_TEXT}, {"dims", TASK_INT}},
	 NULL, TASK_VARLENA, TASK_COST_EMBED, run_document, NULL},
	{"maskgen_embed_batch", maskgen_embed_batch, 5,
	 {{"model", TASK_TEXT}, {"inputs", TASK_TEXTS}, {"prompt", TASK_TEXT}, {"dims", TASK_INT}, {"normalized", TASK_BOOL}},
	 NULL, TASK_SET, TASK_COST_EMBED, NULL, NULL},
};
const int n_embed_tasks = lengthof(embed_tasks);

Datum
maskgen_embed(PG_FUNCTION_ARGS)
{
	return task_scalar(fcinfo, &embed_tasks[0]);
}

Datum
maskgen_embed_default(PG_FUNCTION_ARGS)
{
	return task_scalar(fcinfo, &embed_tasks[1]);
}

Datum
maskgen_embed_query(PG_FUNCTION_ARGS)
{
	return task_scalar(fcinfo, &embed_tasks[2]);
}

Datum
maskgen_embed_document(PG_FUNCTION_ARGS)
{
	return task_scalar(fcinfo, &embed_tasks[3]);
}

/*
 * A NULL among the inputs gives a NULL at its place; the shape of the array is kept. It is a call of embed with many
 * inputs, and finds in the result cache what embed has left there.
 */
Datum
maskgen_embed_batch(PG_FUNCTION_ARGS)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(1);
	Oid vector_type = vector_array_element(fcinfo->flinfo);
	TaskCall call = {.function = &embed_tasks[0], .flinfo = fcinfo->flinfo};
	Datum *inputs, *outputs, *results;
	bool *nulls;
	int n, n_texts = 0;
	MgSpan *texts;

	for (int i = 0; i < PG_NARGS(); i++)
		call.args[i] = i == 0 || i == 2 ? PointerGetDatum(PG_GETARG_TEXT_PP(i)) : PG_GETARG_DATUM(i);
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &inputs, &nulls, &n);
	texts = palloc((n + 1) * sizeof *texts);
	results = palloc((n + 1) * sizeof *results);
	outputs = palloc0((n + 1) * sizeof *outputs);
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			texts[n_texts++] = span_of_text(DatumGetTextPP(inputs[i]));
	if (n_texts == 0)
		run_embed(&call, texts, 0, results);
	task_call(&call, texts, n_texts, results, NULL);
	n_texts = 0;
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			outputs[i] = results[n_texts++];
	if (n == 0)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(vector_type));
	PG_RETURN_ARRAYTYPE_P(construct_md_array(outputs, nulls, ARR_NDIM(array), ARR_DIMS(array), ARR_LBOUND(array),
											 vector_type, -1, false, TYPALIGN_INT));
}
