#include "unit/tensor/numbers.h"

int
main(void)
{
	is_text(mg_cpu_level_name(MG_CPU_SCALAR), "scalar", "the lowest level's name");
#if defined(__aarch64__)
	is_text(mg_cpu_level_name(MG_CPU_NEONDOT), "neondot", "the highest level's name");
#else
	is_text(mg_cpu_level_name(MG_CPU_AMX), "amx", "the highest level's name");
#endif
	is_text(mg_cpu_level_name((MgCpuLevel) 7), "unknown", "a level that does not exist");
	printf("# this CPU has %s\n", mg_cpu_level_name(mg_cpu_level()));
	FOR_EACH_LEVEL(level)
	{
		const MgKernels *kernels = mg_kernels(level);

		is_int(kernels->level, level, "the kernels of %s", mg_cpu_level_name(level));
		ok(kernels == mg_kernels(level) && kernels->tile_rows > 0 && kernels->piece_flops > 0,
		   "are one constant table");
	}
	return done();
}
