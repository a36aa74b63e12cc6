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

/* An instruction narrows two vectors, two do so one after the other; and one adds four codes. */
#define STORE_BLOCK 64
static inline vi
q_store_block(int8_code *to, const float *row, float factor, int32_t offset, vi sum)
{
	/* What packing leaves side by side: four codes of each of the vectors. */
	const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
	const __m512i offsets = _mm512_set1_epi16((int16_t) offset);
	__m512i whole[4], half[2], codes;

	for (int i = 0; i < 4; i++)
		whole[i] = _mm512_cvtps_epi32(v_load(row + i * VW) * v_set1(factor));
	for (int i = 0; i < 2; i++)
		half[i] = _mm512_adds_epi16(_mm512_packs_epi32(whole[2 * i], whole[2 * i + 1]), offsets);
	codes = _mm512_permutexvar_epi32(order, _mm512_packs_epi16(half[0], half[1]));
	_mm512_storeu_si512(to, codes);
	return (vi) _mm512_dpbusd_epi32((__m512i) sum, _mm512_set1_epi8(1), codes);
}

#endif
