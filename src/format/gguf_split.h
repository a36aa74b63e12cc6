/*
 * A GGUF file that may be one of several parts, as llama.cpp's tool gguf-split writes them: NAME-00001-of-00003.gguf and so on.
 *
 *   split.no              number of the part, from 0; that one has all values of the model, and maybe no tensors
 *   split.count           parts
 *   split.tensors.count   tensors of all parts together
 *
 * Source of names and keys: github.com/ggml-org/llama.cpp, tools/gguf-split.
 */
#ifndef MG_FORMAT_GGUF_SPLIT_H
#define MG_FORMAT_GGUF_SPLIT_H

#include "format/gguf.h"

/* At most so many parts are read. */
#define MG_GGUF_MOST_PARTS 512

/* The file of a part, by what files are asked for: "model-00002-of-00003.gguf", part 1 of 3. */
#define MG_GGUF_PART_STEM "model"
#define MG_GGUF_PART_TAIL "-00001-of-00001.gguf"
#define MG_GGUF_PART_SIZE sizeof MG_GGUF_PART_STEM MG_GGUF_PART_TAIL
void mg_gguf_part_name(unsigned part, unsigned parts, char name[MG_GGUF_PART_SIZE]);

/* Whether a name ends as that of a part does, of whatever numbers. */
bool mg_gguf_is_part(const char *name);

/*
 * Reads MG_GGUF_FILE, and where this is a part, whichever, the others: values of the first one, tensors of all. *found false: there is no
 * such file. What parts say of each other has to agree. Polls.
 */
bool mg_gguf_open(MgCtx *cx, const MgFiles *files, MgGguf *gguf, bool *found);

#endif
