/*
 * The two kinds of numbers of 16 bits. Widening them is exact; narrowing
 * rounds to nearest, ties to even, and beyond the largest number to infinity.
 *
 * half      IEEE binary16: a sign, 5 bits of exponent with bias 15, 10 of
 *           fraction; below 2^-14 subnormal in steps of 2^-24, above 65504 infinite
 * bfloat16  the upper half of a float32
 */
#ifndef MG_CORE_HALF_H
#define MG_CORE_HALF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MG_HALF_MAX 65504

static inline bool
mg_half_is_nan(uint16_t half)
{
	return (half & 0x7FFF) > 0x7C00;
}

static inline bool
mg_half_is_inf(uint16_t half)
{
	return (half & 0x7FFF) == 0x7C00;
}

static inline bool
mg_half_is_zero(uint16_t half)
{
	return (half & 0x7FFF) == 0;
}

/*
 * Exact. A number of float32 with the half's bits is the half divided by 2^112, subnormals included; infinity and NaN
 * then lack the largest exponent.
 */
static inline float
mg_half_to_float(uint16_t half)
{
	uint32_t magnitude = (uint32_t) (half & 0x7FFF) << 13, bits;
	float value;

	memcpy(&value, &magnitude, sizeof value);
	value *= 0x1p112f;
	memcpy(&bits, &value, sizeof bits);
	bits |= (magnitude >= 0x0F800000 ? 0x7F800000u : 0) | (uint32_t) (half & 0x8000) << 16;
	memcpy(&value, &bits, sizeof value);
	return value;
}

static inline uint16_t
mg_half_of_float(float value)
{
	uint32_t bits, sign, magnitude, fraction, shift;

	memcpy(&bits, &value, sizeof bits);
	sign = bits >> 16 & 0x8000;
	magnitude = bits & 0x7FFFFFFF;
	if (magnitude > 0x7F800000)
		return (uint16_t) (sign | 0x7E00);
	if (magnitude >= 0x47800000) /* 65536 and above */
		return (uint16_t) (sign | 0x7C00);
	if (magnitude >= 0x38800000) /* normal: rounding may carry into the exponent, up to infinity */
		return (uint16_t) (sign | ((magnitude + 0xFFF + (magnitude >> 13 & 1) - 0x38000000) >> 13));
	if (magnitude < 0x33000000) /* below half of the smallest subnormal */
		return (uint16_t) sign;
	shift = 126 - (magnitude >> 23);
	fraction = (magnitude & 0x7FFFFF) | 0x800000;
	return (uint16_t) (sign | ((fraction + (1u << (shift - 1)) - 1 + (fraction >> shift & 1)) >> shift));
}

static inline float
mg_bf16_to_float(uint16_t number)
{
	uint32_t bits = (uint32_t) number << 16;
	float value;

	memcpy(&value, &bits, sizeof value);
	return value;
}

static inline uint16_t
mg_bf16_of_float(float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof bits);
	if ((bits & 0x7FFFFFFF) > 0x7F800000)
		return (uint16_t) (bits >> 16 | 0x40); /* NaN stays NaN */
	return (uint16_t) ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

#endif
