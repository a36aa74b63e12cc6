/*
 * A context: a host, an arena and the first error.
 *
 * Memory. mg_alloc hands out arena memory that lives until the arena is
 * rewound to a mark, reset or freed; single pieces are not freed. Blocks are
 * kept over a rewind and a reset, since touching fresh pages costs more than
 * most kernels. A host whose poll jumped away goes on with mg_ctx_reset:
 * the arena is consistent at each poll.
 *
 * Errors. A function that can fail returns false (or NULL) and has already
 * said why through mg_fail; the first error is the true one, later ones are
 * dropped, and callers just return. Words follow PostgreSQL's message style.
 *
 * One context is used by one thread.
 */
#ifndef MG_CORE_CTX_H
#define MG_CORE_CTX_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/host.h"
#include "core/span.h"

typedef enum MgCode
{
	MG_OK = 0,
	MG_BAD_ARGUMENT, /* a caller's value is out of range or of the wrong form */
	MG_BAD_TEXT,	 /* text is not valid UTF-8 */
	MG_BAD_FILE,	 /* a file's, row's or image's bytes contradict its format */
	MG_UNSUPPORTED,	 /* well-formed, but this library cannot run it */
	MG_TOO_LARGE,	 /* a stated limit is exceeded; the message names both numbers */
	MG_NO_MEMORY,	 /* the host refused memory */
	MG_STOPPED,		 /* the host asked to stop */
	MG_IO			 /* a caller's read or write function failed */
} MgCode;

#define MG_MESSAGE_SIZE 512

typedef struct MgError
{
	MgCode code;
	char message[MG_MESSAGE_SIZE]; /* "" when code is MG_OK */
	char detail[MG_MESSAGE_SIZE];  /* "" when there is none */
	char hint[MG_MESSAGE_SIZE];	   /* "" when there is none */
} MgError;

typedef struct MgBlock MgBlock; /* one piece of memory from the host */

typedef struct MgCtx
{
	const MgHost *host;
	MgBlock *first;	  /* all blocks, oldest first */
	MgBlock *current; /* the one that the next piece comes from */
	MgError error;
} MgCtx;

/* A position to rewind to. */
typedef struct MgMark
{
	MgBlock *block;
	size_t used;
} MgMark;

/* The alignment of all arena memory: a cache line, and the widest vector register. */
#define MG_ALIGNMENT 64

void mg_ctx_init(MgCtx *cx, const MgHost *host);

/* Forgets all arena memory and the error; keeps the blocks for reuse. */
void mg_ctx_reset(MgCtx *cx);

/* Gives all blocks back to the host. */
void mg_ctx_free(MgCtx *cx);

/* Gives back blocks, newest first, until at most keep bytes are held. Implies mg_ctx_reset. */
void mg_ctx_trim(MgCtx *cx, size_t keep);

/* Bytes that the arena holds from its host. */
size_t mg_ctx_size(const MgCtx *cx);

MgMark mg_mark(const MgCtx *cx);
void mg_rewind(MgCtx *cx, MgMark mark);

/* Uninitialised, MG_ALIGNMENT-aligned. NULL (and an error) when the host refuses. size 0 gives a valid pointer. */
void *mg_alloc(MgCtx *cx, size_t size);

/* Room for n pieces of piece_size bytes; the product is checked. */
void *mg_alloc_array(MgCtx *cx, size_t n, size_t piece_size);

/* As mg_alloc_array, zeroed. */
void *mg_alloc_zeroed(MgCtx *cx, size_t n, size_t piece_size);

/* A NUL-terminated arena copy of a span. */
char *mg_copy_text(MgCtx *cx, MgSpan text);

/* Records the first error and returns false, so that callers can `return mg_fail(...)`. */
bool mg_fail(MgCtx *cx, MgCode code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Adds to the error that was recorded last, if it has no such part yet; returns false as well. */
bool mg_detail(MgCtx *cx, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool mg_hint(MgCtx *cx, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* True: go on. False: an MG_STOPPED error is set. See MgHost.poll. */
bool mg_poll(MgCtx *cx);

void mg_note(MgCtx *cx, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* True (and *product) unless a * b overflows. */
static inline bool
mg_multiply(size_t a, size_t b, size_t *product)
{
	return !__builtin_mul_overflow(a, b, product);
}

#endif
