/*
 * safetensors (github.com/huggingface/safetensors):
 *   1. u64 N, little-endian: bytes of the header that follows
 *   2. N bytes of JSON: name -> {dtype, shape, data_offsets [begin, end)}, and
 *      "__metadata__", a map of strings
 *   3. tensor data; offsets count from its first byte, cover it without gaps
 *      or overlaps, and are row-major, little-endian
 * A sharded checkpoint has model.safetensors.index.json, whose "weight_map"
 * gives the file of each tensor.
 */
#ifndef MG_FORMAT_SAFETENSORS_H
#define MG_FORMAT_SAFETENSORS_H

#include "core/dtype.h"
#include "core/source.h"

#define MG_MAX_RANK 4

typedef struct MgTensorFile
{
	const char *name; /* of the file, for errors */
	MgSource source;
} MgTensorFile;

/* One tensor of a checkpoint. */
typedef struct MgTensor
{
	MgSpan name;
	const char *dtype_name; /* as in the file: "F32", "BF16", "I64" ... */
	bool readable;			/* dtype is one of ours; else dtype is not set */
	MgDtype dtype;
	size_t rank; /* 0 to MG_MAX_RANK */
	size_t shape[MG_MAX_RANK];
	uint64_t offset; /* of the first byte in the file */
	uint64_t size;	 /* bytes */
	const MgTensorFile *file;
} MgTensor;

typedef struct MgTensors
{
	size_t n;
	const MgTensor *items; /* [n], sorted by name (memcmp order, shorter first on a tie) */
} MgTensors;

/*
 * The tensors of model.safetensors, or of all shards that
 * model.safetensors.index.json names. Sizes and offsets are checked against
 * dtype, shape and the file's length; names are unique across shards.
 */
bool mg_safetensors_open(MgCtx *cx, const MgFiles *files, MgTensors *tensors);

/* The tensor of that name, or NULL. */
const MgTensor *mg_tensors_find(const MgTensors *tensors, MgSpan name);

#endif
