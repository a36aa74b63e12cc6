/*
 * A host for tests that can fail on purpose, and the sweep that fails it at
 * the 1st, 2nd, ... nth point. What is left allocated at the end is a leak.
 */
#ifndef TEST_UNIT_HOST_H
#define TEST_UNIT_HOST_H

#include <setjmp.h>
#include <stdlib.h>

#include "core/ctx.h"
#include "unit/tap.h"

typedef enum TestFailure
{
	TEST_REFUSE, /* the nth allocation is refused */
	TEST_STOP,	 /* the nth poll says stop */
	TEST_JUMP	 /* the nth poll never returns */
} TestFailure;

typedef struct TestHost
{
	MgHost host;
	long n_allocs, n_polls; /* so far */
	long live;				/* allocations not released */
	TestFailure failure;
	long fail_at; /* 1-based; 0: never */
	jmp_buf jump;
	char note[256]; /* the last one */
} TestHost;

static void *
test_alloc(void *user, size_t size)
{
	TestHost *test = user;
	void *memory;

	test->n_allocs++;
	if (test->failure == TEST_REFUSE && test->n_allocs == test->fail_at)
		return NULL;
	memory = malloc(size);
	if (memory != NULL)
	{
		memset(memory, 0xA5, size);
		test->live++;
	}
	return memory;
}

static void
test_release(void *user, void *memory, size_t size)
{
	(void) size;
	((TestHost *) user)->live--;
	free(memory);
}

static bool
test_poll(void *user)
{
	TestHost *test = user;

	test->n_polls++;
	if (test->n_polls != test->fail_at || test->failure == TEST_REFUSE)
		return true;
	if (test->failure == TEST_JUMP)
		longjmp(test->jump, 1);
	return false;
}

static void
test_note(void *user, const char *text)
{
	snprintf(((TestHost *) user)->note, sizeof((TestHost *) 0)->note, "%s", text);
}

__attribute__((unused)) static void
test_host_init(TestHost *test)
{
	memset(test, 0, sizeof *test);
	test->host = (MgHost){test, test_alloc, test_release, test_poll, test_note};
}

/*
 * Runs body once undisturbed, then failing at each point of each kind, and
 * checks that it reports the failure as an error (or still succeeds, when the
 * failure hit nothing that mattered), never crashes and leaks nothing.
 * body(cx, user) returns what the code under test returned. A small step
 * above 1 thins out long sweeps.
 */
__attribute__((unused)) static void
sweep(const char *what, bool (*body)(MgCtx *cx, void *user), void *user, long step)
{
	static const char *const names[] = {"refusal", "stop", "jump"};
	static const MgCode codes[] = {MG_NO_MEMORY, MG_STOPPED, MG_OK};
	TestHost test;
	MgCtx cx;
	long points[3];
	volatile bool fine;

	test_host_init(&test);
	mg_ctx_init(&cx, &test.host);
	fine = body(&cx, user);
	ok(fine, "%s: undisturbed (%s)", what, cx.error.message);
	points[TEST_REFUSE] = test.n_allocs;
	points[TEST_STOP] = points[TEST_JUMP] = test.n_polls;
	mg_ctx_free(&cx);
	ok(test.live == 0, "%s: undisturbed, nothing is left", what);

	for (int kind = TEST_REFUSE; kind <= TEST_JUMP; kind++)
	{
		volatile long bad = 0;

		for (volatile long at = 1; at <= points[kind]; at += step)
		{
			test_host_init(&test);
			mg_ctx_init(&cx, &test.host);
			test.failure = (TestFailure) kind;
			test.fail_at = at;
			fine = true;
			if (setjmp(test.jump) == 0)
			{
				fine = body(&cx, user);
				if (!fine && cx.error.code != codes[kind])
					bad++;
				if (fine && cx.error.code != MG_OK)
					bad++;
			}
			mg_ctx_reset(&cx);
			mg_ctx_free(&cx);
			if (test.live != 0)
				bad++;
		}
		ok(bad == 0, "%s: %s at each of %ld points", what, names[kind], points[kind]);
	}
}

#endif
