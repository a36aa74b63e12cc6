/*
 * Elementary functions on vectors, part of kernels_body.h.
 *
 * exp      Cody and Waite's reduction x = n ln 2 + r, |r| <= ln 2 / 2, and the polynomial of degree 6
 *          from Moshier's Cephes library (expf.c); within 2 units in the last place.
 * tanh     the polynomial of Cephes (tanhf.c) below 0.625, 1 - 2 / (e^2x + 1) above.
 * erf      x P(x^2) / 2 ~ erf(x / sqrt 2) / 2 for |x| <= 5.4, fitted by scripts/fit_gelu.py so that the
 *          largest error of gelu(x) = x (1/2 + x P(x^2)) is least: 6e-7 near |x| = 5.4, where one unit in
 *          the last place of the result is 4.8e-7. Beyond, gelu is x or 0 to the same accuracy. Levels with
 *          large tables have body_gelu.h instead.
 *
 * NaN stays NaN in all of them.
 */

#define LN_2_LOW -2.12194440e-4f
#define LN_2_HIGH 0.693359375f

/* e^x, saturating at e^88; results below e^-87 are zero, so that no subnormal slows its user down. */
static inline vf
v_exp(vf x)
{
	const vf round = v_set1(12582912.0f); /* 1.5 * 2^23: adding it leaves the nearest integer in the low bits */
	const vf least = v_set1(-87.0f);
	vf limited = v_min(v_set1(88.0f), v_max(least, x));
	vf shifted = v_fma(limited, v_set1(1.44269504088896341f), round);
	vf n = shifted - round;
	vf r = v_fma(n, v_set1(-LN_2_LOW), v_fma(n, v_set1(-LN_2_HIGH), limited));
	vf p = v_set1(1.9875691500e-4f);

	p = v_fma(p, r, v_set1(1.3981999507e-3f));
	p = v_fma(p, r, v_set1(8.3334519073e-3f));
	p = v_fma(p, r, v_set1(4.1665795894e-2f));
	p = v_fma(p, r, v_set1(1.6666665459e-1f));
	p = v_fma(p, r, v_set1(5.0000001201e-1f));
	p = v_fma(p, r * r, r) + v_set1(1.0f);
	return v_select_less(x, least, v_set1(0.0f), p * v_power_of_two(shifted));
}

static inline vf
v_tanh(vf x)
{
	const vf zero = v_set1(0.0f);
	vf size = v_max(zero - x, x);
	vf square = x * x;
	vf p = v_set1(-5.70498872745e-3f);
	vf large;

	p = v_fma(p, square, v_set1(2.06390887954e-2f));
	p = v_fma(p, square, v_set1(-5.37397155531e-2f));
	p = v_fma(p, square, v_set1(1.33314422036e-1f));
	p = v_fma(p, square, v_set1(-3.33332819422e-1f));
	p = v_fma(p * square, x, x);
	large = v_set1(1.0f) - v_set1(2.0f) / (v_exp(size + size) + v_set1(1.0f));
	large = v_select_less(x, zero, zero - large, large);
	return v_select_less(size, v_set1(0.625f), p, large);
}

#if defined(HAS_LOOKUP)
#include "tensor/body_gelu.h"
#else
static inline vf
v_gelu(vf x)
{
	/* P as a polynomial in t = 2 (x / 5.4)^2 - 1, which keeps the coefficients small. */
	static const float fit[] = {
		3.156388993e-04f, -9.620164055e-04f, 1.099286368e-03f, -1.373292995e-03f, 3.408046206e-03f,
		-6.515198387e-03f, 9.786756709e-03f, -1.406482793e-02f, 1.960878633e-02f, -2.572182938e-02f,
		3.212102875e-02f, -3.920932487e-02f, 4.849940166e-02f, -6.532798707e-02f, 1.309281141e-01f};
	const vf edge = v_set1(5.4f);
	const vf zero = v_set1(0.0f);
	vf t = v_fma(x * x, v_set1(2.0f / (5.4f * 5.4f)), v_set1(-1.0f));
	vf p = v_set1(fit[0]);
	vf y;

	UNROLL for (size_t i = 1; i < sizeof fit / sizeof fit[0]; i++)
		p = v_fma(p, t, v_set1(fit[i]));
	y = x * v_fma(x, p, v_set1(0.5f));
	y = v_select_less(x, zero - edge, zero, y);
	return v_select_less(edge, x, x, y);
}

/* x/2 (1 + tanh u) = x / (1 + e^-2u) */
static inline vf
v_gelu_tanh(vf x)
{
	const float root = 0.7978845608028654f; /* sqrt(2 / pi) */
	vf inner = v_fma(x * x * x, v_set1(0.044715f), x);
	vf y = x / (v_set1(1.0f) + v_exp(inner * v_set1(-2.0f * root)));

	/* Below -20 the saturated exponential would no longer bring a large x to zero. */
	return v_select_less(x, v_set1(-20.0f), v_set1(0.0f), y);
}
#endif

static inline vf
v_relu(vf x)
{
	return v_max(v_set1(0.0f), x);
}

static inline vf
v_silu(vf x)
{
	vf y = x / (v_set1(1.0f) + v_exp(v_set1(0.0f) - x));

	/* The saturated exponential would not bring a large x to zero. */
	return v_select_less(x, v_set1(-87.0f), v_set1(0.0f), y);
}

/* Applies one function to rows of out; the last vector of a row may be partial. */
#define APPLY(function) \
	for (size_t i = 0; i < n; i++, row += stride) \
	{ \
		size_t j = 0; \
		for (; j + VW <= columns; j += VW) \
			v_store(row + j, function(v_load(row + j))); \
		if (j < columns) \
			v_store_n(row + j, function(v_load_n(row + j, columns - j)), columns - j); \
	}

static void
activate(float *row, size_t stride, size_t n, size_t columns, MgActivation activation)
{
	switch (activation)
	{
		case MG_ACT_NONE:
			break;
		case MG_ACT_GELU:
			APPLY(v_gelu);
			break;
		case MG_ACT_GELU_TANH:
			APPLY(v_gelu_tanh);
			break;
		case MG_ACT_RELU:
			APPLY(v_relu);
			break;
		case MG_ACT_TANH:
			APPLY(v_tanh);
			break;
		case MG_ACT_SILU:
			APPLY(v_silu);
			break;
		case MG_N_ACTIVATIONS:
			break;
	}
}
