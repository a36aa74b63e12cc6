/*
 * How the library reads something too large to hand over as one span, and how
 * it writes: through functions of the caller, who owns files and tables.
 */
#ifndef MG_CORE_SOURCE_H
#define MG_CORE_SOURCE_H

#include "core/ctx.h"

/* Random-access bytes: a file, an image in a table, a test's array. */
typedef struct MgSource
{
	void *user;
	uint64_t size;

	/*
	 * Copies bytes [offset, offset + size) to into. The range lies within the
	 * source. False after mg_fail(cx, MG_IO, ...). May poll and so may jump.
	 */
	bool (*read)(MgCtx *cx, void *user, uint64_t offset, void *into, size_t size);
} MgSource;

/* Bytes written front to back. */
typedef struct MgSink
{
	void *user;

	/* False after mg_fail(cx, MG_IO, ...). May poll and so may jump. */
	bool (*write)(MgCtx *cx, void *user, const void *bytes, size_t size);
} MgSink;

/* The files of one model, by name relative to its directory ("config.json", "1_Pooling/config.json"). */
typedef struct MgFiles
{
	void *user;

	/*
	 * Finds a file. False only on an error; a file that is absent gives true
	 * and found false. The source stays valid as long as the MgFiles.
	 */
	bool (*open)(MgCtx *cx, void *user, const char *name, MgSource *source, bool *found);

	const struct MgFiles *adapter; /* the files of an adapter to this model (model/adapter.h); NULL: there is none */
} MgFiles;

/* files->open, which refuses by name what Git LFS leaves in the place of a large file. */
bool mg_files_open(MgCtx *cx, const MgFiles *files, const char *name, MgSource *source, bool *found);

/* All of a file as one arena span; refuses more than limit bytes by name. */
bool mg_source_read_all(MgCtx *cx, const MgSource *source, const char *name, size_t limit, MgSpan *bytes);

/* A source over bytes in memory. */
MgSource mg_source_of_span(const MgSpan *bytes);

#endif
