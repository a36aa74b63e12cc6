/*
 * Which of a question's choices is right (task/question.h has how a model is asked).
 *
 * A model prefers some letters whatever stands behind them. With rotations r the question is asked r times, the choices shifted by one each time,
 * and a choice's score is the mean of its log probabilities, made to add up to one again. With as many rotations as choices each choice has stood
 * at each letter once: then a shift of the choices changes no bit of a score, since the values of a choice are added in order of size.
 */
#ifndef MG_TASK_CHOOSE_H
#define MG_TASK_CHOOSE_H

#include "task/classify.h"
#include "task/question.h"

typedef struct MgChooseOptions
{
	const MgQuestionForm *form;
	size_t rotations; /* at least 1; more than a question has choices are as many */
	MgLongInput long_input;
	const MgRefusals *refusals; /* NULL: a question that is refused ends the call */
} MgChooseOptions;

/* Scores [n] of the choices, in their order; n 0: refused. */
typedef struct MgChoice
{
	size_t n;
	float *scores;
} MgChoice;

/*
 * A question and its choices as one input: each a netstring, "5:apple," (Bernstein 1997), the question first.
 * mg_choose checks what it is given.
 *
 * choices [n]. Questions of any number, batched inside. Adds to the run's usage. Polls.
 */
bool mg_choose(const MgRun *run, const MgChooseOptions *options, const MgSpan *inputs, size_t n, MgChoice *choices);

/* That of labels which were prepared with a template that has {choices}. */
const MgQuestionForm *mg_choice_form(const MgLabels *labels);

/*
 * Whether a model answers with letters at all: of some easy questions, the mean probability that the letters of their choices have among the whole
 * vocabulary. Refused (MG_UNSUPPORTED, with the number) when it is below a half.
 */
bool mg_answers_with_letters(const MgRun *run, const MgQuestionForm *form);

#endif
