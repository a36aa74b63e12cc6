/*
 * From a checkpoint to a portable image.
 *
 * Planning reads and checks everything but the weights' bytes: configuration,
 * tokeniser, sentence-transformers' files, and each tensor's name, type and
 * shape against the architecture. Writing then streams the image.
 */
#ifndef MG_MODEL_CHECKPOINT_H
#define MG_MODEL_CHECKPOINT_H

#include "format/tensors.h"
#include "model/image.h"

/* What the caller says beyond, or instead of, the files. */
typedef struct MgModelOptions
{
	int dtype;			/* MgDtype to store matrices in; -1: as in the files. MG_Q8: see stored_dtype in checkpoint.c */
	MgPooling pooling;	/* MG_POOL_NONE: as in the files */
	int normalize;		/* 0, 1; -1: as in the files */
	size_t max_tokens;	/* 0: as in the files */
	bool calibrate;		/* of classification; default true */
	MgSpan template;	/* of classification; empty: the default one */
	MgSpan base;		/* of an adapter: the directory of its base model; empty: as in the files. For the caller, who opens it (model/adapter.h) */
	const MgSpan *chat_template; /* instead of that of the files; empty: the model has none. NULL: as in the files */
	size_t n_prompts;	/* added to, or replacing by name, those of the files */
	const MgPrompt *prompts;
} MgModelOptions;

/* Options from a JSON object; "{}" gives all defaults. Unknown keys are refused. */
bool mg_model_options_parse(MgCtx *cx, MgSpan json, MgModelOptions *options);

/* Where the numbers of a weight are. */
typedef struct MgOrigin
{
	const MgTensor *tensor; /* NULL: the section is no weight */
	size_t first;			/* row of the tensor that is the weight's first */
	bool transposed;		/* the tensor is [cols, rows] */
	bool less_one;			/* 1 is added to each number */
	size_t run, step;		/* so many rows follow each other, then come those of others: run i begins at row first + i step; run 0: all */
} MgOrigin;

typedef struct MgPlan
{
	MgImage image;
	const MgOrigin *origins; /* [image.n_sections] */
	const MgSpan *bytes;	 /* [image.n_sections], of the sections that are no weights */
	const MgSpan *ignored;	 /* [n_ignored] names of tensors that are known to be of no use */
	size_t n_ignored;
} MgPlan;

bool mg_checkpoint_plan(MgCtx *cx, const MgFiles *files, const MgModelOptions *options, MgPlan *plan);

/* Writes plan->image.size bytes front to back. Polls. */
bool mg_checkpoint_write(MgCtx *cx, const MgKernels *kernels, const MgPlan *plan, const MgSink *sink);

#endif
