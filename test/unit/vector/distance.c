/* Distances of every level against plain loops in double precision. */
#include "vector/distance.h"

#include <stdint.h>
#include <stdlib.h>

#include "unit/tap.h"

static uint64_t random_state = 88172645463325252u;

/* Marsaglia's xorshift, in [-1, 1). */
static float
number(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (float) (int32_t) (random_state >> 32) * 0x1p-31f;
}

/* n numbers that begin at a multiple of 4 bytes and no more, and end where the memory does, for the sanitizer. */
static float *
numbers(size_t n, size_t shift, float **memory)
{
	*memory = malloc((n + shift) * sizeof **memory + 1);
	if (*memory == NULL)
		exit(1);
	for (size_t i = 0; i < n + shift; i++)
		(*memory)[i] = number();
	return *memory + shift;
}

typedef struct Sums
{
	double product, square, absolute;
	double of_products; /* sum of |a b|, which the rounding of a product goes by */
	double aa, bb;
} Sums;

static Sums
plain(const float *a, const float *b, size_t n)
{
	Sums sums = {0};

	for (size_t i = 0; i < n; i++)
	{
		double x = a[i], y = b[i];

		sums.product += x * y;
		sums.of_products += fabs(x * y);
		sums.square += (x - y) * (x - y);
		sums.absolute += fabs(x - y);
		sums.aa += x * x;
		sums.bb += y * y;
	}
	return sums;
}

/* What distance.h promises; distance.c says why it holds. */
static const double tolerance = 1e-6;

static bool
near(double got, double want, double scale)
{
	return fabs(got - want) <= tolerance * scale;
}

static void
check(const MgDistances *distances, const char *level, size_t n, size_t shift)
{
	float *memory_a, *memory_b;
	const float *a = numbers(n, shift, &memory_a), *b = numbers(n, 2 * shift, &memory_b);
	Sums want = plain(a, b, n);
	double parts[3];

	distances->cosine_parts(a, b, n, parts);
	ok(near(distances->inner_product(a, b, n), want.product, want.of_products) &&
	   near(distances->squared_l2(a, b, n), want.square, want.square) &&
	   near(distances->l1(a, b, n), want.absolute, want.absolute) &&
	   near(parts[0], want.product, want.of_products) && near(parts[1], want.aa, want.aa) &&
	   near(parts[2], want.bb, want.bb) && near(mg_norm(a, n), sqrt(want.aa), sqrt(want.aa)) &&
	   near(mg_cosine_distance(distances, a, b, n), 1 - want.product / sqrt(want.aa * want.bb), 4),
	   "%s: %zu numbers, %zu off", level, n, shift);
	free(memory_a);
	free(memory_b);
}

/* Equal terms are all rounded to the same side, so their errors add up as far as they can. */
static void
check_biased(const MgDistances *distances, const char *level)
{
	enum { N = 16000 };
	static float a[N], b[N];
	size_t wrong = 0;

	for (int k = 1; k < 400; k++)
	{
		Sums want;
		double parts[3];

		for (size_t i = 0; i < N; i++)
		{
			a[i] = 0.0025f * (float) k + 0.0007f * (float) (k % 7);
			b[i] = -1.37f * a[i];
		}
		want = plain(a, b, N);
		distances->cosine_parts(a, b, N, parts);
		wrong += !near(distances->inner_product(a, b, N), want.product, want.of_products) ||
			!near(distances->squared_l2(a, b, N), want.square, want.square) ||
			!near(distances->l1(a, b, N), want.absolute, want.absolute) || !near(parts[2], want.bb, want.bb);
	}
	is_int(wrong, 0, "%s: errors to one side stay small", level);
}

/* An index that one CPU built must serve another one. */
static void
check_same_bits(const MgDistances *distances, const char *level)
{
	const MgDistances *scalar = mg_distances(MG_DISTANCE_SCALAR);
	size_t differ = 0;

	for (size_t n = 0; n <= 1100; n++)
	{
		float *memory_a, *memory_b;
		const float *a = numbers(n, 0, &memory_a), *b = numbers(n, 0, &memory_b);
		double got[3], want[3];

		distances->cosine_parts(a, b, n, got);
		scalar->cosine_parts(a, b, n, want);
		differ += memcmp(got, want, sizeof got) != 0 ||
			distances->inner_product(a, b, n) != scalar->inner_product(a, b, n) ||
			distances->squared_l2(a, b, n) != scalar->squared_l2(a, b, n) ||
			distances->l1(a, b, n) != scalar->l1(a, b, n);
		free(memory_a);
		free(memory_b);
	}
	is_int(differ, 0, "%s: the bits of scalar, at each size up to 1100", level);
}

/* One number differs, each in turn: none may be left out or counted twice. */
static void
check_each(const MgDistances *distances, const char *level, size_t n)
{
	float *memory_a, *memory_b;
	float *a = numbers(n, 0, &memory_a), *b = numbers(n, 0, &memory_b);
	size_t wrong = 0;

	memset(a, 0, n * sizeof *a);
	memset(b, 0, n * sizeof *b);
	for (size_t i = 0; i < n; i++)
	{
		double parts[3];

		a[i] = 3;
		b[i] = -5;
		distances->cosine_parts(a, b, n, parts);
		wrong += distances->inner_product(a, b, n) != -15 || distances->squared_l2(a, b, n) != 64 ||
			distances->l1(a, b, n) != 8 || parts[0] != -15 || parts[1] != 9 || parts[2] != 25 || mg_norm(a, n) != 3;
		a[i] = b[i] = 0;
	}
	is_int(wrong, 0, "%s: each of %zu numbers counts once", level, n);
	free(memory_a);
	free(memory_b);
}

static void
check_cosine(const MgDistances *distances, const char *level)
{
	const float zero[3] = {0, 0, 0}, large[2] = {3e38f, 3e38f};
	size_t outside = 0, n_equal = 0;

	for (size_t n = 1; n <= 400; n++)
	{
		float *memory_a, *memory_b;
		float *a = numbers(n, 0, &memory_a), *b = numbers(n, 0, &memory_b);
		double same = mg_cosine_distance(distances, a, a, n), opposite;

		for (size_t i = 0; i < n; i++)
			b[i] = -3 * a[i];
		opposite = mg_cosine_distance(distances, a, b, n);
		outside += same < 0 || same > 1e-6 || opposite > 2 || opposite < 2 - 1e-6;
		n_equal++;
		free(memory_a);
		free(memory_b);
	}
	is_int(outside, 0, "%s: equal is 0 and opposite is 2, never beyond, in %zu sizes", level, n_equal);
	ok(isnan(mg_cosine_distance(distances, zero, zero, 3)), "%s: no cosine without a direction", level);
	ok(isinf(distances->squared_l2(large, zero, 2)), "%s: a square that is too large is infinite", level);
}

int
main(void)
{
	static const char *const names[MG_N_DISTANCE_LEVELS] = {"scalar", "avx2", "avx512"};
	static const size_t sizes[] = {1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 47, 63, 64, 65, 96, 127, 128, 129, 255, 384, 385,
								   511, 512, 513, 768, 1000, 1536, 4095, 16000};
	const float tiny[2] = {3e-30f, -4e-30f}, huge[2] = {3e37f, 4e37f};

	for (int level = 0; level <= (int) mg_distance_level(); level++)
	{
		const MgDistances *distances = mg_distances((MgDistanceLevel) level);

		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
			for (size_t shift = 0; shift < 4; shift++)
				check(distances, names[level], sizes[i], shift);
		check_each(distances, names[level], 600);
		check_biased(distances, names[level]);
		check_cosine(distances, names[level]);
		if (level > 0)
			check_same_bits(distances, names[level]);
		if (level > 0)
			ok(distances != mg_distances(MG_DISTANCE_SCALAR), "%s is not scalar", names[level]);
	}
	is_near(mg_norm(tiny, 2), 5e-30, 1e-36, "the norm of tiny numbers is not zero");
	is_near(mg_norm(huge, 2) / 5e37, 1, 1e-6, "the norm of huge numbers is finite");
	return done();
}
