/* What a classifier says of a vector, and of itself. */
#include "pg/classifier/classifier.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "pg/compat.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(maskgen_predict);
PG_FUNCTION_INFO_V1(maskgen_predict_scores);
PG_FUNCTION_INFO_V1(maskgen_predict_label_scores);
PG_FUNCTION_INFO_V1(maskgen_classifier_info);

static Datum
label_datum(const MgClassifier *classifier, size_t k)
{
	return PointerGetDatum(cstring_to_text_with_len((const char *) classifier->labels[k].data, (int) classifier->labels[k].size));
}

/* Scores of the two arguments; of finite weights and vectors they are finite but for an overflow. */
static const ClassifierUse *
score_arguments(FunctionCallInfo fcinfo)
{
	const ClassifierUse *use = classifier_argument(fcinfo, 0);

	mg_classifier_scores(&use->classifier, use->inner, classifier_vector(fcinfo, 1, use), use->scores);
	for (size_t k = 0; k < use->classifier.n_labels; k++)
		if (!isfinite(use->scores[k]))
			ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("score of a label is not a finite number")));
	return use;
}

Datum
maskgen_predict(PG_FUNCTION_ARGS)
{
	const ClassifierUse *use = score_arguments(fcinfo);

	PG_RETURN_DATUM(label_datum(&use->classifier, mg_best_score(use->scores, use->classifier.n_labels)));
}

typedef struct Ranked
{
	double score;
	size_t label;
} Ranked;

static int
compare_ranked(const void *a, const void *b)
{
	const Ranked *left = a, *right = b;

	if (left->score != right->score)
		return left->score > right->score ? -1 : 1;
	return (left->label > right->label) - (left->label < right->label);
}

Datum
maskgen_predict_scores(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const ClassifierUse *use = score_arguments(fcinfo);
	size_t n = use->classifier.n_labels;
	Ranked *ranked = palloc(n * sizeof *ranked);

	mg_log_softmax(use->scores, n);
	for (size_t k = 0; k < n; k++)
		ranked[k] = (Ranked){use->scores[k], k};
	qsort(ranked, n, sizeof *ranked, compare_ranked);
	InitMaterializedSRF(fcinfo, 0);
	for (size_t k = 0; k < n; k++)
	{
		Datum values[2] = {label_datum(&use->classifier, ranked[k].label), Float4GetDatum((float4) ranked[k].score)};
		bool nulls[2] = {false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

Datum
maskgen_predict_label_scores(PG_FUNCTION_ARGS)
{
	const ClassifierUse *use = score_arguments(fcinfo);
	size_t n = use->classifier.n_labels;
	Datum *scores = palloc(n * sizeof *scores);

	mg_log_softmax(use->scores, n);
	for (size_t k = 0; k < n; k++)
		scores[k] = Float4GetDatum((float4) use->scores[k]);
	PG_RETURN_ARRAYTYPE_P(construct_array(scores, (int) n, FLOAT4OID, sizeof(float4), true, TYPALIGN_INT));
}

Datum
maskgen_classifier_info(PG_FUNCTION_ARGS)
{
	MgClassifier classifier = classifier_read((Classifier *) PG_DETOAST_DATUM(PG_GETARG_DATUM(0)));
	Datum *labels = palloc(classifier.n_labels * sizeof *labels), values[6];
	bool nulls[6] = {false};
	TupleDesc description;

	if (get_call_result_type(fcinfo, NULL, &description) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	for (size_t k = 0; k < classifier.n_labels; k++)
		labels[k] = label_datum(&classifier, k);
	values[0] = CStringGetTextDatum(mg_method_name(classifier.method));
	values[1] = PointerGetDatum(construct_array(labels, (int) classifier.n_labels, TEXTOID, -1, false, TYPALIGN_INT));
	values[2] = Int32GetDatum((int32) classifier.dims);
	values[3] = Int64GetDatum(classifier.labelled);
	values[4] = Int64GetDatum(classifier.unlabelled);
	values[5] = Float8GetDatum(classifier.accuracy);
	nulls[5] = isnan(classifier.accuracy);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(description), values, nulls)));
}
