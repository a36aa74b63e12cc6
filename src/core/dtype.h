/* Element types of stored tensors: IEEE binary32, binary16 and bfloat16, little-endian. */
#ifndef MG_CORE_DTYPE_H
#define MG_CORE_DTYPE_H

#include <stddef.h>
#include <stdint.h>

typedef enum MgDtype
{
	MG_F32 = 0, /* the numbers are part of the image format */
	MG_F16 = 1,
	MG_BF16 = 2
} MgDtype;

#define MG_N_DTYPES 3

static inline size_t
mg_dtype_size(MgDtype dtype)
{
	return dtype == MG_F32 ? 4 : 2;
}

static inline const char *
mg_dtype_name(MgDtype dtype)
{
	static const char *const names[MG_N_DTYPES] = {"f32", "f16", "bf16"};

	return (unsigned) dtype < MG_N_DTYPES ? names[dtype] : "unknown";
}

#endif
