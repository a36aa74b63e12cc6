/*
 * The one place that chooses kernels. On x86-64, the compilers' run-time test
 * reads CPUID and asks the operating system's XCR0 as well; F16C is read by
 * hand, for clang's test has no word for it.
 */
#include "vector/distance.h"

#include "vector/half.h"
#include "vector/kernels.h"
#include "vector/sparse.h"

#if defined(__x86_64__)
#include <cpuid.h>

static bool
has_f16c(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}

MgDistanceLevel
mg_distance_level(void)
{
	__builtin_cpu_init();
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("popcnt") || !has_f16c())
		return MG_DISTANCE_SCALAR;
	if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
		!__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
		return MG_DISTANCE_AVX2;
	return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vpopcntdq") ? MG_DISTANCE_AVX512VNNI
																							 : MG_DISTANCE_AVX512;
}

static const MgDistanceTable *
table_of(MgDistanceLevel level)
{
	switch (level)
	{
		case MG_DISTANCE_AVX512VNNI:
			return &mg_distances_avx512vnni;
		case MG_DISTANCE_AVX512:
			return &mg_distances_avx512;
		case MG_DISTANCE_AVX2:
			return &mg_distances_avx2;
		default:
			return &mg_distances_scalar;
	}
}

#elif defined(__aarch64__)

MgDistanceLevel
mg_distance_level(void)
{
	return MG_DISTANCE_NEON;
}

static const MgDistanceTable *
table_of(MgDistanceLevel level)
{
	return level == MG_DISTANCE_NEON ? &mg_distances_neon : &mg_distances_scalar;
}

#else

MgDistanceLevel
mg_distance_level(void)
{
	return MG_DISTANCE_SCALAR;
}

static const MgDistanceTable *
table_of(MgDistanceLevel level)
{
	(void) level;
	return &mg_distances_scalar;
}

#endif

const char *
mg_distance_level_name(MgDistanceLevel level)
{
#if defined(__aarch64__)
	static const char *const names[] = {"scalar", "neon"};
#else
	static const char *const names[] = {"scalar", "avx2", "avx512", "avx512vnni"};
#endif

	return (unsigned) level < sizeof names / sizeof names[0] ? names[level] : "unknown";
}

bool
mg_distance_find(MgElement element, MgMetric metric, MgDistanceLevel level, MgDistance *distance)
{
	static const MgPairDistance of_sparse[MG_N_METRICS] = {
		[MG_METRIC_L2] = mg_sparse_l2,
		[MG_METRIC_INNER_PRODUCT] = mg_sparse_inner_product,
		[MG_METRIC_COSINE] = mg_sparse_cosine,
		[MG_METRIC_L1] = mg_sparse_l1,
	};

	if ((unsigned) element >= MG_N_ELEMENTS || (unsigned) metric >= MG_N_METRICS)
		return false;
	distance->element = element;
	distance->metric = metric;
	distance->pair = element == MG_ELEMENT_SPARSE ? of_sparse[metric] : table_of(level)->pairs[element][metric];
	return distance->pair != NULL;
}

/* The first bytes of a row; the CPU's own prefetcher follows from there. */
static inline void
prefetch(const char *row, size_t size)
{
	for (size_t at = 0; at < size && at < 256; at += 64)
		__builtin_prefetch(row + at);
}

void
mg_distance_many(const MgDistance *distance, const void *query, const void *const *rows, size_t n_rows, size_t n,
				 double *distances)
{
	size_t size = mg_row_size(distance->element, n);

	for (size_t i = 0; i < n_rows; i++)
	{
		if (i + 1 < n_rows)
			prefetch(rows[i + 1], size);
		distances[i] = distance->pair(query, rows[i], n);
	}
}

size_t
mg_row_size(MgElement element, size_t n)
{
	switch (element)
	{
		case MG_ELEMENT_F32:
			return 4 * n;
		case MG_ELEMENT_F16:
			return 2 * n;
		case MG_ELEMENT_INT8:
			return n;
		case MG_ELEMENT_BIT:
			return (n + 7) / 8;
		default:
			return sizeof(MgSparse);
	}
}

double
mg_metric_value(MgMetric metric, double distance)
{
	return metric == MG_METRIC_L2 ? sqrt(distance) : distance;
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
mg_norm_f16(const void *a, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
	{
		uint16_t half;
		double wide;

		memcpy(&half, (const char *) a + 2 * i, sizeof half);
		wide = mg_half_to_float(half);
		sum += wide * wide;
	}
	return sqrt(sum);
}
