/* The distances of the level "avx2". */
#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#include "core/half.h"
#include "vector/kernels.h"

#define TARGET "avx2,f16c,popcnt"
#include "core/target_begin.h"

#define LEVEL_NAME avx2
#define WIDTH 8

typedef float Wide __attribute__((vector_size(WIDTH * 4)));
typedef float HalfWide __attribute__((vector_size(WIDTH * 2)));
typedef double Doubles __attribute__((vector_size(WIDTH * 4)));

ALWAYS_INLINE Wide
load_f16(const void *from)
{
	return (Wide) _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *) from));
}

ALWAYS_INLINE Doubles
to_doubles(HalfWide half)
{
	return (Doubles) _mm256_cvtps_pd((__m128) half);
}

#include "vector/bytes_avx2.h"
#include "vector/kernels_body.h"

#include "core/target_end.h"

#endif
