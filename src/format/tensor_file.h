/*
 * The header of one safetensors file, for safetensors.c, which puts the shards
 * of a checkpoint together.
 */
#ifndef MG_FORMAT_TENSOR_FILE_H
#define MG_FORMAT_TENSOR_FILE_H

#include "format/safetensors.h"

/* Of one file, and of all shards of a checkpoint together, since they are in memory together. */
#define MG_TENSOR_HEADER_LIMIT ((size_t) 100 * 1000 * 1000)
#define MG_MAX_TENSORS 65536

/*
 * The tensors of a file, in the order of their data; checked to cover the file
 * from the header's end to its own. *header_left is what headers may still
 * take, and is lowered by this one.
 */
bool mg_tensor_file_read(MgCtx *cx, const MgTensorFile *file, size_t *header_left, MgTensor **items, size_t *n);

#endif
