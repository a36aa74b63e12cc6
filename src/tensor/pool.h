/*
 * A small fork-join pool of threads for pure computation.
 *
 * The thread that calls mg_pool_run is worker 0 and works along; the others
 * sleep between regions. A region takes as many workers as happen to be awake
 * and waits only for those that took part. Nothing in here polls, allocates or
 * fails while a region runs, so the work of one region must be bounded by its
 * caller to what may pass between two polls.
 *
 * All signals are blocked in the workers: a server's handlers run in its main
 * thread only. A pool does not survive fork().
 */
#ifndef MG_TENSOR_POOL_H
#define MG_TENSOR_POOL_H

#include "tensor/compute.h"

#define MG_POOL_MAX_THREADS 256

/* Computes piece `piece` of a region; worker is in [0, mg_pool_threads()). Must neither jump nor block. */
typedef void (*MgPoolWork)(void *arg, size_t piece, size_t worker);

/*
 * A pool of n_threads (1 to MG_POOL_MAX_THREADS), the caller's among them. The
 * memory comes from cx's host directly, so that a reset of cx does not pull it
 * away; whoever creates a pool destroys it before the host goes. NULL after an
 * error.
 */
MgPool *mg_pool_create(MgCtx *cx, int n_threads);

/* Ends the threads. NULL is fine. */
void mg_pool_destroy(MgPool *pool);

/* 1 for NULL. */
size_t mg_pool_threads(const MgPool *pool);

/* Computes pieces [0, n_pieces) in any order and returns when all are done. pool NULL: one after another. */
void mg_pool_run(MgPool *pool, size_t n_pieces, MgPoolWork work, void *arg);

#endif
