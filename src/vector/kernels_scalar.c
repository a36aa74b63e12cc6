/* The distances of the level "scalar": vectors of four, which each compiler makes of what its architecture has. */
#include "vector/kernels.h"

#include <string.h>

#include "core/half.h"

#define LEVEL_NAME scalar
#define WIDTH 4

typedef float Wide __attribute__((vector_size(WIDTH * 4)));
typedef float HalfWide __attribute__((vector_size(WIDTH * 2)));
typedef double Doubles __attribute__((vector_size(WIDTH * 4)));
typedef uint32_t Words __attribute__((vector_size(WIDTH * 4)));
typedef uint16_t Halves __attribute__((vector_size(WIDTH * 2)));

/* mg_half_to_float() of four */
ALWAYS_INLINE Wide
load_f16(const void *from)
{
	Halves halves;
	Words words, magnitude, special;

	memcpy(&halves, from, sizeof halves);
	words = __builtin_convertvector(halves, Words);
	magnitude = (words & 0x7FFF) << 13;
	special = (Words) (magnitude >= 0x0F800000) & 0x7F800000;
	return (Wide) ((Words) ((Wide) magnitude * 0x1p112f) | special | (words & 0x8000) << 16);
}

ALWAYS_INLINE Doubles
to_doubles(HalfWide half)
{
	return __builtin_convertvector(half, Doubles);
}

#include "vector/bytes_scalar.h"
#include "vector/kernels_body.h"
