/* The kernels of the level "avx512". */
#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "tensor/kernels.h"

#define TARGET "avx512f,avx512bw,avx512dq,avx512vl"
#include "core/target_begin.h"

#define LEVEL_NAME avx512
#define LEVEL MG_CPU_AVX512

#include "tensor/simd_avx512.h"
#include "tensor/int8_avx512.h"
#include "tensor/kernels_body.h"

#include "core/target_end.h"

#endif
