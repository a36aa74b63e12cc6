/*
 * The kernels of the level "avx512vnni": those of "avx512" with another int8
 * product.
 */
#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "tensor/kernels.h"

#define TARGET "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"
#include "core/target_begin.h"

#define LEVEL_NAME avx512vnni
#define LEVEL MG_CPU_VNNI

#include "tensor/simd_avx512.h"
#include "tensor/int8_avx512vnni.h"
#include "tensor/kernels_body.h"

#include "core/target_end.h"

#endif
