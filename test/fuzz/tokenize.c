/*
 * Any text, by the rules that its first byte chooses: an error exactly when it
 * is not UTF-8, else tokens that lie in it, in order, and that come back as
 * text that is UTF-8.
 */
#include "fuzz/host.h"
#include "fuzz/tokenizer_spec.h"
#include "text/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
judge_tokens(const MgTokens *tokens, MgSpan text)
{
	for (size_t i = 0; i < tokens->n; i++)
	{
		fuzz_require(tokens->ids[i] >= 0 && (size_t) tokens->ids[i] < N_FUZZ_TOKENS);
		fuzz_require(tokens->starts[i] < tokens->stops[i] && tokens->stops[i] <= text.size);
		fuzz_require(mg_utf8_boundary(text, tokens->starts[i]) && mg_utf8_boundary(text, tokens->stops[i]));
		fuzz_require(i == 0 || tokens->starts[i] >= tokens->starts[i - 1]);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	MgCtx cx;
	MgTokenizerSpec spec;
	const MgTokenizer *tokenizer;
	MgSpan section, text, back;
	MgTokens tokens;
	bool fine;

	if (size == 0)
		return 0;
	mg_ctx_init(&cx, &fuzz_host);
	spec = fuzz_spec(data[0]);
	fuzz_require(mg_tokenizer_build(&cx, &spec, &section));
	tokenizer = mg_tokenizer_bind(&cx, section);
	fuzz_require(tokenizer != NULL);
	text = mg_span(data + 1, size - 1);
	fine = mg_tokenize(&cx, tokenizer, text, MG_NO_DATA, &tokens);
	fuzz_judge(&cx, fine);
	fuzz_require(fine == (mg_utf8_check(text) == text.size));
	if (fine)
	{
		judge_tokens(&tokens, text);
		fuzz_require(mg_detokenize(&cx, tokenizer, tokens.ids, tokens.n, (data[0] & 32) != 0, &back));
		fuzz_require(mg_utf8_check(back) == back.size);
	}
	mg_ctx_free(&cx);
	return 0;
}
