/* Distances of every kind of element at every level against plain loops in double precision. */
#include "vector/distance.h"

#include <stdint.h>
#include <stdlib.h>

#include "unit/tap.h"
#include "core/half.h"

static uint64_t random_state = 88172645463325252u;

/* Marsaglia's xorshift. */
static uint64_t
random_bits(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* In [-1, 1). */
static float
number(void)
{
	return (float) (int32_t) (random_bits() >> 32) * 0x1p-31f;
}

static const char *const element_names[] = {"float32", "float16", "int8", "bit"};
static const char *const metric_names[] = {"l2", "inner product", "cosine", "l1", "hamming", "jaccard"};

/*
 * A row of n elements that begins shift bytes behind a multiple of 16 and ends where the memory does, for the
 * sanitizer; and its numbers.
 */
typedef struct Row
{
	char *memory;
	void *row;
	double *values;
} Row;

static void
row_set(Row *row, MgElement element, size_t i, double value)
{
	float wide = (float) value;
	uint16_t half = mg_half_of_float(wide);
	int8_t code = (int8_t) value;
	uint8_t *bytes = row->row;

	row->values[i] = element == MG_ELEMENT_F16 ? mg_half_to_float(half) : element == MG_ELEMENT_INT8 ? code : wide;
	if (element == MG_ELEMENT_F32)
		memcpy(bytes + 4 * i, &wide, sizeof wide);
	else if (element == MG_ELEMENT_F16)
		memcpy(bytes + 2 * i, &half, sizeof half);
	else if (element == MG_ELEMENT_INT8)
		bytes[i] = (uint8_t) code;
	else
		bytes[i / 8] = (uint8_t) ((bytes[i / 8] & ~(0x80 >> i % 8)) | (value != 0 ? 0x80 >> i % 8 : 0));
}

static Row
row_new(MgElement element, size_t n, size_t shift)
{
	size_t size = mg_row_size(element, n);
	Row row = {malloc(size + shift + 1), NULL, malloc((n + 1) * sizeof(double))};

	if (row.memory == NULL || row.values == NULL)
		exit(1);
	/* Without the one more byte that an empty row must have */
	row.memory = realloc(row.memory, size + shift > 0 ? size + shift : 1);
	row.row = row.memory + shift;
	memset(row.row, 0, size);
	for (size_t i = 0; i < n; i++)
		row_set(&row, element, i,
				element == MG_ELEMENT_INT8 ? (double) (int8_t) random_bits()
										   : element == MG_ELEMENT_BIT ? (double) (random_bits() >> 40 & 1) : number());
	return row;
}

static void
row_free(Row *row)
{
	free(row->memory);
	free(row->values);
}

/* The distance of the numbers, and what its rounding goes by: the sum of the absolute values of its terms. */
static double
plain(MgMetric metric, const double *a, const double *b, size_t n, double *scale)
{
	double ab = 0, aa = 0, bb = 0, of_products = 0, square = 0, absolute = 0, differ = 0, common = 0, any = 0;

	for (size_t i = 0; i < n; i++)
	{
		ab += a[i] * b[i];
		of_products += fabs(a[i] * b[i]);
		aa += a[i] * a[i];
		bb += b[i] * b[i];
		square += (a[i] - b[i]) * (a[i] - b[i]);
		absolute += fabs(a[i] - b[i]);
		differ += a[i] != b[i];
		common += a[i] != 0 && b[i] != 0;
		any += a[i] != 0 || b[i] != 0;
	}
	*scale = metric == MG_METRIC_L2 ? square : metric == MG_METRIC_L1 ? absolute
		: metric == MG_METRIC_INNER_PRODUCT						  ? of_products
		: metric == MG_METRIC_COSINE								  ? 4
																	  : 0;
	switch (metric)
	{
		case MG_METRIC_L2:
			return square;
		case MG_METRIC_INNER_PRODUCT:
			return -ab;
		case MG_METRIC_COSINE:
			return 1 - ab / sqrt(aa * bb);
		case MG_METRIC_L1:
			return absolute;
		case MG_METRIC_HAMMING:
			return differ;
		default:
			return common == 0 ? 1 : 1 - common / any;
	}
}

/* What distance.h promises; kernels_body.h says why it holds. Integers are exact, but for a cosine's division. */
static bool
near(MgElement element, MgMetric metric, double got, double want, double scale)
{
	double tolerance = element == MG_ELEMENT_F32 || element == MG_ELEMENT_F16 ? 1e-6 : metric == MG_METRIC_COSINE ? 1e-15 : 0;

	return fabs(got - want) <= tolerance * scale;
}

static void
check_sizes(const MgDistance *distance, const char *level)
{
	static const size_t large[] = {511, 512, 513, 768, 1000, 1536, 4095, 16000};
	size_t wrong = 0, first = 0, n_sizes = 0;

	for (size_t n = 1; n <= 300 + sizeof large / sizeof *large; n++)
		for (size_t shift = 0; shift < 4; shift++)
		{
			size_t size = n <= 300 ? n : large[n - 301];
			Row a = row_new(distance->element, size, shift), b = row_new(distance->element, size, 3 * shift);
			double scale, want = plain(distance->metric, a.values, b.values, size, &scale);
			bool good = near(distance->element, distance->metric, distance->pair(a.row, b.row, size), want, scale) ||
				(isnan(want) && isnan(distance->pair(a.row, b.row, size)));

			if (!good && wrong++ == 0)
				first = size;
			n_sizes++;
			row_free(&a);
			row_free(&b);
		}
	if (!ok(wrong == 0, "%s, %s, %s: as the plain loop in %zu sizes", level, element_names[distance->element],
			metric_names[distance->metric], n_sizes))
		printf("# %zu wrong, the first of %zu numbers\n", wrong, first);
}

/* One number differs, each in turn: none may be left out or counted twice. */
static void
check_each(const MgDistance *distance, const char *level, size_t n)
{
	Row a = row_new(distance->element, n, 0), b = row_new(distance->element, n, 0);
	bool bits = distance->element == MG_ELEMENT_BIT;
	size_t wrong = 0;

	for (size_t i = 0; i < n; i++)
	{
		row_set(&a, distance->element, i, 0);
		row_set(&b, distance->element, i, 0);
	}
	for (size_t i = 0; i < n; i++)
	{
		double scale;

		row_set(&a, distance->element, i, bits ? 1 : 3);
		row_set(&b, distance->element, i, bits ? 0 : -5);
		wrong += distance->pair(a.row, b.row, n) != plain(distance->metric, a.values, b.values, n, &scale) ||
			distance->pair(b.row, a.row, n) != distance->pair(a.row, b.row, n);
		row_set(&a, distance->element, i, 0);
		row_set(&b, distance->element, i, 0);
	}
	is_int(wrong, 0, "%s, %s, %s: each of %zu counts once", level, element_names[distance->element],
		   metric_names[distance->metric], n);
	row_free(&a);
	row_free(&b);
}

/* Equal terms are all rounded to the same side, so their errors add up as far as they can. */
static void
check_biased(const MgDistance *distance, const char *level)
{
	enum { N = 16000 };
	Row a = row_new(distance->element, N, 0), b = row_new(distance->element, N, 0);
	size_t wrong = 0;

	for (int k = 1; k < 60; k++)
	{
		double scale, want;

		for (size_t i = 0; i < N; i++)
		{
			row_set(&a, distance->element, i, 0.0025 * k + 0.0007 * (k % 7));
			row_set(&b, distance->element, i, -1.37 * a.values[i]);
		}
		want = plain(distance->metric, a.values, b.values, N, &scale);
		wrong += !near(distance->element, distance->metric, distance->pair(a.row, b.row, N), want, scale);
	}
	is_int(wrong, 0, "%s, %s, %s: errors to one side stay small", level, element_names[distance->element],
		   metric_names[distance->metric]);
	row_free(&a);
	row_free(&b);
}

static MgPairDistance
pair_of(const MgDistance *distance, MgCpuLevel level)
{
	MgDistance other;

	return mg_distance_find(distance->element, distance->metric, level, &other) ? other.pair : NULL;
}

/* An index that one CPU built must serve another one. */
static void
check_same_bits(const MgDistance *distance, const char *level)
{
	MgDistance scalar;
	size_t differ = 0;

	if (!mg_distance_find(distance->element, distance->metric, MG_CPU_SCALAR, &scalar))
		exit(1);
	for (size_t n = 1; n <= 1100; n++)
	{
		Row a = row_new(distance->element, n, 0), b = row_new(distance->element, n, 0);
		double got = distance->pair(a.row, b.row, n), want = scalar.pair(a.row, b.row, n);

		differ += memcmp(&got, &want, sizeof got) != 0;
		row_free(&a);
		row_free(&b);
	}
	is_int(differ, 0, "%s, %s, %s: the bits of scalar, at each size up to 1100", level,
		   element_names[distance->element], metric_names[distance->metric]);
	ok(distance->pair != scalar.pair, "%s is not scalar", level);
}

static void
check_cosine(const MgDistance *distance, const char *level)
{
	size_t outside = 0;
	Row zero = row_new(distance->element, 3, 0);

	for (size_t i = 0; i < 3; i++)
		row_set(&zero, distance->element, i, 0);
	for (size_t n = 1; n <= 400; n++)
	{
		Row a = row_new(distance->element, n, 0), b = row_new(distance->element, n, 0);
		double same, opposite;

		row_set(&a, distance->element, 0, 4);
		for (size_t i = 0; i < n; i++)
		{
			row_set(&a, distance->element, i, distance->element == MG_ELEMENT_INT8 ? a.values[i] / 4 : a.values[i]);
			row_set(&b, distance->element, i, -2 * a.values[i]);
		}
		same = distance->pair(a.row, a.row, n);
		opposite = distance->pair(a.row, b.row, n);
		outside += !(same >= 0 && same <= 1e-6 && opposite <= 2 && opposite >= 2 - 1e-6);
		row_free(&a);
		row_free(&b);
	}
	is_int(outside, 0, "%s, %s: equal is 0 and opposite is 2, never beyond", level, element_names[distance->element]);
	ok(isnan(distance->pair(zero.row, zero.row, 3)), "%s, %s: no cosine without a direction", level,
	   element_names[distance->element]);
	row_free(&zero);
}

/* Codes at the ends of their range, in rows as long as there are: nothing may wrap around. */
static void
check_extremes(const MgDistance *distance, const char *level)
{
	enum { N = 1 << 17 };
	static const double ends[3][2] = {{-128, 127}, {-128, -128}, {127, 127}};
	Row a = row_new(distance->element, N, 0), b = row_new(distance->element, N, 0);

	for (int k = 0; k < 3; k++)
	{
		double scale, want;

		for (size_t i = 0; i < N; i++)
		{
			row_set(&a, distance->element, i, ends[k][0]);
			row_set(&b, distance->element, i, ends[k][1]);
		}
		want = plain(distance->metric, a.values, b.values, N, &scale);
		ok(near(distance->element, distance->metric, distance->pair(a.row, b.row, N), want, scale),
		   "%s, int8, %s: %d numbers %g and %g", level, metric_names[distance->metric], N, ends[k][0], ends[k][1]);
	}
	row_free(&a);
	row_free(&b);
}

static void
check_many(const MgDistance *distance, const char *level)
{
	enum { N_ROWS = 37, N = 100 };
	Row query = row_new(distance->element, N, 0), rows[N_ROWS];
	const void *pointers[N_ROWS];
	double distances[N_ROWS + 1];
	size_t wrong = 0;

	for (size_t i = 0; i < N_ROWS; i++)
	{
		rows[i] = row_new(distance->element, N, 0);
		pointers[i] = rows[i].row;
	}
	distances[N_ROWS] = -7;
	mg_distance_many(distance, query.row, pointers, N_ROWS, N, distances);
	for (size_t i = 0; i < N_ROWS; i++)
	{
		wrong += distances[i] != distance->pair(query.row, rows[i].row, N);
		row_free(&rows[i]);
	}
	ok(wrong == 0 && distances[N_ROWS] == -7, "%s, %s, %s: many rows as each alone", level,
	   element_names[distance->element], metric_names[distance->metric]);
	row_free(&query);
}

static void
check(const MgDistance *distance, MgCpuLevel level)
{
	const char *name = mg_cpu_level_name(level);
	bool floats = distance->element == MG_ELEMENT_F32 || distance->element == MG_ELEMENT_F16;

	check_sizes(distance, name);
	check_each(distance, name, 600);
	check_many(distance, name);
	if (floats)
		check_biased(distance, name);
	if (distance->metric == MG_METRIC_COSINE)
		check_cosine(distance, name);
	if (distance->element == MG_ELEMENT_INT8)
		check_extremes(distance, name);
	if (level > MG_CPU_SCALAR)
		check_same_bits(distance, name);
	ok(distance->level == level && (distance->pair == pair_of(distance, MG_CPU_SCALAR)) == (level == MG_CPU_SCALAR),
	   "%s is what was asked for", name);
}

int
main(void)
{
	const float tiny[2] = {3e-30f, -4e-30f}, huge[2] = {3e37f, 4e37f}, zero[2] = {0, 0};
	const uint16_t halves[3] = {0x4200, 0xC400, 0x0001}; /* 3, -4, 2^-24 */
	MgDistance distance;
	int n_kernels = 0;

	for (int level = 0; level <= (int) mg_cpu_level(); level++)
		for (int element = 0; element < MG_ELEMENT_SPARSE; element++)
			for (int metric = 0; metric < MG_N_METRICS; metric++)
				if (mg_distance_find((MgElement) element, (MgMetric) metric, (MgCpuLevel) level, &distance))
				{
					check(&distance, (MgCpuLevel) level);
					n_kernels++;
				}
	is_int(n_kernels, 14 * ((int) mg_cpu_level() + 1), "fourteen distances a level");
	ok(!mg_distance_find(MG_N_ELEMENTS, MG_METRIC_L2, MG_CPU_SCALAR, &distance) &&
	   !mg_distance_find(MG_ELEMENT_F32, MG_N_METRICS, MG_CPU_SCALAR, &distance) &&
	   !mg_distance_find(MG_ELEMENT_SPARSE, MG_METRIC_JACCARD, MG_CPU_SCALAR, &distance),
	   "what is not there is not found");
	if (mg_distance_find(MG_ELEMENT_F32, MG_METRIC_L2, mg_cpu_level(), &distance))
		ok(isinf(distance.pair(huge, zero, 2)), "a square that is too large is infinite");
	is_near(mg_norm(tiny, 2), 5e-30, 1e-36, "the norm of tiny numbers is not zero");
	is_near(mg_norm(huge, 2) / 5e37, 1, 1e-6, "the norm of huge numbers is finite");
	is_near(mg_norm_f16(halves, 2), 5, 0, "the norm of halves");
	is_near(mg_norm_f16(halves + 2, 1), 0x1p-24, 0, "the norm of the smallest half");
	is_near(mg_metric_value(MG_METRIC_L2, 9), 3, 0, "the value of a squared distance is its root");
	is_near(mg_metric_value(MG_METRIC_L1, 9), 9, 0, "the value of the others is themselves");
	return done();
}
