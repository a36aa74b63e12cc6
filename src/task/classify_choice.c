/*
 * Classification by letters: the labels are the choices of a question, whose template has them at {choices}.
 *
 *   {text}      the text alone: the template asks
 *   {question}  the text, and behind it "What is this about?"
 *
 * Scores are those of letters (task/question.h), less their prior as at masks (task/classify_mask.c), which takes away what a letter has by
 * itself. A label may carry a description: "sports: games and those who play them".
 */
#include "task/choose.h"
#include "task/classify_way.h"
#include "task/schedule.h"

#define ASK "\nWhat is this about?"

typedef struct ChoiceLabels
{
	MgLabels head;
	const MgQuestionForm *form;
	const MgSpan *choices; /* [n_labels] */
} ChoiceLabels;

static MgLabels *
prepare(const MgRun *run, const MgSpan *texts, size_t n, MgSpan template)
{
	ChoiceLabels *labels = mg_alloc_zeroed(run->cx, 1, sizeof *labels);
	MgTokens *tokens = mg_alloc_array(run->cx, n, sizeof *tokens);
	MgSpan *choices = mg_alloc_array(run->cx, n, sizeof *choices);

	if (labels == NULL || tokens == NULL || choices == NULL)
		return NULL;
	if (n > MG_MOST_CHOICES)
	{
		mg_fail(run->cx, MG_TOO_LARGE, "%zu labels are more than there are letters", n);
		mg_hint(run->cx, "Use a template without {choices}: it takes up to %d labels.", MG_MAX_LABELS);
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
	{
		if (!mg_tokenize(run->cx, run->model->tokenizer, texts[i], MG_ALL_DATA, &tokens[i]))
			return NULL;
		if (tokens[i].n == 0)
		{
			mg_fail(run->cx, MG_BAD_ARGUMENT, "label \"%.*s\" has no tokens", MG_SPAN_ARGS(texts[i]));
			return NULL;
		}
		choices[i] = mg_span(mg_copy_text(run->cx, texts[i]), texts[i].size);
		if (choices[i].data == NULL)
			return NULL;
	}
	if (!mg_labels_check_distinct(run->cx, texts, tokens, n))
		return NULL;
	labels->choices = choices;
	labels->form = mg_question_form(run, template);
	return labels->form != NULL ? &labels->head : NULL;
}

const MgQuestionForm *
mg_choice_form(const MgLabels *labels)
{
	return ((const ChoiceLabels *) labels)->form;
}

/* Without a prior one number stands for it, so that a model is asked once whether it answers with letters. */
static size_t
basis_size(const MgRun *run, const MgLabels *labels)
{
	size_t n = mg_prior_size(run, labels);

	return n > 0 ? n : 1;
}

static bool
basis(const MgRun *run, const MgLabels *labels, float *out)
{
	if (!mg_answers_with_letters(run, mg_choice_form(labels)))
		return false;
	out[0] = 0;
	return mg_prior_size(run, labels) == 0 || mg_prior(run, labels, out);
}

typedef struct Classification
{
	MgTask task;
	const ChoiceLabels *labels;
	MgLongInput long_input;
} Classification;

static MgQuestion
ask(const ChoiceLabels *labels, MgSpan text)
{
	return (MgQuestion){text, labels->form->whole ? mg_span(NULL, 0) : mg_span_of(ASK), labels->choices, labels->head.n_labels, 0};
}

static bool
fill(const MgTask *task, MgSpan text, MgSequence *sequence)
{
	const Classification *classification = (const Classification *) task;
	MgQuestion question = ask(classification->labels, text);

	return mg_question_fill(task->run, classification->labels->form, classification->long_input, &question, sequence);
}

static bool
run_batch(const MgTask *task, const MgSequence *sequences, size_t n)
{
	const Classification *classification = (const Classification *) task;
	MgQuestion question = ask(classification->labels, mg_span(NULL, 0));
	float *raw = mg_alloc_array(task->run->cx, n, MG_MOST_CHOICES * sizeof *raw);

	if (raw == NULL || !mg_question_run(task->run, classification->labels->form, sequences, n, raw, NULL, NULL))
		return false;
	for (size_t i = 0; i < n; i++)
		mg_question_scores(&question, raw + i * MG_MOST_CHOICES, task->out + sequences[i].text * task->n_out);
	return true;
}

static bool
classify(const MgRun *run, const MgClassifyOptions *options, const MgSpan *texts, size_t n, float *scores)
{
	Classification classification = {{run, 1, options->refusals, fill, run_batch, .out = scores, .n_out = options->labels->n_labels},
									 (const ChoiceLabels *) options->labels, options->long_input};

	if (!mg_task_run(&classification.task, texts, n))
		return false;
	if (mg_prior_size(run, options->labels) > 0)
		mg_prior_take_off(options->labels, options->basis, n, scores);
	return true;
}

static bool
can(const MgModel *model)
{
	return mg_model_can(model, MG_CAN_FILL_MASK) || mg_model_can(model, MG_CAN_GENERATE);
}

const MgWay mg_choice_way = {can, mg_question_reads, NULL, prepare, basis_size, basis, classify};
