/*
 * A file of torch.save, as PyTorch writes it since 1.6: a ZIP archive of
 *
 *   NAME/data.pkl    a pickle of the state_dict (pickle.h)
 *   NAME/byteorder   "little"; older versions leave it out
 *   NAME/data/KEY    the numbers of a storage, as they are in memory
 *
 * Tensors are views of storages, and several may share one. Nothing in the file
 * is run. A tensor whose numbers do not lie row after row is refused, and so is
 * the form from before 1.6, which is a pickle alone.
 */
#ifndef MG_FORMAT_TORCH_FILE_H
#define MG_FORMAT_TORCH_FILE_H

#include "format/tensors.h"

/* The tensors of a file. *header_left is what descriptions of tensors may still take, and is lowered by this one. */
bool mg_torch_file_read(MgCtx *cx, const MgTensorFile *file, size_t *header_left, MgTensor **items, size_t *n);

#endif
