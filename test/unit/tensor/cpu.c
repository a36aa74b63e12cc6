#include "unit/tensor/numbers.h"

int
main(void)
{
	FOR_EACH_LEVEL(level)
	{
		const MgKernels *kernels = mg_kernels(level);

		is_int(kernels->level, level, "the kernels of %s", mg_cpu_level_name(level));
		ok(kernels == mg_kernels(level) && kernels->tile_rows > 0 && kernels->piece_flops > 0,
		   "are one constant table");
	}
	return done();
}
