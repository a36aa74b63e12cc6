/* Runs of bound models, for tests: RUN(cx, model, compute, usage) is one, for the length of a block. */
#ifndef TEST_UNIT_RUN_H
#define TEST_UNIT_RUN_H

#include "model/run.h"

/* Of RUN; 0: the library's own. */
__attribute__((unused)) static size_t test_batch_tokens;

/* Kernels that every CPU has. */
__attribute__((unused)) static const MgCompute *
scalar_compute(void)
{
	static MgCompute compute;

	compute.kernels = mg_kernels(MG_CPU_SCALAR);
	return &compute;
}

#define RUN(cx_, model_, compute_, usage_) \
	(&(MgRun){.cx = (cx_), .model = (model_), .name = "tiny", .compute = (compute_), .batch_tokens = test_batch_tokens, \
			  .usage = (usage_)})

#endif
