/* Sources: reading a whole one, and one over memory. */
#include "core/source.h"

/* How the text begins that a clone without Git LFS has instead of the file: github.com/git-lfs/git-lfs, docs/spec.md. */
static const char lfs_start[] = "version https://git-lfs.github.com/spec/";

bool
mg_files_open(MgCtx *cx, const MgFiles *files, const char *name, MgSource *source, bool *found)
{
	char start[sizeof lfs_start - 1];

	if (!files->open(cx, files->user, name, source, found))
		return false;
	if (!*found || source->size < sizeof start || source->size > 1024)
		return true;
	if (!source->read(cx, source->user, 0, start, sizeof start))
		return false;
	if (memcmp(start, lfs_start, sizeof start) != 0)
		return true;
	mg_fail(cx, MG_BAD_FILE, "file \"%s\" is a Git LFS pointer, not the file itself", name);
	return mg_hint(cx, "Run \"git lfs pull\" in the directory, or download the file.");
}

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
