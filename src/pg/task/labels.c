/* model_labels(): the labels that a model was trained for, of its head for classes of tokens or of a text. */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "pg/model/session.h"
#include "task/score.h"
#include "task/tag.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(maskgen_model_labels);

/* Labels [*n] in the use's scratch memory; none of a model without such a head. */
static bool
find_labels(ModelUse *use, MgSpan **labels, size_t *n)
{
	*n = 0;
	if (mg_model_can(use->run.model, MG_CAN_TAG))
		return mg_entity_labels(&use->run, labels, n);
	if (!mg_model_can(use->run.model, MG_CAN_SCORE))
		return true;
	*n = mg_score_classes(&use->run);
	*labels = mg_alloc_array(use->run.cx, *n, sizeof **labels);
	return *labels != NULL && mg_class_names(use->run.cx, use->run.model, *n, *labels);
}

Datum
maskgen_model_labels(PG_FUNCTION_ARGS)
{
	MgSpan *labels = NULL;
	ModelUse use;
	Datum *values;
	size_t n;

	model_use_begin(&use, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	model_use_end(&use, find_labels(&use, &labels, &n));
	values = palloc((n + 1) * sizeof *values);
	for (size_t i = 0; i < n; i++)
		values[i] = PointerGetDatum(cstring_to_text_with_len((const char *) labels[i].data, (int) labels[i].size));
	PG_RETURN_ARRAYTYPE_P(construct_array(values, (int) n, TEXTOID, -1, false, TYPALIGN_INT));
}
