/*
 * The kernels of the level "avx512". The target is set by pragma for what stands between
 * its two ends, so that the file needs no compiler flag of its own; headers
 * with code for everybody are included before it.
 */
#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "tensor/kernels.h"

#if defined(__clang__)
/* AVX-512F implies AVX2, FMA and F16C. */
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl")
#endif

#define LEVEL_NAME avx512
#define LEVEL MG_CPU_AVX512

#include "tensor/simd_avx512.h"
#include "tensor/int8_avx512.h"
#include "tensor/kernels_body.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#else
/* Other architectures do not have this level. */
typedef int mg_no_avx512;
#endif
