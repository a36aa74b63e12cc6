/* Normalised characters and their places. */
#include "text/normalize.h"

#include "text/utf8.h"
#include "unit/host.h"

static const MgNormalRules all = {true, true, true, true, false};

/* "i@0-2" for each character; ASCII as it is, others as hexadecimal. */
static const char *
normalized(MgCtx *cx, MgNormalRules rules, const char *text)
{
	static char line[2048];
	size_t used = 0;
	MgNormalizer normalizer = {.chars = NULL};
	MgPace pace = {0};

	line[0] = '\0';
	mg_normalizer_start(&normalizer, rules, mg_span_of(text), 0, &pace);
	do
	{
		if (!mg_normalizer_next(cx, &normalizer))
			return cx->error.message;
		for (size_t i = 0; i < normalizer.n && used < sizeof line; i++)
		{
			MgNormalChar c = normalizer.chars[i];

			used += (size_t) snprintf(line + used, sizeof line - used, c.code < 0x7F ? "%s%c@%u-%u" : "%s%X@%u-%u",
									  used > 0 ? " " : "", c.code, c.start, c.stop);
		}
	} while (normalizer.n > 0);
	return line;
}

static void
test_places(MgCtx *cx)
{
	MgNormalRules none = {.clean = false};
	MgNormalRules compose = {.compose = true};
	MgNormalRules lower = {.lower = true};

	is_text(normalized(cx, all, "aB"), "a@0-1 b@1-2", "ASCII");
	is_text(normalized(cx, all, "\xC3\x89x"), "e@0-2 x@2-3", "a decomposed letter takes the whole character's place");
	is_text(normalized(cx, all, "e\xCC\x81x"), "e@0-1 x@3-4", "a dropped mark takes its place along");
	is_text(normalized(cx, all, "a\tb\x01" "c"), "a@0-1  @1-2 b@2-3 c@4-5", "cleaning");
	is_text(normalized(cx, compose, "e\xCC\x81x"), "E9@0-3 x@3-4", "a composed letter takes the places of both");
	is_text(normalized(cx, compose, "e\xCC\xA7\xCC\x81"), "229@0-5 301@0-5", "what composes first stands first");
	is_text(normalized(cx, compose, "\xE1\x84\x80\xE1\x85\xA1\xE1\x86\xA8z"), "AC01@0-9 z@9-10", "Hangul composes");
	is_text(normalized(cx, compose, "\xE2\x84\xAB\xE0\xA5\x98"), "C5@0-3 915@3-6 93C@3-6", "singletons and exclusions do not come back");
	is_text(normalized(cx, none, "a\tB\x01"), "a@0-1 \t@1-2 B@2-3 \x01@3-4", "nothing at all");
	is_text(normalized(cx, all, "a\xE4\xB8\xAD" "b"), "a@0-1  @1-4 4E2D@1-4  @1-4 b@4-5", "an ideograph");
	is_text(normalized(cx, lower, "\xC4\xB0"), "i@0-2 307@0-2", "capital i with dot becomes two");
	is_text(normalized(cx, all, "\xED\x95\x9C"), "1112@0-3 1161@0-3 11AB@0-3", "a Hangul syllable becomes three");
	is_text(normalized(cx, all, ""), "", "nothing");
	is_text(normalized(cx, all, "\xCC\x81\xCC\x81"), "", "marks only");
}

/* U+1D165 (class 216, not dropped) after U+0301 (230) and before U+0334 (1): sorted 334, 1D165, 301. */
static void
test_reordering(MgCtx *cx)
{
	is_text(normalized(cx, all, "a\xCC\x81\xF0\x9D\x85\xA5\xCC\xB4" "b"), "a@0-1 1D165@3-7 b@9-10",
			"the second of three marks stays second");
	is_text(normalized(cx, all, "a\xCC\x81\xF0\x9D\x85\xA5" "b"), "a@0-1 1D165@1-3 b@7-8",
			"a mark that moves to the front takes the first place");
	is_text(normalized(cx, all, "\xC3\xA9\xF0\x9D\x85\xA5"), "e@0-2 1D165@2-6",
			"parts that were added by decomposition have no place of their own");
}

/* Many marks, then a stem that must come before them, whatever sorts them. */
static void
test_long_runs(MgCtx *cx)
{
	static char text[8192];

	for (int n = 14; n <= 2000; n += n < 20 ? 1 : 330)
	{
		char want[64];
		int used = 0;

		text[used++] = 'a';
		for (int i = 0; i < n; i++)
			used += sprintf(text + used, "\xCC%c", i % 2 == 0 ? 0x81 : 0x88);
		sprintf(text + used, "\xF0\x9D\x85\xA5");
		snprintf(want, sizeof want, "a@0-1 1D165@1-3");
		is_text(normalized(cx, all, text), want, "a stem behind %d accents", n);
	}
}

static bool
body(MgCtx *cx, void *user)
{
	MgNormalizer normalizer = {.chars = NULL};
	MgPace pace = {0};

	mg_normalizer_start(&normalizer, all, *(const MgSpan *) user, 0, &pace);
	do
	{
		if (!mg_normalizer_next(cx, &normalizer))
			return false;
	} while (normalizer.n > 0);
	return true;
}

int
main(void)
{
	TestHost host;
	MgCtx cx;
	static char accents[400000];

	test_host_init(&host);
	mg_ctx_init(&cx, &host.host);
	test_places(&cx);
	test_reordering(&cx);
	test_long_runs(&cx);
	mg_ctx_free(&cx);

	/* Half a run of marks, half letters that decompose. */
	for (size_t i = 0; i < sizeof accents; i += 2)
		memcpy(accents + i, i < sizeof accents / 2 ? "\xCC\x81" : "\xC3\xA9", 2);
	sweep("normalize", body, &(MgSpan){(const uint8_t *) accents, sizeof accents}, 1);
	return done();
}
