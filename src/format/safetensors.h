/*
 * The header of one safetensors file (github.com/huggingface/safetensors):
 *   1. u64 N, little-endian: bytes of the header that follows
 *   2. N bytes of JSON: name -> {dtype, shape, data_offsets [begin, end)}, and
 *      "__metadata__", a map of strings
 *   3. tensor data; offsets count from its first byte, cover it without gaps
 *      or overlaps, and are row-major, little-endian
 */
#ifndef MG_FORMAT_SAFETENSORS_H
#define MG_FORMAT_SAFETENSORS_H

#include "format/tensors.h"

/*
 * The tensors of a file, in the order of their data; checked to cover the file
 * from the header's end to its own. *header_left is what headers may still
 * take, and is lowered by this one.
 */
bool mg_safetensors_read(MgCtx *cx, const MgTensorFile *file, size_t *header_left, MgTensor **items, size_t *n);

#endif
