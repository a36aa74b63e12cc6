/* Added tokens in text: leftmost, longest, and their flags. */
#include "unit/text/sample.h"

static MgSpan tokens[N_SAMPLE];
static uint8_t flags[N_SAMPLE];
static MgTokenizerSpec spec;
static MgCtx *cx;

static void
is_cut(const char *text, const char *want, const char *what)
{
	is_text(sample_tokens_of(cx, sample_bind(cx, &spec), mg_span_of(text)), want, "%s", what);
}

static void
test_special(void)
{
	spec = sample_spec(tokens, flags);
	is_cut("the [MASK].", "the@0-3 [MASK]@4-10 .@10-11", "a special token in text");
	is_cut("a[MASK]a", "a@0-1 [MASK]@1-7 a@7-8", "within a word");
	is_cut("[MASK][SEP]", "[MASK]@0-6 [SEP]@6-11", "one after the other");
	is_cut("[[MASK]", "[UNK]@0-1 [MASK]@1-7", "behind a false start");
	is_cut("[mask]", "[UNK]@0-1 [UNK]@1-5 [UNK]@5-6", "only in its own case");
	is_cut("[MASK", "[UNK]@0-1 [UNK]@1-5", "only as a whole");
	is_cut("a[MASK]\xCC\x81" "a", "a@0-1 [MASK]@1-7 a@9-10", "an accent behind it stands alone");
}

static void
test_longest(void)
{
	spec = sample_spec(tokens, flags);
	sample_add(&spec, "the", MG_TOKEN_ADDED);
	sample_add(&spec, "the play", MG_TOKEN_ADDED);
	sample_add(&spec, "play", MG_TOKEN_ADDED);
	is_cut("the play", "the play@0-8", "the longest wins");
	is_cut("the plan", "the@0-3 [UNK]@4-8", "a shorter one where the longer one fails");
	is_cut("play the the play", "play@0-4 the@5-8 the play@9-17", "again and again");
}

static void
test_flags(void)
{
	spec = sample_spec(tokens, flags);
	sample_add(&spec, "<l>", MG_TOKEN_ADDED | MG_TOKEN_LSTRIP);
	sample_add(&spec, "<r>", MG_TOKEN_ADDED | MG_TOKEN_RSTRIP);
	sample_add(&spec, "<w>", MG_TOKEN_ADDED | MG_TOKEN_SINGLE_WORD);
	is_cut("a \xC2\xA0<l> a", "a@0-1 <l>@1-7 a@8-9", "white space on the left is swallowed");
	is_cut("a <r> \n a", "a@0-1 <r>@2-8 a@8-9", "and on the right");
	is_cut("<r>  <l>", "<r>@0-5 <l>@5-8", "but not twice");
	is_cut("<w> a<w> <w>a .<w>.", "<w>@0-3 a@4-5 [UNK]@5-6 [UNK]@6-7 [UNK]@7-8 [UNK]@9-10 [UNK]@10-11 [UNK]@11-12 "
								  "a@12-13 .@14-15 <w>@15-18 .@18-19",
		   "a single word stands between characters that are not of words");
	is_cut("\xC3\xA9<w>", "[UNK]@0-2 [UNK]@2-3 [UNK]@3-4 [UNK]@4-5", "which need not be ASCII");
}

static void
test_normalized(void)
{
	spec = sample_spec(tokens, flags);
	sample_add(&spec, "\xC3\x89t\xC3\xA9", MG_TOKEN_ADDED | MG_TOKEN_NORMALIZED);
	sample_add(&spec, "New York", MG_TOKEN_ADDED | MG_TOKEN_NORMALIZED | MG_TOKEN_LSTRIP);
	sample_add(&spec, "\xCC\x81", MG_TOKEN_ADDED | MG_TOKEN_NORMALIZED);
	is_cut("a ETE e\xCC\x81te\xCC\x81", "a@0-1 \xC3\x89t\xC3\xA9@2-5 \xC3\x89t\xC3\xA9@6-11",
		   "found in normalised text");
	is_cut("a  NEW\tYORK.", "a@0-1 New York@1-11 .@11-12", "over white space, and swallowing it");
	is_cut("a[MASK]\xE4\xB8\xAD", "a@0-1 [MASK]@1-7 \xE4\xB8\xAD@7-10", "with raw ones in the same text");
	is_cut("a\xCC\x81", "a@0-1", "one that normalises to nothing is never found");
}

static void
test_same_pattern(void)
{
	spec = sample_spec(tokens, flags);
	sample_add(&spec, "Zed", MG_TOKEN_ADDED | MG_TOKEN_NORMALIZED);
	sample_add(&spec, "zed", MG_TOKEN_ADDED | MG_TOKEN_NORMALIZED);
	is_cut("ZED", "Zed@0-3", "of equal patterns the first one wins");
}

/* Enough of them that sorting and narrowing have work to do: each is found, and nothing between them is. */
static void
test_many(void)
{
	static char names[400][8];
	static MgSpan many[500];
	static uint8_t many_flags[500];
	MgTokens found;
	const MgTokenizer *tokenizer;
	long bad = 0;

	spec = sample_spec(tokens, flags);
	memcpy(many, tokens, sizeof tokens);
	memcpy(many_flags, flags, sizeof flags);
	spec.tokens = many;
	spec.flags = many_flags;
	for (int i = 0; i < 400; i++)
	{
		snprintf(names[i], sizeof names[i], "<%d>", i * 7919 % 1000);
		sample_add(&spec, names[i], MG_TOKEN_ADDED);
	}
	tokenizer = sample_bind(cx, &spec);
	for (int i = 0; i < 1000; i++)
	{
		char text[16];
		int size = snprintf(text, sizeof text, "<%d>", i);
		int32_t id = mg_token_find(tokenizer, mg_span_of(text));
		bool fine = mg_tokenize(cx, tokenizer, mg_span_of(text), MG_NO_DATA, &found);

		if (!fine || (found.n == 1 ? found.ids[0] : -1) != id || (id >= 0 && found.stops[0] != (uint32_t) size))
			bad++;
	}
	is_int(bad, 0, "400 added tokens, and no others");
}

int
main(void)
{
	TestHost host;
	MgCtx context;

	test_host_init(&host);
	cx = &context;
	mg_ctx_init(cx, &host.host);
	test_special();
	test_longest();
	test_flags();
	test_normalized();
	test_same_pattern();
	test_many();
	mg_ctx_free(cx);
	return done();
}
