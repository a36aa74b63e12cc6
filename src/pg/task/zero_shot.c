/* zero_shot_classifier(): the vectors of sentences about labels, as a classifier of vectors that are stored. */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "pg/arrays.h"
#include "pg/classifier/classifier.h"
#include "pg/compat.h"
#include "pg/task/label_cache.h"
#include "task/classify_cosine.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(maskgen_zero_shot_classifier);

/* Scores are those of classify(): cosines, divided by the same constant. */
static Classifier *
make_classifier(const ModelUse *use, const LabelRequest *request, const float *vectors)
{
	size_t n = (size_t) request->n, dims = use->run.model->sizes->width;
	float4 *weights = palloc(n * dims * sizeof *weights), *biases = palloc0(n * sizeof *biases);
	MgClassifier classifier = {MG_ZERO_SHOT, n, dims, 0, 0, NAN, request->labels, weights, biases};

	for (size_t i = 0; i < n * dims; i++)
		weights[i] = vectors[i] / MG_COSINE_TAU;
	return classifier_make(&classifier);
}

Datum
maskgen_zero_shot_classifier(PG_FUNCTION_ARGS)
{
	LabelRequest request = {.template = span_of_text(PG_GETARG_TEXT_PP(2))};
	LabelSet set;
	ModelUse use;

	request.labels = spans_of_text_array(PG_GETARG_ARRAYTYPE_P(1), "labels", &request.n);
	model_use_begin_as(&use, text_to_cstring(PG_GETARG_TEXT_PP(0)), "zero_shot_classifier");
	/* A model that fills masks as well would choose that without a template. */
	if (request.template.size == 0 && !mg_cosine_reads(use.run.model->template))
		request.template = mg_span_of(MG_COSINE_TEMPLATE);
	if (!mg_model_can(use.run.model, MG_CAN_EMBED))
	{
		MgEmbedOptions options = {0};
		size_t dims;

		model_use_end(&use, mg_embed_dims(&use.run, &options, &dims));
	}
	set = label_cache_get(&use, &request);
	if (!mg_cosine_has(set.labels))
	{
		mg_fail(use.run.cx, MG_BAD_ARGUMENT, "template lacks {label}");
		mg_hint(use.run.cx, "A template looks like \"" MG_COSINE_TEMPLATE "\".");
		model_use_end(&use, false);
	}
	model_use_end(&use, true);
	PG_RETURN_POINTER(make_classifier(&use, &request, set.basis));
}
