/*
 * Vectors for the level "scalar": four floats of the compilers' portable
 * vector type. They become SSE2 on x86-64, NEON on AArch64 and plain floats
 * elsewhere, so this level asks nothing of a CPU that its ABI does not have.
 *
 * A simd_*.h file defines the same names for each level:
 *   VW                floats in a vector
 *   TILE_ROWS         rows of a product tile, TILE_VECTORS vectors wide, so that
 *                     sums, one row of B and one number of x fit the registers
 *   PIECE_FLOPS       see MgKernels.piece_flops
 *   vf                a vector
 *   v_load_n, v_store_n   the first n < VW floats; the others are zero, untouched
 *   v_max, v_min      the second operand when one is NaN
 *   v_select_less     a < b ? yes : no, lane by lane
 *   v_power_of_two    2^n for an n in [-126, 127] given as 1.5 * 2^23 + n
 *   v_sum, v_largest  over the lanes
 *   vi                VW 32-bit integers; i_load, i_set1, i_multiply (the low half), i_min, i_max,
 *                   i_largest (over the lanes), v_of_int
 *   v_zero_where      v, but zero where x is a or b
 */
#ifndef MG_TENSOR_SIMD_SCALAR_H
#define MG_TENSOR_SIMD_SCALAR_H

#include <stdint.h>
#include <string.h>

#define VW 4
#define TILE_ROWS 4
#define TILE_VECTORS 2
#define PIECE_FLOPS 40e6

typedef float vf __attribute__((vector_size(16)));
typedef int32_t vi __attribute__((vector_size(16)));
typedef uint32_t vu __attribute__((vector_size(16)));

static inline vf
v_load(const float *from)
{
	vf v;

	memcpy(&v, from, sizeof v);
	return v;
}

static inline void
v_store(float *to, vf v)
{
	memcpy(to, &v, sizeof v);
}

static inline vf
v_load_n(const float *from, size_t n)
{
	vf v = {0};

	for (size_t i = 0; i < n; i++)
		v[i] = from[i];
	return v;
}

static inline void
v_store_n(float *to, vf v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = v[i];
}

static inline vf
v_set1(float x)
{
	return (vf){x, x, x, x};
}

static inline vf
v_fma(vf a, vf b, vf c)
{
	return a * b + c;
}

static inline vf
v_choose(vi mask, vf yes, vf no)
{
	return (vf) (((vi) yes & mask) | ((vi) no & ~mask));
}

static inline vf
v_max(vf a, vf b)
{
	return v_choose(a > b, a, b);
}

static inline vf
v_min(vf a, vf b)
{
	return v_choose(a < b, a, b);
}

static inline vf
v_select_less(vf a, vf b, vf yes, vf no)
{
	return v_choose(a < b, yes, no);
}

static inline vf
v_power_of_two(vf shifted)
{
	vu one = {0x3F800000, 0x3F800000, 0x3F800000, 0x3F800000};

	return (vf) (((vu) shifted << 23) + one);
}

static inline float
v_sum(vf v)
{
	return (v[0] + v[2]) + (v[1] + v[3]);
}

static inline float
v_largest(vf v)
{
	float a = v[0] > v[1] ? v[0] : v[1];
	float b = v[2] > v[3] ? v[2] : v[3];

	return a > b ? a : b;
}

static inline vi
i_load(const int32_t *from)
{
	vi v;

	memcpy(&v, from, sizeof v);
	return v;
}

static inline vi
i_set1(int32_t x)
{
	return (vi){x, x, x, x};
}

static inline vi
i_multiply(vi a, vi b)
{
	return (vi) ((vu) a * (vu) b);
}

static inline vi
i_min(vi a, vi b)
{
	vi less = a < b;

	return (a & less) | (b & ~less);
}

static inline vi
i_max(vi a, vi b)
{
	vi more = a > b;

	return (a & more) | (b & ~more);
}

static inline int32_t
i_largest(vi v)
{
	int32_t a = v[0] > v[1] ? v[0] : v[1];
	int32_t b = v[2] > v[3] ? v[2] : v[3];

	return a > b ? a : b;
}

static inline vf
v_zero_where(vf v, vi x, vi a, vi b)
{
	return (vf) ((vi) v & (x != a) & (x != b));
}

static inline vf
v_of_int(vi v)
{
	return __builtin_convertvector(v, vf);
}

static inline float
f16_to_f32(uint16_t half)
{
	uint32_t sign = (uint32_t) (half & 0x8000) << 16;
	uint32_t exponent = half >> 10 & 0x1F;
	uint32_t fraction = half & 0x3FF;
	uint32_t bits;
	float value;

	if (exponent == 0)
	{
		value = (float) fraction * 0x1p-24f; /* zero or subnormal: exact in float32 */
		memcpy(&bits, &value, sizeof bits);
		bits |= sign;
	}
	else if (exponent == 0x1F)
		bits = sign | 0x7F800000 | fraction << 13 | (fraction != 0 ? 0x400000 : 0); /* NaNs turn quiet, as by F16C */
	else
		bits = sign | (exponent + 112) << 23 | fraction << 13;
	memcpy(&value, &bits, sizeof value);
	return value;
}

static inline vf
v_load_f16(const uint8_t *from)
{
	uint16_t half[VW];

	memcpy(half, from, sizeof half);
	return (vf){f16_to_f32(half[0]), f16_to_f32(half[1]), f16_to_f32(half[2]), f16_to_f32(half[3])};
}

static inline vf
v_load_bf16(const uint8_t *from)
{
	uint16_t half[VW];

	memcpy(half, from, sizeof half);
	return (vf) (vu){(uint32_t) half[0] << 16, (uint32_t) half[1] << 16, (uint32_t) half[2] << 16,
					 (uint32_t) half[3] << 16};
}

#endif
