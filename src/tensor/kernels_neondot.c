/*
 * The kernels of the level "neondot": those of "neon" with another int8
 * product. The target is set as in kernels_avx512.c.
 */
#include <math.h>
#include <string.h>

#include "tensor/kernels.h"

#if defined(MG_HAS_NEONDOT)

#include <arm_neon.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("arch=armv8.2-a+dotprod")
#endif

#define LEVEL_NAME neondot
#define LEVEL MG_CPU_NEONDOT

#include "tensor/simd_neon.h"
#include "tensor/int8_neondot.h"
#include "tensor/kernels_body.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
