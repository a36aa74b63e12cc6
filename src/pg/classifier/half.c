/* Classifiers of halfvec: a row's numbers become float4, and the function for vector has them. */
#include "postgres.h"

#include "fmgr.h"
#include "pg/compat.h"
#include "pg/vector/vector.h"

PG_FUNCTION_INFO_V1(maskgen_predict_half);
PG_FUNCTION_INFO_V1(maskgen_predict_scores_half);
PG_FUNCTION_INFO_V1(maskgen_predict_label_scores_half);
PG_FUNCTION_INFO_V1(maskgen_fit_classifier_accum_half);
PG_FUNCTION_INFO_V1(maskgen_fit_labels_accum_half);
PG_FUNCTION_INFO_V1(maskgen_fit_guess_accum_half);

Datum maskgen_predict(PG_FUNCTION_ARGS);
Datum maskgen_predict_scores(PG_FUNCTION_ARGS);
Datum maskgen_predict_label_scores(PG_FUNCTION_ARGS);
Datum maskgen_fit_classifier_accum(PG_FUNCTION_ARGS);
Datum maskgen_fit_labels_accum(PG_FUNCTION_ARGS);
Datum maskgen_fit_guess_accum(PG_FUNCTION_ARGS);

/* Argument n is the halfvec, at most the third. The call's own arguments stay as they are: a constant is set once. */
static Datum
call_with_vector(FunctionCallInfo fcinfo, int n, PGFunction function)
{
	LOCAL_FCINFO(call, 4);
	const Dense *half;
	Vector *vector;
	Datum result;

	Assert(n < fcinfo->nargs && fcinfo->nargs <= 4);
	memcpy(call, fcinfo, SizeForFunctionCallInfo(fcinfo->nargs));
	if (!call->args[n].isnull)
	{
		half = dense_of_datum(&halfvec_type, call->args[n].value);
		vector = vector_new(half->dim);
		memcpy(vector->x, dense_floats(&halfvec_type, half), (Size) half->dim * sizeof(float4));
		call->args[n].value = PointerGetDatum(vector);
	}
	result = function(call);
	fcinfo->isnull = call->isnull;
	return result;
}

Datum
maskgen_predict_half(PG_FUNCTION_ARGS)
{
	return call_with_vector(fcinfo, 1, maskgen_predict);
}

Datum
maskgen_predict_scores_half(PG_FUNCTION_ARGS)
{
	return call_with_vector(fcinfo, 1, maskgen_predict_scores);
}

Datum
maskgen_predict_label_scores_half(PG_FUNCTION_ARGS)
{
	return call_with_vector(fcinfo, 1, maskgen_predict_label_scores);
}

Datum
maskgen_fit_classifier_accum_half(PG_FUNCTION_ARGS)
{
	return call_with_vector(fcinfo, 1, maskgen_fit_classifier_accum);
}

Datum
maskgen_fit_labels_accum_half(PG_FUNCTION_ARGS)
{
	return call_with_vector(fcinfo, 2, maskgen_fit_labels_accum);
}

Datum
maskgen_fit_guess_accum_half(PG_FUNCTION_ARGS)
{
	return call_with_vector(fcinfo, 2, maskgen_fit_guess_accum);
}
