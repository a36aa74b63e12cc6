/*
 * The kernels of the level "avx512vnni" for CPUs that multiply pairs of bfloat16 as well. They give the same bits.
 */
#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "tensor/kernels.h"

#define TARGET "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16"
#include "core/target_begin.h"

#define LEVEL_NAME avx512bf16
#define LEVEL MG_CPU_VNNI

#include "tensor/simd_avx512.h"
#include "tensor/pairs_avx512bf16.h"
#include "tensor/int8_avx512vnni.h"
#include "tensor/kernels_body.h"

#include "core/target_end.h"

#endif
