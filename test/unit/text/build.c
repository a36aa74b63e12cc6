/* What a spec must be, and what of it can be asked back. */
#include "unit/text/sample.h"

static MgSpan tokens[N_SAMPLE];
static uint8_t flags[N_SAMPLE];

static void
is_refused(MgCtx *cx, const MgTokenizerSpec *spec, MgCode code, const char *message)
{
	MgSpan section;

	mg_ctx_reset(cx);
	ok(!mg_tokenizer_build(cx, spec, &section) && cx->error.code == code, "refused with code %d", code);
	is_text(cx->error.message, message, "with these words");
}

static void
test_refusals(MgCtx *cx)
{
	MgTokenizerSpec spec = sample_spec(tokens, flags);
	static char long_text[1100];

	memset(long_text, 'x', sizeof long_text - 1);
	spec.kind = 9;
	is_refused(cx, &spec, MG_UNSUPPORTED, "tokenizer of kind 9 with words of kind 1 and decoder 1 is not supported");
	spec = sample_spec(tokens, flags);
	spec.n_tokens = 0;
	is_refused(cx, &spec, MG_BAD_FILE, "vocabulary is empty");
	spec.n_tokens = ((size_t) 1 << 24) + 1;
	is_refused(cx, &spec, MG_TOO_LARGE, "vocabulary has 16777217 tokens, more than 16777216");
	spec = sample_spec(tokens, flags);
	spec.unknown = -1;
	is_refused(cx, &spec, MG_BAD_FILE, "vocabulary has no token for unknown words");
	spec.unknown = 1;
	spec.mask = 5;
	is_refused(cx, &spec, MG_BAD_FILE, "id 5 of the mask token is not in the vocabulary");
	spec.mask = (int32_t) spec.n_tokens;
	is_refused(cx, &spec, MG_BAD_FILE, "id 23 of the mask token is not in the vocabulary");
	spec.mask = -2;
	is_refused(cx, &spec, MG_BAD_FILE, "id -2 of the mask token is not in the vocabulary");
	spec.mask = -1;
	spec.max_word_chars = 1001;
	is_refused(cx, &spec, MG_UNSUPPORTED, "tokenizer's longest word has 1001 characters, must be 1 to 1000");
	spec.max_word_chars = 100;
	spec.continuation = mg_span_of("#################");
	is_refused(cx, &spec, MG_UNSUPPORTED, "tokenizer's continuation has 17 bytes, more than 16");
	spec.continuation = mg_span_of("\xC3");
	is_refused(cx, &spec, MG_BAD_FILE, "tokenizer's continuation is not valid UTF-8");
	spec.continuation = mg_span_of("##");
	tokens[7] = mg_span_of("a\xFF");
	is_refused(cx, &spec, MG_BAD_FILE, "token 7 is not valid UTF-8");
	tokens[7] = mg_span_of("un");
	flags[5] = MG_TOKEN_ADDED;
	is_refused(cx, &spec, MG_BAD_FILE, "added token 5 has 0 bytes, must have 1 to 1024");
	tokens[5] = mg_span_of(long_text);
	is_refused(cx, &spec, MG_TOO_LARGE, "added token 5 has 1099 bytes, must have 1 to 1024");
	tokens[5] = mg_span(long_text, 1022);
	flags[5] = MG_TOKEN_ADDED | MG_TOKEN_NORMALIZED;
	is_refused(cx, &spec, MG_TOO_LARGE, "added token 5 has more than 1020 bytes after normalization");
}

static void
test_questions(MgCtx *cx)
{
	MgTokenizerSpec spec = sample_spec(tokens, flags);
	const MgTokenizer *tokenizer;
	long bad = 0;

	sample_add(&spec, "play", 0);
	tokenizer = sample_bind(cx, &spec);
	if (!ok(tokenizer != NULL, "built and bound (%s)", cx->error.message))
		return;
	is_int(mg_tokenizer_size(tokenizer), (long) spec.n_tokens, "its size");
	for (size_t i = 0; i < spec.n_tokens; i++)
	{
		int32_t id = mg_token_find(tokenizer, tokens[i]);

		if (!mg_span_equal(mg_token_text(tokenizer, (int32_t) i), tokens[i]))
			bad++;
		if (tokens[i].size == 0 ? id != -1 : id < 0 || !mg_span_equal(tokens[id], tokens[i]))
			bad++;
		if (mg_token_is_special(tokenizer, (int32_t) i) != (i < 5))
			bad++;
	}
	is_int(bad, 0, "each token is found, by its id and by its text");
	is_int(mg_token_find(tokenizer, mg_span_of("play")), (long) spec.n_tokens - 1, "of equal tokens the last");
	is_int(mg_token_find(tokenizer, mg_span_of("pla")), -1, "a part of a token is none");
	is_int(mg_token_find(tokenizer, mg_span(NULL, 0)), -1, "nothing is none");
	is_int(mg_token_text(tokenizer, -1).size, 0, "an id below the first");
	is_int(mg_token_text(tokenizer, (int32_t) spec.n_tokens).size, 0, "and above the last has no text");
	ok(!mg_token_is_special(tokenizer, -1) && !mg_token_is_special(tokenizer, INT32_MAX), "and is not special");
	is_int(mg_special_tokens(tokenizer).mask, 4, "the mask token's id");
	is_int(mg_special_tokens(tokenizer).unknown, 1, "the unknown token's id");
}

static bool
body(MgCtx *cx, void *user)
{
	return sample_bind(cx, user) != NULL;
}

/* Ten thousand numbers, so that the hash has something to do, and building has something to poll for. */
static void
test_large(MgCtx *cx)
{
	enum { n = 10000 };
	static char names[n][12];
	static MgSpan many[n];
	static uint8_t many_flags[n];
	MgTokenizerSpec spec = sample_spec(tokens, flags);
	const MgTokenizer *tokenizer;
	long bad = 0;

	for (int i = 0; i < n; i++)
	{
		snprintf(names[i], sizeof names[i], "%d", i);
		many[i] = mg_span_of(names[i]);
	}
	spec.n_tokens = n;
	spec.tokens = many;
	spec.flags = many_flags;
	many_flags[0] = MG_TOKEN_ADDED | MG_TOKEN_NORMALIZED;
	tokenizer = sample_bind(cx, &spec);
	for (int i = 0; i < n; i++)
		if (mg_token_find(tokenizer, many[i]) != i)
			bad++;
	is_int(bad, 0, "ten thousand tokens are found");
	sweep("build and bind", body, &spec, 1);
}

int
main(void)
{
	TestHost host;
	MgCtx cx;

	test_host_init(&host);
	mg_ctx_init(&cx, &host.host);
	test_refusals(&cx);
	mg_ctx_reset(&cx);
	test_questions(&cx);
	test_large(&cx);
	mg_ctx_free(&cx);
	return done();
}
