/* The kernels of each level. */
#include "tensor/kernels.h"

#if defined(__x86_64__)

const MgKernels *
mg_kernels(MgCpuLevel level)
{
	switch (level)
	{
		case MG_CPU_AMX:
			return &mg_kernels_amx;
		case MG_CPU_VNNI:
			return mg_cpu_has_bf16() ? &mg_kernels_avx512bf16 : &mg_kernels_avx512vnni;
		case MG_CPU_AVX512:
			return &mg_kernels_avx512;
		case MG_CPU_AVX2:
			return &mg_kernels_avx2;
		default:
			return &mg_kernels_scalar;
	}
}

#elif defined(__aarch64__)

const MgKernels *
mg_kernels(MgCpuLevel level)
{
#if defined(MG_HAS_NEONDOT)
	if (level == MG_CPU_NEONDOT)
		return &mg_kernels_neondot;
#endif
	return level == MG_CPU_NEON ? &mg_kernels_neon : &mg_kernels_scalar;
}

#else

const MgKernels *
mg_kernels(MgCpuLevel level)
{
	(void) level;
	return &mg_kernels_scalar;
}

#endif
