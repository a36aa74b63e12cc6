/*
 * The distances of the level "avx2". The target is set by pragma for what
 * stands between its two ends, so that the file needs no compiler flag of its
 * own; headers with code for everybody are included before it.
 */
#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#include "vector/half.h"
#include "vector/kernels.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,f16c,popcnt"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,f16c,popcnt")
#endif

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

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#else
/* Other architectures do not have this level. */
typedef int mg_no_distances_avx2;
#endif
