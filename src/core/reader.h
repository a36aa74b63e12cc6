/*
 * A sticky reader over foreign bytes. Reads past the end give zero and set
 * `failed`, so that a header is decoded in a straight line and judged once.
 * All integers are little-endian.
 */
#ifndef MG_CORE_READER_H
#define MG_CORE_READER_H

#include "core/span.h"

typedef struct MgReader
{
	MgSpan bytes;
	size_t position;
	bool failed; /* a read went past the end */
} MgReader;

static inline MgReader
mg_reader(MgSpan bytes)
{
	return (MgReader){bytes, 0, false};
}

static inline size_t
mg_reader_left(const MgReader *reader)
{
	return reader->bytes.size - reader->position;
}

/* The next size bytes; an empty span, and failed, when fewer are left. */
static inline MgSpan
mg_read_span(MgReader *reader, size_t size)
{
	MgSpan span = {NULL, 0};

	if (reader->failed || size > mg_reader_left(reader))
	{
		reader->failed = true;
		return span;
	}
	if (size > 0)
		span = mg_span(reader->bytes.data + reader->position, size);
	reader->position += size;
	return span;
}

static inline uint64_t
mg_read_unsigned(MgReader *reader, size_t size)
{
	MgSpan span = mg_read_span(reader, size);
	uint64_t value = 0;

	for (size_t i = 0; i < span.size; i++)
		value |= (uint64_t) span.data[i] << (8 * i);
	return value;
}

static inline uint8_t
mg_read_u8(MgReader *reader)
{
	return (uint8_t) mg_read_unsigned(reader, 1);
}

static inline uint32_t
mg_read_u32(MgReader *reader)
{
	return (uint32_t) mg_read_unsigned(reader, 4);
}

static inline uint64_t
mg_read_u64(MgReader *reader)
{
	return mg_read_unsigned(reader, 8);
}

static inline float
mg_read_f32(MgReader *reader)
{
	uint32_t bits = mg_read_u32(reader);
	float value;

	memcpy(&value, &bits, sizeof value);
	return value;
}

#endif
