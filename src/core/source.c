/* Sources: reading a whole one, and one over memory. */
#include "core/source.h"

bool
mg_source_read_all(MgCtx *cx, const MgSource *source, const char *name, size_t limit, MgSpan *bytes)
{
	uint8_t *data;

	if (source->size > limit)
	{
		mg_fail(cx, MG_TOO_LARGE, "file \"%s\" is too large", name);
		return mg_detail(cx, "It has %llu bytes; at most %zu are read.", (unsigned long long) source->size, limit);
	}
	data = mg_alloc(cx, (size_t) source->size);
	if (data == NULL || !source->read(cx, source->user, 0, data, (size_t) source->size))
		return false;
	*bytes = mg_span(data, (size_t) source->size);
	return true;
}

static bool
read_span(MgCtx *cx, void *user, uint64_t offset, void *into, size_t size)
{
	const MgSpan *bytes = user;

	if (offset > bytes->size || size > bytes->size - offset)
		return mg_fail(cx, MG_IO, "read of %zu bytes at offset %llu is outside of %zu bytes", size,
					   (unsigned long long) offset, bytes->size);
	if (size > 0)
		memcpy(into, bytes->data + offset, size);
	return true;
}

MgSource
mg_source_of_span(const MgSpan *bytes)
{
	return (MgSource){(void *) bytes, bytes->size, read_span};
}
