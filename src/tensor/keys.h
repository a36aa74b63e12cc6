/* Between attention.c and keys.c: packing head by head, which threads share. */
#ifndef MG_TENSOR_KEYS_H
#define MG_TENSOR_KEYS_H

#include "tensor/attention.h"

/* The first panel of a head's keys; the first panel of its values, which are room * MG_PANEL floats apart. */
const float *mg_keys_panels(const MgKeys *keys, size_t head);
const float *mg_keys_values(const MgKeys *keys, size_t head);

/* mg_keys_append for one head, whose columns k and v point to. Leaves n and finite as they are. */
void mg_keys_put(const MgKeys *keys, size_t head, const float *k, size_t k_stride, const float *v, size_t v_stride,
				 size_t n);

/* Whether all numbers of x [n, width], stride apart, are finite. */
bool mg_is_finite(const float *x, size_t stride, size_t n, size_t width);

#endif
