/*
 * Element types of stored tensors: IEEE binary32, binary16 and bfloat16,
 * little-endian; and integers of 8 bits with a scale for each row, which
 * stands before the row's codes: float32 scale, int8 codes[cols], unaligned,
 * element k being scale * codes[k]. Codes are in [-127, 127]. A row of any
 * type has mg_dtype_row_size bytes.
 */
#ifndef MG_CORE_DTYPE_H
#define MG_CORE_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum MgDtype
{
	MG_F32 = 0, /* the numbers are part of the image format */
	MG_F16 = 1,
	MG_BF16 = 2,
	MG_Q8 = 3 /* in images only */
} MgDtype;

#define MG_N_DTYPES 4
#define MG_N_FLOAT_DTYPES 3 /* the first ones: those whose elements stand for themselves */

/* Bytes of an element; of MG_Q8, without the scales. */
static inline size_t
mg_dtype_size(MgDtype dtype)
{
	return dtype == MG_F32 ? 4 : dtype == MG_Q8 ? 1 : 2;
}

/* Bytes of a row; false when they do not fit. */
static inline bool
mg_dtype_row_size(MgDtype dtype, size_t cols, size_t *size)
{
	return !__builtin_mul_overflow(cols, mg_dtype_size(dtype), size) &&
		!__builtin_add_overflow(*size, dtype == MG_Q8 ? sizeof(float) : 0, size);
}

static inline const char *
mg_dtype_name(MgDtype dtype)
{
	static const char *const names[MG_N_DTYPES] = {"f32", "f16", "bf16", "int8"};

	return (unsigned) dtype < MG_N_DTYPES ? names[dtype] : "unknown";
}

#endif
