/*
 * Distances between vectors of float32, without a server; dispatched at run
 * time. A sum is good to 1e-6 of the sum of its terms' absolute values at any
 * dimension, infinite where float32 overflows, and the same bits at all levels.
 */
#ifndef MG_VECTOR_DISTANCE_H
#define MG_VECTOR_DISTANCE_H

#include <stddef.h>

/* The instruction sets that the kernels exist for. */
typedef enum MgDistanceLevel
{
	MG_DISTANCE_SCALAR = 0,
	MG_DISTANCE_AVX2,
	MG_DISTANCE_AVX512,
	MG_N_DISTANCE_LEVELS
} MgDistanceLevel;

typedef struct MgDistances
{
	double (*inner_product)(const float *a, const float *b, size_t n);
	double (*squared_l2)(const float *a, const float *b, size_t n);
	double (*l1)(const float *a, const float *b, size_t n);

	/* All three sums of a cosine in one pass: a . b, a . a, b . b */
	void (*cosine_parts)(const float *a, const float *b, size_t n, double parts[3]);
} MgDistances;

/* The highest level that this CPU has. */
MgDistanceLevel mg_distance_level(void);

/* The kernels of a level, which must not exceed mg_distance_level(). */
const MgDistances *mg_distances(MgDistanceLevel level);

/* Euclidean length, in double throughout: squares of float32 overflow and underflow where the length is fine. */
double mg_norm(const float *a, size_t n);

/* 1 - a . b / (|a| |b|), in [0, 2]; NaN when either has length 0. */
double mg_cosine_distance(const MgDistances *distances, const float *a, const float *b, size_t n);

#endif
