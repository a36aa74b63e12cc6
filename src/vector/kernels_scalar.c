/* The distances of the level "scalar": vectors of four, which each compiler makes of what its architecture has. */
#include "vector/kernels.h"

#include <string.h>

#include "vector/half.h"

#define LEVEL_NAME scalar
#define WIDTH 4

typedef float Wide __attribute__((vector_size(WIDTH * 4)));

ALWAYS_INLINE Wide
load_f16(const void *from)
{
	uint16_t halves[WIDTH];
	Wide wide;

	memcpy(halves, from, sizeof halves);
	for (int i = 0; i < WIDTH; i++)
		wide[i] = mg_half_to_float(halves[i]);
	return wide;
}

#include "vector/bytes_scalar.h"
#include "vector/kernels_body.h"
