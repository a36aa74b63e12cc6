#include "hnsw/rotation.h"

#include <math.h>

typedef float Four __attribute__((vector_size(16)));

/* SplitMix64 (Steele, Lea, Flood, 2014): a stream of 64 random bits a call. */
static uint64_t
next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9E3779B97F4A7C15u;

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return z ^ (z >> 31);
}

/* The largest power of two that fits. */
static uint32_t
block_size(uint32_t padded)
{
	uint32_t block = 64;

	while (2 * block <= padded)
		block *= 2;
	return block;
}

/* Blocks of a round: the first and the last, or one that is both. */
static uint32_t
blocks_of(uint32_t padded)
{
	return block_size(padded) == padded ? 1 : 2;
}

bool
mg_rotation_init(MgCtx *cx, MgRotation *rotation, uint32_t dims, uint64_t seed)
{
	uint32_t padded = mg_rotation_padded(dims), block = block_size(padded);
	float scale = 1 / sqrtf((float) block);
	uint64_t bits = 0;

	rotation->dims = dims;
	rotation->padded = padded;
	rotation->signs = mg_alloc_array(cx, (size_t) MG_ROTATION_STEPS * block, sizeof *rotation->signs);
	if (rotation->signs == NULL)
		return false;
	for (size_t i = 0; i < (size_t) MG_ROTATION_STEPS * block; i++)
	{
		if (i % 64 == 0)
			bits = next_random(&seed);
		rotation->signs[i] = (bits >> (i % 64)) & 1 ? scale : -scale;
	}
	return true;
}

/* The Walsh-Hadamard transform of x [n], n a power of two from 64 on, in place; not scaled. */
static void
transform(float *x, uint32_t n)
{
	for (uint32_t i = 0; i < n; i += 4)
	{
		float a = x[i] + x[i + 1], b = x[i] - x[i + 1], c = x[i + 2] + x[i + 3], d = x[i + 2] - x[i + 3];

		x[i] = a + c;
		x[i + 1] = b + d;
		x[i + 2] = a - c;
		x[i + 3] = b - d;
	}
	for (uint32_t half = 4; half < n; half *= 2)
		for (uint32_t start = 0; start < n; start += 2 * half)
			for (uint32_t i = start; i < start + half; i += 4)
			{
				Four a, b, sum, difference;

				memcpy(&a, x + i, sizeof a);
				memcpy(&b, x + i + half, sizeof b);
				sum = a + b;
				difference = a - b;
				memcpy(x + i, &sum, sizeof sum);
				memcpy(x + i + half, &difference, sizeof difference);
			}
}

/* Below the first no length of up to MG_MAX_DIMS numbers is above the second, whose square is far from overflowing. */
#define NO_LONGER 1e16f
#define LONGEST 1e18

/* Makes a vector that is too long for squares of differences one of the same direction. */
static void
shorten(float *x, size_t n)
{
	float most = 0;
	double square = 0, factor;

	for (size_t i = 0; i < n; i++)
		most = fabsf(x[i]) > most ? fabsf(x[i]) : most;
	if (!(most > NO_LONGER))
		return;
	for (size_t i = 0; i < n; i++)
		square += (double) x[i] * x[i];
	factor = LONGEST / sqrt(square);
	for (size_t i = 0; i < n && factor < 1; i++)
		x[i] = (float) (x[i] * factor);
}

void
mg_rotate(const MgRotation *rotation, const float *vector, float *rotated)
{
	uint32_t padded = rotation->padded, block = block_size(padded), n_blocks = blocks_of(padded);
	const float *signs = rotation->signs;

	memcpy(rotated, vector, rotation->dims * sizeof *vector);
	shorten(rotated, rotation->dims);
	for (uint32_t i = rotation->dims; i < padded; i++)
		rotated[i] = 0;
	for (int round = 0; round < MG_ROTATION_ROUNDS; round++)
		for (uint32_t b = 0; b < n_blocks; b++)
		{
			float *x = rotated + (b == 0 ? 0 : padded - block);

			for (uint32_t i = 0; i < block; i++)
				x[i] *= signs[i];
			signs += block;
			transform(x, block);
		}
}
