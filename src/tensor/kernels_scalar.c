/* The kernels of the level "scalar": what every CPU of the build's architecture can run. */
#include "tensor/kernels.h"

#define LEVEL_NAME scalar
#define LEVEL MG_CPU_SCALAR

#include "tensor/simd_scalar.h"
#include "tensor/int8_scalar.h"
#include "tensor/kernels_body.h"
