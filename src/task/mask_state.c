/* The states of masks as vectors. */
#include "task/mask_state.h"

#include "task/mask_labels.h"
#include "task/schedule.h"

typedef struct MaskState
{
	MgTask task;
	const MgMaskLabels *template;
	MgLongInput long_input;
} MaskState;

static bool
fill(const MgTask *task, MgSpan text, MgSequence *sequence)
{
	const MaskState *state = (const MaskState *) task;

	return mg_mask_fill(task->run, state->template, state->long_input, text, sequence);
}

static bool
run_batch(const MgTask *task, const MgSequence *sequences, size_t n)
{
	const MaskState *state = (const MaskState *) task;
	const float *states = mg_mask_states(task->run, state->template, sequences, n);

	for (size_t i = 0; states != NULL && i < n; i++)
		memcpy(task->out + sequences[i].text * task->n_out, states + i * task->n_out, task->n_out * sizeof *states);
	return states != NULL;
}

bool
mg_mask_state(const MgRun *run, const MgMaskStateOptions *options, const MgSpan *texts, size_t n, float *out)
{
	MaskState state = {{run, 1, options->refusals, fill, run_batch, .out = out, .n_out = run->model->sizes->width},
					   mg_mask_template_prepare(run, options->template), options->long_input};

	return state.template != NULL && mg_task_run(&state.task, texts, n);
}
