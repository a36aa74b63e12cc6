/* The process as a host, and directories as models: what mg gives the library. */
#ifndef MG_CLI_HOST_H
#define MG_CLI_HOST_H

#include "core/source.h"
#include "model/run.h"

/* malloc, free, never stop, remarks to standard error. */
extern const MgHost cli_host;

/* The files below a directory, opened on demand; path must outlive it. Descriptors stay open until the process ends. */
MgFiles cli_directory(const char *path);

/*
 * The whole way from a directory to a bound model, in memory of cx; options is a JSON object. image, unless it is NULL, gets
 * the directory of the image as it is stored. NULL on error.
 */
const MgModel *cli_load(MgCtx *cx, const char *path, const char *options, const MgKernels *kernels, MgForm form,
						MgImage *image);

/* The same from any files. */
const MgModel *cli_load_files(MgCtx *cx, const MgFiles *files, const char *options, const MgKernels *kernels, MgForm form,
							  MgImage *image);

#endif
