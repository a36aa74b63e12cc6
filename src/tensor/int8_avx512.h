/* Steps of an int8 product for the level "avx512", as int8_avx2.h: two sums of each of eight channels in a vector. */
#ifndef MG_TENSOR_INT8_AVX512_H
#define MG_TENSOR_INT8_AVX512_H

#define INT8_ROWS 6
#define INT8_SUMS 4
#define INT8_CHANNELS 32
#define INT8_SIGNED 0

typedef int16_t int8_code;
typedef vi vq;
typedef __m512i vw;
typedef __m512i vx;

static inline vw
q_weights(const uint8_t *from)
{
	return _mm512_cvtepu8_epi16(_mm256_load_si256((const __m256i *) from));
}

static inline vx
q_row(const int8_code *x)
{
	int64_t codes;

	memcpy(&codes, x, sizeof codes);
	return _mm512_set1_epi64(codes);
}

static inline vq
q_step(vq sum, vw w, vx x)
{
	return sum + (vq) _mm512_madd_epi16(w, x);
}

static inline vi
q_channels(const vq *sums)
{
	const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
	const __m512i odd = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);

	return (vi) _mm512_permutex2var_epi32((__m512i) sums[0], even, (__m512i) sums[1]) +
		(vi) _mm512_permutex2var_epi32((__m512i) sums[0], odd, (__m512i) sums[1]);
}

static inline void
q_store(int8_code *to, vi code)
{
	_mm256_storeu_si256((__m256i *) to, _mm512_cvtepi32_epi16((__m512i) code));
}

#endif
