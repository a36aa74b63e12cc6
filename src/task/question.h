/*
 * A question with written-out choices, which a model answers by a letter (arXiv 2502.03793): what choosing and classifying by letters share.
 *
 *   template   "QUESTION: {question}\nCHOICES:\n{choices}\nANSWER: {mask}", the marks once each, in any order
 *   {choices}  "- A: first\n- B: second"
 *   {mask}     of a masked model its mask token; of a decoder the end of the prompt, without the blanks before it
 *
 *   raw(X)   = log (exp z["X"] + exp z[" X"])       z: logits at the mask, or behind the prompt
 *   score(X) = raw(X) - log sum over letters of exp raw
 *
 * A letter counts as it is and behind a blank, where that is one token. Question and choices are data: no special token is read in them. A long
 * question loses its end, never a choice or the template.
 */
#ifndef MG_TASK_QUESTION_H
#define MG_TASK_QUESTION_H

#include "task/input.h"

#define MG_MOST_CHOICES 26

typedef struct MgQuestion
{
	MgSpan text, rest; /* rest stands behind the text, and is not cut */
	const MgSpan *choices; /* [n] */
	size_t n;			   /* 1 .. MG_MOST_CHOICES */
	size_t shift;		   /* below n: letter i stands for choice (i + shift) % n */
} MgQuestion;

typedef enum MgQuestionMark
{
	MG_MARK_QUESTION,
	MG_MARK_CHOICES,
	MG_MARK_MASK
} MgQuestionMark;

/* A template made ready for a model. */
typedef struct MgQuestionForm
{
	MgSpan parts[4]; /* around the marks */
	MgQuestionMark marks[3]; /* in their order */
	MgSpan mask; /* as a text has it; empty: a decoder's */
	bool whole;	 /* the template says {text}: no question is asked of it in words */
	int32_t letters[MG_MOST_CHOICES][2]; /* -1: none */
} MgQuestionForm;

/* Whether a model can be asked; else its error. */
bool mg_question_can(const MgRun *run);

/* Whether a template is of this kind. */
bool mg_question_reads(MgSpan template);

/* The default for a model, which for one with a chat template is a chat; empty after an error. Arena memory. */
MgSpan mg_question_template(const MgRun *run);

/* Arena memory, but for nothing else: it outlives the model. NULL on error. */
const MgQuestionForm *mg_question_form(const MgRun *run, MgSpan template);

/* The sequence of one question. sequence->place is that of the mask. */
bool mg_question_fill(const MgRun *run, const MgQuestionForm *form, MgLongInput long_input, const MgQuestion *question, MgSequence *sequence);

/*
 * Logits of letters from one pass over sequences [n]: raw [n, MG_MOST_CHOICES]. mass [n], where it is asked for, is the probability of all letters
 * up to counts[i] among the whole vocabulary.
 */
bool mg_question_run(const MgRun *run, const MgQuestionForm *form, const MgSequence *sequences, size_t n, float *raw, const size_t *counts, float *mass);

/* Scores [n choices] of one question from raw, in the order of its choices. */
void mg_question_scores(const MgQuestion *question, const float *raw, float *scores);

#endif
