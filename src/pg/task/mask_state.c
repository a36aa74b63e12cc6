/* mask_state(). */
#include "postgres.h"

#include "fmgr.h"
#include "pg/arrays.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "pg/task/call.h"
#include "pg/vector/vector.h"
#include "task/mask_state.h"

PG_FUNCTION_INFO_V1(maskgen_mask_state);

static void
run_mask_state(TaskCall *call, const MgSpan *inputs, int n, Datum *results)
{
	MgMaskStateOptions options = {span_of_text(DatumGetTextPP(call->args[2])), guc_long_input(), NULL};
	size_t width;
	float *states;

	task_begin(call);
	options.refusals = task_refusals(call, 0);
	width = call->use.run.model->sizes->width;
	states = mg_alloc_array(call->use.run.cx, (size_t) n, width * sizeof *states);
	if (!task_end(call, states != NULL && mg_mask_state(&call->use.run, &options, inputs, (size_t) n, states)))
		return;
	for (int i = 0; i < n; i++)
	{
		Vector *vector;

		if (task_refused(call, i))
			continue;
		vector = vector_new((int) width);
		memcpy(vector->x, states + (size_t) i * width, width * sizeof *states);
		results[i] = PointerGetDatum(vector);
	}
}

const TaskFunction mask_state_tasks[] = {
	{"maskgen_mask_state", maskgen_mask_state, 3, {{"model", TASK_TEXT}, {"input", TASK_TEXT}, {"template", TASK_TEXT}},
	 NULL, TASK_VARLENA, TASK_COST_EMBED, run_mask_state, NULL},
};
const int n_mask_state_tasks = lengthof(mask_state_tasks);

Datum
maskgen_mask_state(PG_FUNCTION_ARGS)
{
	return task_scalar(fcinfo, &mask_state_tasks[0]);
}
