/*
 * The type classifier in and out:
 *   text    a JSON object: {"method": "ridge", "dims": 384, "labelled": 204, "unlabelled": 0, "accuracy": 0.97,
 *           "labels": ["a", ...], "biases": [1.5, ...], "weights": [[0.25, ...], ...]}; accuracy is absent where it is not known
 *   binary  int8 version, int8 method, int32 labels, int32 dims, float8 accuracy, int64 labelled, int64 unlabelled; of each
 *           label int32 bytes and text; float4 biases, weights
 */
#include "pg/classifier/classifier.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "format/json.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/host.h"
#include "pg/vector/vector.h"
#include "utils/json.h"
#include "utils/memutils.h"

/* What a number of JSON has without rounding; so what came in binary goes out as text, and in again. */
#define MOST_ROWS (INT64CONST(1) << 53)

/* Numbers in binary between two polls. */
#define POLL_NUMBERS 65536

PG_FUNCTION_INFO_V1(maskgen_classifier_in);
PG_FUNCTION_INFO_V1(maskgen_classifier_out);
PG_FUNCTION_INFO_V1(maskgen_classifier_recv);
PG_FUNCTION_INFO_V1(maskgen_classifier_send);

static void
refuse_text(const char *why)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION), errmsg("invalid input syntax for type classifier"), errdetail("%s", why)));
}

static const MgJson *
member(const MgJson *object, const char *key, MgJsonKind kind)
{
	const MgJson *value = mg_json_get(object, key);

	if (value == NULL || value->kind != kind)
		refuse_text(psprintf(kind == MG_JSON_ARRAY ? "\"%s\" is not an array." : "\"%s\" is not a string.", key));
	return value;
}

static double
number_of(const MgJson *value, const char *what, double least, double most)
{
	if ((value->kind != MG_JSON_INTEGER && value->kind != MG_JSON_REAL) || !(value->real >= least && value->real <= most))
		refuse_text(psprintf("%s is not a number between %g and %g.", what, least, most));
	return value->real;
}

/* A count of rows, 0 where it is absent. */
static int64
count_of(const MgJson *object, const char *key)
{
	const MgJson *value = mg_json_get(object, key);

	if (value == NULL)
		return 0;
	if (value->kind != MG_JSON_INTEGER || value->integer < 0 || value->integer > MOST_ROWS)
		refuse_text(psprintf("%s is not a whole number of rows.", key));
	return value->integer;
}

/* n numbers that float4 has. */
static void
read_numbers(const MgJson *array, size_t n, const char *what, float4 *into)
{
	if (array->kind != MG_JSON_ARRAY || array->n != n)
		refuse_text(psprintf("%s are not %zu numbers.", what, n));
	for (size_t i = 0; i < n; i++)
		into[i] = (float4) number_of(&array->items[i], what, -3.4028235677973366e38, 3.4028235677973366e38);
}

static Classifier *
read_object(const MgJson *object)
{
	const MgJson *labels, *weights, *accuracy = mg_json_get(object, "accuracy"), *dims = mg_json_get(object, "dims");
	MgSpan *spans;
	float4 *numbers;
	MgClassifier classifier;

	if (object->kind != MG_JSON_OBJECT)
		refuse_text("It is not a JSON object.");
	classifier.method = mg_method_of_name(member(object, "method", MG_JSON_STRING)->string);
	if (classifier.method == MG_N_METHODS)
		refuse_text("\"method\" is not one that there is.");
	classifier.accuracy = accuracy == NULL ? NAN : number_of(accuracy, "accuracy", 0, 1);
	classifier.labelled = count_of(object, "labelled");
	classifier.unlabelled = count_of(object, "unlabelled");
	labels = member(object, "labels", MG_JSON_ARRAY);
	weights = member(object, "weights", MG_JSON_ARRAY);
	if (labels->n < 1 || labels->n > MG_CLASSIFIER_MOST_LABELS || weights->n != labels->n || weights->items[0].kind != MG_JSON_ARRAY)
		refuse_text("\"weights\" are not an array of numbers for each label, or there are too many labels.");
	classifier.n_labels = labels->n;
	classifier.dims = weights->items[0].n;
	if (classifier.dims == 0)
		refuse_text("A label has no weights.");
	if (dims != NULL && number_of(dims, "dims", 1, VECTOR_MAX_DIM) != (double) classifier.dims)
		refuse_text("\"dims\" is not the number of weights of a label.");
	spans = palloc(labels->n * sizeof *spans);
	numbers = palloc_extended(((Size) classifier.dims + 1) * labels->n * sizeof *numbers, MCXT_ALLOC_HUGE);
	read_numbers(member(object, "biases", MG_JSON_ARRAY), labels->n, "biases", numbers);
	for (size_t i = 0; i < labels->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (labels->items[i].kind != MG_JSON_STRING)
			refuse_text("A label is not a string.");
		spans[i] = labels->items[i].string;
		read_numbers(&weights->items[i], classifier.dims, "weights", numbers + labels->n + i * classifier.dims);
	}
	classifier.labels = spans;
	classifier.biases = numbers;
	classifier.weights = numbers + labels->n;
	return classifier_make(&classifier);
}

Datum
maskgen_classifier_in(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext, scratch = AllocSetContextCreate(caller, "maskgen classifier_in", ALLOCSET_DEFAULT_SIZES);
	MgHost host = host_in(scratch);
	const MgJson *object;
	Classifier *value, *copy;
	MgCtx cx;

	mg_ctx_init(&cx, &host);
	MemoryContextSwitchTo(scratch);
	object = mg_json_parse(&cx, "classifier", mg_span_of(PG_GETARG_CSTRING(0)));
	if (object == NULL && cx.error.code != MG_BAD_FILE)
		host_throw(&cx);
	if (object == NULL)
		refuse_text("It is not valid JSON.");
	value = read_object(object);
	MemoryContextSwitchTo(caller);
	copy = palloc(VARSIZE(value));
	memcpy(copy, value, VARSIZE(value));
	MemoryContextDelete(scratch);
	PG_RETURN_POINTER(copy);
}

static void
append_numbers(StringInfo text, const float4 *numbers, size_t n)
{
	appendStringInfoChar(text, '[');
	for (size_t i = 0; i < n; i++)
	{
		enlargeStringInfo(text, FLOAT_SHORTEST_DECIMAL_LEN + 2);
		if (i > 0)
			appendStringInfoString(text, ", ");
		text->len += float_to_shortest_decimal_bufn(numbers[i], text->data + text->len);
		text->data[text->len] = '\0';
	}
	appendStringInfoChar(text, ']');
}

Datum
maskgen_classifier_out(PG_FUNCTION_ARGS)
{
	const Classifier *value = (Classifier *) PG_DETOAST_DATUM(PG_GETARG_DATUM(0));
	MgClassifier classifier = classifier_read(value);
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "{\"method\": \"%s\", \"dims\": %zu, \"labelled\": " INT64_FORMAT ", \"unlabelled\": " INT64_FORMAT,
					 mg_method_name(classifier.method), classifier.dims, classifier.labelled, classifier.unlabelled);
	if (!isnan(classifier.accuracy))
		appendStringInfo(&text, ", \"accuracy\": %.17g", classifier.accuracy);
	appendStringInfoString(&text, ", \"labels\": [");
	for (size_t i = 0; i < classifier.n_labels; i++)
	{
		if (i > 0)
			appendStringInfoString(&text, ", ");
		escape_json(&text, pnstrdup((const char *) classifier.labels[i].data, classifier.labels[i].size));
	}
	appendStringInfoString(&text, "], \"biases\": ");
	append_numbers(&text, classifier.biases, classifier.n_labels);
	appendStringInfoString(&text, ", \"weights\": [");
	for (size_t i = 0; i < classifier.n_labels; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (i > 0)
			appendStringInfoString(&text, ", ");
		append_numbers(&text, classifier.weights + i * classifier.dims, classifier.dims);
	}
	appendStringInfoString(&text, "]}");
	PG_RETURN_CSTRING(text.data);
}

Datum
maskgen_classifier_recv(PG_FUNCTION_ARGS)
{
	StringInfo buffer = (StringInfo) PG_GETARG_POINTER(0);
	int version = pq_getmsgbyte(buffer), method = pq_getmsgbyte(buffer);
	int32 n_labels = pq_getmsgint(buffer, 4), dims = pq_getmsgint(buffer, 4);
	MgClassifier classifier = {.method = (MgMethod) method, .accuracy = pq_getmsgfloat8(buffer)};
	MgSpan *labels;
	float4 *numbers;
	Size n;

	classifier.labelled = pq_getmsgint64(buffer);
	classifier.unlabelled = pq_getmsgint64(buffer);
	if (version != CLASSIFIER_VERSION || method >= MG_N_METHODS || n_labels < 1 || n_labels > MG_CLASSIFIER_MOST_LABELS || dims < 1 ||
		dims > VECTOR_MAX_DIM || (int64) n_labels * dims > MG_CLASSIFIER_MOST_WEIGHTS || classifier.labelled < 0 ||
		classifier.labelled > MOST_ROWS || classifier.unlabelled < 0 || classifier.unlabelled > MOST_ROWS ||
		!(isnan(classifier.accuracy) || (classifier.accuracy >= 0 && classifier.accuracy <= 1)))
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION), errmsg("header of a classifier is out of range")));
	labels = palloc(n_labels * sizeof *labels);
	for (int i = 0; i < n_labels; i++)
	{
		int size = pq_getmsgint(buffer, 4), n_bytes;
		char *text;

		if (size < 0 || size > CLASSIFIER_MOST_LABEL)
			ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION), errmsg("label of a classifier has %d bytes", size)));
		text = pq_getmsgtext(buffer, size, &n_bytes);
		labels[i] = mg_span(text, n_bytes);
	}
	n = (Size) n_labels * ((Size) dims + 1);
	if (n * sizeof *numbers > (Size) (buffer->len - buffer->cursor))
		ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION), errmsg("insufficient data left in message")));
	numbers = palloc(n * sizeof *numbers);
	for (Size i = 0; i < n; i++)
	{
		if (i % POLL_NUMBERS == 0)
			CHECK_FOR_INTERRUPTS();
		numbers[i] = pq_getmsgfloat4(buffer);
	}
	classifier.n_labels = n_labels;
	classifier.dims = dims;
	classifier.labels = labels;
	classifier.biases = numbers;
	classifier.weights = numbers + n_labels;
	PG_RETURN_POINTER(classifier_make(&classifier));
}

Datum
maskgen_classifier_send(PG_FUNCTION_ARGS)
{
	const Classifier *value = (Classifier *) PG_DETOAST_DATUM(PG_GETARG_DATUM(0));
	MgClassifier classifier = classifier_read(value);
	StringInfoData buffer;

	pq_begintypsend(&buffer);
	pq_sendbyte(&buffer, value->version);
	pq_sendbyte(&buffer, value->method);
	pq_sendint32(&buffer, value->n_labels);
	pq_sendint32(&buffer, value->dims);
	pq_sendfloat8(&buffer, value->accuracy);
	pq_sendint64(&buffer, value->labelled);
	pq_sendint64(&buffer, value->unlabelled);
	for (size_t i = 0; i < classifier.n_labels; i++)
	{
		char *converted = pg_server_to_client((const char *) classifier.labels[i].data, (int) classifier.labels[i].size);
		int size = converted == (const char *) classifier.labels[i].data ? (int) classifier.labels[i].size : (int) strlen(converted);

		pq_sendint32(&buffer, size);
		pq_sendbytes(&buffer, converted, size);
	}
	for (size_t i = 0; i < classifier.n_labels * (classifier.dims + 1); i++)
	{
		if (i % POLL_NUMBERS == 0)
			CHECK_FOR_INTERRUPTS();
		pq_sendfloat4(&buffer, value->numbers[i]);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}
