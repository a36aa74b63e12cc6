/*
 * Distances between rows of numbers, without a server; the kernels are chosen
 * at run time. What a caller does:
 *
 *   MgDistance distance;
 *   if (!mg_distance_find(MG_ELEMENT_F32, MG_METRIC_L2, mg_cpu_level(), &distance)) ... no such distance
 *   d = distance.pair(a, b, n);                          one pair of rows of n dimensions
 *   mg_distance_many(&distance, query, rows, k, n, out); one row against k others
 *
 * A row needs no alignment. Nothing here allocates, polls, fails, or reads a
 * byte beyond mg_row_size(). All functions are pure and may run in any thread.
 *
 * Rounding. A sum over float32 or float16 is good to 1e-6 of the sum of its
 * terms' absolute values at any dimension, and infinite where float32
 * overflows; sums over int8, bits and sparse rows are exact or in double. All
 * levels give the same bits, so an index that one CPU built serves another.
 */
#ifndef MG_VECTOR_DISTANCE_H
#define MG_VECTOR_DISTANCE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/cpu.h"

/* What a row consists of. */
typedef enum MgElement
{
	MG_ELEMENT_F32 = 0, /* float */
	MG_ELEMENT_F16,		/* uint16_t, IEEE binary16 (core/half.h) */
	MG_ELEMENT_INT8,	/* int8_t, codes of a quantiser */
	MG_ELEMENT_BIT,		/* 8 a byte, the last byte filled up with 0 */
	MG_ELEMENT_SPARSE,	/* MgSparse (vector/sparse.h) */
	MG_N_ELEMENTS
} MgElement;

/* Smaller is nearer for all of them. */
typedef enum MgMetric
{
	MG_METRIC_L2 = 0,		/* sum of (a - b)^2: the square of the Euclidean distance, for order alone */
	MG_METRIC_INNER_PRODUCT, /* - sum of a b */
	MG_METRIC_COSINE,		/* 1 - a . b / (|a| |b|), in [0, 2]; NaN when a length is 0 */
	MG_METRIC_L1,			/* sum of |a - b| */
	MG_METRIC_HAMMING,		/* bits that differ */
	MG_METRIC_JACCARD,		/* 1 - |a and b| / |a or b|; 1 when nothing is common */
	MG_N_METRICS
} MgMetric;

/* n: dimensions of both rows. Bits count as dimensions; a sparse row knows its own. */
typedef double (*MgPairDistance)(const void *a, const void *b, size_t n);

typedef struct MgDistance
{
	MgElement element;
	MgMetric metric;
	MgCpuLevel level;
	MgPairDistance pair;
} MgDistance;

/*
 * The kernel of a level, which must not exceed mg_cpu_level(); false when there is none: bits have Hamming and
 * Jaccard and nothing else has; all the others have the first four metrics.
 */
bool mg_distance_find(MgElement element, MgMetric metric, MgCpuLevel level, MgDistance *distance);

/* distances[i] = pair(query, rows[i], n). Rows are prefetched, so this is for rows that lie about in memory. */
void mg_distance_many(const MgDistance *distance, const void *query, const void *const *rows, size_t n_rows, size_t n,
					  double *distances);

/* Bytes of a row of n dimensions; of a sparse one, of its fixed part. */
size_t mg_row_size(MgElement element, size_t n);

/* What SQL calls the distance: the root of the sum of squares; else the value itself. */
double mg_metric_value(MgMetric metric, double distance);

/* Euclidean length, in double throughout: squares of float32 overflow and underflow where the length is fine. */
double mg_norm(const float *a, size_t n);
double mg_norm_f16(const void *a, size_t n);

#endif
