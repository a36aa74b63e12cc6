/* The library's host inside a backend, and the one place where its errors are thrown. */
#ifndef MASKGEN_PG_HOST_H
#define MASKGEN_PG_HOST_H

#include "postgres.h"
#include "core/ctx.h"

/*
 * A host that takes memory from the given context, which must outlive it.
 * Polling checks for interrupts and so may not return; the arena of an MgCtx
 * over this host is then used on with mg_ctx_reset, or dropped by deleting the
 * memory context.
 */
MgHost host_in(MemoryContext memory);

/* Called at each poll, between steps of a model, if it is not NULL; may throw. */
extern void (*host_polled)(void);

/* Throws the error of a context as an ERROR with a fitting SQLSTATE. Its arena may be reset afterwards. */
void host_throw(const MgCtx *cx) __attribute__((noreturn));

/* Text of the library as it may stand in a message here, cut to size bytes with their end. */
void host_show(const char *text, char *shown, size_t size);

/* The same for an error that was kept. */
void host_throw_error(const MgError *error) __attribute__((noreturn));

#endif
