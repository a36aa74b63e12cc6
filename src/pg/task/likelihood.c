/* logprob(), perplexity() and token_logprobs(). */
#include "postgres.h"

#include <math.h>

#include "funcapi.h"
#include "pg/arrays.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "pg/task/call.h"
#include "pg/task/cut.h"
#include "task/likelihood.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(maskgen_logprob);
PG_FUNCTION_INFO_V1(maskgen_perplexity);
PG_FUNCTION_INFO_V1(maskgen_token_logprobs);

static MgLikelihoodOptions
likelihood_options(void)
{
	return (MgLikelihoodOptions){guc_long_input(), (size_t) maskgen_kv_memory * 1024};
}

/* Hands an input's own fault on; false: it is the call's. */
static bool
refuse(const MgRefusals *refusals, MgCtx *cx, int input)
{
	if (refusals == NULL || (cx->error.code != MG_BAD_ARGUMENT && cx->error.code != MG_BAD_TEXT && cx->error.code != MG_TOO_LARGE))
		return false;
	refusals->refuse(refusals->user, (size_t) input, &cx->error);
	memset(&cx->error, 0, sizeof cx->error);
	return true;
}

/* Inputs one by one: each is one pass, whose tokens fill a batch. */
static void
run_likelihood(TaskCall *call, const MgSpan *inputs, int n, const MgSpan *continuation, Datum *results)
{
	MgLikelihoodOptions options = likelihood_options();
	const MgRefusals *refusals;
	MgMark mark;
	bool fine = true, *cut;

	task_begin(call);
	refusals = task_refusals(call, 0);
	cut = call->use.run.cut;
	mark = mg_mark(call->use.run.cx);
	for (int i = 0; fine && i < n; i++)
	{
		MgRun run = call->use.run;
		MgLikelihood likelihood;
		double value = 0;

		run.cut = cut != NULL ? cut + i : NULL;
		if (continuation != NULL)
			fine = mg_continuation_likelihood(&run, &options, inputs[i], *continuation, &value);
		else if ((fine = mg_likelihood(&run, &options, inputs[i], &likelihood)))
		{
			value = mg_perplexity(&likelihood);
			if (isnan(value))
				fine = mg_fail(run.cx, MG_BAD_ARGUMENT, "input has one token, before which there is none");
		}
		if (fine)
			results[i] = Float4GetDatum((float) value);
		else
			fine = refuse(refusals, run.cx, i);
		mg_rewind(run.cx, mark);
	}
	task_end(call, fine);
}

static void
run_perplexity(TaskCall *call, const MgSpan *inputs, int n, Datum *results)
{
	run_likelihood(call, inputs, n, NULL, results);
}

static void
run_logprob(TaskCall *call, const MgSpan *inputs, int n, Datum *results)
{
	MgSpan continuation = span_of_text(DatumGetTextPP(call->args[2]));

	run_likelihood(call, inputs, n, &continuation, results);
}

const TaskFunction likelihood_tasks[] = {
	{"maskgen_logprob", maskgen_logprob, 3, {{"model", TASK_TEXT}, {"prompt", TASK_TEXT}, {"continuation", TASK_TEXT}}, NULL, TASK_VALUE,
	 TASK_COST_SCORE, run_logprob, NULL},
	{"maskgen_perplexity", maskgen_perplexity, 2, {{"model", TASK_TEXT}, {"input", TASK_TEXT}}, NULL, TASK_VALUE, TASK_COST_SCORE, run_perplexity,
	 NULL},
};
const int n_likelihood_tasks = lengthof(likelihood_tasks);

Datum
maskgen_logprob(PG_FUNCTION_ARGS)
{
	return task_scalar(fcinfo, &likelihood_tasks[0]);
}

Datum
maskgen_perplexity(PG_FUNCTION_ARGS)
{
	return task_scalar(fcinfo, &likelihood_tasks[1]);
}

/* A row for each token of the text; NULL for the first one of all. */
static void
put_rows(ReturnSetInfo *result, const MgTokenizer *tokenizer, const MgLikelihood *likelihood)
{
	for (size_t i = 0; i < likelihood->tokens.n; i++)
	{
		int32_t id = likelihood->tokens.ids[i];
		float one = likelihood->logs[likelihood->sequence.first + i];
		MgSpan token = mg_token_text(tokenizer, id);
		Datum values[4] = {Int32GetDatum((int32) i + 1), Int32GetDatum(id),
						   PointerGetDatum(cstring_to_text_with_len((const char *) token.data, (int) token.size)), Float4GetDatum(one)};
		bool nulls[4] = {false, false, false, isnan(one)};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

Datum
maskgen_token_logprobs(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	char *model = text_to_cstring(PG_GETARG_TEXT_PP(0));
	MgSpan input = span_of_text(PG_GETARG_TEXT_PP(1));
	MgLikelihoodOptions options = likelihood_options();
	MgLikelihood likelihood;
	ModelUse use;
	bool cut = false;

	model_use_begin_as(&use, model, "token_logprobs");
	use.run.cut = &cut;
	model_use_end(&use, mg_likelihood(&use.run, &options, input, &likelihood));
	cut_count(cut);
	InitMaterializedSRF(fcinfo, 0);
	put_rows(result, use.run.model->tokenizer, &likelihood);
	return (Datum) 0;
}
