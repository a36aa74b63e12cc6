/* From float32 to the 2-byte types, rounding to nearest, ties to even. Used once, when a model is created. */
#include "tensor/compute.h"

static uint16_t
to_bf16(uint32_t bits)
{
	if ((bits & 0x7FFFFFFF) > 0x7F800000)
		return (uint16_t) (bits >> 16 | 0x40); /* a NaN stays one */
	return (uint16_t) ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

/* binary16 has 5 exponent bits, bias 15, and 10 of fraction; below 2^-14 it is subnormal in steps of 2^-24. */
static uint16_t
to_f16(uint32_t bits)
{
	uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7FFFFFFF;
	uint32_t fraction, shift, half;

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
	half = 1u << (shift - 1);
	return (uint16_t) (sign | ((fraction + half - 1 + (fraction >> shift & 1)) >> shift));
}

void
mg_from_f32(MgDtype dtype, const float *from, size_t n, void *to)
{
	uint8_t *out = to;

	for (size_t i = 0; i < n; i++)
	{
		uint32_t bits;
		uint16_t narrow;

		memcpy(&bits, &from[i], sizeof bits);
		narrow = dtype == MG_BF16 ? to_bf16(bits) : to_f16(bits);
		memcpy(out + 2 * i, &narrow, sizeof narrow);
	}
}
