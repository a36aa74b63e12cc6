/* Vectors for the level "avx512" (F, BW, DQ, VL): sixteen floats. simd_scalar.h says what the names mean. */
#ifndef MG_TENSOR_SIMD_AVX512_H
#define MG_TENSOR_SIMD_AVX512_H

#include <immintrin.h>
#include <stdint.h>

#define VW 16
#define TILE_ROWS 14
#define TILE_VECTORS 2
#define PIECE_FLOPS 600e6

typedef __m512 vf;

static inline vf
v_load(const float *from)
{
	return _mm512_loadu_ps(from);
}

static inline void
v_store(float *to, vf v)
{
	_mm512_storeu_ps(to, v);
}

static inline __mmask16
v_first_lanes(size_t n)
{
	return (__mmask16) ((1u << n) - 1);
}

static inline vf
v_load_n(const float *from, size_t n)
{
	return _mm512_maskz_loadu_ps(v_first_lanes(n), from);
}

static inline void
v_store_n(float *to, vf v, size_t n)
{
	_mm512_mask_storeu_ps(to, v_first_lanes(n), v);
}

static inline vf
v_set1(float x)
{
	return _mm512_set1_ps(x);
}

static inline vf
v_fma(vf a, vf b, vf c)
{
	return _mm512_fmadd_ps(a, b, c);
}

static inline vf
v_max(vf a, vf b)
{
	return _mm512_max_ps(a, b);
}

static inline vf
v_min(vf a, vf b)
{
	return _mm512_min_ps(a, b);
}

static inline vf
v_select_less(vf a, vf b, vf yes, vf no)
{
	return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), no, yes);
}

/* The table's number [32] that the low five bits of each lane say. */
#define HAS_LOOKUP
static inline vf
v_lookup(const float *table, vf bits)
{
	return _mm512_permutex2var_ps(_mm512_load_ps(table), _mm512_castps_si512(bits), _mm512_load_ps(table + 16));
}

static inline vf
v_power_of_two(vf shifted)
{
	__m512i n = _mm512_slli_epi32(_mm512_castps_si512(shifted), 23);

	return _mm512_castsi512_ps(_mm512_add_epi32(n, _mm512_set1_epi32(0x3F800000)));
}

static inline __m256
v_upper_half(vf v)
{
	return _mm512_extractf32x8_ps(v, 1);
}

static inline float
v_sum(vf v)
{
	__m256 half = _mm256_add_ps(_mm512_castps512_ps256(v), v_upper_half(v));
	__m128 s = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));

	s = _mm_add_ps(s, _mm_movehl_ps(s, s));
	s = _mm_add_ss(s, _mm_movehdup_ps(s));
	return _mm_cvtss_f32(s);
}

static inline float
v_largest(vf v)
{
	__m256 half = _mm256_max_ps(_mm512_castps512_ps256(v), v_upper_half(v));
	__m128 s = _mm_max_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));

	s = _mm_max_ps(s, _mm_movehl_ps(s, s));
	s = _mm_max_ss(s, _mm_movehdup_ps(s));
	return _mm_cvtss_f32(s);
}

static inline vf
v_load_f16(const uint8_t *from)
{
	return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *) from));
}

static inline vf
v_load_bf16(const uint8_t *from)
{
	__m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *) from));

	return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}

/* A type of its own for +, since that of immintrin.h adds pairs of 64-bit integers. */
typedef int32_t vi __attribute__((vector_size(64)));
typedef uint32_t vu __attribute__((vector_size(64)));

static inline vi
i_load(const int32_t *from)
{
	return (vi) _mm512_loadu_si512(from);
}

static inline vi
i_set1(int32_t x)
{
	return (vi) _mm512_set1_epi32(x);
}

static inline vi
i_multiply(vi a, vi b)
{
	return (vi) _mm512_mullo_epi32((__m512i) a, (__m512i) b);
}

static inline vi
i_min(vi a, vi b)
{
	return (vi) _mm512_min_epi32((__m512i) a, (__m512i) b);
}

static inline vi
i_max(vi a, vi b)
{
	return (vi) _mm512_max_epi32((__m512i) a, (__m512i) b);
}

static inline int32_t
i_largest(vi v)
{
	return _mm512_reduce_max_epi32((__m512i) v);
}

static inline vf
v_zero_where(vf v, vi x, vi a, vi b)
{
	__mmask16 other = _mm512_cmpneq_epi32_mask((__m512i) x, (__m512i) a);

	return _mm512_maskz_mov_ps(_mm512_mask_cmpneq_epi32_mask(other, (__m512i) x, (__m512i) b), v);
}

static inline vf
v_of_int(vi v)
{
	return _mm512_cvtepi32_ps((__m512i) v);
}

#endif
