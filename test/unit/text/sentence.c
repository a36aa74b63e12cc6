/* Where sentences begin and end. */
#include "text/sentence.h"

#include <stdio.h>

#include "unit/host.h"

/* Sentences of a text, with "|" between them. */
static const char *
cut(MgCtx *cx, const char *text)
{
	static char joined[4096];
	MgSpan span = mg_span(text, strlen(text));
	MgSentence sentence;
	size_t at = 0, n = 0;
	bool found;

	while (mg_sentence_next(cx, span, &at, &sentence, &found) && found)
		n += (size_t) snprintf(joined + n, sizeof joined - n, "%s%.*s", n == 0 ? "" : "|", (int) (sentence.stop - sentence.start), text + sentence.start);
	joined[n] = '\0';
	return joined;
}

static const char *const cases[][2] = {
	{"", ""},
	{"  \n ", ""},
	{"One", "One"},
	{"One. Two! Three? Four", "One.|Two!|Three?|Four"},
	{"  One.  Two.\t", "One.|Two."},
	{"He paid 3.50 euros. It was 10.5 % more.", "He paid 3.50 euros.|It was 10.5 % more."},
	{"Dr. Who met Mr. Smith. They left.", "Dr. Who met Mr. Smith.|They left."},
	{"J. R. R. Tolkien wrote it. I read it.", "J. R. R. Tolkien wrote it.|I read it."},
	{"It was I. He left.", "It was I.|He left."},
	{"Apples, pears, etc. are fruit. Nuts etc. They are not.", "Apples, pears, etc. are fruit.|Nuts etc.|They are not."},
	{"See e.g. Berlin. See Fig. 3 for more.", "See e.g. Berlin.|See Fig. 3 for more."},
	{"\"Stop!\" he said. \"Why?\" She left.", "\"Stop!\" he said.|\"Why?\"|She left."},
	{"(It rained.) We stayed.", "(It rained.)|We stayed."},
	{"What?! No... Yes.", "What?!|No...|Yes."},
	{"Wait... what? See www.example.com. Now.", "Wait... what?|See www.example.com.|Now."},
	{"Am 3. Mai kam er. Das war z.B. Berlin.", "Am 3.|Mai kam er.|Das war z.B. Berlin."},
	{"1. First item. 2. Second.", "1. First item.|2. Second."},
	{"# Title\nText of it. More\non another line.\n\nNext paragraph", "# Title|Text of it.|More\non another line.|Next paragraph"},
	{"Things:\n- one\n- two\n1. three\n", "Things:|- one|- two|1. three"},
	{"\xE4\xBD\xA0\xE5\xA5\xBD\xE3\x80\x82\xE5\x86\x8D\xE8\xA7\x81\xE3\x80\x82", "\xE4\xBD\xA0\xE5\xA5\xBD\xE3\x80\x82|\xE5\x86\x8D\xE8\xA7\x81\xE3\x80\x82"},
	{"\xC3\x89t\xC3\xA9. \xC3\x89t\xC3\xA9.", "\xC3\x89t\xC3\xA9.|\xC3\x89t\xC3\xA9."},
	{"line\r\nline\r\n\r\nnext", "line\r\nline|next"},
	{".", "."},
	{"...", "..."},
	{". . .", ".|.|."},
};

int
main(void)
{
	TestHost host;
	MgCtx cx;

	test_host_init(&host);
	mg_ctx_init(&cx, &host.host);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		const char *got = cut(&cx, cases[i][0]);

		ok(strcmp(got, cases[i][1]) == 0, "case %zu", i);
		if (strcmp(got, cases[i][1]) != 0)
			printf("# got %s\n", got);
	}
	mg_ctx_free(&cx);
	return done();
}
