/*
 * GGUF (github.com/ggml-org/ggml, docs/gguf.md), version 3, little-endian:
 *
 *   1. "GGUF", u32 version, u64 tensors, u64 values
 *   2. values: key (u64 size, bytes), u32 type, the value; an array is u32 type of items, u64 number, items
 *   3. tensors: name (u64 size, bytes), u32 rank, u64 lengths [rank], the fastest first, u32 type, u64 offset
 *   4. padding to general.alignment (32), then the tensors' numbers, each at its offset from here
 *
 * A model may be split into several files (gguf_split.h); this reads one.
 */
#ifndef MG_FORMAT_GGUF_H
#define MG_FORMAT_GGUF_H

#include "format/tensors.h"

typedef enum MgGgufType
{
	MG_GGUF_U8 = 0,
	MG_GGUF_I8,
	MG_GGUF_U16,
	MG_GGUF_I16,
	MG_GGUF_U32,
	MG_GGUF_I32,
	MG_GGUF_F32,
	MG_GGUF_BOOL,
	MG_GGUF_STRING,
	MG_GGUF_ARRAY,
	MG_GGUF_U64,
	MG_GGUF_I64,
	MG_GGUF_F64
} MgGgufType;

typedef struct MgGgufValue
{
	MgSpan key;
	MgGgufType type;
	MgGgufType item; /* of an array: no array itself */
	size_t n;		 /* of an array: items */
	MgSpan bytes;	 /* the text of a string; else the value as it stands, an array's items end to end */
} MgGgufValue;

typedef struct MgGguf
{
	const char *name; /* of the file, for errors */
	size_t n;
	const MgGgufValue *values; /* [n], sorted by key; no key twice */
	MgTensors tensors;		   /* shapes as ours: the fastest length last */
} MgGguf;

/* The file that a model in this format is known by. */
#define MG_GGUF_FILE "model.gguf"

/* Reads all but the numbers of tensors; every size, offset and type is checked. name outlives the result. Polls. */
bool mg_gguf_read(MgCtx *cx, const char *name, const MgSource *source, MgGguf *gguf);

/* The value of a key, or NULL. */
const MgGgufValue *mg_gguf_find(const MgGguf *gguf, const char *key);

/* A value by its kind. An absent key leaves what stands there; another type is an error. Reals take integers, too. */
bool mg_gguf_text(MgCtx *cx, const MgGguf *gguf, const char *key, MgSpan *text);
bool mg_gguf_integer(MgCtx *cx, const MgGguf *gguf, const char *key, int64_t *integer);
bool mg_gguf_real(MgCtx *cx, const MgGguf *gguf, const char *key, double *real);
bool mg_gguf_flag(MgCtx *cx, const MgGguf *gguf, const char *key, bool *flag);

/* The texts of an array, in arena memory; an absent key gives none. */
bool mg_gguf_texts(MgCtx *cx, const MgGguf *gguf, const char *key, MgSpan **texts, size_t *n);

/* The same of an array of reals, f32. */
bool mg_gguf_reals(MgCtx *cx, const MgGguf *gguf, const char *key, double **reals, size_t *n);

/* The same of an array of integers. */
bool mg_gguf_integers(MgCtx *cx, const MgGguf *gguf, const char *key, int64_t **integers, size_t *n);

#endif
