/* The kernels of the level "neon", which every AArch64 has. */
#include "tensor/kernels.h"

#if defined(__aarch64__)

#define LEVEL_NAME neon
#define LEVEL MG_CPU_NEON

#include "tensor/simd_neon.h"
#include "tensor/int8_neon.h"
#include "tensor/kernels_body.h"

#endif
