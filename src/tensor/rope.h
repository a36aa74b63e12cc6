/*
 * Rotary positions (Su et al., RoFormer, arXiv 2104.09864). In each head pair i
 * of numbers (a, b) at position p is turned by the angle p f_i:
 *
 *   a' = a cos - b sin,  b' = b cos + a sin,   f_i = theta^(-2 i / width)
 *
 * The first width numbers of a head take part. A pair is (x[i], x[i + width / 2]),
 * as most checkpoints want it, or (x[2 i], x[2 i + 1]), interleaved.
 *
 * Angles are products in float32, as in the reference implementations: at
 * position 8000 they are off by some 5e-4, and weights were trained with that.
 */
#ifndef MG_TENSOR_ROPE_H
#define MG_TENSOR_ROPE_H

#include "tensor/compute.h"

/* The same for all layers of one theta, so made once a forward pass. */
typedef struct MgRope
{
	size_t width; /* even, at most head_size */
	bool interleaved;
	float *cosines, *sines; /* [n, width / 2] */
} MgRope;

/* f [width / 2]; an architecture may scale them. */
void mg_rope_frequencies(float theta, size_t width, float *frequencies);

/* Allocates and fills cosines and sines for n tokens; positions NULL: 0, 1, 2 ... False when memory ends. */
bool mg_rope_init(MgCtx *cx, MgRope *rope, const float *frequencies, const uint32_t *positions, size_t n);

/* Turns x [n, heads * head_size], rows x_stride apart. */
void mg_rope(const MgCompute *compute, const MgRope *rope, float *x, size_t x_stride, size_t n, size_t heads,
			 size_t head_size);

#endif
