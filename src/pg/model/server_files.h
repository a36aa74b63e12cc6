/* A directory on the server as the files of a model. */
#ifndef MASKGEN_PG_MODEL_SERVER_FILES_H
#define MASKGEN_PG_MODEL_SERVER_FILES_H

#include "postgres.h"
#include "model/checkpoint.h"

/*
 * Files below path, which must outlive them, through PostgreSQL's virtual file
 * descriptors: they are closed when the memory context is reset or deleted.
 * Only regular files are opened. Throws on operating system errors.
 */
MgFiles server_files(MemoryContext context, const char *path);

/*
 * The files of the model at a path; where that is an adapter, those of its base model with the adapter's beside them. Throws where it is not
 * known which the base is, or it cannot be read.
 */
MgFiles server_model_files(MgCtx *cx, MemoryContext context, const char *path, const MgModelOptions *options);

/* Throws unless the current user may read files of the server, and path is a directory. */
void server_files_check(const char *path);

#endif
