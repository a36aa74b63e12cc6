/*
 * Any bytes as lists of steps, and a text: a byte that chooses the model, then three lists as the section has them, each behind its size in
 * two bytes, then the text. An error, or tokens with places within the text, and text of them.
 */
#include "text/steps.h"

#include "fuzz/host.h"
#include "text/section.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const words[] = {"<unk>", "\xE2\x96\x81", "a", "b", "ab", "\u2581ab", "aa", "<0xC3>", "<0xA9>", "<0xE4>", "##b", ".", "\xC3\xA9",
									"aaaa", "<s>", "ba"};

#define N_WORDS (sizeof words / sizeof *words)

static MgSpan
take_list(const uint8_t **data, size_t *size)
{
	size_t length = 0;
	MgSpan list;

	if (*size >= 2)
	{
		length = (size_t) (*data)[0] | (size_t) (*data)[1] << 8;
		*data += 2;
		*size -= 2;
	}
	length = length < *size ? length : *size;
	list = mg_span(*data, length);
	*data += length;
	*size -= length;
	return list;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static MgSpan tokens[N_WORDS];
	static uint8_t flags[N_WORDS];
	static double scores[N_WORDS];
	unsigned choice = size > 0 ? *data : 0;
	MgTokenizerSpec spec = {.kind = (MgTokenizerKind) (1 + (choice & 3)), .n_tokens = N_WORDS, .tokens = tokens, .flags = flags, .pad = -1, .mask = -1,
							.pre = MG_PRE_STEPS, .decoder = MG_DECODE_STEPS, .max_word_chars = 10, .continuation = mg_span_of("##"),
							.characters = (choice & 3) == 1, .byte_fallback = (choice & 4) != 0, .fuse_unknown = (choice & 8) != 0,
							.scores = scores, .wrapping = mg_wrapping_of_bert(-1, -1)};
	const MgTokenizer *tokenizer = NULL;
	MgSpan lists[3], section, back, text;
	MgTokens found;
	MgCtx cx;
	bool fine;

	for (size_t i = 0; i < N_WORDS; i++)
	{
		tokens[i] = mg_span_of(words[i]);
		flags[i] = i == 0 || i == 14 ? MG_TOKEN_ADDED | MG_TOKEN_SPECIAL : i == 15 && (choice & 16) != 0 ? MG_TOKEN_ADDED | MG_TOKEN_NORMALIZED : 0;
		scores[i] = -(double) (i % 5);
	}
	if (spec.kind != MG_UNIGRAM && spec.kind != MG_BPE)
		spec.scores = NULL;
	data += size > 0;
	size -= size > 0;
	for (size_t i = 0; i < 3; i++)
		lists[i] = take_list(&data, &size);
	text = mg_span(data, size);
	mg_ctx_init(&cx, &fuzz_host);
	fine = mg_steps_read(&cx, "normalizing", lists[0], MG_STEP_NFD, MG_STEP_METASPACE - 1, &spec.normalizing) &&
		mg_steps_read(&cx, "cutting", lists[1], MG_STEP_METASPACE, MG_STEP_BYTE_FALLBACK - 1, &spec.cutting) &&
		mg_steps_read(&cx, "decoding", lists[2], MG_STEP_BYTE_FALLBACK, MG_STEP_BYTE_TEXT, &spec.decoding) &&
		mg_tokenizer_build(&cx, &spec, &section) && (tokenizer = mg_tokenizer_bind(&cx, section)) != NULL;
	fuzz_judge(&cx, fine);
	if (fine && mg_tokenize(&cx, tokenizer, text, (choice & 32) != 0 ? MG_ALL_DATA : MG_NO_DATA, &found))
	{
		for (size_t i = 0; i < found.n; i++)
			fuzz_require(found.ids[i] >= 0 && (size_t) found.ids[i] < N_WORDS && found.starts[i] <= size && found.stops[i] <= size);
		fuzz_require(mg_detokenize(&cx, tokenizer, found.ids, found.n, (choice & 64) != 0, &back));
	}
	mg_ctx_free(&cx);
	return 0;
}
