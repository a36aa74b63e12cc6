/* Questions in all their rotations, as texts of one task. */
#include "task/choose.h"

#include <math.h>
#include <stdlib.h>

#include "task/schedule.h"

#define LEAST_MASS 0.5

/* What the task takes for a text: a byte that is the shift, then the input. */
typedef struct Choosing
{
	MgTask task;
	const MgChooseOptions *options;
	const size_t *owners; /* [n texts] the input of each */
	MgChoice *choices;
} Choosing;

/* The next netstring, which at moves behind. */
static bool
next_string(MgSpan input, size_t *at, MgSpan *string)
{
	size_t size = 0, i = *at;

	while (i < input.size && input.data[i] >= '0' && input.data[i] <= '9' && size <= MG_TEXT_LIMIT)
		size = size * 10 + (size_t) (input.data[i++] - '0');
	if (i == *at || i == input.size || input.data[i++] != ':' || size >= input.size - i || input.data[i + size] != ',')
		return false;
	*string = mg_span(input.data + i, size);
	*at = i + size + 1;
	return true;
}

static bool
read_question(MgCtx *cx, MgSpan input, MgSpan choices[MG_MOST_CHOICES], MgQuestion *question)
{
	size_t at = 0, n = 0;
	MgSpan rest;

	*question = (MgQuestion){.choices = choices};
	if (!next_string(input, &at, &question->text))
		return mg_fail(cx, MG_BAD_ARGUMENT, "input is no question");
	while (at < input.size && n <= MG_MOST_CHOICES)
	{
		if (!next_string(input, &at, n < MG_MOST_CHOICES ? &choices[n] : &rest))
			return mg_fail(cx, MG_BAD_ARGUMENT, "input is no question");
		n++;
	}
	question->n = n;
	if (n >= 1 && n <= MG_MOST_CHOICES)
		return true;
	mg_fail(cx, MG_BAD_ARGUMENT, n == 0 ? "there are no choices" : "there are more than %d choices", MG_MOST_CHOICES);
	return mg_detail(cx, "Each has a letter, from A to Z.");
}

static bool
read_text(MgCtx *cx, MgSpan text, MgSpan choices[MG_MOST_CHOICES], MgQuestion *question)
{
	if (!read_question(cx, mg_span(text.data + 1, text.size - 1), choices, question))
		return false;
	question->shift = text.data[0];
	return true;
}

static bool
fill(const MgTask *task, MgSpan text, MgSequence *sequence)
{
	const Choosing *choosing = (const Choosing *) task;
	MgSpan choices[MG_MOST_CHOICES];
	MgQuestion question;

	return read_text(task->run->cx, text, choices, &question) &&
		mg_question_fill(task->run, choosing->options->form, choosing->options->long_input, &question, sequence);
}

/* Leaves raw values, which are made scores when all are there. */
static bool
run_batch(const MgTask *task, const MgSequence *sequences, size_t n)
{
	const Choosing *choosing = (const Choosing *) task;
	float *raw = mg_alloc_array(task->run->cx, n, MG_MOST_CHOICES * sizeof *raw);

	if (raw == NULL || !mg_question_run(task->run, choosing->options->form, sequences, n, raw, NULL, NULL))
		return false;
	for (size_t i = 0; i < n; i++)
		memcpy(task->out + sequences[i].text * MG_MOST_CHOICES, raw + i * MG_MOST_CHOICES, MG_MOST_CHOICES * sizeof *raw);
	return true;
}

/* One refusal an input, however many of its rotations are refused. */
static void
refuse(void *user, size_t text, const MgError *error)
{
	Choosing *choosing = user;
	size_t input = choosing->owners[text];

	if (choosing->choices[input].n == 0)
		return;
	choosing->choices[input].n = 0;
	choosing->options->refusals->refuse(choosing->options->refusals->user, input, error);
}

static int
compare_numbers(const void *a, const void *b)
{
	double left = *(const double *) a, right = *(const double *) b;

	return (left > right) - (left < right);
}

/* The mean over rotations [r], whose raw values begin at raw. */
static void
merge(const MgQuestion *question, size_t r, const float *raw, float *scores)
{
	double values[MG_MOST_CHOICES][MG_MOST_CHOICES], means[MG_MOST_CHOICES], sorted[MG_MOST_CHOICES], sum = 0;
	size_t n = question->n;
	double largest = -INFINITY;

	for (size_t k = 0; k < r; k++)
	{
		MgQuestion shifted = *question;
		float one[MG_MOST_CHOICES];

		shifted.shift = k;
		mg_question_scores(&shifted, raw + k * MG_MOST_CHOICES, one);
		for (size_t c = 0; c < n; c++)
			values[c][k] = one[c];
	}
	for (size_t c = 0; c < n; c++)
	{
		qsort(values[c], r, sizeof values[c][0], compare_numbers);
		means[c] = 0;
		for (size_t k = 0; k < r; k++)
			means[c] += values[c][k];
		means[c] /= (double) r;
		sorted[c] = means[c];
		largest = means[c] > largest ? means[c] : largest;
	}
	qsort(sorted, n, sizeof sorted[0], compare_numbers);
	for (size_t c = 0; c < n; c++)
		sum += exp(sorted[c] - largest);
	for (size_t c = 0; c < n; c++)
		scores[c] = (float) (r == 1 ? values[c][0] : means[c] - largest - log(sum));
}

/* The shift and the input, for each rotation of an input. */
static bool
add_texts(MgCtx *cx, MgSpan input, size_t r, MgSpan *texts)
{
	for (size_t k = 0; k < r; k++)
	{
		uint8_t *bytes = mg_alloc(cx, input.size + 1);

		if (bytes == NULL)
			return false;
		bytes[0] = (uint8_t) k;
		memcpy(bytes + 1, input.data, input.size);
		texts[k] = mg_span(bytes, input.size + 1);
	}
	return true;
}

/* What is no question is refused here; of the others their scores' room, and their number of texts in all. */
static bool
read_inputs(const MgRun *run, const MgChooseOptions *options, const MgSpan *inputs, size_t n, MgChoice *choices, size_t *n_texts)
{
	*n_texts = 0;
	for (size_t i = 0; i < n; i++)
	{
		MgSpan room[MG_MOST_CHOICES];
		MgQuestion question;

		choices[i] = (MgChoice){0};
		if (!mg_poll(run->cx))
			return false;
		if (inputs[i].size == 0 || !read_question(run->cx, inputs[i], room, &question))
		{
			if (inputs[i].size == 0)
				mg_fail(run->cx, MG_BAD_ARGUMENT, "input is no question");
			if (options->refusals == NULL)
				return false;
			options->refusals->refuse(options->refusals->user, i, &run->cx->error);
			memset(&run->cx->error, 0, sizeof run->cx->error);
			continue;
		}
		choices[i] = (MgChoice){question.n, mg_alloc_array(run->cx, question.n, sizeof(float))};
		if (choices[i].scores == NULL)
			return false;
		*n_texts += options->rotations < question.n ? options->rotations : question.n;
	}
	return true;
}

bool
mg_choose(const MgRun *run, const MgChooseOptions *options, const MgSpan *inputs, size_t n, MgChoice *choices)
{
	size_t n_texts = 0, at = 0, *owners;
	uint64_t rows = run->usage->rows;
	MgRun aside = *run;
	MgSpan *texts;
	bool *cut;

	if (!read_inputs(run, options, inputs, n, choices, &n_texts))
		return false;
	texts = mg_alloc_array(run->cx, n_texts, sizeof *texts);
	owners = mg_alloc_array(run->cx, n_texts, sizeof *owners);
	cut = mg_alloc_zeroed(run->cx, n_texts, sizeof *cut);
	if (texts == NULL || owners == NULL || cut == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
	{
		size_t r = options->rotations < choices[i].n ? options->rotations : choices[i].n;

		if (!add_texts(run->cx, inputs[i], r, texts + at))
			return false;
		for (size_t k = 0; k < r; k++)
			owners[at++] = i;
	}

	Choosing choosing = {{&aside, 1, NULL, fill, run_batch, .n_out = MG_MOST_CHOICES}, options, owners, choices};
	MgRefusals refusals = {&choosing, refuse};

	aside.cut = cut;
	choosing.task.refusals = options->refusals != NULL ? &refusals : NULL;
	choosing.task.out = mg_alloc_array(run->cx, n_texts, MG_MOST_CHOICES * sizeof(float));
	if (choosing.task.out == NULL || !mg_task_run(&choosing.task, texts, n_texts))
		return false;
	run->usage->rows = rows;
	for (size_t t = 0; t < n_texts;)
	{
		size_t input = owners[t], first = t;
		MgSpan room[MG_MOST_CHOICES];
		MgQuestion question;

		while (t < n_texts && owners[t] == input)
		{
			if (cut[t++] && run->cut != NULL)
				run->cut[input] = true;
		}
		if (choices[input].n == 0)
			continue;
		if (!read_question(run->cx, inputs[input], room, &question))
			return false;
		run->usage->rows++;
		merge(&question, t - first, choosing.task.out + first * MG_MOST_CHOICES, choices[input].scores);
	}
	return true;
}

/* Questions that any model which answers with letters gets right. */
static const struct
{
	const char *question;
	const char *choices[4];
	size_t n, right;
} easy[] = {
	{"How many legs does a dog have?", {"two", "four", "six", "eight"}, 4, 1},
	{"What colour is the sky on a clear day?", {"green", "blue", "red"}, 3, 1},
	{"Which of these is a fruit?", {"apple", "hammer"}, 2, 0},
	{"What is 2 + 2?", {"3", "5", "4", "22"}, 4, 2},
	{"Which animal barks?", {"a cat", "a fish", "a dog"}, 3, 2},
	{"What do people drink when they are thirsty?", {"water", "sand"}, 2, 0},
	{"In which season does snow fall?", {"summer", "winter"}, 2, 1},
	{"What is the capital of France?", {"Berlin", "Madrid", "Rome", "Paris"}, 4, 3},
};
#define N_EASY (sizeof easy / sizeof *easy)

bool
mg_answers_with_letters(const MgRun *run, const MgQuestionForm *form)
{
	float raw[N_EASY * MG_MOST_CHOICES], mass[N_EASY];
	MgSequence sequences[N_EASY] = {0};
	size_t counts[N_EASY];
	double mean = 0;
	size_t n_right = 0;

	for (size_t i = 0; i < N_EASY; i++)
	{
		MgSpan choices[4];
		MgQuestion question = {.text = mg_span_of(easy[i].question), .choices = choices, .n = easy[i].n};

		for (size_t c = 0; c < question.n; c++)
			choices[c] = mg_span_of(easy[i].choices[c]);
		counts[i] = question.n;
		if (!mg_question_fill(run, form, MG_LONG_TRUNCATE, &question, &sequences[i]))
			return false;
		run->usage->tokens += sequences[i].n;
	}
	run->usage->batches++;
	if (!mg_question_run(run, form, sequences, N_EASY, raw, counts, mass))
		return false;
	for (size_t i = 0; i < N_EASY; i++)
	{
		const float *letters = raw + i * MG_MOST_CHOICES;
		size_t best = 0;

		for (size_t c = 1; c < counts[i]; c++)
			best = letters[c] > letters[best] ? c : best;
		n_right += best == easy[i].right;
		mean += mass[i] / N_EASY;
	}
	if (mean >= LEAST_MASS)
		return true;
	mg_fail(run->cx, MG_UNSUPPORTED, "model \"%s\" does not answer with letters", run->name);
	mg_detail(run->cx, "At %zu easy questions the letters of their choices have %.1f %% of its probability, at least %.0f %% are wanted; %zu answers are right.",
			  N_EASY, 100 * mean, 100 * LEAST_MASS, n_right);
	return mg_hint(run->cx, "Use a model that was tuned on questions with lettered choices, or classify() with the choices as labels.");
}
