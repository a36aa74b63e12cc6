/*
 * Steps of an int8 product for the level "avx2"; int8_scalar.h says what the names mean. Both factors are widened to 16
 * bits, for the instruction that multiplies bytes saturates its sums. A vector has two sums of each of four channels.
 */
#ifndef MG_TENSOR_INT8_AVX2_H
#define MG_TENSOR_INT8_AVX2_H

#define INT8_ROWS 3
#define INT8_SUMS 4
#define INT8_CHANNELS 16
#define INT8_SIGNED 0

typedef int16_t int8_code;
typedef vi vq;
typedef __m256i vw;
typedef __m256i vx;

static inline vw
q_weights(const uint8_t *from)
{
	return _mm256_cvtepu8_epi16(_mm_load_si128((const __m128i *) from));
}

static inline vx
q_row(const int8_code *x)
{
	int64_t codes;

	memcpy(&codes, x, sizeof codes);
	return _mm256_set1_epi64x(codes);
}

static inline vq
q_step(vq sum, vw w, vx x)
{
	return sum + (vq) _mm256_madd_epi16(w, x);
}

static inline vi
q_channels(const vq *sums)
{
	__m256i both = _mm256_hadd_epi32((__m256i) sums[0], (__m256i) sums[1]); /* 0 1 4 5 2 3 6 7 */

	return (vi) _mm256_permute4x64_epi64(both, 0xD8);
}

static inline void
q_store(int8_code *to, vi code)
{
	__m256i narrow = _mm256_permute4x64_epi64(_mm256_packs_epi32((__m256i) code, (__m256i) code), 0xD8);

	_mm_storeu_si128((__m128i *) to, _mm256_castsi256_si128(narrow));
}

#endif
