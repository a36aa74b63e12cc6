/* The aggregates fit_classifier and fit_labels. */
#include "pg/classifier/fit_state.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "learn/fit.h"
#include "pg/arrays.h"
#include "pg/compat.h"
#include "pg/host.h"
#include "pg/vector/vector.h"
#include "utils/array.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(maskgen_fit_classifier_accum);
PG_FUNCTION_INFO_V1(maskgen_fit_labels_accum);
PG_FUNCTION_INFO_V1(maskgen_fit_guess_accum);
PG_FUNCTION_INFO_V1(maskgen_fit_combine);
PG_FUNCTION_INFO_V1(maskgen_fit_serialize);
PG_FUNCTION_INFO_V1(maskgen_fit_deserialize);
PG_FUNCTION_INFO_V1(maskgen_fit_finish);

static MemoryContext
aggregate_memory(FunctionCallInfo fcinfo)
{
	MemoryContext memory;

	if (!AggCheckCallContext(fcinfo, &memory))
		elog(ERROR, "a function of an aggregate was called without it");
	return memory;
}

static FitState *
state_of(FunctionCallInfo fcinfo)
{
	MemoryContext memory = aggregate_memory(fcinfo);

	return PG_ARGISNULL(0) ? fit_state_new(memory) : (FitState *) PG_GETARG_POINTER(0);
}

static void
add_row(FitState *state, MgSample *sample, const Dense *vector, int32 label, MgSpan name, const float4 *scores, size_t n_scores)
{
	const MgSample *other = sample == &state->labelled ? &state->unlabelled : &state->labelled;

	fit_state_check_dims(other, (size_t) vector->dim);
	fit_state_check(state, mg_sample_add(&state->cx, sample, (const float4 *) vector->x, (size_t) vector->dim, label, name, scores, n_scores));
}

/* fit_classifier(embedding, label): a row without a vector does not count. */
Datum
maskgen_fit_classifier_accum(PG_FUNCTION_ARGS)
{
	FitState *state = state_of(fcinfo);
	const Dense *vector;

	if (PG_ARGISNULL(1))
		PG_RETURN_POINTER(state);
	vector = dense_of_datum(&vector_type, PG_GETARG_DATUM(1));
	if (PG_ARGISNULL(2))
		add_row(state, &state->unlabelled, vector, MG_UNLABELLED, mg_span(NULL, 0), NULL, 0);
	else
	{
		MgSpan name = span_of_text(PG_GETARG_TEXT_PP(2));

		add_row(state, &state->labelled, vector, fit_state_label(state, name), name, NULL, 0);
	}
	PG_RETURN_POINTER(state);
}

/* The labels of an aggregate are those of its first row. */
static void
begin_labels(FitState *state, const MgSpan *labels, size_t n)
{
	classifier_check_labels(labels, n);
	for (size_t i = 0; i < n; i++)
		fit_state_label(state, labels[i]);
	state->given = true;
}

static void
check_same(bool same)
{
	if (!same)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("labels are not the same in all rows")));
}

/* real[] of n finite scores. */
static const float4 *
read_scores(ArrayType *array, size_t n)
{
	const float4 *scores = (const float4 *) ARR_DATA_PTR(array);

	if (ARR_NDIM(array) != 1 || (size_t) ARR_DIMS(array)[0] != n || array_contains_nulls(array))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("scores are not one number for each of %zu labels", n),
						errhint("maskgen.label_scores() gives them.")));
	for (size_t i = 0; i < n; i++)
		if (!isfinite(scores[i]))
			ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("score of a label is not a finite number")));
	return scores;
}

/* fit_labels(labels, embedding, scores) */
Datum
maskgen_fit_labels_accum(PG_FUNCTION_ARGS)
{
	FitState *state = state_of(fcinfo);
	ArrayType *labels;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		PG_RETURN_POINTER(state);
	labels = PG_GETARG_ARRAYTYPE_P(1);
	if (state->labels == NULL)
	{
		int n;
		MgSpan *spans = spans_of_text_array(labels, "labels", &n);

		begin_labels(state, spans, (size_t) n);
		state->labels = fit_state_keep(state, labels);
	}
	check_same(VARSIZE(labels) == VARSIZE(state->labels) && memcmp(labels, state->labels, VARSIZE(labels)) == 0);
	add_row(state, &state->unlabelled, dense_of_datum(&vector_type, PG_GETARG_DATUM(2)), MG_UNLABELLED, mg_span(NULL, 0),
			read_scores(PG_GETARG_ARRAYTYPE_P(3), state->n_names), state->n_names);
	PG_RETURN_POINTER(state);
}

/* fit_labels(classifier, embedding) */
Datum
maskgen_fit_guess_accum(PG_FUNCTION_ARGS)
{
	FitState *state = state_of(fcinfo);
	const ClassifierUse *use;
	const Dense *vector;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_POINTER(state);
	use = classifier_argument(fcinfo, 1);
	if (state->guess == NULL)
	{
		begin_labels(state, use->classifier.labels, use->classifier.n_labels);
		state->guess = fit_state_keep(state, use->value);
	}
	check_same(VARSIZE(use->value) == VARSIZE(state->guess) && memcmp(use->value, state->guess, VARSIZE(state->guess)) == 0);
	vector = dense_of_datum(&vector_type, PG_GETARG_DATUM(2));
	classifier_vector(fcinfo, 2, use);
	add_row(state, &state->unlabelled, vector, MG_UNLABELLED, mg_span(NULL, 0), NULL, 0);
	PG_RETURN_POINTER(state);
}

Datum
maskgen_fit_combine(PG_FUNCTION_ARGS)
{
	FitState *state;

	aggregate_memory(fcinfo);
	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_POINTER(PG_GETARG_POINTER(0));
	}
	state = state_of(fcinfo);
	fit_state_merge(state, (FitState *) PG_GETARG_POINTER(1));
	PG_RETURN_POINTER(state);
}

Datum
maskgen_fit_serialize(PG_FUNCTION_ARGS)
{
	aggregate_memory(fcinfo);
	PG_RETURN_BYTEA_P(fit_state_write((FitState *) PG_GETARG_POINTER(0)));
}

Datum
maskgen_fit_deserialize(PG_FUNCTION_ARGS)
{
	aggregate_memory(fcinfo);
	PG_RETURN_POINTER(fit_state_read(CurrentMemoryContext, PG_GETARG_BYTEA_PP(0)));
}

static const FitState *sorted_state;

static int
compare_numbers(const void *a, const void *b)
{
	MgSpan left = sorted_state->names[*(const int32 *) a], right = sorted_state->names[*(const int32 *) b];
	size_t n = Min(left.size, right.size);
	int order = n == 0 ? 0 : memcmp(left.data, right.data, n);

	return order != 0 ? order : (left.size > right.size) - (left.size < right.size);
}

/* The labels as the classifier has them: as given, else by their bytes. places [number]: where each went. */
static MgSpan *
order_labels(const FitState *state, int32 *places)
{
	MgSpan *labels = palloc((state->n_names + 1) * sizeof *labels);
	int32 numbers[MG_CLASSIFIER_MOST_LABELS];

	for (size_t i = 0; i < state->n_names; i++)
		numbers[i] = (int32) i;
	sorted_state = state;
	if (!state->given)
		qsort(numbers, state->n_names, sizeof *numbers, compare_numbers);
	for (size_t i = 0; i < state->n_names; i++)
	{
		labels[i] = state->names[numbers[i]];
		places[numbers[i]] = (int32) i;
	}
	return labels;
}

/* The labelled rows with their labels as places. */
static MgSample
place_labels(const MgSample *sample, const int32 *places)
{
	MgSample placed = *sample;

	placed.rows = palloc_extended((sample->n + 1) * sizeof *placed.rows, MCXT_ALLOC_HUGE);
	for (size_t i = 0; i < sample->n; i++)
	{
		placed.rows[i] = sample->rows[i];
		placed.rows[i].label = places[sample->rows[i].label];
	}
	return placed;
}

/* The classifier of a state's rows; NULL where no row has a label. */
static Classifier *
fit(FitState *state, MgCtx *cx)
{
	int32 places[MG_CLASSIFIER_MOST_LABELS];
	MgSpan *labels = order_labels(state, places);
	MgFitRows rows = {labels, state->n_names, NULL, &state->unlabelled, NULL};
	MgClassifier guess, classifier;
	MgSample labelled;

	if (state->n_names == 0)
		return NULL;
	fit_state_check(state, mg_sample_settle(&state->cx, &state->labelled) && mg_sample_settle(&state->cx, &state->unlabelled));
	labelled = place_labels(&state->labelled, places);
	rows.labelled = &labelled;
	if (state->guess != NULL)
	{
		guess = classifier_read(state->guess);
		rows.guess = &guess;
	}
	if (!mg_fit(cx, &rows, &classifier))
		host_throw(cx);
	return classifier_make(&classifier);
}

Datum
maskgen_fit_finish(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext, scratch;
	Classifier *value, *copy = NULL;
	MgHost host;
	MgCtx cx;

	aggregate_memory(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	scratch = AllocSetContextCreate(caller, "maskgen fitting", ALLOCSET_DEFAULT_SIZES);
	host = host_in(scratch);
	mg_ctx_init(&cx, &host);
	MemoryContextSwitchTo(scratch);
	value = fit((FitState *) PG_GETARG_POINTER(0), &cx);
	MemoryContextSwitchTo(caller);
	if (value != NULL)
	{
		copy = palloc(VARSIZE(value));
		memcpy(copy, value, VARSIZE(value));
	}
	MemoryContextDelete(scratch);
	if (copy == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(copy);
}
