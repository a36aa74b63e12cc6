/*
 * The kernels, written once over the vectors of a simd_*.h file that was
 * included before, and compiled once for each level by kernels_*.c.
 */
#include <math.h>
#include <string.h>

/* Loops of constant length, whose arrays become registers. */
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

#include "tensor/body_math.h"
#include "tensor/body_product.h"
#include "tensor/body_rows.h"

#define TABLE_NAME(level) TABLE_NAME_(level)
#define TABLE_NAME_(level) mg_kernels_##level

const MgKernels TABLE_NAME(LEVEL_NAME) = {
	.level = LEVEL,
	.tile_rows = TILE_ROWS,
	.piece_flops = PIECE_FLOPS,
	.panel_product = panel_product,
	.row_product = row_product,
	.finish = finish,
	.softmax = softmax,
	.norm = norm,
	.dot = dot,
	.add = add,
	.scale = scale,
	.from_f16 = from_f16,
	.from_bf16 = from_bf16,
};
