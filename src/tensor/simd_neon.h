/* Vectors for the levels "neon" and "neondot" (AArch64): four floats. simd_scalar.h says what the names mean. */
#ifndef MG_TENSOR_SIMD_NEON_H
#define MG_TENSOR_SIMD_NEON_H

#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

#define VW 4
#define TILE_ROWS 14
#define TILE_VECTORS 2
#define PIECE_FLOPS 80e6

typedef float32x4_t vf;

static inline vf
v_load(const float *from)
{
	return vld1q_f32(from);
}

static inline void
v_store(float *to, vf v)
{
	vst1q_f32(to, v);
}

static inline vf
v_load_n(const float *from, size_t n)
{
	float lanes[VW] = {0};

	memcpy(lanes, from, n * sizeof(float));
	return vld1q_f32(lanes);
}

static inline void
v_store_n(float *to, vf v, size_t n)
{
	float lanes[VW];

	vst1q_f32(lanes, v);
	memcpy(to, lanes, n * sizeof(float));
}

static inline vf
v_set1(float x)
{
	return vdupq_n_f32(x);
}

static inline vf
v_fma(vf a, vf b, vf c)
{
	return vfmaq_f32(c, a, b);
}

/* Not vmaxq, which gives a NaN when either is one. */
static inline vf
v_max(vf a, vf b)
{
	return vbslq_f32(vcgtq_f32(a, b), a, b);
}

static inline vf
v_min(vf a, vf b)
{
	return vbslq_f32(vcltq_f32(a, b), a, b);
}

static inline vf
v_select_less(vf a, vf b, vf yes, vf no)
{
	return vbslq_f32(vcltq_f32(a, b), yes, no);
}

static inline vf
v_power_of_two(vf shifted)
{
	uint32x4_t n = vshlq_n_u32(vreinterpretq_u32_f32(shifted), 23);

	return vreinterpretq_f32_u32(vaddq_u32(n, vdupq_n_u32(0x3F800000)));
}

static inline float
v_sum(vf v)
{
	return vaddvq_f32(v);
}

static inline float
v_largest(vf v)
{
	float a = vgetq_lane_f32(v, 0) > vgetq_lane_f32(v, 1) ? vgetq_lane_f32(v, 0) : vgetq_lane_f32(v, 1);
	float b = vgetq_lane_f32(v, 2) > vgetq_lane_f32(v, 3) ? vgetq_lane_f32(v, 2) : vgetq_lane_f32(v, 3);

	return a > b ? a : b;
}

static inline vf
v_load_f16(const uint8_t *from)
{
	uint16x4_t half = vreinterpret_u16_u8(vld1_u8(from));

	return vcvt_f32_f16(vreinterpret_f16_u16(half));
}

static inline vf
v_load_bf16(const uint8_t *from)
{
	uint16x4_t half = vreinterpret_u16_u8(vld1_u8(from));

	return vreinterpretq_f32_u32(vshll_n_u16(half, 16));
}

typedef int32x4_t vi;
typedef uint32x4_t vu;

static inline vi
i_load(const int32_t *from)
{
	return vld1q_s32(from);
}

static inline vi
i_set1(int32_t x)
{
	return vdupq_n_s32(x);
}

static inline vi
i_multiply(vi a, vi b)
{
	return vmulq_s32(a, b);
}

static inline vi
i_min(vi a, vi b)
{
	return vminq_s32(a, b);
}

static inline vi
i_max(vi a, vi b)
{
	return vmaxq_s32(a, b);
}

static inline int32_t
i_largest(vi v)
{
	return vmaxvq_s32(v);
}

static inline vf
v_zero_where(vf v, vi x, vi a, vi b)
{
	uint32x4_t other = vbicq_u32(vreinterpretq_u32_f32(v), vorrq_u32(vceqq_s32(x, a), vceqq_s32(x, b)));

	return vreinterpretq_f32_u32(other);
}

static inline vf
v_of_int(vi v)
{
	return vcvtq_f32_s32(v);
}

#endif
