/* A small GGUF file in memory, for tests: values and tensors are put one after the other. */
#ifndef TEST_UNIT_GGUF_FILE_H
#define TEST_UNIT_GGUF_FILE_H

#include <stdint.h>
#include <string.h>

#include "format/gguf.h"

typedef struct GgufFile
{
	uint8_t bytes[16384];
	size_t n;
	uint64_t n_tensors, n_values;
	uint64_t data; /* offset of the next tensor's numbers */
} GgufFile;

__attribute__((unused)) static void
gguf_put(GgufFile *file, const void *bytes, size_t n)
{
	memcpy(file->bytes + file->n, bytes, n);
	file->n += n;
}

__attribute__((unused)) static void
gguf_put_number(GgufFile *file, uint64_t number, size_t size)
{
	gguf_put(file, &number, size);
}

__attribute__((unused)) static void
gguf_put_text(GgufFile *file, const char *text)
{
	gguf_put_number(file, strlen(text), 8);
	gguf_put(file, text, strlen(text));
}

__attribute__((unused)) static void
gguf_begin(GgufFile *file)
{
	memset(file, 0, sizeof *file);
	gguf_put(file, "GGUF", 4);
	gguf_put_number(file, 3, 4);
	gguf_put_number(file, 0, 8);
	gguf_put_number(file, 0, 8);
}

__attribute__((unused)) static void
gguf_put_key(GgufFile *file, const char *key, MgGgufType type)
{
	gguf_put_text(file, key);
	gguf_put_number(file, type, 4);
	file->n_values++;
}

__attribute__((unused)) static void
gguf_put_integer(GgufFile *file, const char *key, uint32_t value)
{
	gguf_put_key(file, key, MG_GGUF_U32);
	gguf_put_number(file, value, 4);
}

__attribute__((unused)) static void
gguf_put_tensor(GgufFile *file, const char *name, uint64_t cols, uint64_t rows, uint32_t type, uint64_t size)
{
	gguf_put_text(file, name);
	gguf_put_number(file, 2, 4);
	gguf_put_number(file, cols, 8);
	gguf_put_number(file, rows, 8);
	gguf_put_number(file, type, 4);
	gguf_put_number(file, file->data, 8);
	file->data += (size + 31) / 32 * 32;
	file->n_tensors++;
}

/* Pads the head, and appends as many zeros as the tensors have bytes. */
__attribute__((unused)) static void
gguf_end(GgufFile *file)
{
	memcpy(file->bytes + 8, &file->n_tensors, 8);
	memcpy(file->bytes + 16, &file->n_values, 8);
	file->n = (file->n + 31) / 32 * 32 + (size_t) file->data;
}

#endif
