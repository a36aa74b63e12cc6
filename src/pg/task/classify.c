/* classify(), classify_scores(), classify_as(), classify_multi(), label_scores(). */
#include "postgres.h"

#include <math.h>

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "core/top_k.h"
#include "fmgr.h"
#include "funcapi.h"
#include "pg/arrays.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "pg/task/call.h"
#include "pg/task/cut.h"
#include "pg/task/label_cache.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(maskgen_classify);
PG_FUNCTION_INFO_V1(maskgen_classify_default);
PG_FUNCTION_INFO_V1(maskgen_classify_scores);
PG_FUNCTION_INFO_V1(maskgen_classify_as);
PG_FUNCTION_INFO_V1(maskgen_classify_multi);
PG_FUNCTION_INFO_V1(maskgen_label_scores);

/* Scores [n, request->n] of inputs [n], in the use's scratch memory; the caller ends the use and throws. */
static bool
score_labels(ModelUse *use, const LabelRequest *request, const MgRefusals *refusals, const MgSpan *inputs, int n,
			 float **scores)
{
	LabelSet set = label_cache_get(use, request);
	MgClassifyOptions options = {set.labels, set.basis, guc_long_input(), refusals};

	*scores = mg_alloc_array(use->run.cx, (size_t) n * (size_t) request->n, sizeof **scores);
	return *scores != NULL && mg_classify(&use->run, &options, inputs, (size_t) n, *scores);
}

/* Labels by their scores, best first, into items [n]. */
static void
rank_labels(const ModelUse *use, const float *scores, int n, MgScored *items)
{
	MgTopK top = {items, (size_t) n, 0};

	for (int i = 0; i < n; i++)
		mg_top_k_offer(&top, scores[i], i);
	mg_top_k_sort(&top);
	if (top.n < (size_t) n)
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("score of a label is not a number"),
						errhint("The weights of model \"%s\" may be damaged.", NameStr(use->entry->name))));
}

/* The best label of each input that is not refused, by its number; NULL when there are no results. */
static int *
best_labels(TaskCall *call, const LabelRequest *request, const MgSpan *inputs, int n)
{
	MgScored *items = palloc((request->n + 1) * sizeof *items);
	int *best = palloc(n * sizeof *best);
	float *scores;

	task_begin(call);
	if (!task_end(call, score_labels(&call->use, request, task_refusals(call, 0), inputs, n, &scores)))
		return NULL;
	for (int i = 0; i < n; i++)
	{
		if (task_refused(call, i))
			continue;
		rank_labels(&call->use, scores + (size_t) i * request->n, request->n, items);
		best[i] = items[0].id;
	}
	pfree(items);
	return best;
}

static Datum
datum_of_label(const LabelRequest *request, int label)
{
	return PointerGetDatum(cstring_to_text_with_len((const char *) request->labels[label].data,
													(int) request->labels[label].size));
}

static void
run_labels(TaskCall *call, const LabelRequest *request, const MgSpan *inputs, int n, Datum *results)
{
	int *best = best_labels(call, request, inputs, n);

	for (int i = 0; best != NULL && i < n; i++)
		if (!task_refused(call, i))
			results[i] = datum_of_label(request, best[i]);
}

static void
run_classify(TaskCall *call, const MgSpan *inputs, int n, Datum *results)
{
	LabelRequest request = {.template = span_of_text(DatumGetTextPP(call->args[3]))};

	request.labels = spans_of_text_array(DatumGetArrayTypeP(call->args[2]), "labels", &request.n);
	run_labels(call, &request, inputs, n, results);
}

static void
run_default(TaskCall *call, const MgSpan *inputs, int n, Datum *results)
{
	LabelRequest request = {0};

	request.labels = spans_of_text_array(DatumGetArrayTypeP(call->args[1]), "labels", &request.n);
	run_labels(call, &request, inputs, n, results);
}

Datum
maskgen_classify_scores(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	LabelRequest request = {.template = span_of_text(PG_GETARG_TEXT_PP(3))};
	MgSpan input = span_of_text(PG_GETARG_TEXT_PP(1));
	MgScored *items;
	float *scores;
	ModelUse use;
	bool cut = false;

	request.labels = spans_of_text_array(PG_GETARG_ARRAYTYPE_P(2), "labels", &request.n);
	items = palloc((request.n + 1) * sizeof *items);
	model_use_begin_as(&use, text_to_cstring(PG_GETARG_TEXT_PP(0)), "classify_scores");
	use.run.cut = &cut;
	model_use_end(&use, score_labels(&use, &request, NULL, &input, 1, &scores));
	cut_count(cut);
	rank_labels(&use, scores, request.n, items);
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

/* Read once a statement: new labels count from the next one on. */
static LabelRequest *
enum_of(TaskCall *call)
{
	Oid type = get_fn_expr_argtype(call->flinfo, 2);

	if (!OidIsValid(type))
		ereport(ERROR, (errcode(ERRCODE_INDETERMINATE_DATATYPE), errmsg("could not determine the enum type")));
	if (call->state == NULL)
		call->state = read_enum(type, call->flinfo->fn_mcxt);
	return call->state;
}

static void
describe_as(TaskCall *call, StringInfo bytes)
{
	const LabelRequest *request = enum_of(call);

	appendBinaryStringInfo(bytes, (const char *) &request->n, sizeof request->n);
	/* With their ends: no label holds a zero byte. */
	for (int i = 0; i < request->n; i++)
		appendBinaryStringInfo(bytes, (const char *) request->labels[i].data, (int) request->labels[i].size + 1);
}

static void
run_as(TaskCall *call, const MgSpan *inputs, int n, Datum *results)
{
	LabelRequest *request = enum_of(call);
	int *best;

	request->template = span_of_text(DatumGetTextPP(call->args[3]));
	best = best_labels(call, request, inputs, n);
	for (int i = 0; best != NULL && i < n; i++)
		if (!task_refused(call, i))
			results[i] = task_enum_datum(call, (const char *) request->labels[best[i]].data);
}

/* Makes one result of the scores [n labels] of an input that was not refused. */
typedef Datum (*MakeResult)(const TaskCall *call, const LabelRequest *request, const float *scores);

static void
run_scores(TaskCall *call, int template, MakeResult make, const MgSpan *inputs, int n, Datum *results)
{
	LabelRequest request = {.template = span_of_text(DatumGetTextPP(call->args[template]))};
	float *scores;

	request.labels = spans_of_text_array(DatumGetArrayTypeP(call->args[2]), "labels", &request.n);
	task_begin(call);
	if (!task_end(call, score_labels(&call->use, &request, task_refusals(call, 0), inputs, n, &scores)))
		return;
	for (int i = 0; i < n; i++)
		if (!task_refused(call, i))
			results[i] = make(call, &request, scores + (size_t) i * request.n);
}

/* The labels whose probability among all of them is at least the threshold, best first. */
static Datum
likely_labels(const TaskCall *call, const LabelRequest *request, const float *scores)
{
	float threshold = DatumGetFloat4(call->args[3]);
	MgScored *items = palloc((request->n + 1) * sizeof *items);
	Datum *labels = palloc((request->n + 1) * sizeof *labels);
	double sum = 0;
	int n = 0;

	rank_labels(&call->use, scores, request->n, items);
	for (int i = 0; i < request->n; i++)
		sum += exp((double) items[i].score - items[0].score);
	while (n < request->n && exp((double) items[n].score - items[0].score) / sum >= threshold)
	{
		labels[n] = datum_of_label(request, items[n].id);
		n++;
	}
	return PointerGetDatum(construct_array(labels, n, TEXTOID, -1, false, TYPALIGN_INT));
}

static void
run_multi(TaskCall *call, const MgSpan *inputs, int n, Datum *results)
{
	float threshold = DatumGetFloat4(call->args[3]);

	if (!(threshold >= 0 && threshold <= 1))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("threshold is %g", threshold),
						errdetail("It is a probability, between 0 and 1.")));
	run_scores(call, 4, likely_labels, inputs, n, results);
}

static Datum
scores_as_array(const TaskCall *call, const LabelRequest *request, const float *scores)
{
	Datum *elements = palloc((request->n + 1) * sizeof *elements);

	for (int i = 0; i < request->n; i++)
		elements[i] = Float4GetDatum(scores[i]);
	return PointerGetDatum(construct_array(elements, request->n, FLOAT4OID, sizeof(float4), true, TYPALIGN_INT));
}

static void
run_label_scores(TaskCall *call, const MgSpan *inputs, int n, Datum *results)
{
	run_scores(call, 3, scores_as_array, inputs, n, results);
}

const TaskFunction classify_tasks[] = {
	{"maskgen_classify", maskgen_classify, 4,
	 {{"model", TASK_TEXT}, {"input", TASK_TEXT}, {"labels", TASK_TEXTS}, {"template", TASK_TEXT}},
	 NULL, TASK_VARLENA, TASK_COST_CLASSIFY, run_classify, NULL},
	{"maskgen_classify_default", maskgen_classify_default, 2, {{"input", TASK_TEXT}, {"labels", TASK_TEXTS}},
	 &maskgen_classify_model, TASK_VARLENA, TASK_COST_CLASSIFY, run_default, NULL},
	{"maskgen_classify_as", maskgen_classify_as, 4,
	 {{"model", TASK_TEXT}, {"input", TASK_TEXT}, {"labels", TASK_ENUM}, {"template", TASK_TEXT}},
	 NULL, TASK_LABEL, TASK_COST_CLASSIFY, run_as, describe_as},
	{"maskgen_classify_scores", maskgen_classify_scores, 4,
	 {{"model", TASK_TEXT}, {"input", TASK_TEXT}, {"labels", TASK_TEXTS}, {"template", TASK_TEXT}},
	 NULL, TASK_SET, TASK_COST_CLASSIFY, NULL, NULL},
	{"maskgen_classify_multi", maskgen_classify_multi, 5,
	 {{"model", TASK_TEXT}, {"input", TASK_TEXT}, {"labels", TASK_TEXTS}, {"threshold", TASK_REAL}, {"template", TASK_TEXT}},
	 NULL, TASK_VARLENA, TASK_COST_CLASSIFY, run_multi, NULL},
	{"maskgen_label_scores", maskgen_label_scores, 4,
	 {{"model", TASK_TEXT}, {"input", TASK_TEXT}, {"labels", TASK_TEXTS}, {"template", TASK_TEXT}},
	 NULL, TASK_VARLENA, TASK_COST_CLASSIFY, run_label_scores, NULL},
};
const int n_classify_tasks = lengthof(classify_tasks);

Datum
maskgen_classify(PG_FUNCTION_ARGS)
{
	return task_scalar(fcinfo, &classify_tasks[0]);
}

Datum
maskgen_classify_default(PG_FUNCTION_ARGS)
{
	return task_scalar(fcinfo, &classify_tasks[1]);
}

Datum
maskgen_classify_as(PG_FUNCTION_ARGS)
{
	return task_scalar(fcinfo, &classify_tasks[2]);
}

Datum
maskgen_classify_multi(PG_FUNCTION_ARGS)
{
	return task_scalar(fcinfo, &classify_tasks[4]);
}

Datum
maskgen_label_scores(PG_FUNCTION_ARGS)
{
	return task_scalar(fcinfo, &classify_tasks[5]);
}
