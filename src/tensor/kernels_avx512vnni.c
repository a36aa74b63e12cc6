/*
 * The kernels of the level "avx512vnni": those of "avx512" with another int8
 * product. The target is set as in kernels_avx512.c.
 */
#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "tensor/kernels.h"

#if defined(__clang__)
/* AVX-512F implies AVX2, FMA and F16C. */
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")
#endif

#define LEVEL_NAME avx512vnni
#define LEVEL MG_CPU_VNNI

#include "tensor/simd_avx512.h"
#include "tensor/int8_avx512vnni.h"
#include "tensor/kernels_body.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#else
/* Other architectures do not have this level. */
typedef int mg_no_avx512vnni;
#endif
