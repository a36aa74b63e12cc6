/* Pipelines of tokenizer.json as lists of steps (text/spec.h). */
#ifndef MG_FORMAT_TOKENIZER_STEPS_H
#define MG_FORMAT_TOKENIZER_STEPS_H

#include "format/tokenizer_parts.h"

/* Normaliser, pre-tokeniser and decoder to the spec's steps; a part that is none of the known ones is refused by its name. */
bool mg_tokenizer_steps_read(MgCtx *cx, const MgJson *root, MgTokenizerSpec *spec);

/* A list that is being made, in arena memory. */
typedef struct MgStepList
{
	MgStep items[MG_STEPS_MAX];
	size_t n;
} MgStepList;

/* Appends a step; false when there are too many. */
bool mg_step_add(MgCtx *cx, MgStepList *list, MgStepKind kind, uint32_t number, MgSpan a, MgSpan b);

/* The list as a spec has it. */
bool mg_steps_keep(MgCtx *cx, const MgStepList *list, MgSteps *steps);

#endif
