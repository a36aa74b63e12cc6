/* Ids back to text. */
#include "unit/text/sample.h"

static MgSpan tokens[N_SAMPLE];
static uint8_t flags[N_SAMPLE];

/* A list of tokens, ended by NULL, as text. */
static const char *
joined(MgCtx *cx, const MgTokenizer *tokenizer, bool keep_special, const char *const *words)
{
	int32_t ids[16];
	size_t n = 0;
	MgSpan text;

	for (; words[n] != NULL; n++)
	{
		ids[n] = mg_token_find(tokenizer, mg_span_of(words[n]));
		if (ids[n] < 0)
			return words[n];
	}
	if (!mg_detokenize(cx, tokenizer, ids, n, keep_special, &text))
		return cx->error.message;
	return mg_copy_text(cx, text);
}

#define JOINED(keep_special, ...) joined(cx, tokenizer, keep_special, (const char *const[]){__VA_ARGS__, NULL})

static void
test_joining(MgCtx *cx)
{
	static const char *const more[] = {"?",	 "!",  "n't", "'m",	    "'s",	 "'ve", "'re",
									   "##.", "do", "not", "do not", "x ' y", "...", "'mm"};
	MgTokenizerSpec spec = sample_spec(tokens, flags);
	const MgTokenizer *tokenizer;

	for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
		sample_add(&spec, more[i], 0);
	tokenizer = sample_bind(cx, &spec);
	is_text(JOINED(false, "un", "##play", "##able", "the"), "unplayable the", "continuations are joined");
	is_text(JOINED(false, "##play", "the"), "##play the", "but not the first token");
	is_text(JOINED(false, "the", ".", "a", ",", "a", "?", "a", "!"), "the. a, a? a!", "punctuation moves to the word");
	is_text(JOINED(false, ".", "a"), ". a", "the first has nothing to move to");
	is_text(JOINED(false, "a", "n't", "'m", "'s", "'ve", "'re"), "an't'm's've're", "contractions");
	is_text(JOINED(false, "a", "...", "'mm"), "a...'mm", "by their beginnings, whatever follows");
	is_text(JOINED(false, "the", "##."), "the.", "a continuation keeps no prefix");
	is_text(JOINED(false, "the", "do", "not"), "the do not", "each token is replaced by itself");
	is_text(JOINED(false, "the", "do not", "x ' y"), "the don't x'y", "also within");
	is_text(JOINED(false, "a", "'", "the"), "a ' the", "a lone quote stays apart");
	is_text(JOINED(false, "[CLS]", "a", "[MASK]", "the", "[SEP]"), "a the", "special tokens are left out");
	is_text(JOINED(true, "[CLS]", "a", "[SEP]"), "[CLS] a [SEP]", "unless they are to be kept");
	is_text(JOINED(false, "[CLS]", "##s", "##s"), "##ss", "the first token is the first that is shown");
}

static void
test_ids(MgCtx *cx)
{
	MgTokenizerSpec spec = sample_spec(tokens, flags);
	const MgTokenizer *tokenizer = sample_bind(cx, &spec);
	MgSpan text;

	ok(mg_detokenize(cx, tokenizer, NULL, 0, false, &text) && text.size == 0, "no tokens are no text");
	ok(mg_detokenize(cx, tokenizer, (const int32_t[]){6, 5, 6}, 3, false, &text) && mg_span_is(text, "the the"),
	   "a hole is nothing");
	ok(!mg_detokenize(cx, tokenizer, (const int32_t[]){6, 23}, 2, false, &text) && cx->error.code == MG_BAD_ARGUMENT,
	   "an id above the last is refused");
	is_text(cx->error.message, "token id 23 is out of range 0 to 22", "with these words");
	mg_ctx_reset(cx);
	tokenizer = sample_bind(cx, &spec);
	ok(!mg_detokenize(cx, tokenizer, (const int32_t[]){-1}, 1, false, &text), "and one below the first");
}

typedef struct Many
{
	MgTokenizerSpec spec;
	int32_t *ids;
	size_t n;
} Many;

static bool
body(MgCtx *cx, void *user)
{
	const Many *many = user;
	const MgTokenizer *tokenizer = sample_bind(cx, &many->spec);
	MgSpan text;

	return tokenizer != NULL && mg_detokenize(cx, tokenizer, many->ids, many->n, true, &text) &&
		   text.size == many->n * 4 - 1;
}

int
main(void)
{
	TestHost host;
	MgCtx cx;
	Many many = {sample_spec(tokens, flags), NULL, 200000};

	test_host_init(&host);
	mg_ctx_init(&cx, &host.host);
	test_joining(&cx);
	test_ids(&cx);
	mg_ctx_free(&cx);
	many.ids = malloc(many.n * sizeof *many.ids);
	for (size_t i = 0; i < many.n; i++)
		many.ids[i] = 6;
	sweep("detokenize", body, &many, 1);
	free(many.ids);
	return done();
}
