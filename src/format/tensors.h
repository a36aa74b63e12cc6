/*
 * The tensors of a checkpoint, whatever files they are in: names, types,
 * shapes, and where their numbers are, row-major and little-endian.
 *
 *   model.safetensors   safetensors.h
 *   pytorch_model.bin   torch_file.h
 *
 * Of either, a checkpoint may have shards, and NAME.index.json, whose
 * "weight_map" gives the file of each tensor.
 */
#ifndef MG_FORMAT_TENSORS_H
#define MG_FORMAT_TENSORS_H

#include "core/dtype.h"
#include "core/source.h"

/* Of one file, and of all shards of a checkpoint together, since they are in memory together. */
#define MG_TENSOR_HEADER_LIMIT ((size_t) 100 * 1000 * 1000)
#define MG_MAX_TENSORS 65536
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
	const char *dtype_name; /* as safetensors has it: "F32", "BF16", "I64" ... */
	bool readable;			/* dtype is one of ours; else dtype is not set */
	MgDtype dtype;
	const struct MgBlockType *block; /* of a GGUF file: its numbers are in such blocks, and dtype comes closest; NULL: they are of dtype */
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
 * The tensors of model.safetensors, or of all shards that its index names; of
 * pytorch_model.bin where there is no safetensors file. Sizes and offsets are
 * checked against dtype, shape and the file's length; names are unique across
 * shards.
 */
bool mg_tensors_open(MgCtx *cx, const MgFiles *files, MgTensors *tensors);

/* Sorts by name, and refuses a name that comes twice. */
bool mg_tensors_sort(MgCtx *cx, MgTensor *items, size_t n, MgTensors *tensors);

/* The tensor of that name, or NULL. */
const MgTensor *mg_tensors_find(const MgTensors *tensors, MgSpan name);

/* Sets the type of a tensor by the name that safetensors has for it, and the bits of an element; false: an unknown name. */
bool mg_tensor_set_dtype(MgTensor *tensor, MgSpan name, unsigned *bits);

#endif
