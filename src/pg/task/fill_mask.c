/* fill_mask(). */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "pg/arrays.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "pg/model/session.h"
#include "pg/task/cut.h"
#include "pg/task/function.h"
#include "task/fill_mask.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(maskgen_fill_mask);

const TaskFunction fill_mask_tasks[] = {
	{"maskgen_fill_mask", maskgen_fill_mask, 4,
	 {{"model", TASK_TEXT}, {"input", TASK_TEXT}, {"top_k", TASK_INT}, {"targets", TASK_TEXTS}},
	 NULL, TASK_SET, TASK_COST_FILL_MASK, NULL, NULL},
};
const int n_fill_mask_tasks = lengthof(fill_mask_tasks);

static Datum
datum_of_span(MgSpan span)
{
	return PointerGetDatum(cstring_to_text_with_len((const char *) span.data, (int) span.size));
}

Datum
maskgen_fill_mask(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	char *model = text_to_cstring(PG_GETARG_TEXT_PP(0));
	MgSpan input = span_of_text(PG_GETARG_TEXT_PP(1));
	int top_k = PG_GETARG_INT32(2), n_targets;
	MgSpan *targets = spans_of_text_array(PG_GETARG_ARRAYTYPE_P(3), "targets", &n_targets);
	MgFillMaskOptions options = {(size_t) top_k, targets, (size_t) n_targets, guc_long_input()};
	MgFilled *filled = NULL;
	size_t n = 0;
	ModelUse use;
	bool cut = false;

	if (top_k < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("top_k is %d", top_k),
						errdetail("It is at least 1.")));
	model_use_begin_as(&use, model, "fill_mask");
	use.run.cut = &cut;
	model_use_end(&use, mg_fill_mask(&use.run, &options, input, &filled, &n));
	cut_count(cut);
	InitMaterializedSRF(fcinfo, 0);
	for (size_t i = 0; i < n; i++)
	{
		Datum values[6] = {Int32GetDatum(filled[i].mask),	  Int32GetDatum(filled[i].rank),
						   Int32GetDatum(filled[i].token_id), datum_of_span(filled[i].token),
						   Float4GetDatum(filled[i].score),	  datum_of_span(filled[i].sequence)};
		bool nulls[6] = {false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
