/*
 * The state of the mask in a template with a text in it, behind the masked-LM head: the vector that is compared with each word of
 * the vocabulary. So a classifier that is fitted to such vectors learns what the prompt's answer stands for
 * (arXiv 2502.03793).
 */
#ifndef MG_TASK_MASK_STATE_H
#define MG_TASK_MASK_STATE_H

#include "task/input.h"

typedef struct MgMaskStateOptions
{
	MgSpan template; /* {text} and {mask}, each once; empty: the model's own, or the default of classification */
	MgLongInput long_input;
	const MgRefusals *refusals; /* NULL: a text that is refused ends the call */
} MgMaskStateOptions;

/* out [n, width of the model]; texts of any number, batched inside. Adds to the run's usage. Polls. */
bool mg_mask_state(const MgRun *run, const MgMaskStateOptions *options, const MgSpan *texts, size_t n, float *out);

#endif
