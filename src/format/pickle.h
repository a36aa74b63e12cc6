/*
 * A pickle (PEP 307, protocols 2 to 5) that describes tensors, as torch.save
 * writes a state_dict: a dictionary of names and tensors, and nothing else.
 *
 * A pickle is a program. Here it runs on a machine that has no calls: the only
 * names that it may say are an ordered dictionary, PyTorch's types of storage, and the two
 * functions that put a tensor or a parameter together, which are done by hand.
 * Every other name, and every instruction that such a file does not need, is
 * refused. Cost and memory are bounded by the pickle's size.
 */
#ifndef MG_FORMAT_PICKLE_H
#define MG_FORMAT_PICKLE_H

#include "format/tensors.h"

#define MG_PICKLE_LIMIT ((size_t) 4 * 1024 * 1024)

/* A tensor as a view of a storage. */
typedef struct MgPickled
{
	MgSpan name;
	MgSpan storage;			/* its key */
	const char *dtype_name; /* as safetensors has it: "F32" */
	uint64_t n_stored;		/* numbers of the storage */
	uint64_t first;			/* number of it that is the tensor's first */
	size_t rank;
	uint64_t shape[MG_MAX_RANK], stride[MG_MAX_RANK];
} MgPickled;

/* The tensors of a pickle, in its order; file is for errors. Polls. */
bool mg_pickle_read(MgCtx *cx, const char *file, MgSpan bytes, MgPickled **items, size_t *n);

#endif
