/* A host for fuzz targets: malloc within a bound, polls that go on, remarks that nobody reads. */
#ifndef TEST_FUZZ_HOST_H
#define TEST_FUZZ_HOST_H

#include <stdlib.h>

#include "core/ctx.h"

/* More than any input of a fuzzer's size may ask for: a vocabulary with an id of 3999999 takes 68 MB. */
#define FUZZ_MEMORY ((size_t) 256 * 1024 * 1024)

static size_t fuzz_held;

static void *
fuzz_alloc(void *user, size_t size)
{
	void *memory;

	(void) user;
	if (size > FUZZ_MEMORY - fuzz_held)
		return NULL;
	memory = malloc(size);
	if (memory != NULL)
		fuzz_held += size;
	return memory;
}

static void
fuzz_release(void *user, void *memory, size_t size)
{
	(void) user;
	fuzz_held -= size;
	free(memory);
}

static bool
fuzz_poll(void *user)
{
	(void) user;
	return true;
}

static void
fuzz_note(void *user, const char *text)
{
	(void) user;
	(void) text;
}

static const MgHost fuzz_host = {NULL, fuzz_alloc, fuzz_release, fuzz_poll, fuzz_note};

/* What must hold for each input. */
static inline void
fuzz_require(bool holds)
{
	if (!holds)
		__builtin_trap();
}

/* An error has a code and words, success has none. */
static inline void
fuzz_judge(const MgCtx *cx, bool succeeded)
{
	fuzz_require(succeeded == (cx->error.code == MG_OK));
	fuzz_require(succeeded == (cx->error.message[0] == '\0'));
}

#endif
