/* From float32 to the 2-byte types. Used once, when a model is created, and by the plain form of bf16x2. */
#include "core/half.h"
#include "tensor/compute.h"

void
mg_from_f32(MgDtype dtype, const float *from, size_t n, void *to)
{
	uint8_t *out = to;

	for (size_t i = 0; i < n; i++)
	{
		uint16_t narrow = dtype == MG_BF16 ? mg_bf16_of_float(from[i]) : mg_half_of_float(from[i]);

		memcpy(out + 2 * i, &narrow, sizeof narrow);
	}
}
