/* The small vocabulary of the fuzz targets: few letters, so that random text meets it. */
#ifndef TEST_FUZZ_TOKENIZER_SPEC_H
#define TEST_FUZZ_TOKENIZER_SPEC_H

#include "text/tokenizer.h"

static const struct
{
	const char *text;
	uint8_t flags;
} fuzz_tokens[] = {
	{"[PAD]", MG_TOKEN_ADDED | MG_TOKEN_SPECIAL},
	{"[UNK]", MG_TOKEN_ADDED | MG_TOKEN_SPECIAL},
	{"[CLS]", MG_TOKEN_ADDED | MG_TOKEN_SPECIAL},
	{"[SEP]", MG_TOKEN_ADDED | MG_TOKEN_SPECIAL},
	{"[MASK]", MG_TOKEN_ADDED | MG_TOKEN_SPECIAL | MG_TOKEN_LSTRIP},
	{"", 0},
	{"<r>", MG_TOKEN_ADDED | MG_TOKEN_RSTRIP},
	{"ab", MG_TOKEN_ADDED | MG_TOKEN_SINGLE_WORD},
	{"\xC3\x89t\xC3\xA9", MG_TOKEN_ADDED | MG_TOKEN_NORMALIZED | MG_TOKEN_LSTRIP | MG_TOKEN_RSTRIP},
	{"a", 0}, {"##a", 0}, {"b", 0}, {"##b", 0}, {"ba", 0}, {"##bab", 0}, {".", 0}, {",", 0}, {"'", 0}, {"do not", 0},
	{"\xC3\xA9", 0}, {"##\xC3\xA9", 0}, {"\xE4\xB8\xAD", 0}, {"\xE1\x84\x92", 0}, {"##\xE1\x85\xA1", 0},
	{"\xF0\x9D\x85\xA5", 0}, {"##\xF0\x9D\x85\xA5", 0}, {"##\xCC\x81", 0},
};

#define N_FUZZ_TOKENS (sizeof fuzz_tokens / sizeof fuzz_tokens[0])

/* Rules: 1 clean, 2 chinese, 4 strip accents, 8 lower case; 16: the normalized added token as well. */
static MgTokenizerSpec
fuzz_spec(unsigned rules)
{
	static MgSpan tokens[N_FUZZ_TOKENS];
	static uint8_t flags[N_FUZZ_TOKENS];

	for (size_t i = 0; i < N_FUZZ_TOKENS; i++)
	{
		tokens[i] = mg_span_of(fuzz_tokens[i].text);
		flags[i] = fuzz_tokens[i].flags;
		if ((flags[i] & MG_TOKEN_NORMALIZED) && !(rules & 16))
			flags[i] = 0;
	}
	return (MgTokenizerSpec){.kind = MG_WORDPIECE,
							 .n_tokens = N_FUZZ_TOKENS,
							 .tokens = tokens,
							 .flags = flags,
							 .unknown = 1,
							 .pre = MG_PRE_BERT,
							 .decoder = MG_DECODE_WORDPIECE,
							 .wrapping = mg_wrapping_of_bert(2, 3),
							 .pad = 0,
							 .mask = 4,
							 .clean_text = (rules & 1) != 0,
							 .chinese_chars = (rules & 2) != 0,
							 .strip_accents = (rules & 4) != 0,
							 .lowercase = (rules & 8) != 0,
							 .continuation = mg_span_of("##"),
							 .max_word_chars = 8};
}

#endif
