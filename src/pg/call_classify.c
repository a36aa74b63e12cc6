/* classify(), classify_scores(), classify_as(). */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_enum.h"
#include "core/top_k.h"
#include "fmgr.h"
#include "funcapi.h"
#include "pg/arrays.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "pg/label_cache.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(maskgen_classify);
PG_FUNCTION_INFO_V1(maskgen_classify_default);
PG_FUNCTION_INFO_V1(maskgen_classify_scores);
PG_FUNCTION_INFO_V1(maskgen_classify_as);

/* Labels ranked for one text, best first; items in the current memory context. */
static MgScored *
rank_labels(const char *model, MgSpan input, const LabelRequest *request)
{
	MgScored *items = palloc((request->n + 1) * sizeof *items);
	MgTopK top = {items, (size_t) request->n, 0};
	float *scores = palloc((request->n + 1) * sizeof *scores);
	ModelUse use;
	LabelSet set;

	model_use_begin(&use, model);
	set = label_cache_get(&use, request);
	model_use_end(&use, mg_classify(use.cx, use.model, set.labels, set.prior, (MgLongInput) maskgen_long_input, &input,
									1, scores, &use.usage));
	for (int i = 0; i < request->n; i++)
		mg_top_k_offer(&top, scores[i], i);
	mg_top_k_sort(&top);
	if (top.n < (size_t) request->n)
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("score of a label is not a number"),
						errhint("The weights of model \"%s\" may be damaged.", model)));
	pfree(scores);
	return items;
}

static Datum
datum_of_label(const LabelRequest *request, int label)
{
	return PointerGetDatum(cstring_to_text_with_len((const char *) request->labels[label].data,
													(int) request->labels[label].size));
}

Datum
maskgen_classify(PG_FUNCTION_ARGS)
{
	LabelRequest request = {.template = span_of_text(PG_GETARG_TEXT_PP(3))};

	request.labels = spans_of_text_array(PG_GETARG_ARRAYTYPE_P(2), "labels", &request.n);
	return datum_of_label(&request, rank_labels(text_to_cstring(PG_GETARG_TEXT_PP(0)),
												span_of_text(PG_GETARG_TEXT_PP(1)), &request)[0].id);
}

Datum
maskgen_classify_default(PG_FUNCTION_ARGS)
{
	LabelRequest request = {0};

	request.labels = spans_of_text_array(PG_GETARG_ARRAYTYPE_P(1), "labels", &request.n);
	return datum_of_label(&request,
						  rank_labels(maskgen_classify_model, span_of_text(PG_GETARG_TEXT_PP(0)), &request)[0].id);
}

Datum
maskgen_classify_scores(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	LabelRequest request = {.template = span_of_text(PG_GETARG_TEXT_PP(3))};
	MgScored *items;

	request.labels = spans_of_text_array(PG_GETARG_ARRAYTYPE_P(2), "labels", &request.n);
	items = rank_labels(text_to_cstring(PG_GETARG_TEXT_PP(0)), span_of_text(PG_GETARG_TEXT_PP(1)), &request);
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < request.n; i++)
	{
		Datum values[2] = {datum_of_label(&request, items[i].id), Float4GetDatum(items[i].score)};
		bool nulls[2] = {false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* The labels of an enum type in their order. */
static LabelRequest *
read_enum(Oid type, MemoryContext context)
{
	MemoryContext caller = MemoryContextSwitchTo(context);
	Relation relation = table_open(EnumRelationId, AccessShareLock);
	Relation index = index_open(EnumTypIdSortOrderIndexId, AccessShareLock);
	LabelRequest *request = palloc0(sizeof *request);
	MgSpan *spans = palloc(MG_MAX_LABELS * sizeof *spans);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;

	request->labels = spans;
	ScanKeyInit(&key, Anum_pg_enum_enumtypid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(type));
	scan = systable_beginscan_ordered(relation, index, NULL, 1, &key);
	while ((tuple = systable_getnext_ordered(scan, ForwardScanDirection)) != NULL)
	{
		Form_pg_enum value = (Form_pg_enum) GETSTRUCT(tuple);

		if (request->n == MG_MAX_LABELS)
			ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
							errmsg("enum %s has more than %d labels", format_type_be(type), MG_MAX_LABELS)));
		spans[request->n++] = mg_span_of(pstrdup(NameStr(value->enumlabel)));
	}
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	table_close(relation, AccessShareLock);
	MemoryContextSwitchTo(caller);
	return request;
}

Datum
maskgen_classify_as(PG_FUNCTION_ARGS)
{
	Oid type = get_fn_expr_argtype(fcinfo->flinfo, 2);
	LabelRequest *request;
	int best;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(3))
		PG_RETURN_NULL();
	if (!OidIsValid(type))
		ereport(ERROR, (errcode(ERRCODE_INDETERMINATE_DATATYPE), errmsg("could not determine the enum type")));
	/* Read once a statement: new labels count from the next one on. */
	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra = read_enum(type, fcinfo->flinfo->fn_mcxt);
	request = fcinfo->flinfo->fn_extra;
	request->template = span_of_text(PG_GETARG_TEXT_PP(3));
	best = rank_labels(text_to_cstring(PG_GETARG_TEXT_PP(0)), span_of_text(PG_GETARG_TEXT_PP(1)), request)[0].id;
	/* enum_in refuses a value that this transaction may still roll back. */
	PG_RETURN_DATUM(DirectFunctionCall2(enum_in, CStringGetDatum((const char *) request->labels[best].data),
										ObjectIdGetDatum(type)));
}
