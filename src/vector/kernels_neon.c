/* The distances of the level "neon", which every AArch64 has. */
#if defined(__aarch64__)

#include <arm_neon.h>
#include <string.h>

#include "core/half.h"
#include "vector/kernels.h"

#define LEVEL_NAME neon
#define WIDTH 4

typedef float Wide __attribute__((vector_size(WIDTH * 4)));
typedef float HalfWide __attribute__((vector_size(WIDTH * 2)));
typedef double Doubles __attribute__((vector_size(WIDTH * 4)));

ALWAYS_INLINE Wide
load_f16(const void *from)
{
	float16x4_t halves;

	memcpy(&halves, from, sizeof halves);
	return (Wide) vcvt_f32_f16(halves);
}

ALWAYS_INLINE Doubles
to_doubles(HalfWide half)
{
	return (Doubles) vcvt_f64_f32((float32x2_t) half);
}

#include "vector/bytes_neon.h"
#include "vector/kernels_body.h"

#endif
