/* Heads for classes. */
#include "model/classes.h"

#include <stdio.h>
#include <stdlib.h>

#define LABELS "id2label"

void
mg_settle_classes(const MgConfig *lists, MgSizes *sizes)
{
	size_t n = mg_config_count(lists, LABELS);

	/* transformers gives a head two classes unless they have names. */
	sizes->labels = n > 0 ? (uint32_t) n : 2;
}

MgClassKind
mg_class_kind(const MgSizes *sizes)
{
	MgSpan problem = sizes->problem;

	if (mg_span_is(problem, "regression"))
		return MG_CLASSES_NUMBERS;
	if (mg_span_is(problem, "multi_label_classification") || sizes->labels == 1)
		return MG_CLASSES_ANY_OF;
	return MG_CLASSES_ONE_OF;
}

bool
mg_class_is_sigmoid(const MgModel *model)
{
	MgSpan name = model->sizes->activation.size > 0 ? model->sizes->activation : model->sizes->old_activation;

	return name.size >= 7 && memcmp(name.data + name.size - 7, "Sigmoid", 7) == 0;
}

size_t
mg_class_number(MgSpan key)
{
	size_t prefix = strlen(LABELS "."), n = 0;

	if (key.size <= prefix || key.size > prefix + 9 || memcmp(key.data, LABELS ".", prefix) != 0)
		return SIZE_MAX;
	for (size_t i = prefix; i < key.size; i++)
	{
		if (key.data[i] < '0' || key.data[i] > '9')
			return SIZE_MAX;
		n = 10 * n + (size_t) (key.data[i] - '0');
	}
	return n;
}

/* "entailment", "ENTAILMENT", as files have it. */
static bool
is_entailment(MgSpan name)
{
	static const char want[] = "entailment";

	for (size_t i = 0; i < name.size; i++)
		if (i >= sizeof want - 1 || (name.data[i] | 0x20) != want[i])
			return false;
	return name.size == sizeof want - 1;
}

bool
mg_class_entailment(const MgConfig *keys, const MgSizes *sizes, size_t *class)
{
	for (size_t i = 0; i < keys->n; i++)
	{
		const MgConfigValue *value = &keys->values[i];
		size_t number = mg_class_number(value->key);

		if (number >= sizes->labels || value->kind != MG_VALUE_TEXT || !is_entailment(value->text))
			continue;
		*class = number;
		return true;
	}
	return false;
}

bool
mg_class_names(MgCtx *cx, const MgModel *model, size_t n, MgSpan *names)
{
	memset(names, 0, n * sizeof *names);
	for (size_t i = 0; i < model->keys.n; i++)
	{
		const MgConfigValue *value = &model->keys.values[i];
		size_t number = mg_class_number(value->key);

		if (number < n && value->kind == MG_VALUE_TEXT)
			names[number] = value->text;
	}
	for (size_t i = 0; i < n; i++)
	{
		char *name;

		if (names[i].size > 0)
			continue;
		name = mg_alloc(cx, 32);
		if (name == NULL)
			return false;
		names[i] = mg_span(name, (size_t) snprintf(name, 32, "LABEL_%zu", i));
	}
	return true;
}

/* Logits [n, classes] of x [n, h]. */
static bool
apply(const MgRun *run, const MgClassHead *head, const float *x, size_t n, float *out)
{
	MgRows rows = {x, head->dense != NULL ? head->dense->cols : head->out->cols, n};

	if (head->dense != NULL)
	{
		size_t d = head->dense->rows;
		float *y = mg_alloc_array(run->cx, n, d * sizeof *y);

		if (y == NULL || !mg_linear(run->cx, run->compute, rows, (MgLinear){head->dense, head->dense_bias, head->activation, y, d}))
			return false;
		if (head->norm != NULL)
			mg_add_norm(run->compute, &(MgNorm){MG_NORM_LAYER, d, head->norm, NULL, head->eps}, y, NULL, n, y);
		rows = (MgRows){y, d, n};
	}
	return mg_linear(run->cx, run->compute, rows, (MgLinear){head->out, head->bias, MG_ACT_NONE, out, head->out->rows});
}

/* x [n_sequences, h]: the mean of each sequence's states [n_tokens, h]. */
static void
average(const MgRun *run, const MgBatch *batch, const float *states, size_t h, float *x)
{
	for (size_t s = 0; s < batch->n_sequences; s++)
	{
		size_t first = batch->offsets[s], n = batch->offsets[s + 1] - first;

		memcpy(x + s * h, states + first * h, h * sizeof *x);
		for (size_t i = 1; i < n; i++)
			mg_add(run->compute, x + s * h, states + (first + i) * h, h);
		for (size_t d = 0; d < h; d++)
			x[s * h + d] /= (float) n;
	}
}

bool
mg_score_sequences(const MgRun *run, const MgClassHead *head, const MgBatch *batch, float *out)
{
	size_t h = run->model->sizes->width, n = batch->n_sequences;
	MgBatch wanted = *batch;
	MgMark mark = mg_mark(run->cx);
	float *x = mg_alloc_array(run->cx, n, h * sizeof *x), *states = x;

	if (head->mean)
		states = mg_alloc_array(run->cx, batch->n_tokens, h * sizeof *states);
	else
	{
		wanted.rows = batch->offsets;
		wanted.n_rows = n;
	}
	if (x == NULL || states == NULL || !run->model->arch->forward(run, &wanted, states))
		return false;
	if (head->mean)
		average(run, batch, states, h, x);
	if (!apply(run, head, x, n, out))
		return false;
	mg_rewind(run->cx, mark);
	return true;
}

bool
mg_score_tokens(const MgRun *run, const MgClassHead *head, const MgBatch *batch, float *out)
{
	MgMark mark = mg_mark(run->cx);
	float *states = mg_alloc_array(run->cx, batch->n_rows, run->model->sizes->width * sizeof *states);

	if (states == NULL || !run->model->arch->forward(run, batch, states) ||
		!apply(run, head, states, batch->n_rows, out))
		return false;
	mg_rewind(run->cx, mark);
	return true;
}
