/* The distances of the level "avx512vnni". */
#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#include "core/half.h"
#include "vector/kernels.h"

#define TARGET "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512vpopcntdq,popcnt"
#include "core/target_begin.h"

#define LEVEL_NAME avx512vnni
#define WIDTH 16

typedef float Wide __attribute__((vector_size(WIDTH * 4)));
typedef float HalfWide __attribute__((vector_size(WIDTH * 2)));
typedef double Doubles __attribute__((vector_size(WIDTH * 4)));

ALWAYS_INLINE Wide
load_f16(const void *from)
{
	return (Wide) _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *) from));
}

ALWAYS_INLINE Doubles
to_doubles(HalfWide half)
{
	return (Doubles) _mm512_cvtps_pd((__m256) half);
}

#include "vector/bytes_avx512vnni.h"
#include "vector/kernels_body.h"

#include "core/target_end.h"

#endif
