/*
 * Steps of an int8 product for the level "avx512vnni"; int8_scalar.h says what the names mean. The weights are the
 * unsigned factor, because only the signed one can be broadcast from memory by the instruction that multiplies.
 */
#ifndef MG_TENSOR_INT8_AVX512VNNI_H
#define MG_TENSOR_INT8_AVX512VNNI_H

#define INT8_ROWS 14
#define INT8_SUMS 2
#define INT8_CHANNELS 32
#define INT8_SIGNED 0

typedef int8_t int8_code;
typedef vi vq;
typedef __m512i vw;
typedef __m512i vx;

static inline vw
q_weights(const uint8_t *from)
{
	return _mm512_load_si512(from);
}

static inline vx
q_row(const int8_code *x)
{
	int32_t codes;

	memcpy(&codes, x, sizeof codes);
	return _mm512_set1_epi32(codes);
}

static inline vq
q_step(vq sum, vw w, vx x)
{
	return (vq) _mm512_dpbusd_epi32((__m512i) sum, w, x);
}

static inline vi
q_channels(const vq *sums)
{
	return sums[0];
}

static inline void
q_store(int8_code *to, vi code)
{
	_mm_storeu_si128((__m128i *) to, _mm512_cvtepi32_epi8((__m512i) code));
}

#endif
