/* Between the files of src/vector: the table of kernels that each level brings. */
#ifndef MG_VECTOR_KERNELS_H
#define MG_VECTOR_KERNELS_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "vector/distance.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* What is added up for each pair of numbers. */
typedef enum MgTerm
{
	MG_TERM_PRODUCT,
	MG_TERM_SQUARE,  /* of the difference */
	MG_TERM_ABSOLUTE /* difference without sign */
} MgTerm;

/* Which bits of a pair of bytes are counted. */
typedef enum MgBits
{
	MG_BITS_DIFFERENT,
	MG_BITS_COMMON,
	MG_BITS_ANY
} MgBits;

/* NULL where there is no such distance. Sparse rows have no levels. */
typedef struct MgDistanceTable
{
	MgPairDistance pairs[MG_ELEMENT_SPARSE][MG_N_METRICS];
} MgDistanceTable;

extern const MgDistanceTable mg_distances_scalar;
#if defined(__x86_64__)
extern const MgDistanceTable mg_distances_avx2;
extern const MgDistanceTable mg_distances_avx512;
extern const MgDistanceTable mg_distances_avx512vnni;
#elif defined(__aarch64__)
extern const MgDistanceTable mg_distances_neon;
#endif

/* The cosine distance from the sums of a b, a a and b b. */
static inline double
mg_cosine_of(double ab, double aa, double bb)
{
	double similarity = ab / sqrt(aa * bb);

	/* Rounding must not take equal vectors below 0. */
	if (similarity > 1)
		similarity = 1;
	else if (similarity < -1)
		similarity = -1;
	return 1 - similarity;
}

#endif
