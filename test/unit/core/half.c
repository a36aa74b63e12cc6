/* The two kinds of numbers of 16 bits: every one of them, and what lies between two. */
#include "core/half.h"

#include "unit/tap.h"

/* What the bits say, by the definition. */
static double
plain(uint16_t half)
{
	int exponent = half >> 10 & 31, fraction = half & 0x3FF;
	double magnitude = exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25);

	return half & 0x8000 ? -magnitude : magnitude;
}

static bool
same(float value, double want)
{
	return (double) value == want && !signbit(value) == !signbit(want);
}

static float
float_of_bits(uint32_t bits)
{
	float value;

	memcpy(&value, &bits, sizeof value);
	return value;
}

/* A bfloat16 is the upper half of a float: what is between two of them shows in the lower half. */
static void
test_bf16(void)
{
	size_t wrong_back = 0, wrong_middle = 0, wrong_aside = 0, wrong_nan = 0;

	for (uint32_t upper = 0; upper < 0x10000; upper++)
	{
		float value = mg_bf16_to_float((uint16_t) upper);
		uint32_t bits;

		memcpy(&bits, &value, sizeof bits);
		if ((upper & 0x7FFF) > 0x7F80)
		{
			wrong_nan += !isnan(value) || !isnan(mg_bf16_to_float(mg_bf16_of_float(value))) ||
				!isnan(mg_bf16_to_float(mg_bf16_of_float(float_of_bits(upper << 16 | 1))));
			continue;
		}
		wrong_back += bits != upper << 16 || mg_bf16_of_float(value) != upper;
		if ((upper & 0x7FFF) == 0x7F80)
			continue;
		wrong_middle += mg_bf16_of_float(float_of_bits(upper << 16 | 0x8000)) != (upper & 1 ? upper + 1 : upper);
		wrong_aside += mg_bf16_of_float(float_of_bits(upper << 16 | 0x7FFF)) != upper ||
			mg_bf16_of_float(float_of_bits(upper << 16 | 0x8001)) != upper + 1;
	}
	is_int(wrong_back, 0, "bfloat16: all are widened exactly, and narrowed back");
	is_int(wrong_middle, 0, "bfloat16: the middle of two goes to the even one, beyond the largest to infinity");
	is_int(wrong_aside, 0, "bfloat16: a little aside of it to the nearer one");
	is_int(wrong_nan, 0, "bfloat16: NaN stays NaN, also when only its lower half says so");
	ok(isnan(mg_bf16_to_float(mg_bf16_of_float(float_of_bits(0x7F800001)))), "bfloat16: NaN does not become infinite");
}

int
main(void)
{
	size_t wrong_wide = 0, wrong_back = 0, wrong_middle = 0, wrong_aside = 0;

	for (uint32_t half = 0; half < 0x10000; half++)
	{
		float value = mg_half_to_float((uint16_t) half), next, middle;

		if ((half & 0x7C00) == 0x7C00)
			continue;
		wrong_wide += !same(value, plain((uint16_t) half));
		wrong_back += mg_half_of_float(value) != half;
		if ((half & 0x7FFF) == 0x7BFF)
			continue;
		next = mg_half_to_float((uint16_t) (half + 1));
		middle = (value + next) / 2; /* exact: float32 has more digits */
		wrong_middle += mg_half_of_float(middle) != (half & 1 ? half + 1 : half);
		wrong_aside += mg_half_of_float(nextafterf(middle, value)) != half ||
			mg_half_of_float(nextafterf(middle, next)) != half + 1;
	}
	is_int(wrong_wide, 0, "all finite ones are widened exactly");
	is_int(wrong_back, 0, "and narrowed back");
	is_int(wrong_middle, 0, "the middle of two goes to the even one");
	is_int(wrong_aside, 0, "a little aside of it to the nearer one");
	ok(isinf(mg_half_to_float(0x7C00)) && mg_half_to_float(0xFC00) < 0 && isinf(mg_half_to_float(0xFC00)), "infinity");
	ok(isnan(mg_half_to_float(0x7E00)) && isnan(mg_half_to_float(0x7C01)) && isnan(mg_half_to_float(0xFFFF)), "NaN");
	is_int(mg_half_of_float(65504), 0x7BFF, "the largest");
	is_int(mg_half_of_float(nextafterf(65520, 0)), 0x7BFF, "below the middle to what would be the next");
	is_int(mg_half_of_float(65520), 0x7C00, "from the middle on infinite");
	is_int(mg_half_of_float(-1e30f), 0xFC00, "far beyond");
	is_int(mg_half_of_float(INFINITY), 0x7C00, "infinity stays infinite");
	ok(mg_half_is_nan(mg_half_of_float(NAN)), "NaN stays NaN");
	is_int(mg_half_of_float(0x1p-25f), 0, "half of the smallest goes to zero, which is even");
	is_int(mg_half_of_float(nextafterf(0x1p-25f, 1)), 1, "a little more does not");
	is_int(mg_half_of_float(-0x1p-40f), 0x8000, "zero keeps its sign");
	ok(mg_half_is_zero(0x8000) && mg_half_is_zero(0) && !mg_half_is_zero(1), "zero");
	ok(mg_half_is_inf(0x7C00) && mg_half_is_inf(0xFC00) && !mg_half_is_inf(0x7BFF) && !mg_half_is_inf(0x7C01), "inf");
	ok(mg_half_is_nan(0x7C01) && mg_half_is_nan(0xFFFF) && !mg_half_is_nan(0x7C00) && !mg_half_is_nan(0xFC00), "nan");
	test_bf16();
	return done();
}
