/*
 * The kernels of the level "avx2". The target is set by pragma for what stands between
 * its two ends, so that the file needs no compiler flag of its own; headers
 * with code for everybody are included before it.
 */
#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "tensor/kernels.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c")
#endif

#define LEVEL_NAME avx2
#define LEVEL MG_CPU_AVX2

#include "tensor/simd_avx2.h"
#include "tensor/int8_avx2.h"
#include "tensor/kernels_body.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#else
/* Other architectures do not have this level. */
typedef int mg_no_avx2;
#endif
