/* Values of the type classifier: made, checked, and known again from row to row. */
#include "pg/classifier/classifier.h"

#include <math.h>

#include "access/xact.h"
#include "mb/pg_wchar.h"
#include "nodes/primnodes.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "pg/vector/vector.h"
#include "utils/memutils.h"

static void
refuse(const char *why)
{
	ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("value of type classifier is malformed"), errdetail("%s", why)));
}

static void
refuse_label(MgSpan label, const char *why)
{
	int size = pg_mbcliplen((const char *) label.data, (int) label.size, 64);

	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("label \"%s\" %s", pnstrdup((const char *) label.data, size), why)));
}

static int
compare_labels(const void *a, const void *b)
{
	const MgSpan *left = a, *right = b;
	size_t n = Min(left->size, right->size);
	int order = n == 0 ? 0 : memcmp(left->data, right->data, n);

	return order != 0 ? order : (left->size > right->size) - (left->size < right->size);
}

void
classifier_check_labels(const MgSpan *labels, size_t n)
{
	MgSpan *sorted = palloc((n + 1) * sizeof *sorted);

	if (n < 1 || n > MG_CLASSIFIER_MOST_LABELS)
		ereport(ERROR, (errcode(n < 1 ? ERRCODE_INVALID_PARAMETER_VALUE : ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("%zu labels were given", n),
						errdetail("Give at least one label and at most %d.", MG_CLASSIFIER_MOST_LABELS)));
	for (size_t i = 0; i < n; i++)
	{
		if (labels[i].size > CLASSIFIER_MOST_LABEL)
			refuse_label(labels[i], "is too long");
		sorted[i] = labels[i];
	}
	qsort(sorted, n, sizeof *sorted, compare_labels);
	for (size_t i = 1; i < n; i++)
		if (compare_labels(&sorted[i - 1], &sorted[i]) == 0)
			refuse_label(sorted[i], "stands there twice");
	pfree(sorted);
}

static void
check_size(size_t n_labels, size_t dims)
{
	if (dims < 1 || dims > VECTOR_MAX_DIM || n_labels > MG_CLASSIFIER_MOST_LABELS || n_labels * dims > MG_CLASSIFIER_MOST_WEIGHTS)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("classifier of %zu labels and %zu dimensions is too large", n_labels, dims),
						errdetail("It has at most %d labels, %d dimensions and %d weights.", MG_CLASSIFIER_MOST_LABELS,
								  VECTOR_MAX_DIM, MG_CLASSIFIER_MOST_WEIGHTS)));
}

Classifier *
classifier_make(const MgClassifier *from)
{
	size_t n = from->n_labels, n_weights = n * from->dims, bytes = 0, size;
	Classifier *value;
	uint32 *ends;
	char *text;

	check_size(n, from->dims);
	classifier_check_labels(from->labels, n);
	for (size_t i = 0; i < n; i++)
		bytes += from->labels[i].size;
	size = offsetof(Classifier, numbers) + (n + n_weights) * sizeof(float4) + n * sizeof *ends + bytes;
	value = palloc0(size);
	SET_VARSIZE(value, size);
	value->version = CLASSIFIER_VERSION;
	value->method = (uint8) from->method;
	value->n_labels = (int32) n;
	value->dims = (int32) from->dims;
	value->accuracy = from->accuracy;
	value->labelled = from->labelled;
	value->unlabelled = from->unlabelled;
	memcpy(value->numbers, from->biases, n * sizeof(float4));
	memcpy(value->numbers + n, from->weights, n_weights * sizeof(float4));
	ends = (uint32 *) (value->numbers + n + n_weights);
	text = (char *) (ends + n);
	for (size_t i = 0, end = 0; i < n; i++)
	{
		memcpy(text + end, from->labels[i].data, from->labels[i].size);
		end += from->labels[i].size;
		ends[i] = (uint32) end;
	}
	for (size_t i = 0; i < n + n_weights; i++)
		if (!isfinite(value->numbers[i]))
			ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("weight of a classifier is not a finite number")));
	return value;
}

MgClassifier
classifier_read(const Classifier *value)
{
	size_t size = VARSIZE(value), head = offsetof(Classifier, numbers), n, numbers, bytes;
	const uint32 *ends;
	const char *text;
	MgSpan *labels;

	if (size < head || value->version != CLASSIFIER_VERSION || value->method >= MG_N_METHODS)
		refuse("Its header is not one of this version.");
	if (value->n_labels < 1 || value->n_labels > MG_CLASSIFIER_MOST_LABELS || value->dims < 1 || value->dims > VECTOR_MAX_DIM ||
		(int64) value->n_labels * value->dims > MG_CLASSIFIER_MOST_WEIGHTS)
		refuse("It has too many or too few labels or dimensions.");
	n = (size_t) value->n_labels;
	numbers = n + n * (size_t) value->dims;
	if (size - head < numbers * sizeof(float4) + n * sizeof *ends)
		refuse("It is too short.");
	ends = (const uint32 *) (value->numbers + numbers);
	text = (const char *) (ends + n);
	bytes = size - head - numbers * sizeof(float4) - n * sizeof *ends;
	labels = palloc(n * sizeof *labels);
	for (size_t i = 0; i < n; i++)
	{
		size_t start = i == 0 ? 0 : ends[i - 1];

		if (ends[i] < start || ends[i] > bytes)
			refuse("A label lies outside of it.");
		labels[i] = mg_span(text + start, ends[i] - start);
	}
	return (MgClassifier){(MgMethod) value->method, n, (size_t) value->dims, value->labelled, value->unlabelled,
						  value->accuracy, labels, value->numbers + n, value->numbers};
}

/* The argument as a constant of the plan; NULL: it is none. */
static const void *
constant_of(FunctionCallInfo fcinfo, int n)
{
	Node *expression = fcinfo->flinfo->fn_expr;
	Node *argument;

	if (expression == NULL || !IsA(expression, FuncExpr) || list_length(((FuncExpr *) expression)->args) <= n)
		return NULL;
	argument = list_nth(((FuncExpr *) expression)->args, n);
	return IsA(argument, Const) ? DatumGetPointer(((Const *) argument)->constvalue) : NULL;
}

/*
 * Whether an argument is what it was at the last call. A constant is by its address. A value out of line is by its
 * identifier, which is not given to another value while the transaction lasts that saw it. All else is by its bytes.
 */
static bool
same_argument(const ClassifierUse *use, const struct varlena *argument)
{
	if (use->value == NULL)
		return false;
	if (use->constant != NULL && use->constant == argument)
		return true;
	if (VARATT_IS_EXTERNAL_ONDISK(argument))
		return use->external[0] == VARSIZE_EXTERNAL(argument) &&
			memcmp(use->external + 1, argument, VARSIZE_EXTERNAL(argument)) == 0 &&
			use->transaction == GetCurrentTransactionStartTimestamp();
	return !VARATT_IS_EXTENDED(argument) && VARSIZE(argument) == VARSIZE(use->value) &&
		memcmp(argument, use->value, VARSIZE(argument)) == 0;
}

static void
read_argument(FunctionCallInfo fcinfo, int n, ClassifierUse *use, struct varlena *argument)
{
	MemoryContext caller;
	MgDistance inner;

	use->value = NULL;
	use->external[0] = 0;
	MemoryContextReset(use->memory);
	caller = MemoryContextSwitchTo(use->memory);
	if (!mg_distance_find(MG_ELEMENT_F32, MG_METRIC_INNER_PRODUCT, guc_cpu_level(), &inner))
		elog(ERROR, "there is no inner product");
	use->inner = inner.pair;
	use->constant = constant_of(fcinfo, n);
	if (VARATT_IS_EXTERNAL_ONDISK(argument) && VARSIZE_EXTERNAL(argument) < sizeof use->external)
	{
		use->external[0] = (uint8) VARSIZE_EXTERNAL(argument);
		memcpy(use->external + 1, argument, VARSIZE_EXTERNAL(argument));
		use->transaction = GetCurrentTransactionStartTimestamp();
	}
	use->value = (Classifier *) PG_DETOAST_DATUM_COPY(PointerGetDatum(argument));
	use->classifier = classifier_read(use->value);
	use->scores = palloc(use->classifier.n_labels * sizeof *use->scores);
	MemoryContextSwitchTo(caller);
}

const ClassifierUse *
classifier_argument(FunctionCallInfo fcinfo, int n)
{
	ClassifierUse *use = fcinfo->flinfo->fn_extra;
	struct varlena *argument = (struct varlena *) PG_GETARG_POINTER(n);

	if (use == NULL)
	{
		use = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof *use);
		use->memory = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "maskgen classifier", ALLOCSET_SMALL_SIZES);
		fcinfo->flinfo->fn_extra = use;
	}
	if (!same_argument(use, argument))
		read_argument(fcinfo, n, use, argument);
	return use;
}

const float4 *
classifier_vector(FunctionCallInfo fcinfo, int n, const ClassifierUse *use)
{
	const Dense *vector = dense_of_datum(&vector_type, PG_GETARG_DATUM(n));

	if ((size_t) vector->dim != use->classifier.dims)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("expected %zu dimensions, not %d", use->classifier.dims, vector->dim)));
	return (const float4 *) vector->x;
}
