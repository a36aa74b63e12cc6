/* Any bytes as a SentencePiece model: an error, or a tokeniser whose tokens have places within the text. */
#include "format/tokenizer_files.h"
#include "fuzz/host.h"
#include "text/tokenizer.h"
#include "unit/memory_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	MemoryFile array[2] = {{"tokenizer.model", {data, size}}, {NULL, {NULL, 0}}};
	MgSpan text = mg_span_of("the cat  \xEF\xAC\x81 e\xCC\x81\t\xE4\xBD\xA0\xE5\xA5\xBD <s> aaaaaaaaaaaa \n"), section, back;
	const MgTokenizer *tokenizer = NULL;
	MgTokenizerSpec spec;
	MgTokens tokens;
	MgCtx cx;
	bool fine;

	mg_ctx_init(&cx, &fuzz_host);
	fine = mg_tokenizer_files_read(&cx, &MEMORY_FILES(array), &spec) && mg_tokenizer_build(&cx, &spec, &section) &&
		(tokenizer = mg_tokenizer_bind(&cx, section)) != NULL;
	fuzz_judge(&cx, fine);
	if (fine && mg_tokenize(&cx, tokenizer, text, MG_NO_DATA, &tokens))
	{
		for (size_t i = 0; i < tokens.n; i++)
			fuzz_require(tokens.ids[i] >= 0 && (size_t) tokens.ids[i] < spec.n_tokens && tokens.starts[i] <= tokens.stops[i] &&
						 tokens.stops[i] <= text.size);
		fuzz_require(mg_detokenize(&cx, tokenizer, tokens.ids, tokens.n, false, &back));
	}
	mg_ctx_free(&cx);
	return 0;
}
