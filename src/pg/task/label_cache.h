/*
 * Label sets that this backend has prepared, with their basis: tokenising
 * labels and running what they need is done once for each model, template
 * and label set, not once a row.
 */
#ifndef MASKGEN_PG_TASK_LABEL_CACHE_H
#define MASKGEN_PG_TASK_LABEL_CACHE_H

#include "pg/model/session.h"
#include "task/classify.h"

typedef struct LabelSet
{
	const MgLabels *labels;
	const float *basis; /* of the labels; NULL: there is none */
} LabelSet;

/* What a label set is asked for by; the spans are copied. */
typedef struct LabelRequest
{
	const MgSpan *labels; /* [n] */
	int n;
	MgSpan template;
} LabelRequest;

/* The set for the model in use; its error ends the use. Valid until the next call. */
LabelSet label_cache_get(ModelUse *use, const LabelRequest *request);

#endif
