/*
 * Matrix products by a library of the system: oneDNN or OpenBLAS.
 *
 * Neither is linked. mg_blas_open loads one on request, which must happen in
 * the process that computes: loading OpenBLAS starts its threads at once, and
 * threads do not survive fork(). What was opened stays open until the process
 * ends; that handle is the one state in this library that belongs to the
 * process, because a loaded library does.
 *
 * These libraries read settings from the environment when they are loaded.
 * This one does not write the environment, so the caller sets, before it opens,
 * what mg_blas_environment lists.
 *
 * A provider's results may depend on what stands beside a row in its batch.
 */
#ifndef MG_TENSOR_BLAS_H
#define MG_TENSOR_BLAS_H

#include "tensor/kernels.h"

typedef struct MgVariable
{
	const char *name;
	char value[16];
} MgVariable;

#define MG_BLAS_MAX_VARIABLES 4

/* "native", "onednn", "openblas". */
const char *mg_provider_name(MgProvider provider);

/* What to set, each unless the user has set it already; returns how many. */
size_t mg_blas_environment(MgProvider provider, MgCpuLevel level, int threads,
						   MgVariable variables[MG_BLAS_MAX_VARIABLES]);

/*
 * Loads the provider's library, if need be, and gives it this many threads (1 to
 * MG_POOL_MAX_THREADS). All signals are blocked meanwhile, so that threads that
 * it starts never run a handler. False, and an error, when it is not there.
 */
bool mg_blas_open(MgCtx *cx, MgProvider provider, int threads);

/*
 * product with row-major w, by compute's provider, which must be open. Polls
 * between pieces of about 10 ms; false when stopped or refused by the library.
 */
bool mg_blas_product(MgCtx *cx, const MgCompute *compute, const MgProduct *product);

#endif
