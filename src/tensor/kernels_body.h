/*
 * The kernels, written once over the vectors of a simd_*.h file that was
 * included before, and compiled once for each level by kernels_*.c.
 */
#include <float.h>
#include <math.h>
#include <string.h>

/* Loops of constant length, whose arrays become registers. */
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

#define INLINE static inline __attribute__((always_inline))

#include "tensor/body_math.h"
#include "tensor/body_product.h"
#include "tensor/body_rows.h"
#include "tensor/body_int8.h"
#include "tensor/body_pairs.h"

/* A level may bring an int8 product that does not go tile by tile of vectors. */
#if defined(INT8_PRODUCT)
#include INT8_PRODUCT_BODY
#else
#define INT8_PRODUCT int8_product
#define INT8_PRODUCT_ROWS INT8_ROWS
#endif

/* And one of weights in groups. */
#include "tensor/body_group.h"
#if defined(GROUP_PRODUCT_BODY)
#include GROUP_PRODUCT_BODY
#else
#define GROUP_PRODUCT group_product
#define GROUP_PRODUCT_ROWS GROUP_ROWS
#endif

/* And one of bf16x2. */
#if defined(BF16X2_PRODUCT_BODY)
#include BF16X2_PRODUCT_BODY
#else
#include "tensor/body_bf16x2.h"
#endif

#define TABLE_NAME(level) TABLE_NAME_(level)
#define TABLE_NAME_(level) mg_kernels_##level

const MgKernels TABLE_NAME(LEVEL_NAME) = {
	.level = LEVEL,
	.tile_rows = TILE_ROWS,
	.piece_flops = PIECE_FLOPS,
	.int8_tile_rows = INT8_PRODUCT_ROWS,
	.int8_code_size = sizeof(int8_code),
	.prefers_bf16x2 = BF16X2_PREFERRED,
	.bf16x2_flops = BF16X2_FLOPS,
	.bf16x2_tile_rows = BF16X2_TILE_ROWS,
	.panel_product = panel_product,
	.row_product = row_product,
	.int8_product = INT8_PRODUCT,
	.quantize = quantize,
	.group_tile_rows = GROUP_PRODUCT_ROWS,
	.group_product = GROUP_PRODUCT,
	.quantize_groups = quantize_groups,
	.bf16x2_product = bf16x2_product,
	.split = split,
	.pair_product = pair_product,
	.to_bf16 = to_bf16,
	.epilogue = epilogue,
	.softmax = softmax,
	.norm = norm,
	.dot = dot,
	.add = add,
	.multiply = multiply,
	.scale = scale,
	.turn = turn,
	.from_f16 = from_f16,
	.from_bf16 = from_bf16,
};
