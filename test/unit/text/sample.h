/* A small vocabulary for tests, and the tokens of a text as one readable line. */
#ifndef TEST_UNIT_TEXT_SAMPLE_H
#define TEST_UNIT_TEXT_SAMPLE_H

#include "text/tokenizer.h"
#include "unit/host.h"

typedef struct SampleToken
{
	const char *text;
	uint8_t flags;
} SampleToken;

#define SPECIAL (MG_TOKEN_ADDED | MG_TOKEN_SPECIAL)
#define N_SAMPLE 64

static const SampleToken sample_tokens[] = {
	{"[PAD]", SPECIAL}, {"[UNK]", SPECIAL}, {"[CLS]", SPECIAL}, {"[SEP]", SPECIAL}, {"[MASK]", SPECIAL},
	{"", 0}, /* a hole */
	{"the", 0}, {"un", 0}, {"##play", 0}, {"##able", 0}, {"play", 0}, {"##s", 0}, {"a", 0}, {"##b", 0}, {"##bc", 0},
	{".", 0}, {",", 0}, {"'", 0}, {"cafe", 0}, {"##e", 0}, {"\xE4\xB8\xAD", 0}, {"\xC3\xA9", 0}, {"##\xC3\xA9", 0},
};

/* The sample as a spec; the arrays are the caller's, [N_SAMPLE]. */
__attribute__((unused)) static MgTokenizerSpec
sample_spec(MgSpan *tokens, uint8_t *flags)
{
	size_t n = sizeof sample_tokens / sizeof sample_tokens[0];

	memset(flags, 0, N_SAMPLE);
	for (size_t i = 0; i < n; i++)
	{
		tokens[i] = mg_span_of(sample_tokens[i].text);
		flags[i] = sample_tokens[i].flags;
	}
	return (MgTokenizerSpec){.kind = MG_WORDPIECE,
							 .n_tokens = n,
							 .tokens = tokens,
							 .flags = flags,
							 .unknown = 1,
							 .pre = MG_PRE_BERT,
							 .decoder = MG_DECODE_WORDPIECE,
							 .wrapping = mg_wrapping_of_bert(2, 3),
							 .pad = 0,
							 .mask = 4,
							 .clean_text = true,
							 .chinese_chars = true,
							 .strip_accents = true,
							 .lowercase = true,
							 .continuation = mg_span_of("##"),
							 .max_word_chars = 100};
}

/* Adds one token behind the others. */
__attribute__((unused)) static void
sample_add(MgTokenizerSpec *spec, const char *text, uint8_t flags)
{
	((MgSpan *) spec->tokens)[spec->n_tokens] = mg_span_of(text);
	((uint8_t *) spec->flags)[spec->n_tokens] = flags;
	spec->n_tokens++;
}

__attribute__((unused)) static const MgTokenizer *
sample_bind(MgCtx *cx, const MgTokenizerSpec *spec)
{
	MgSpan section;

	return mg_tokenizer_build(cx, spec, &section) ? mg_tokenizer_bind(cx, section) : NULL;
}

/* "un@0-2 ##play@2-6" for a text; the error's words for one that fails. */
__attribute__((unused)) static const char *
sample_tokens_of(MgCtx *cx, const MgTokenizer *tokenizer, MgSpan text)
{
	static char line[4096];
	size_t used = 0;
	MgTokens tokens;

	line[0] = '\0';
	if (tokenizer == NULL || !mg_tokenize(cx, tokenizer, text, MG_NO_DATA, &tokens))
		return cx->error.message;
	for (size_t i = 0; i < tokens.n && used < sizeof line; i++)
	{
		MgSpan token = mg_token_text(tokenizer, tokens.ids[i]);

		used += (size_t) snprintf(line + used, sizeof line - used, "%s%.*s@%u-%u", i > 0 ? " " : "",
								  MG_SPAN_ARGS(token), tokens.starts[i], tokens.stops[i]);
	}
	return line;
}

#endif
