/*
 * The kernels of the level "neondot": those of "neon" with another int8
 * product.
 */
#include <math.h>
#include <string.h>

#include "tensor/kernels.h"

#if defined(MG_HAS_NEONDOT)

#include <arm_neon.h>

#if defined(__clang__)
#define TARGET "dotprod"
#else
#define TARGET "arch=armv8.2-a+dotprod"
#endif
#include "core/target_begin.h"

#define LEVEL_NAME neondot
#define LEVEL MG_CPU_NEONDOT

#include "tensor/simd_neon.h"
#include "tensor/int8_neondot.h"
#include "tensor/kernels_body.h"

#include "core/target_end.h"

#endif
