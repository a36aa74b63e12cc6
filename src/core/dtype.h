/*
 * Element types of stored tensors, little-endian: IEEE binary32, binary16 and
 * bfloat16; and rows of 8-bit integers, each row a float32 scale followed by
 * its integers in [-127, 127].
 */
#ifndef MG_CORE_DTYPE_H
#define MG_CORE_DTYPE_H

#include <stddef.h>
#include <stdint.h>

typedef enum MgDtype
{
	MG_F32 = 0, /* the numbers are part of the image format */
	MG_F16 = 1,
	MG_BF16 = 2,
	MG_Q8 = 3 /* only in images */
} MgDtype;

#define MG_N_DTYPES 4
#define MG_N_FLOAT_DTYPES 3 /* the first ones: those whose elements stand for themselves */

/* Bytes of an element; of MG_Q8 without the row's scale. */
static inline size_t
mg_dtype_size(MgDtype dtype)
{
	return dtype == MG_F32 ? 4 : dtype == MG_Q8 ? 1 : 2;
}

static inline const char *
mg_dtype_name(MgDtype dtype)
{
	static const char *const names[MG_N_DTYPES] = {"f32", "f16", "bf16", "int8"};

	return (unsigned) dtype < MG_N_DTYPES ? names[dtype] : "unknown";
}

#endif
