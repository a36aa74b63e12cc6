/* Regular expressions: what they match, as Oniguruma does it; what is refused; the work of one match is bounded. Long lists: test/golden/steps.py. */
#include "text/regex.h"

#include "unit/host.h"

static MgCtx cx;
static TestHost host;

/* Matches one after the other, "start-end ...". */
static const char *
matches(const char *expression, const char *text)
{
	static char said[400];
	const MgRegex *regex;
	MgRegexStack stack = {0};
	MgPace pace = {0};
	MgRegexText in = {&cx, &pace, &stack, mg_span_of(text)};
	size_t at = 0, start, end, n = 0;
	bool found = true;

	said[0] = '\0';
	mg_ctx_reset(&cx);
	regex = mg_regex_compile(&cx, mg_span_of(expression));
	if (regex == NULL)
		return cx.error.message;
	while (mg_regex_search(&in, regex, at, &start, &end, &found) && found && n < 380)
	{
		n += (size_t) snprintf(said + n, sizeof said - n, "%s%zu-%zu", n > 0 ? " " : "", start, end);
		at = end;
	}
	return said;
}

static void
check_matches(void)
{
	static const struct
	{
		const char *expression, *text, *found;
	} cases[] = {
		{"a|ab", "abab", "0-1 2-3"},
		{"ab|a", "aab", "0-1 1-3"},
		{"a{1,3}", "aaaa", "0-3 3-4"},
		{"a{2}", "aaaaa", "0-2 2-4"},
		{"a{2,}aab", "aaab", ""},
		{"a{,2}b", "aaab", "1-4"},
		{"a{b", "a{b", "0-3"},
		{"a+?b?", "aab", "0-1 1-3"},
		{"a++b|c", "aabc", "0-3 3-4"},
		{"a*+ab|c", "aabc", "3-4"},
		{"(?>a|ab)c|b", "abc", "1-2"},
		{"(?:ab){1,2}", "ababab", "0-4 4-6"},
		{"(?:ab){1,2}?", "abab", "0-2 2-4"},
		{"(?:a|b)*+b|x", "abx", "2-3"},
		{"a(?=b)", "aab", "1-2"},
		{"a(?!b)", "aba", "2-3"},
		{"(?<=a)b", "bab", "2-3"},
		{"(?<!a)b", "bab", "0-1"},
		{"(?i:s|k)", "S\xC5\xBFK\xE2\x84\xAA", "0-1 1-3 3-4 4-7"},
		{"(?i:a(?-i:b))", "AbAB", "0-2"},
		{"a(?i)b|c", "aBaC", "0-2 2-4"},
		{"[^a-c\\s]+", "abcd e", "3-4 5-6"},
		{"[a-z&&[^aeiou]]+", "hello", "0-1 2-4"},
		{"[]a]", "a]", "0-1 1-2"},
		{"[a-]", "-b", "0-1"},
		{"\\p{Lu}\\p{^Lu}", "AbC", "0-2"},
		{"\\P{L}", "a1", "1-2"},
		{"\\p{Han}+", "a\xE4\xB8\xAD\xE6\x96\x87", "1-7"},
		{"\\x41\\u0042\\x{43}", "ABC", "0-3"},
		{"\\bb|\\Bc", "b bc", "0-1 2-3 3-4"},
		{"^b|b$", "b\nb", "0-1 2-3"},
		{"\\Aa|a\\z", "aaa", "0-1 2-3"},
		{".", "\na", "1-2"},
		{"(?m:.)", "\na", "0-1 1-2"},
		{"\\s+(?!\\S)|\\s+", "a   b  ", "1-3 3-4 5-7"},
		{"\xC3\xA9+", "e\xC3\xA9\xC3\xA9", "1-5"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		is_text(matches(cases[i].expression, cases[i].text), cases[i].found, "%s", cases[i].expression);
}

static void
check_refusals(void)
{
	static const struct
	{
		const char *expression, *what;
	} cases[] = {
		{"", "a match of nothing"},
		{"a*", "a match of nothing"},
		{"(?=a)", "a match of nothing"},
		{"(a*)+b", "a repetition of what may be nothing"},
		{"(a)\\1", "this escape"},
		{"(?<n>a)", "a group with a name"},
		{"(?<=ab)c", "a look behind at more than one character"},
		{"\\p{Nothing}", "this property of characters"},
		{"\\pL", "\\p without braces"},
		{"[[:alpha:]]", "[: :]"},
		{"[a", "a set without its end"},
		{"[b-a]", "an empty range"},
		{"(a", "a group without its end"},
		{"a)", "\")\" without a group"},
		{"+", "a repetition of nothing"},
		{"a{2}?", "bounds before \"?\""},
		{"a{3,2}", "these bounds of a repetition"},
		{"a{2000}", "these bounds of a repetition"},
		{"(?:(?:ab){900}){900}", "so many repetitions"},
		{"(?i:ss)", "letters under (?i) that are one character in another case"},
		{"(?i:\xC3\xA9)", "characters under (?i) that are not ASCII"},
		{"a\\", "a backslash at its end"},
		{"((((((((((((((((((((((((((((((((((((a))))))))))))))))))))))))))))))))))))", "groups in so many groups"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		char message[200];

		snprintf(message, sizeof message, "regular expression with %s is not supported", cases[i].what);
		is_text(matches(cases[i].expression, "a"), message, "refused: %s", cases[i].expression);
		is_int(cx.error.code, MG_UNSUPPORTED, "as unsupported");
	}
}

/* 2^n ways, and a match that looks at all of a long text from each of its places. */
static void
check_work(void)
{
	char text[4001];

	memset(text, 'a', 4000);
	text[4000] = '\0';
	is_text(matches("(?:a|aa)+b|c", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), "", "a match of too many ways ends");
	is_int(cx.error.code, MG_TOO_LARGE, "with an error");
	host.n_polls = 0;
	is_text(matches("a*b", text), "", "a text without a match");
	ok(host.n_polls > 50, "is polled while it is searched: %ld times", host.n_polls);
}

static bool
search(MgCtx *swept, void *unused)
{
	MgRegexStack stack = {0};
	MgPace pace = {.done = MG_PACE_UNITS - 50};
	const MgRegex *regex = mg_regex_compile(swept, mg_span_of("(?:[a-c\\p{L}&&[^x]]|(?i:k)){2,40}(?!z)"));
	MgRegexText in = {swept, &pace, &stack, mg_span_of("abcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabc")};
	size_t start, end;
	bool found;

	(void) unused;
	return regex != NULL && mg_regex_search(&in, regex, 0, &start, &end, &found);
}

int
main(void)
{
	test_host_init(&host);
	mg_ctx_init(&cx, &host.host);
	check_matches();
	check_refusals();
	check_work();
	mg_ctx_free(&cx);
	sweep("search", search, NULL, 1);
	return done();
}
