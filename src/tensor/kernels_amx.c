/*
 * The kernels of the level "amx": those of "avx512vnni" with the products of
 * AMX, int8 and bf16x2.
 */
#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "tensor/kernels.h"

#define TARGET "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16,amx-tile,amx-int8,amx-bf16"
#include "core/target_begin.h"

#define LEVEL_NAME amx
#define LEVEL MG_CPU_AMX
#define INT8_PRODUCT amx_product
#define INT8_PRODUCT_ROWS MG_INT8_ROWS
#define INT8_PRODUCT_BODY "tensor/body_amx.h"
#define BF16X2_PRODUCT_BODY "tensor/body_amx_bf16x2.h"
#define GROUP_PRODUCT_BODY "tensor/body_amx_group.h"

#include "tensor/simd_avx512.h"
#include "tensor/pairs_avx512bf16.h"
#include "tensor/int8_avx512vnni.h"
#include "tensor/kernels_body.h"

#include "core/target_end.h"

#endif
