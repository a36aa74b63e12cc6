/*
 * Any bytes as a tokeniser's section, then a text through it: the input's last
 * 64 bytes, in which bytes above 127 are made 'a', behind some fixed words.
 */
#include "fuzz/host.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

#define TAIL 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
use(MgCtx *cx, const MgTokenizer *tokenizer, MgSpan text)
{
	size_t n = mg_tokenizer_size(tokenizer);
	MgTokens tokens;
	MgSpan back;
	bool fine = mg_tokenize(cx, tokenizer, text, MG_NO_DATA, &tokens);

	fuzz_judge(cx, fine);
	if (!fine)
		return;
	for (size_t i = 0; i < tokens.n; i++)
	{
		fuzz_require(tokens.ids[i] >= 0 && (size_t) tokens.ids[i] < n);
		fuzz_require(tokens.starts[i] <= tokens.stops[i] && tokens.stops[i] <= text.size);
	}
	for (size_t id = 0; id < n && id < 1000; id++)
		(void) mg_token_find(tokenizer, mg_token_text(tokenizer, (int32_t) id));
	fine = mg_detokenize(cx, tokenizer, tokens.ids, tokens.n, true, &back);
	fuzz_judge(cx, fine);
	if (fine)
		fuzz_require(mg_utf8_check(back) == back.size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char words[] = "ab bab [MASK] \xC3\x89t\xC3\xA9 \xE4\xB8\xAD\xCC\x81 \xED\x95\x98 a.b, <r>  ";
	uint8_t text[sizeof words - 1 + TAIL];
	size_t tail = size < TAIL ? size : TAIL;
	MgCtx cx;
	const MgTokenizer *tokenizer;

	memcpy(text, words, sizeof words - 1);
	for (size_t i = 0; i < tail; i++)
		text[sizeof words - 1 + i] = data[size - tail + i] < 128 ? data[size - tail + i] : 'a';
	mg_ctx_init(&cx, &fuzz_host);
	tokenizer = mg_tokenizer_bind(&cx, mg_span(data, size));
	fuzz_judge(&cx, tokenizer != NULL);
	if (tokenizer != NULL)
		use(&cx, tokenizer, mg_span(text, sizeof words - 1 + tail));
	mg_ctx_free(&cx);
	return 0;
}
