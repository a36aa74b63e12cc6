/* rerank_score(), rerank(), classify_own(), classify_own_scores(), classify_pair(): what a head for classes says of texts and pairs. */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "core/top_k.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pg/arrays.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "pg/task/call.h"
#include "pg/task/cut.h"
#include "task/score.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(maskgen_rerank_score);
PG_FUNCTION_INFO_V1(maskgen_rerank);
PG_FUNCTION_INFO_V1(maskgen_classify_own);
PG_FUNCTION_INFO_V1(maskgen_classify_own_scores);
PG_FUNCTION_INFO_V1(maskgen_classify_pair);

static void
throw_not_a_number(const ModelUse *use)
{
	ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("score is not a number"),
					errhint("The weights of model \"%s\" may be damaged.", NameStr(use->entry->name))));
}

/* Logits [n, *classes] of inputs [n] in the use's scratch memory; the caller ends the use and throws. */
static bool
score_inputs(ModelUse *use, const MgScoreOptions *options, const MgSpan *inputs, int n, float **logits, size_t *classes)
{
	*classes = mg_score_classes(&use->run);
	if (*classes == 0)
		return false;
	*logits = mg_alloc_array(use->run.cx, (size_t) n, *classes * sizeof **logits);
	return *logits != NULL && mg_score(&use->run, options, inputs, (size_t) n, *logits);
}

static void
run_rerank_score(TaskCall *call, const MgSpan *inputs, int n, Datum *results)
{
	MgSpan query = span_of_text(DatumGetTextPP(call->args[1]));
	MgScoreOptions options = {.fixed = &query, .n_fixed = 1, .fixed_first = true, .cut = MG_CUT_SECOND, .long_input = guc_long_input()};
	bool number = true;
	float *logits;
	size_t classes;

	task_begin(call);
	options.refusals = task_refusals(call, 0);
	if (!task_end(call, mg_needs_rerank(&call->use.run) && score_inputs(&call->use, &options, inputs, n, &logits, &classes)))
		return;
	for (int i = 0; i < n; i++)
		if (!task_refused(call, i))
		{
			float score = mg_rerank_score(call->use.run.model, logits + (size_t) i * classes, classes);

			number &= !isnan(score);
			results[i] = Float4GetDatum(score);
		}
	if (!number)
		throw_not_a_number(&call->use);
}

/* The likeliest of a model's own classes. One class alone, or numbers, are no choice. */
static bool
own_classes(ModelUse *use, MgSpan **names)
{
	size_t classes = mg_score_classes(&use->run);

	if (classes == 0)
		return false;
	if (!mg_model_can(use->run.model, MG_CAN_CHOOSE))
	{
		mg_fail(use->run.cx, MG_UNSUPPORTED, "model \"%s\" does not choose among labels", use->run.name);
		return mg_hint(use->run.cx, "See classify_own_scores() for what it says, or rerank_score() for a pair.");
	}
	*names = mg_alloc_array(use->run.cx, classes, sizeof **names);
	return *names != NULL && mg_class_names(use->run.cx, use->run.model, classes, *names);
}

static Datum
datum_of_span(MgSpan span)
{
	return PointerGetDatum(cstring_to_text_with_len((const char *) span.data, (int) span.size));
}

static void
run_classify_own(TaskCall *call, const MgSpan *inputs, int n, Datum *results)
{
	MgScoreOptions options = {.long_input = guc_long_input()};
	bool number = true;
	MgSpan *names = NULL;
	float *logits;
	size_t classes;

	task_begin(call);
	options.refusals = task_refusals(call, 0);
	if (!task_end(call, own_classes(&call->use, &names) && score_inputs(&call->use, &options, inputs, n, &logits, &classes)))
		return;
	for (int i = 0; i < n; i++)
	{
		const float *row = logits + (size_t) i * classes;
		size_t best = 0;

		if (task_refused(call, i))
			continue;
		for (size_t c = 0; c < classes; c++)
		{
			number &= !isnan(row[c]);
			best = row[c] > row[best] ? c : best;
		}
		results[i] = datum_of_span(names[best]);
	}
	if (!number)
		throw_not_a_number(&call->use);
}

const TaskFunction score_tasks[] = {
	{"maskgen_rerank_score", maskgen_rerank_score, 3, {{"model", TASK_TEXT}, {"query", TASK_TEXT}, {"document", TASK_TEXT}},
	 NULL, TASK_VALUE, TASK_COST_SCORE, run_rerank_score, NULL},
	{"maskgen_classify_own", maskgen_classify_own, 2, {{"model", TASK_TEXT}, {"input", TASK_TEXT}},
	 NULL, TASK_VARLENA, TASK_COST_SCORE, run_classify_own, NULL},
	{"maskgen_rerank", maskgen_rerank, 4,
	 {{"model", TASK_TEXT}, {"query", TASK_TEXT}, {"documents", TASK_TEXTS}, {"top_k", TASK_INT}},
	 NULL, TASK_SET, TASK_COST_SCORE, NULL, NULL},
	{"maskgen_classify_own_scores", maskgen_classify_own_scores, 2, {{"model", TASK_TEXT}, {"input", TASK_TEXT}},
	 NULL, TASK_SET, TASK_COST_SCORE, NULL, NULL},
	{"maskgen_classify_pair", maskgen_classify_pair, 3, {{"model", TASK_TEXT}, {"input", TASK_TEXT}, {"second", TASK_TEXT}},
	 NULL, TASK_SET, TASK_COST_SCORE, NULL, NULL},
};
const int n_score_tasks = lengthof(score_tasks);

Datum
maskgen_rerank_score(PG_FUNCTION_ARGS)
{
	return task_scalar(fcinfo, &score_tasks[0]);
}

Datum
maskgen_classify_own(PG_FUNCTION_ARGS)
{
	return task_scalar(fcinfo, &score_tasks[1]);
}

/* A call of rerank_score with many documents: it finds in the result cache what that has left there. NULL has no score. */
Datum
maskgen_rerank(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	TaskCall call = {.function = &score_tasks[0], .flinfo = fcinfo->flinfo};
	int top_k = PG_GETARG_INT32(3), n, n_texts = 0;
	MgTopK top = {0};
	Datum *documents, *scores;
	MgSpan *texts;
	bool *nulls;
	int *ordinals;

	if (top_k < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("top_k is %d", top_k),
						errdetail("It is at least 0, which means all documents.")));
	call.args[0] = PointerGetDatum(PG_GETARG_TEXT_PP(0));
	call.args[1] = PointerGetDatum(PG_GETARG_TEXT_PP(1));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), TEXTOID, -1, false, TYPALIGN_INT, &documents, &nulls, &n);
	texts = palloc((n + 1) * sizeof *texts);
	scores = palloc((n + 1) * sizeof *scores);
	ordinals = palloc((n + 1) * sizeof *ordinals);
	for (int i = 0; i < n; i++)
		if (!nulls[i])
		{
			ordinals[n_texts] = i + 1;
			texts[n_texts++] = span_of_text(DatumGetTextPP(documents[i]));
		}
	/* Asks for the model and its privilege with no documents, too. */
	if (n_texts == 0)
		run_rerank_score(&call, texts, 0, scores);
	else
		task_call(&call, texts, n_texts, scores, NULL);
	top.k = top_k > 0 ? Min(top_k, n_texts) : n_texts;
	top.items = palloc((top.k + 1) * sizeof *top.items);
	for (int i = 0; i < n_texts && top.k > 0; i++)
		mg_top_k_offer(&top, DatumGetFloat4(scores[i]), ordinals[i]);
	mg_top_k_sort(&top);
	InitMaterializedSRF(fcinfo, 0);
	for (size_t i = 0; i < top.n; i++)
	{
		Datum values[2] = {Int32GetDatum(top.items[i].id), Float4GetDatum(top.items[i].score)};
		bool none[2] = {false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, none);
	}
	return (Datum) 0;
}

/* Rows (label, score) of one text, or a pair; best first. */
static Datum
put_classes(FunctionCallInfo fcinfo, const MgScoreOptions *options, MgSpan input)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MgTopK top = {0};
	MgSpan *names = NULL;
	float *logits = NULL;
	size_t classes = 0;
	ModelUse use;
	bool cut = false, fine;

	model_use_begin_as(&use, text_to_cstring(PG_GETARG_TEXT_PP(0)), "classify");
	use.run.cut = &cut;
	fine = score_inputs(&use, options, &input, 1, &logits, &classes);
	if (fine)
	{
		names = mg_alloc_array(use.run.cx, classes, sizeof *names);
		fine = names != NULL && mg_class_names(use.run.cx, use.run.model, classes, names);
	}
	model_use_end(&use, fine);
	cut_count(cut);
	mg_score_tell(use.run.model, logits, classes);
	top = (MgTopK){palloc(classes * sizeof(MgScored)), classes, 0};
	for (size_t c = 0; c < classes; c++)
		mg_top_k_offer(&top, logits[c], (int32_t) c);
	if (top.n < classes)
		throw_not_a_number(&use);
	mg_top_k_sort(&top);
	InitMaterializedSRF(fcinfo, 0);
	for (size_t c = 0; c < classes; c++)
	{
		Datum values[2] = {datum_of_span(names[top.items[c].id]), Float4GetDatum(top.items[c].score)};
		bool none[2] = {false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, none);
	}
	return (Datum) 0;
}

Datum
maskgen_classify_own_scores(PG_FUNCTION_ARGS)
{
	MgScoreOptions options = {.long_input = guc_long_input()};

	return put_classes(fcinfo, &options, span_of_text(PG_GETARG_TEXT_PP(1)));
}

Datum
maskgen_classify_pair(PG_FUNCTION_ARGS)
{
	MgSpan first = span_of_text(PG_GETARG_TEXT_PP(1));
	MgScoreOptions options = {.fixed = &first, .n_fixed = 1, .fixed_first = true, .cut = MG_CUT_LONGER, .long_input = guc_long_input()};

	return put_classes(fcinfo, &options, span_of_text(PG_GETARG_TEXT_PP(2)));
}
