/*
 * Whole texts: the reference's answers from test/golden/tokenizer (made, and
 * its form described, by test/golden/tokenizer.py), refusals, and the sweep.
 */
#include "text/section.h"

#include "unit/text/sample.h"

#define LINE_SIZE (64 * 1024)
#define GOLDEN_TOKENS 1024

typedef struct GoldenFile
{
	FILE *file;
	char line[LINE_SIZE];
	MgSpan tokens[GOLDEN_TOKENS];
	uint8_t flags[GOLDEN_TOKENS];
	MgTokenizerSpec spec;
	const MgTokenizer *tokenizer;
	char text[LINE_SIZE]; /* of the last line "text" */
	size_t text_size;
	MgTokens found; /* in it */
	long n_texts, n_backs, n_wrong;
	bool ended;
} GoldenFile;

static size_t
unhex(const char *hex, char *into)
{
	size_t n = 0;

	for (unsigned byte; sscanf(hex + 2 * n, "%2x", &byte) == 1; n++)
		into[n] = (char) byte;
	return n;
}

static void
golden_token(GoldenFile *golden, MgCtx *kept)
{
	static char text[LINE_SIZE];
	char hex[LINE_SIZE / 4];
	unsigned id, flags;

	if (sscanf(golden->line, "token %u %u %16000s", &id, &flags, hex) != 3 || id != golden->spec.n_tokens ||
		id >= GOLDEN_TOKENS)
		golden->n_wrong++;
	else
	{
		size_t size = unhex(hex, text);

		golden->tokens[id] = mg_span(mg_copy_text(kept, mg_span(text, size)), size);
		golden->flags[id] = (uint8_t) flags;
		golden->spec.n_tokens++;
	}
}

static bool
golden_bind(GoldenFile *golden, MgCtx *kept)
{
	golden->spec.pad = 0;
	golden->spec.unknown = 1;
	golden->spec.wrapping = mg_wrapping_of_bert(2, 3);
	golden->spec.pre = MG_PRE_BERT;
	golden->spec.decoder = MG_DECODE_WORDPIECE;
	golden->spec.mask = 4;
	golden->spec.tokens = golden->tokens;
	golden->spec.flags = golden->flags;
	golden->spec.kind = MG_WORDPIECE;
	golden->spec.continuation = mg_span_of("##");
	golden->spec.max_word_chars = 100;
	golden->tokenizer = sample_bind(kept, &golden->spec);
	return golden->tokenizer != NULL;
}

/* Whether the tokens of a line are those that were found; says which are not. */
static bool
golden_same(GoldenFile *golden)
{
	const char *rest = golden->line + strlen("tokens");
	size_t n = 0;
	int used;

	for (unsigned id, start, stop; sscanf(rest, " %u:%u-%u%n", &id, &start, &stop, &used) == 3; rest += used, n++)
		if (n >= golden->found.n || golden->found.ids[n] != (int32_t) id || golden->found.starts[n] != start ||
			golden->found.stops[n] != stop)
		{
			printf("# text %ld: token %zu should be %u at %u to %u\n", golden->n_texts, n, id, start, stop);
			return false;
		}
	if (n != golden->found.n)
		printf("# text %ld: %zu tokens, not %zu\n", golden->n_texts, golden->found.n, n);
	return n == golden->found.n;
}

static bool
golden_back(GoldenFile *golden, MgCtx *cx)
{
	static char want[LINE_SIZE];
	size_t size = unhex(golden->line + strlen("back "), want);
	MgSpan got;

	golden->n_backs++;
	return mg_detokenize(cx, golden->tokenizer, golden->found.ids, golden->found.n, false, &got) &&
		   mg_span_equal(got, mg_span(want, size));
}

static void
golden_line(GoldenFile *golden, MgCtx *kept, MgCtx *cx)
{
	bool fine = true;
	unsigned rules;

	if (strncmp(golden->line, "text ", 5) == 0)
	{
		if (golden->tokenizer == NULL && !golden_bind(golden, kept))
		{
			golden->n_wrong++;
			return;
		}
		mg_ctx_reset(cx);
		golden->n_texts++;
		golden->text_size = unhex(golden->line + 5, golden->text);
		fine = mg_tokenize(cx, golden->tokenizer, mg_span(golden->text, golden->text_size), MG_NO_DATA, &golden->found);
	}
	else if (strncmp(golden->line, "tokens", 6) == 0)
		fine = golden_same(golden);
	else if (strncmp(golden->line, "back ", 5) == 0)
		fine = golden_back(golden, cx);
	else if (strncmp(golden->line, "token ", 6) == 0)
		golden_token(golden, kept);
	else if (sscanf(golden->line, "rules %u", &rules) == 1)
	{
		golden->spec.clean_text = (rules & MG_RULE_CLEAN) != 0;
		golden->spec.chinese_chars = (rules & MG_RULE_CHINESE) != 0;
		golden->spec.strip_accents = (rules & MG_RULE_STRIP) != 0;
		golden->spec.lowercase = (rules & MG_RULE_LOWER) != 0;
	}
	else
		golden->ended = golden->ended || strcmp(golden->line, "end\n") == 0;
	golden->n_wrong += !fine;
}

static void
test_golden(const char *name, const char *path)
{
	static GoldenFile golden;
	TestHost host;
	MgCtx kept, cx;

	memset(&golden, 0, sizeof golden);
	test_host_init(&host);
	mg_ctx_init(&kept, &host.host);
	mg_ctx_init(&cx, &host.host);
	golden.file = fopen(path, "r");
	if (!ok(golden.file != NULL, "%s: file", name))
		return;
	while (golden.n_wrong < 10 && fgets(golden.line, sizeof golden.line, golden.file) != NULL)
		golden_line(&golden, &kept, &cx);
	ok(golden.ended && golden.n_texts > 500 && golden.n_backs > 400, "%s: ran to the end", name);
	is_int(golden.n_wrong, 0, "%s: %ld texts as the reference cuts them, %ld put together again", name, golden.n_texts,
		   golden.n_backs);
	fclose(golden.file);
	mg_ctx_free(&cx);
	mg_ctx_free(&kept);
	is_int(host.live, 0, "%s: nothing is left", name);
}

static MgSpan tokens[N_SAMPLE];
static uint8_t flags[N_SAMPLE];

static void
test_refusals(MgCtx *cx)
{
	MgTokenizerSpec spec = sample_spec(tokens, flags);
	const MgTokenizer *tokenizer = sample_bind(cx, &spec);
	size_t size = 3 * 1024 * 1024;
	char *text = malloc(size);
	MgTokens found;

	ok(!mg_tokenize(cx, tokenizer, mg_span("the \xE4\xB8!", 7), MG_NO_DATA, &found) && cx->error.code == MG_BAD_TEXT,
	   "ill-formed text is refused");
	is_text(cx->error.message, "text is not valid UTF-8 at byte 4", "with the offset");

	/* Characters of three bytes lie across every border between stretches that are checked at a time. */
	for (size_t i = 0; i < size; i++)
		text[i] = "\xE4\xB8\xAD"[i % 3];
	mg_ctx_reset(cx);
	tokenizer = sample_bind(cx, &spec);
	ok(mg_tokenize(cx, tokenizer, mg_span(text, size), MG_NO_DATA, &found) && found.n == size / 3 &&
		   found.stops[found.n - 1] == size,
	   "a long text without any white space (%s)", cx->error.message);
	text[size - 1] = 'x';
	ok(!mg_tokenize(cx, tokenizer, mg_span(text, size), MG_NO_DATA, &found), "with an error at its end");
	is_text(cx->error.message, "text is not valid UTF-8 at byte 3145725", "has that offset");
	free(text);

	mg_ctx_reset(cx);
	tokenizer = sample_bind(cx, &spec);
	ok(!mg_tokenize(cx, tokenizer, mg_span("", MG_TEXT_LIMIT + 1), MG_NO_DATA, &found) && cx->error.code == MG_TOO_LARGE,
	   "a text above the limit is refused unread");
	is_text(cx->error.message, "text of 67108865 bytes is longer than 67108864", "with both numbers");
	mg_ctx_reset(cx);
	tokenizer = sample_bind(cx, &spec);
	ok(mg_tokenize(cx, tokenizer, mg_span(NULL, 0), MG_NO_DATA, &found) && found.n == 0, "an empty text has no tokens");
}

/* The fast path must give what the slow one gives: the same words with an accent that is dropped behind each. */
static void
test_paths(MgCtx *cx)
{
	static const char *const words[] = {"the", "UNPLAYABLE", "abcb", "zzz", "caFe", "."};
	MgTokenizerSpec spec = sample_spec(tokens, flags);
	const MgTokenizer *tokenizer = sample_bind(cx, &spec);
	long bad = 0;

	for (size_t w = 0; w < sizeof words / sizeof words[0]; w++)
	{
		char slow[64];
		MgTokens fast_found, slow_found;

		snprintf(slow, sizeof slow, "%s\xCC\x81", words[w]);
		if (!mg_tokenize(cx, tokenizer, mg_span_of(words[w]), MG_NO_DATA, &fast_found) ||
			!mg_tokenize(cx, tokenizer, mg_span_of(slow), MG_NO_DATA, &slow_found) || fast_found.n != slow_found.n ||
			memcmp(fast_found.ids, slow_found.ids, fast_found.n * sizeof *fast_found.ids) != 0 ||
			memcmp(fast_found.starts, slow_found.starts, fast_found.n * sizeof *fast_found.starts) != 0 ||
			memcmp(fast_found.stops, slow_found.stops, fast_found.n * sizeof *fast_found.stops) != 0)
			bad++;
	}
	is_int(bad, 0, "the fast path and the slow one agree");
}

typedef struct Work
{
	MgTokenizerSpec spec;
	char *text;
	size_t size;
} Work;

static bool
body(MgCtx *cx, void *user)
{
	const Work *work = user;
	const MgTokenizer *tokenizer = sample_bind(cx, &work->spec);
	MgTokens found;

	return tokenizer != NULL && mg_tokenize(cx, tokenizer, mg_span(work->text, work->size), MG_NO_DATA, &found) && found.n > 0;
}

/* A sweep over no polls would pass as well, so they are counted; each is at most 64 kB of text after the last. */
static void
test_polls(const Work *work)
{
	TestHost host;
	MgCtx cx;
	const MgTokenizer *tokenizer;
	MgTokens found;
	long before;

	test_host_init(&host);
	mg_ctx_init(&cx, &host.host);
	tokenizer = sample_bind(&cx, &work->spec);
	before = host.n_polls;
	ok(mg_tokenize(&cx, tokenizer, mg_span(work->text, work->size), MG_NO_DATA, &found) &&
		   host.n_polls - before >= (long) (work->size / 65536),
	   "%zu bytes of text, %ld polls", work->size, host.n_polls - before);
	mg_ctx_free(&cx);
}

/* Every part of the work, often enough that each polls and grows: plain words, long ones, marks, added tokens. */
static void
test_sweep(void)
{
	static const char *const parts[] = {"the unplayable ", "[MASK] ", "aaaaaaaaaaaaaaaa", "e\xCC\x81\xCC\xA7 ",
										"\xE4\xB8\xAD", "\xED\x95\x9C ", ",,,,,,,,", "New York "};
	static char text[600000];
	Work work = {sample_spec(tokens, flags), text, 0};

	for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++)
		for (int i = 0; i < 4000 && work.size + 16 < sizeof text; i++)
		{
			memcpy(text + work.size, parts[p], strlen(parts[p]));
			work.size += strlen(parts[p]);
		}
	test_polls(&work);
	sweep("tokenize", body, &work, 1);
	sample_add(&work.spec, "New York", MG_TOKEN_ADDED | MG_TOKEN_NORMALIZED | MG_TOKEN_LSTRIP);
	sweep("tokenize with normalized added tokens", body, &work, 1);
}

int
main(void)
{
	TestHost host;
	MgCtx cx;

	test_golden("uncased", "test/golden/tokenizer/uncased.txt");
	test_golden("cased", "test/golden/tokenizer/cased.txt");
	test_host_init(&host);
	mg_ctx_init(&cx, &host.host);
	test_refusals(&cx);
	test_paths(&cx);
	mg_ctx_free(&cx);
	test_sweep();
	return done();
}
