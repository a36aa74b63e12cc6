/* Vectors for the level "avx2" (AVX2, FMA, F16C): eight floats. simd_scalar.h says what the names mean. */
#ifndef MG_TENSOR_SIMD_AVX2_H
#define MG_TENSOR_SIMD_AVX2_H

#include <immintrin.h>
#include <stdint.h>

#define VW 8
#define TILE_ROWS 6
#define TILE_VECTORS 2
#define PIECE_FLOPS 300e6

typedef __m256 vf;

static inline vf
v_load(const float *from)
{
	return _mm256_loadu_ps(from);
}

static inline void
v_store(float *to, vf v)
{
	_mm256_storeu_ps(to, v);
}

static inline __m256i
v_first_lanes(size_t n)
{
	static const int32_t window[2 * VW] = {-1, -1, -1, -1, -1, -1, -1, -1};

	return _mm256_loadu_si256((const __m256i *) (window + VW - n));
}

static inline vf
v_load_n(const float *from, size_t n)
{
	return _mm256_maskload_ps(from, v_first_lanes(n));
}

static inline void
v_store_n(float *to, vf v, size_t n)
{
	_mm256_maskstore_ps(to, v_first_lanes(n), v);
}

static inline vf
v_set1(float x)
{
	return _mm256_set1_ps(x);
}

static inline vf
v_fma(vf a, vf b, vf c)
{
	return _mm256_fmadd_ps(a, b, c);
}

static inline vf
v_max(vf a, vf b)
{
	return _mm256_max_ps(a, b);
}

static inline vf
v_min(vf a, vf b)
{
	return _mm256_min_ps(a, b);
}

static inline vf
v_select_less(vf a, vf b, vf yes, vf no)
{
	return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
}

static inline vf
v_power_of_two(vf shifted)
{
	__m256i n = _mm256_slli_epi32(_mm256_castps_si256(shifted), 23);

	return _mm256_castsi256_ps(_mm256_add_epi32(n, _mm256_set1_epi32(0x3F800000)));
}

static inline float
v_sum(vf v)
{
	__m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));

	s = _mm_add_ps(s, _mm_movehl_ps(s, s));
	s = _mm_add_ss(s, _mm_movehdup_ps(s));
	return _mm_cvtss_f32(s);
}

static inline float
v_largest(vf v)
{
	__m128 s = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));

	s = _mm_max_ps(s, _mm_movehl_ps(s, s));
	s = _mm_max_ss(s, _mm_movehdup_ps(s));
	return _mm_cvtss_f32(s);
}

static inline vf
v_load_f16(const uint8_t *from)
{
	return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *) from));
}

static inline vf
v_load_bf16(const uint8_t *from)
{
	__m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *) from));

	return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}

/* A type of its own for +, since that of immintrin.h adds pairs of 64-bit integers. */
typedef int32_t vi __attribute__((vector_size(32)));
typedef uint32_t vu __attribute__((vector_size(32)));

static inline vi
i_load(const int32_t *from)
{
	return (vi) _mm256_loadu_si256((const __m256i *) from);
}

static inline vi
i_set1(int32_t x)
{
	return (vi) _mm256_set1_epi32(x);
}

static inline vi
i_multiply(vi a, vi b)
{
	return (vi) _mm256_mullo_epi32((__m256i) a, (__m256i) b);
}

static inline vi
i_min(vi a, vi b)
{
	return (vi) _mm256_min_epi32((__m256i) a, (__m256i) b);
}

static inline vi
i_max(vi a, vi b)
{
	return (vi) _mm256_max_epi32((__m256i) a, (__m256i) b);
}

static inline int32_t
i_largest(vi v)
{
	__m128i s = _mm_max_epi32(_mm256_castsi256_si128((__m256i) v), _mm256_extracti128_si256((__m256i) v, 1));

	s = _mm_max_epi32(s, _mm_shuffle_epi32(s, 0x4E));
	s = _mm_max_epi32(s, _mm_shuffle_epi32(s, 0xB1));
	return _mm_cvtsi128_si32(s);
}

static inline vf
v_zero_where(vf v, vi x, vi a, vi b)
{
	return (vf) ((vi) v & (x != a) & (x != b));
}

static inline vf
v_of_int(vi v)
{
	return _mm256_cvtepi32_ps((__m256i) v);
}

#endif
