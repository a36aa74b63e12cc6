/*
 * Texts that follow prompts: many of them in step.
 *
 *   prompts    a b a c ...                 equal ones are computed once
 *   beginning  what all have in common     is computed once, and lent to each
 *   slots      | a | b | c | ...           up to MG_GENERATE_SLOTS decode in step; one that is done gives its slot to the next prompt
 *
 * A text depends on its own prompt and on the options, seed included: not on what else is generated with it.
 */
#ifndef MG_TASK_GENERATE_H
#define MG_TASK_GENERATE_H

#include "task/draw.h"
#include "task/input.h"
#include "task/prompt_cache.h"

#define MG_GENERATE_SLOTS 64

typedef struct MgGenerateOptions
{
	MgSampling sampling;
	size_t max_tokens;	  /* of an answer, at least 1 */
	const MgSpan *stops;  /* [n_stops] an answer ends before the first of them */
	size_t n_stops;
	size_t memory;		  /* bytes for keys of all slots */
	bool read_specials;	  /* special tokens are read in prompts; else they are text */
	bool samples;		  /* prompts are one and the same, each drawn as a sample of its own, and scored */
	const MgPromptCache *cache; /* of beginnings; NULL: there is none */
	const MgRefusals *refusals; /* NULL: a prompt that is refused ends the call */
} MgGenerateOptions;

typedef struct MgAnswer
{
	MgSpan text;		  /* arena memory */
	size_t n_tokens;	  /* drawn, with the one that ended it */
	double score;		  /* of samples: log probability of all tokens drawn, as the model has it before any filter */
	const MgError *error; /* of drawing it, which has ended it; NULL. Only where somebody hears of refusals */
	bool complete;		  /* ended by a token or a stop, not by max_tokens or the model's longest sequence */
} MgAnswer;

/* What the model's files say: sampling, and the tokens that end an answer (arena memory). */
bool mg_generation_defaults(const MgRun *run, MgSampling *sampling, MgIds *ends);

/* Answers [n] to prompts as ids, each of them at least one token. Polls. */
bool mg_generate_ids(const MgRun *run, const MgGenerateOptions *options, const MgIds *prompts, size_t n, MgAnswer *answers);

/* The tokens of a text, wrapped as the model wants one; and whether a prompt leaves room for an answer. */
bool mg_generate_prompt(const MgRun *run, const MgGenerateOptions *options, MgSpan text, MgIds *ids);
bool mg_generate_fits(const MgRun *run, MgIds prompt);

/* What makes a prompt of an input, where this is more than a text (task/chat.h). */
typedef struct MgPromptReader
{
	bool (*read)(const MgRun *run, const struct MgPromptReader *reader, MgSpan input, MgIds *ids);
} MgPromptReader;

bool mg_generate_read(const MgRun *run, const MgGenerateOptions *options, const MgPromptReader *reader, const MgSpan *prompts, size_t n,
					  MgAnswer *answers);

/* Answers [n] to texts, wrapped as the model wants one; those that are refused are empty. Usage counts them. Polls. */
bool mg_generate(const MgRun *run, const MgGenerateOptions *options, const MgSpan *prompts, size_t n, MgAnswer *answers);

#endif
