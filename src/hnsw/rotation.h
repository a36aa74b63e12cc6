/*
 * A random rotation of vectors, made from a seed: flips of signs and fast
 * Walsh-Hadamard transforms, O(n log n). Lengths and inner products stay, and
 * each coordinate of a rotated vector is close to a normal variable, which is
 * what the codes of code.h live on.
 *
 * A vector of dims numbers is padded with zeros to the next multiple of 64.
 * Where that is no power of two, a round transforms the first and then the
 * last 2^k coordinates, 2^k being the largest power of two that fits; blocks
 * overlap, so that four rounds mix all of them.
 */
#ifndef MG_HNSW_ROTATION_H
#define MG_HNSW_ROTATION_H

#include "core/ctx.h"

typedef struct MgRotation
{
	uint32_t dims;
	uint32_t padded; /* a multiple of 64 */
	float *signs;	 /* [MG_ROTATION_STEPS, block]: 1 or -1 times the transform's scale; block: the largest power of two that fits */
} MgRotation;

#define MG_ROTATION_ROUNDS 4
#define MG_ROTATION_STEPS (2 * MG_ROTATION_ROUNDS)

/* The size of a rotated vector. */
static inline uint32_t
mg_rotation_padded(uint32_t dims)
{
	return (dims + 63) / 64 * 64;
}

/* Draws the signs into arena memory; the same seed gives the same rotation on every machine. dims >= 1. */
bool mg_rotation_init(MgCtx *cx, MgRotation *rotation, uint32_t dims, uint64_t seed);

/*
 * vector [dims] to rotated [padded]; they may not overlap. The same bits on every machine. One that is longer than 1e18 becomes as long as that: its distances
 * from all others are finite then, and it is still far off. What is found is ranked by true distances.
 */
void mg_rotate(const MgRotation *rotation, const float *vector, float *rotated);

#endif
