/*
 * Element types of stored tensors: IEEE binary32, binary16 and bfloat16,
 * little-endian; and integers of 8 bits with a scale for each row, which
 * stands before the row's codes: float32 scale, int8 codes[cols], unaligned,
 * element k being scale * codes[k]. Codes are in [-127, 127]. Groups of 32
 * numbers of a row, whose codes have 4 or 8 bits, have a scale d and a least
 * number m each, both binary16: d, m, codes, unaligned, element k being
 * d * codes[k] + m. Of 4 bits, the low halves of 16 bytes are the first 16
 * codes. A row of any type has mg_dtype_row_size bytes.
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
	MG_Q8 = 3, /* this one and those below in images only */
	MG_Q4G = 4,
	MG_Q8G = 5
} MgDtype;

#define MG_N_DTYPES 6
#define MG_N_FLOAT_DTYPES 3 /* the first ones: those whose elements stand for themselves */

#define MG_GROUP 32 /* numbers of a group; a row of MG_Q4G or MG_Q8G is whole groups */

static inline bool
mg_dtype_is_grouped(MgDtype dtype)
{
	return dtype == MG_Q4G || dtype == MG_Q8G;
}

/* Bytes of a group. */
static inline size_t
mg_group_size(MgDtype dtype)
{
	return 4 + (dtype == MG_Q4G ? MG_GROUP / 2 : MG_GROUP);
}

/* Bytes of an element; of MG_Q8, without the scales; of no use for groups. */
static inline size_t
mg_dtype_size(MgDtype dtype)
{
	return dtype == MG_F32 ? 4 : dtype == MG_F16 || dtype == MG_BF16 ? 2 : 1;
}

/* Bytes of a row; false when they do not fit, or when it is no whole groups. */
static inline bool
mg_dtype_row_size(MgDtype dtype, size_t cols, size_t *size)
{
	if (mg_dtype_is_grouped(dtype))
		return cols % MG_GROUP == 0 && !__builtin_mul_overflow(cols / MG_GROUP, mg_group_size(dtype), size);
	return !__builtin_mul_overflow(cols, mg_dtype_size(dtype), size) &&
		!__builtin_add_overflow(*size, dtype == MG_Q8 ? sizeof(float) : 0, size);
}

static inline const char *
mg_dtype_name(MgDtype dtype)
{
	static const char *const names[MG_N_DTYPES] = {"f32", "f16", "bf16", "int8", "q4", "q8"};

	return (unsigned) dtype < MG_N_DTYPES ? names[dtype] : "unknown";
}

#endif
