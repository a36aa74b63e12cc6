/*
 * Text to token ids and back.
 *
 * mg_tokenizer_build lays a spec out as one flat, position-independent section
 * (the vocabulary as a string pool with an open-addressing hash over it), which
 * lives in the image; mg_tokenizer_bind checks a section's every offset, since
 * it may come from a table row, and makes a small table of pointers into it.
 */
#ifndef MG_TEXT_TOKENIZER_H
#define MG_TEXT_TOKENIZER_H

#include "core/ctx.h"
#include "text/spec.h"

typedef struct MgTokenizer MgTokenizer;

/* The section for a spec, in arena memory. Fails on a spec that contradicts itself. */
bool mg_tokenizer_build(MgCtx *cx, const MgTokenizerSpec *spec, MgSpan *section);

/* A tokeniser in arena memory, over a section that must outlive it. NULL on error. */
const MgTokenizer *mg_tokenizer_bind(MgCtx *cx, MgSpan section);

typedef struct MgTokens
{
	size_t n;
	int32_t *ids;	  /* [n] */
	uint32_t *starts; /* [n] byte offsets into the text; both 0 for tokens that were added around it */
	uint32_t *stops;  /* [n] */
} MgTokens;

/*
 * Bytes [start, stop) of a text that are data: what was put into a template or
 * behind a prompt. There no special token is read, whatever the bytes say, so
 * that data cannot steer the template: "[MASK]" is a bracket, a word and a
 * bracket. A special token that only touches a range is not read either.
 */
typedef struct MgDataRange
{
	size_t start, stop;
} MgDataRange;

typedef struct MgData
{
	size_t n;
	const MgDataRange *ranges; /* [n], ascending, apart */
} MgData;

#define MG_NO_DATA ((MgData){0, NULL})
#define MG_ALL_DATA ((MgData){1, &(const MgDataRange){0, SIZE_MAX}})

/*
 * Tokens of text without special tokens around it; special tokens written in
 * the text are recognised outside of its data. Refuses invalid UTF-8
 * (MG_BAD_TEXT, with the byte offset) and texts above MG_TEXT_LIMIT. Polls.
 */
bool mg_tokenize(MgCtx *cx, const MgTokenizer *tokenizer, MgSpan text, MgData data, MgTokens *tokens);

static inline bool
mg_touches_data(MgData data, size_t start, size_t stop)
{
	size_t low = 0, high = data.n;

	/* The first range that ends behind start. */
	while (low < high)
	{
		size_t middle = low + (high - low) / 2;

		if (data.ranges[middle].stop > start)
			high = middle;
		else
			low = middle + 1;
	}
	return low < data.n && data.ranges[low].start < stop;
}

#define MG_TEXT_LIMIT ((size_t) 64 * 1024 * 1024)

/*
 * Ids as text: continuations joined, special tokens left out unless
 * keep_special; punctuation spaced as the reference does, token by token
 * ("don ' t"). Refuses ids that are out of range; holes are nothing.
 */
bool mg_detokenize(MgCtx *cx, const MgTokenizer *tokenizer, const int32_t *ids, size_t n, bool keep_special,
				   MgSpan *text);

size_t mg_tokenizer_size(const MgTokenizer *tokenizer); /* number of ids */
MgSpan mg_token_text(const MgTokenizer *tokenizer, int32_t id); /* as in the vocabulary; empty when there is none */
int32_t mg_token_find(const MgTokenizer *tokenizer, MgSpan token); /* -1: not in the vocabulary */
bool mg_token_is_special(const MgTokenizer *tokenizer, int32_t id);
bool mg_token_has_prefix(const MgTokenizer *tokenizer); /* continuations of a word are told by a prefix ("##ing") */
bool mg_token_continues(const MgTokenizer *tokenizer, int32_t id); /* has that prefix */
bool mg_token_strips_left(const MgTokenizer *tokenizer, int32_t id); /* swallows white space before it in a text */

/* Ids of the special tokens that a text or a task may need; -1: there is none. Those around a text: mg_tokenizer_wrapping. */
typedef struct MgSpecialTokens
{
	int32_t unknown, pad, mask;
} MgSpecialTokens;

MgSpecialTokens mg_special_tokens(const MgTokenizer *tokenizer);

/*
 * Tokens that are put around a text, from the first MG_TOKENIZER_HEAD bytes of a section, or all of a shorter one; 0 when
 * they do not say. For estimates: nothing else is checked.
 */
#define MG_TOKENIZER_HEAD 1024
size_t mg_tokenizer_extra(MgSpan head);

/* What is put around texts; text/wrap.h. */
const MgWrapping *mg_tokenizer_wrapping(const MgTokenizer *tokenizer);

#endif
