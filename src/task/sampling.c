/* Bounds of what a caller may set, and its forms in JSON. */
#include "task/sampling.h"

#include <stdio.h>

#include <math.h>

/* The reference's name of an option comes first, where it has one of its own. */
typedef struct Number
{
	const char *key;
	size_t offset;
	double least, most;
	bool above; /* least itself is out of bounds */
} Number;

static const Number numbers[] = {
	{"temperature", offsetof(MgSampling, temperature), 0, 1000, false},
	{"top_p", offsetof(MgSampling, top_p), 0, 1, true},
	{"min_p", offsetof(MgSampling, min_p), 0, 1, false},
	{"repetition_penalty", offsetof(MgSampling, repetition_penalty), 0, 1000, true},
	{"frequency_penalty", offsetof(MgSampling, frequency_penalty), -1000, 1000, false},
	{"presence_penalty", offsetof(MgSampling, presence_penalty), -1000, 1000, false}};

typedef struct Count
{
	const char *key;
	size_t offset;
	size_t most;
} Count;

static const Count counts[] = {
	{"top_k", offsetof(MgSampling, top_k), INT32_MAX},
	{"no_repeat_ngram", offsetof(MgSampling, no_repeat_ngram), MG_SAMPLING_MAX_NGRAM},
	{"min_tokens", offsetof(MgSampling, min_tokens), INT32_MAX}};

/* The same in generation_config.json. */
static const Count file_counts[] = {
	{"top_k", offsetof(MgSampling, top_k), INT32_MAX},
	{"no_repeat_ngram_size", offsetof(MgSampling, no_repeat_ngram), MG_SAMPLING_MAX_NGRAM},
	{"min_new_tokens", offsetof(MgSampling, min_tokens), INT32_MAX}};

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static bool
is_within(const Number *number, double value)
{
	return value >= number->least && value <= number->most && !(number->above && value == number->least);
}

bool
mg_sampling_check(MgCtx *cx, const MgSampling *sampling, size_t n_tokens)
{
	for (size_t i = 0; i < LENGTH(numbers); i++)
	{
		const Number *number = &numbers[i];
		double value = *(const float *) ((const char *) sampling + number->offset);

		if (!is_within(number, value))
		{
			mg_fail(cx, MG_BAD_ARGUMENT, "%s %g is out of range", number->key, value);
			return mg_detail(cx, "It is %s %g and at most %g.", number->above ? "above" : "at least", number->least, number->most);
		}
	}
	for (size_t i = 0; i < LENGTH(counts); i++)
	{
		size_t value = *(const size_t *) ((const char *) sampling + counts[i].offset);

		if (value > counts[i].most)
			return mg_fail(cx, MG_BAD_ARGUMENT, "%s %zu is more than %zu", counts[i].key, value, counts[i].most);
	}
	if (sampling->n_biases > MG_SAMPLING_MAX_BIASES)
		return mg_fail(cx, MG_TOO_LARGE, "logit_bias has %zu tokens, at most %d are possible", sampling->n_biases,
					   MG_SAMPLING_MAX_BIASES);
	for (size_t i = 0; i < sampling->n_biases; i++)
	{
		const MgLogitBias *bias = &sampling->biases[i];

		if (bias->id < 0 || (size_t) bias->id >= n_tokens)
			return mg_fail(cx, MG_BAD_ARGUMENT, "logit_bias has token %d, which is out of range 0 to %zu", bias->id, n_tokens - 1);
		if (isnan(bias->bias) || bias->bias == INFINITY)
			return mg_fail(cx, MG_BAD_ARGUMENT, "logit_bias of token %d is no number", bias->id);
	}
	return true;
}

/* A key such as "50256". */
static bool
read_id(MgSpan key, int32_t *id)
{
	int64_t value = 0;

	if (key.size == 0 || key.size > 9)
		return false;
	for (size_t i = 0; i < key.size; i++)
	{
		if (key.data[i] < '0' || key.data[i] > '9')
			return false;
		value = value * 10 + (key.data[i] - '0');
	}
	*id = (int32_t) value;
	return true;
}

static bool
read_biases(MgCtx *cx, const MgJson *object, MgSampling *sampling)
{
	MgLogitBias *biases;

	if (object == NULL)
		return true;
	if (object->kind != MG_JSON_OBJECT)
		return mg_fail(cx, MG_BAD_ARGUMENT, "option \"logit_bias\" is not an object of token ids and numbers");
	if (object->n > MG_SAMPLING_MAX_BIASES)
		return mg_fail(cx, MG_TOO_LARGE, "logit_bias has %u tokens, at most %d are possible", object->n, MG_SAMPLING_MAX_BIASES);
	biases = mg_alloc_array(cx, object->n, sizeof *biases);
	if (biases == NULL)
		return false;
	for (size_t i = 0; i < object->n; i++)
	{
		const MgJson *value = &object->items[i];

		if (!read_id(object->keys[i], &biases[i].id))
		{
			mg_fail(cx, MG_BAD_ARGUMENT, "logit_bias has the key \"%.*s\", which is no token id", MG_SPAN_ARGS(object->keys[i]));
			return mg_hint(cx, "maskgen.tokenize() shows the ids of a text's tokens.");
		}
		if ((value->kind != MG_JSON_INTEGER && value->kind != MG_JSON_REAL) || !(fabs(value->real) <= 1e30))
			return mg_fail(cx, MG_BAD_ARGUMENT, "logit_bias of token %d is not a number", biases[i].id);
		biases[i].bias = (float) value->real;
	}
	sampling->n_biases = object->n;
	sampling->biases = biases;
	return true;
}

/* As the reference has it: without do_sample the other numbers stand in the file, and are not used. */
static bool
read_do_sample(MgCtx *cx, const char *name, const MgJson *object, MgSampling *sampling)
{
	bool sample = false;

	if (!mg_json_get_bool(cx, name, object, "do_sample", &sample))
		return false;
	if (!sample)
		sampling->temperature = 0;
	return true;
}

bool
mg_sampling_read(MgCtx *cx, const char *name, const MgJson *object, MgSampling *sampling)
{
	const Count *table = name != NULL ? file_counts : counts;

	for (size_t i = 0; i < LENGTH(numbers); i++)
	{
		float *value = (float *) ((char *) sampling + numbers[i].offset);
		float before = *value;

		if (!mg_json_get_float(cx, name, object, numbers[i].key, value))
			return false;
		if (name != NULL && !is_within(&numbers[i], *value))
			*value = before; /* the reference's files have top_p 0 and the like where nothing is drawn */
	}
	for (size_t i = 0; i < LENGTH(counts); i++)
		if (!mg_json_get_size(cx, name, object, table[i].key, 0, table[i].most, (size_t *) ((char *) sampling + table[i].offset)))
			return false;
	return name != NULL ? read_do_sample(cx, name, object, sampling)
						: read_biases(cx, mg_json_get(object, "logit_bias"), sampling);
}

bool
mg_sampling_knows(MgSpan key)
{
	for (size_t i = 0; i < LENGTH(numbers); i++)
		if (mg_span_is(key, numbers[i].key))
			return true;
	for (size_t i = 0; i < LENGTH(counts); i++)
		if (mg_span_is(key, counts[i].key))
			return true;
	return mg_span_is(key, "logit_bias");
}

void
mg_sampling_names(char *names, size_t size)
{
	size_t length = (size_t) snprintf(names, size, "logit_bias");

	for (size_t i = 0; i < LENGTH(numbers) && length < size; i++)
		length += (size_t) snprintf(names + length, size - length, ", %s", numbers[i].key);
	for (size_t i = 0; i < LENGTH(counts) && length < size; i++)
		length += (size_t) snprintf(names + length, size - length, ", %s", counts[i].key);
}
