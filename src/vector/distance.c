/*
 * One body for all levels: vectors of GCC and Clang (`vector_size`) become the
 * registers of the target that a function is compiled for. Four sums run side
 * by side, to hide the latency of additions.
 */
#include "vector/distance.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

typedef float Wide __attribute__((vector_size(64)));
typedef int32_t WideBits __attribute__((vector_size(64)));

#define LANES 16
#define INLINE static inline __attribute__((always_inline))

typedef enum Term
{
	TERM_PRODUCT,
	TERM_SQUARE,
	TERM_ABSOLUTE
} Term;

/* sum += term(a, b), lane by lane. Pointers, since wide values cannot cross calls between targets. */
INLINE void
add_term(Term term, Wide *sum, const float *a, const float *b)
{
	Wide x, y, d;

	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	d = x - y;
	if (term == TERM_PRODUCT)
		*sum += x * y;
	else if (term == TERM_SQUARE)
		*sum += d * d;
	else
		*sum += (Wide) ((WideBits) d & 0x7FFFFFFF); /* without the sign */
}

INLINE double
add_lanes(const Wide *sum)
{
	double total = 0;

	for (int i = 0; i < LANES; i++)
		total += (double) (*sum)[i];
	return total;
}

INLINE double
sum_terms(Term term, const float *a, const float *b, size_t n)
{
	Wide sums[4] = {{0}, {0}, {0}, {0}};
	float tail_a[LANES] = {0}, tail_b[LANES] = {0};
	size_t i = 0;

	for (; i + 4 * LANES <= n; i += 4 * LANES)
		for (size_t s = 0; s < 4; s++)
			add_term(term, &sums[s], a + i + s * LANES, b + i + s * LANES);
	for (; i + LANES <= n; i += LANES)
		add_term(term, &sums[0], a + i, b + i);
	memcpy(tail_a, a + i, (n - i) * sizeof *a);
	memcpy(tail_b, b + i, (n - i) * sizeof *b);
	add_term(term, &sums[1], tail_a, tail_b);
	return add_lanes(&sums[0]) + add_lanes(&sums[1]) + add_lanes(&sums[2]) + add_lanes(&sums[3]);
}

INLINE void
sum_cosine(const float *a, const float *b, size_t n, double parts[3])
{
	Wide ab[2] = {{0}, {0}}, aa[2] = {{0}, {0}}, bb[2] = {{0}, {0}};
	float tail_a[LANES] = {0}, tail_b[LANES] = {0};
	size_t i = 0;

	for (; i + 2 * LANES <= n; i += 2 * LANES)
		for (size_t s = 0; s < 2; s++)
		{
			const float *x = a + i + s * LANES, *y = b + i + s * LANES;

			add_term(TERM_PRODUCT, &ab[s], x, y);
			add_term(TERM_PRODUCT, &aa[s], x, x);
			add_term(TERM_PRODUCT, &bb[s], y, y);
		}
	for (size_t s = 0; s < 2; s++)
	{
		size_t left = n - i < LANES ? n - i : LANES;

		memset(tail_a, 0, sizeof tail_a);
		memset(tail_b, 0, sizeof tail_b);
		memcpy(tail_a, a + i, left * sizeof *a);
		memcpy(tail_b, b + i, left * sizeof *b);
		add_term(TERM_PRODUCT, &ab[s], tail_a, tail_b);
		add_term(TERM_PRODUCT, &aa[s], tail_a, tail_a);
		add_term(TERM_PRODUCT, &bb[s], tail_b, tail_b);
		i += left;
	}
	parts[0] = add_lanes(&ab[0]) + add_lanes(&ab[1]);
	parts[1] = add_lanes(&aa[0]) + add_lanes(&aa[1]);
	parts[2] = add_lanes(&bb[0]) + add_lanes(&bb[1]);
}

#define LEVEL(name, attributes) \
	attributes static double name##_product(const float *a, const float *b, size_t n) \
	{ \
		return sum_terms(TERM_PRODUCT, a, b, n); \
	} \
	attributes static double name##_square(const float *a, const float *b, size_t n) \
	{ \
		return sum_terms(TERM_SQUARE, a, b, n); \
	} \
	attributes static double name##_absolute(const float *a, const float *b, size_t n) \
	{ \
		return sum_terms(TERM_ABSOLUTE, a, b, n); \
	} \
	attributes static void name##_cosine(const float *a, const float *b, size_t n, double parts[3]) \
	{ \
		sum_cosine(a, b, n, parts); \
	} \
	static const MgDistances name##_distances = {name##_product, name##_square, name##_absolute, name##_cosine};

LEVEL(scalar, )
#ifdef __x86_64__
LEVEL(avx2, __attribute__((target("avx2,fma"))))
LEVEL(avx512, __attribute__((target("avx512f"))))
#endif

MgDistanceLevel
mg_distance_level(void)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx512f"))
		return MG_DISTANCE_AVX512;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return MG_DISTANCE_AVX2;
#endif
	return MG_DISTANCE_SCALAR;
}

const MgDistances *
mg_distances(MgDistanceLevel level)
{
#ifdef __x86_64__
	if (level == MG_DISTANCE_AVX512)
		return &avx512_distances;
	if (level == MG_DISTANCE_AVX2)
		return &avx2_distances;
#endif
	(void) level;
	return &scalar_distances;
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
