/* The arena and the error record. */
#include "core/ctx.h"

#include "unit/host.h"

static bool
many_sizes(MgCtx *cx, void *user)
{
	static const size_t sizes[] = {0, 1, 63, 64, 65, 4096, 100000, 3000000, 7, 20000000};
	uint8_t *pieces[10];

	(void) user;
	for (size_t i = 0; i < 10; i++)
	{
		pieces[i] = mg_alloc(cx, sizes[i]);
		if (pieces[i] == NULL)
			return false;
		memset(pieces[i], (int) i + 1, sizes[i]);
		if (!mg_poll(cx))
			return false;
	}
	for (size_t i = 0; i < 10; i++)
		for (size_t j = 0; j < sizes[i]; j++)
			if (pieces[i][j] != i + 1)
				return mg_fail(cx, MG_BAD_ARGUMENT, "pieces overlap");
	return true;
}

static void
test_alignment(MgCtx *cx)
{
	bool aligned = true;

	for (size_t i = 0; i < 300; i++)
		aligned = aligned && (uintptr_t) mg_alloc(cx, i * 7) % MG_ALIGNMENT == 0;
	ok(aligned, "every piece is aligned to %d", MG_ALIGNMENT);
}

static void
test_rewind(MgCtx *cx)
{
	MgMark mark;
	void *first;
	size_t held;

	mg_ctx_reset(cx);
	mark = mg_mark(cx);
	first = mg_alloc(cx, 1000);
	mg_alloc(cx, 10000000);
	held = mg_ctx_size(cx);
	mg_rewind(cx, mark);
	ok(mg_alloc(cx, 1000) == first, "a rewind gives the same memory again");
	mg_alloc(cx, 10000000);
	is_int(mg_ctx_size(cx), held, "and asks the host for no more");
	mg_ctx_trim(cx, 1000000);
	ok(mg_ctx_size(cx) <= 1000000, "a trim gives back what is above the limit");
	ok(mg_alloc(cx, 1000) != NULL, "and leaves an arena that works");
}

static void
test_overflow(MgCtx *cx)
{
	mg_ctx_reset(cx);
	ok(mg_alloc_array(cx, SIZE_MAX / 2, 3) == NULL, "an array whose size overflows is refused");
	is_int(cx->error.code, MG_NO_MEMORY, "as out of memory");
	mg_ctx_reset(cx);
	ok(mg_alloc(cx, SIZE_MAX) == NULL && mg_alloc(cx, SIZE_MAX - 10) == NULL, "so are the largest sizes");
	mg_ctx_reset(cx);
	ok(mg_copy_text(cx, mg_span("x", SIZE_MAX)) == NULL, "and a text of that size");
}

static void
test_errors(MgCtx *cx)
{
	char wide[MG_MESSAGE_SIZE * 2];

	mg_ctx_reset(cx);
	ok(!mg_fail(cx, MG_BAD_FILE, "first %d", 1) && !mg_fail(cx, MG_BAD_TEXT, "second"), "mg_fail returns false");
	is_text(cx->error.message, "first 1", "the first error is kept");
	is_int(cx->error.code, MG_BAD_FILE, "with its code");
	mg_detail(cx, "detail %s", "one");
	mg_detail(cx, "detail two");
	is_text(cx->error.detail, "detail one", "so is the first detail");
	mg_hint(cx, "hint");
	is_text(cx->error.hint, "hint", "a hint is added");

	mg_ctx_reset(cx);
	is_int(cx->error.code, MG_OK, "a reset clears the error");
	for (size_t i = 0; i < sizeof wide - 1; i += 2)
		memcpy(wide + i, "\xC3\xA4", 2);
	wide[sizeof wide - 2] = '\0';
	mg_fail(cx, MG_BAD_TEXT, "x%s", wide);
	ok(strlen(cx->error.message) % 2 == 1, "a long message is cut between characters");
}

int
main(void)
{
	TestHost test;
	MgCtx cx;

	test_host_init(&test);
	mg_ctx_init(&cx, &test.host);
	test_alignment(&cx);
	test_rewind(&cx);
	test_overflow(&cx);
	test_errors(&cx);
	mg_ctx_free(&cx);
	is_int(test.live, 0, "everything goes back to the host");
	sweep("pieces of many sizes", many_sizes, NULL, 1);
	return done();
}
