/* Which kernel a distance has at a level. */
#include "vector/distance.h"

#include "core/half.h"
#include "vector/kernels.h"
#include "vector/sparse.h"

#if defined(__x86_64__)

static const MgDistanceTable *
table_of(MgCpuLevel level)
{
	switch (level)
	{
		case MG_CPU_AMX:
		case MG_CPU_VNNI:
			return mg_cpu_counts_bits() ? &mg_distances_avx512vnni : &mg_distances_avx512;
		case MG_CPU_AVX512:
			return &mg_distances_avx512;
		case MG_CPU_AVX2:
			return &mg_distances_avx2;
		default:
			return &mg_distances_scalar;
	}
}

#elif defined(__aarch64__)

static const MgDistanceTable *
table_of(MgCpuLevel level)
{
	return level == MG_CPU_SCALAR ? &mg_distances_scalar : &mg_distances_neon;
}

#else

static const MgDistanceTable *
table_of(MgCpuLevel level)
{
	(void) level;
	return &mg_distances_scalar;
}

#endif

bool
mg_distance_find(MgElement element, MgMetric metric, MgCpuLevel level, MgDistance *distance)
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
	distance->level = level;
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
