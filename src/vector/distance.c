/*
 * Sums over pairs of elements; distance_body.h holds them once for all
 * instruction sets, as vectors of GCC and Clang (`vector_size`).
 *
 * Precision. A block of BLOCK elements is summed in float32, in 64 chains of 8
 * terms; chains are joined four to one, then go on in double. A term of
 * squared_l2, the worst, is rounded 3 times (the difference counts twice) and
 * 10 more on its way: 13 x 2^-24 = 7.8e-7 of the sum of the terms' absolute
 * values, at any dimension. What overflows float32 is infinite.
 *
 * Every level adds the same terms in the same order and multiplies and adds
 * apart (-ffp-contract=off), so all CPUs give the same bits: an index that was
 * built on one machine holds on its replica. Loads bound a single
 * sum; only the three of a cosine would be faster with fused operations.
 */
#include "vector/distance.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define LANES 16		   /* sums that are kept in double */
#define STEP (4 * LANES)   /* chains of additions: enough to hide the latency of one */
#define BLOCK (8 * STEP)   /* see Precision above */
#define INLINE static inline __attribute__((always_inline))

/* Two doubles, which the registers of every target hold. */
typedef double Pair __attribute__((vector_size(16)));

typedef enum Term
{
	TERM_PRODUCT,
	TERM_SQUARE,
	TERM_ABSOLUTE
} Term;

INLINE double
add_lanes(const double *lanes)
{
	Pair sums[LANES / 2];

	memcpy(sums, lanes, sizeof sums);
	for (int n = LANES / 4; n > 0; n /= 2)
		for (int i = 0; i < n; i++)
			sums[i] += sums[i + n];
	return sums[0][0] + sums[0][1];
}

#define NAME(word) word##_scalar
#define TARGET
#define WIDTH 4
#include "vector/distance_body.h"

#ifdef __x86_64__
#define NAME(word) word##_avx2
#define TARGET __attribute__((target("avx2")))
#define WIDTH 8
#include "vector/distance_body.h"

#define NAME(word) word##_avx512
#define TARGET __attribute__((target("avx512f")))
#define WIDTH 16
#include "vector/distance_body.h"
#endif

MgDistanceLevel
mg_distance_level(void)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx512f"))
		return MG_DISTANCE_AVX512;
	if (__builtin_cpu_supports("avx2"))
		return MG_DISTANCE_AVX2;
#endif
	return MG_DISTANCE_SCALAR;
}

const MgDistances *
mg_distances(MgDistanceLevel level)
{
#ifdef __x86_64__
	if (level == MG_DISTANCE_AVX512)
		return &distances_avx512;
	if (level == MG_DISTANCE_AVX2)
		return &distances_avx2;
#endif
	(void) level;
	return &distances_scalar;
}

double
mg_norm(const float *a, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double) a[i] * a[i];
	return sqrt(sum);
}

double
mg_cosine_distance(const MgDistances *distances, const float *a, const float *b, size_t n)
{
	double parts[3], similarity;

	distances->cosine_parts(a, b, n, parts);
	similarity = parts[0] / sqrt(parts[1] * parts[2]);
	/* Rounding must not take equal vectors below 0. */
	if (similarity > 1)
		similarity = 1;
	else if (similarity < -1)
		similarity = -1;
	return 1 - similarity;
}
