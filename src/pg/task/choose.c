/* choose() and choose_scores(): a question with choices, which one text carries through a batch. */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "pg/arrays.h"
#include "pg/guc.h"
#include "pg/task/call.h"
#include "pg/task/label_cache.h"
#include "task/choose.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(maskgen_question);
PG_FUNCTION_INFO_V1(maskgen_choose);
PG_FUNCTION_INFO_V1(maskgen_choose_array);

/* The arguments after model and input. */
#define ARG_TEMPLATE 2
#define ARG_ROTATIONS 3

static void
append_netstring(StringInfo bytes, MgSpan string)
{
	appendStringInfo(bytes, "%zu:", string.size);
	appendBinaryStringInfo(bytes, (const char *) string.data, (int) string.size);
	appendStringInfoChar(bytes, ',');
}

/* Question and choices as one text, since batches have texts for inputs. */
Datum
maskgen_question(PG_FUNCTION_ARGS)
{
	StringInfoData bytes;
	int n;
	MgSpan *choices = spans_of_text_array(PG_GETARG_ARRAYTYPE_P(1), "choices", &n);

	initStringInfo(&bytes);
	append_netstring(&bytes, span_of_text(PG_GETARG_TEXT_PP(0)));
	for (int i = 0; i < n; i++)
		append_netstring(&bytes, choices[i]);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(bytes.data, bytes.len));
}

/* The template made ready, for a model that answers with letters: which is asked as of a label set, and remembered like its prior. */
static const MgQuestionForm *
get_form(ModelUse *use, MgSpan template)
{
	const MgSpan letters[] = {mg_span_of("A"), mg_span_of("B")};
	LabelRequest request = {letters, lengthof(letters), template};

	if (template.size == 0)
		request.template = use->run.model->template;
	if (!mg_question_can(&use->run))
		return NULL;
	if (!mg_question_reads(request.template))
	{
		if (template.size > 0)
		{
			mg_fail(use->run.cx, MG_BAD_ARGUMENT, "template lacks {choices}");
			mg_hint(use->run.cx, "A template looks like \"QUESTION: {question} CHOICES: {choices} ANSWER: {mask}\".");
			return NULL;
		}
		request.template = mg_question_template(&use->run);
		if (request.template.size == 0)
			return NULL;
	}
	return mg_choice_form(label_cache_get(use, &request).labels);
}

/* The choices' scores of inputs [n]; NULL when there are none. */
static MgChoice *
score_choices(TaskCall *call, const MgSpan *inputs, int n)
{
	int rotations = DatumGetInt32(call->args[ARG_ROTATIONS]);
	MgChooseOptions options = {.rotations = (size_t) rotations, .long_input = guc_long_input()};
	MgChoice *choices;
	bool number = true;

	if (rotations < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("rotations is %d", rotations), errdetail("It is at least 1.")));
	task_begin(call);
	options.refusals = task_refusals(call, 0);
	options.form = get_form(&call->use, span_of_text(DatumGetTextPP(call->args[ARG_TEMPLATE])));
	choices = mg_alloc_array(call->use.run.cx, (size_t) n, sizeof *choices);
	if (!task_end(call, options.form != NULL && choices != NULL && mg_choose(&call->use.run, &options, inputs, (size_t) n, choices)))
		return NULL;
	for (int i = 0; i < n; i++)
		for (size_t c = 0; !task_refused(call, i) && c < choices[i].n; c++)
			number &= !isnan(choices[i].scores[c]);
	if (!number)
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("score of a choice is not a number"),
						errhint("The weights of model \"%s\" may be damaged.", NameStr(call->use.entry->name))));
	return choices;
}

static void
run_choose(TaskCall *call, const MgSpan *inputs, int n, Datum *results)
{
	const MgChoice *choices = score_choices(call, inputs, n);

	for (int i = 0; choices != NULL && i < n; i++)
	{
		size_t best = 0;

		if (task_refused(call, i))
			continue;
		for (size_t c = 1; c < choices[i].n; c++)
			best = choices[i].scores[c] > choices[i].scores[best] ? c : best;
		results[i] = Int32GetDatum((int32) best + 1);
	}
}

static void
run_choose_array(TaskCall *call, const MgSpan *inputs, int n, Datum *results)
{
	const MgChoice *choices = score_choices(call, inputs, n);

	for (int i = 0; choices != NULL && i < n; i++)
	{
		Datum scores[MG_MOST_CHOICES];

		if (task_refused(call, i))
			continue;
		for (size_t c = 0; c < choices[i].n; c++)
			scores[c] = Float4GetDatum(choices[i].scores[c]);
		results[i] = PointerGetDatum(construct_array(scores, (int) choices[i].n, FLOAT4OID, sizeof(float4), true, TYPALIGN_INT));
	}
}

#define CHOOSE_ARGUMENTS {{"model", TASK_TEXT}, {"input", TASK_TEXT}, {"template", TASK_TEXT}, {"rotations", TASK_INT}}

const TaskFunction choose_tasks[] = {
	{"maskgen_choose", maskgen_choose, 4, CHOOSE_ARGUMENTS, NULL, TASK_VALUE, TASK_COST_SCORE, run_choose, NULL},
	{"maskgen_choose_array", maskgen_choose_array, 4, CHOOSE_ARGUMENTS, NULL, TASK_VARLENA, TASK_COST_SCORE, run_choose_array, NULL},
};
const int n_choose_tasks = lengthof(choose_tasks);

Datum
maskgen_choose(PG_FUNCTION_ARGS)
{
	return task_scalar(fcinfo, &choose_tasks[0]);
}

Datum
maskgen_choose_array(PG_FUNCTION_ARGS)
{
	return task_scalar(fcinfo, &choose_tasks[1]);
}
