/* A directory on the server as the files of a model. */
#ifndef MASKGEN_PG_MODEL_SERVER_FILES_H
#define MASKGEN_PG_MODEL_SERVER_FILES_H

#include "postgres.h"
#include "core/source.h"

/*
 * Files below path, which must outlive them, through PostgreSQL's virtual file
 * descriptors: they are closed when the memory context is reset or deleted.
 * Only regular files are opened. Throws on operating system errors.
 */
MgFiles server_files(MemoryContext context, const char *path);

/* Throws unless the current user may read files of the server, and path is a directory. */
void server_files_check(const char *path);

#endif
