/* Words into pieces, through the whole tokeniser with its small vocabulary. */
#include "unit/text/sample.h"

static MgSpan tokens[N_SAMPLE];
static uint8_t flags[N_SAMPLE];

static const char *
pieces(MgCtx *cx, const MgTokenizer *tokenizer, const char *text)
{
	return sample_tokens_of(cx, tokenizer, mg_span_of(text));
}

static void
test_greedy(MgCtx *cx)
{
	MgTokenizerSpec spec = sample_spec(tokens, flags);
	const MgTokenizer *tokenizer = sample_bind(cx, &spec);

	is_text(pieces(cx, tokenizer, "the"), "the@0-3", "a whole word");
	is_text(pieces(cx, tokenizer, "unplayable"), "un@0-2 ##play@2-6 ##able@6-10", "three pieces");
	is_text(pieces(cx, tokenizer, "abc"), "a@0-1 ##bc@1-3", "the longest piece wins");
	is_text(pieces(cx, tokenizer, "abcb"), "a@0-1 ##bc@1-3 ##b@3-4", "and the search goes on behind it");
	is_text(pieces(cx, tokenizer, "abx"), "[UNK]@0-3", "a word that cannot be used up is unknown as a whole");
	is_text(pieces(cx, tokenizer, "able"), "[UNK]@0-4", "a continuation does not begin a word");
	is_text(pieces(cx, tokenizer, "playun"), "[UNK]@0-6", "and a beginning does not continue one");
	is_text(pieces(cx, tokenizer, "##play"), "[UNK]@0-1 [UNK]@1-2 play@2-6", "a prefix in the text is punctuation");
}

static void
test_length(MgCtx *cx)
{
	MgTokenizerSpec spec = sample_spec(tokens, flags);
	const MgTokenizer *tokenizer;

	spec.max_word_chars = 4;
	tokenizer = sample_bind(cx, &spec);
	is_text(pieces(cx, tokenizer, "cafe"), "cafe@0-4", "a word of the longest length");
	is_text(pieces(cx, tokenizer, "plays"), "[UNK]@0-5", "one character more");
	is_text(pieces(cx, tokenizer, "caf\xC3\xA9"), "cafe@0-5", "characters are counted, not bytes");
	is_text(pieces(cx, tokenizer, "plays\xC3\xA9 the"), "[UNK]@0-7 the@8-11", "the slow path counts as well");
	is_text(pieces(cx, tokenizer, "cafe\xCC\x81\xCC\x81"), "cafe@0-4", "and after normalization");
	spec.strip_accents = false;
	spec.max_word_chars = 2;
	tokenizer = sample_bind(cx, &spec);
	is_text(pieces(cx, tokenizer, "\xC3\xA9\xC3\xA9"), "\xC3\xA9@0-2 ##\xC3\xA9@2-4",
			"no piece ends within a character");
}

static void
test_outside(MgCtx *cx)
{
	MgTokenizerSpec spec = sample_spec(tokens, flags);
	const MgTokenizer *tokenizer;

	sample_add(&spec, "ab", MG_TOKEN_ADDED | MG_TOKEN_SINGLE_WORD | MG_TOKEN_OUTSIDE);
	tokenizer = sample_bind(cx, &spec);
	is_text(pieces(cx, tokenizer, "ab abb"), "ab@0-2 a@3-4 ##b@4-5 ##b@5-6",
			"WordPiece passes by what it does not own");
	is_int(mg_token_find(tokenizer, mg_span_of("ab")), (long) spec.n_tokens - 1, "which can be found all the same");
}

int
main(void)
{
	TestHost host;
	MgCtx cx;

	test_host_init(&host);
	mg_ctx_init(&cx, &host.host);
	test_greedy(&cx);
	test_length(&cx);
	test_outside(&cx);
	mg_ctx_free(&cx);
	return done();
}
