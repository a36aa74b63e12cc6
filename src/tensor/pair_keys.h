/* Between keys.c, pair_keys.c and cached.c: keys and values of bfloat16 in pairs (attention.h, MgKeys.narrow). */
#ifndef MG_TENSOR_PAIR_KEYS_H
#define MG_TENSOR_PAIR_KEYS_H

#include "tensor/attention.h"

/* The first panel of a head's keys or values, and numbers between panels. */
const uint16_t *mg_pair_keys_panels(const MgKeys *keys, size_t head);
size_t mg_pair_keys_stride(const MgKeys *keys);
const uint16_t *mg_pair_keys_values(const MgKeys *keys, size_t head);
size_t mg_pair_values_stride(const MgKeys *keys);

/* mg_keys_append, mg_keys_copy, mg_keys_share, mg_keys_truncate, mg_keys_save and mg_keys_load of such keys. */
void mg_pair_keys_append(MgKeys *keys, const float *k, size_t k_stride, const float *v, size_t v_stride, size_t n);
void mg_pair_keys_copy(const MgKeys *from, size_t n, MgKeys *to);
void mg_pair_keys_share(const MgKeys *from, size_t n, MgKeys *to);
void mg_pair_keys_truncate(MgKeys *keys, size_t n);
void mg_pair_keys_save(const MgKeys *keys, size_t first, void *k, void *v);
void mg_pair_keys_load(MgKeys *keys, const void *k, const void *v);

#endif
