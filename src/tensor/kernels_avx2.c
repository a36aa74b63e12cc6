/* The kernels of the level "avx2". */
#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "tensor/kernels.h"

#define TARGET "avx2,fma,f16c"
#include "core/target_begin.h"

#define LEVEL_NAME avx2
#define LEVEL MG_CPU_AVX2

#include "tensor/simd_avx2.h"
#include "tensor/int8_avx2.h"
#include "tensor/kernels_body.h"

#include "core/target_end.h"

#endif
