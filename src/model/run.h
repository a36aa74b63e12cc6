/*
 * What belongs to a call of a model, beside the model, which nobody changes: so
 * one bound model serves several calls at once.
 */
#ifndef MG_MODEL_RUN_H
#define MG_MODEL_RUN_H

#include "model/model.h"
#include "tensor/attention.h"

/* What a call cost; callers add it up. */
typedef struct MgUsage
{
	uint64_t rows;	  /* texts */
	uint64_t tokens;  /* that ran through the model */
	uint64_t decoded; /* of these, behind a prompt: not read, but drawn before, or guessed */
	uint64_t new_tokens; /* that were drawn */
	uint64_t answers; /* that are complete, of a run that generates; its rows count when all are */
	uint64_t batches; /* forward passes */
} MgUsage;

struct MgRun
{
	MgCtx *cx; /* memory of what is computed */
	const MgModel *model;
	const char *name; /* that the caller knows the model by, for errors */
	const MgCompute *compute;
	size_t batch_tokens; /* of one forward pass, unless one sequence is longer; 0: MG_BATCH_TOKENS of task/input.h */
	MgUsage *usage;
	bool *cut;		/* [texts] set for each that did not fit and was cut; NULL: nobody asks */
	MgKeys *keys;	/* [layers, n_slots] of earlier tokens, by slot of the batch; NULL: none are kept */
	size_t n_slots;
};

#endif
