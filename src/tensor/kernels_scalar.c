/* The kernels of the level "scalar": what every CPU of the build's architecture can run. */
#include "tensor/kernels.h"

#include "tensor/simd_scalar.h"

#include "tensor/kernels_body.h"
