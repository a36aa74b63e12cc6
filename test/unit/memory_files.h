/*
 * A model's directory in memory: an array of files ended by one without a
 * name. Reading polls, as a server's does.
 */
#ifndef TEST_UNIT_MEMORY_FILES_H
#define TEST_UNIT_MEMORY_FILES_H

#include "core/source.h"

typedef struct MemoryFile
{
	const char *name;
	MgSpan bytes;
} MemoryFile;

__attribute__((unused)) static bool
memory_read(MgCtx *cx, void *user, uint64_t offset, void *into, size_t size)
{
	const MgSpan *bytes = user;

	if (!mg_poll(cx))
		return false;
	if (offset > bytes->size || size > bytes->size - offset)
		return mg_fail(cx, MG_IO, "read of %zu bytes at %llu is outside", size, (unsigned long long) offset);
	if (size > 0)
		memcpy(into, bytes->data + offset, size);
	return true;
}

__attribute__((unused)) static bool
memory_open(MgCtx *cx, void *user, const char *name, MgSource *source, bool *found)
{
	MemoryFile *file = user;

	(void) cx;
	while (file->name != NULL && strcmp(file->name, name) != 0)
		file++;
	*found = file->name != NULL;
	if (*found)
		*source = (MgSource){&file->bytes, file->bytes.size, memory_read};
	return true;
}

#define MEMORY_FILES(array) ((MgFiles){(array), memory_open, NULL})

/* Other files, but for one whose bytes are given here. */
typedef struct ChangedFiles
{
	MgFiles files;
	const char *name;
	MgSpan bytes;
} ChangedFiles;

__attribute__((unused)) static bool
changed_open(MgCtx *cx, void *user, const char *name, MgSource *source, bool *found)
{
	ChangedFiles *changed = user;

	if (strcmp(name, changed->name) != 0)
		return changed->files.open(cx, changed->files.user, name, source, found);
	*found = true;
	*source = (MgSource){&changed->bytes, changed->bytes.size, memory_read};
	return true;
}

#define CHANGED_FILES(changed) ((MgFiles){(changed), changed_open, NULL})

#endif
