/*
 * The kernels of the level "amx": those of "avx512vnni" with the products of
 * AMX, int8 and bf16x2. The target is set as in kernels_avx512.c.
 */
#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "tensor/kernels.h"

#if defined(__clang__)
/* AVX-512F implies AVX2, FMA and F16C. */
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16,amx-tile,amx-int8,amx-bf16"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16,amx-tile,amx-int8,amx-bf16")
#endif

#define LEVEL_NAME amx
#define LEVEL MG_CPU_AMX
#define INT8_PRODUCT amx_product
#define INT8_PRODUCT_ROWS MG_INT8_ROWS
#define INT8_PRODUCT_BODY "tensor/body_amx.h"
#define PAIRS_PRODUCT_BODY "tensor/body_amx_pairs.h"

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
typedef int mg_no_amx;
#endif
