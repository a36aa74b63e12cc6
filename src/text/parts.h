/*
 * What a bound tokeniser consists of, for the files of this folder. All
 * pointers are into the section.
 */
#ifndef MG_TEXT_PARTS_H
#define MG_TEXT_PARTS_H

#include "text/added_tokens.h"
#include "text/bpe.h"
#include "text/normalize.h"
#include "text/tokenizer.h"
#include "text/unigram.h"
#include "text/vocab.h"

#define MG_MAX_WORD_CHARS 1000
#define MG_MAX_CONTINUATION 16

/* What a byte of text means to the fast path. */
typedef enum MgByteKind
{
	MG_BYTE_WORD,		 /* ASCII, part of a word */
	MG_BYTE_SPACE,		 /* ASCII white space that cleaning keeps */
	MG_BYTE_PUNCTUATION, /* ASCII punctuation */
	MG_BYTE_OTHER		 /* not ASCII, or dropped by cleaning: the slow path decides */
} MgByteKind;

struct MgTokenizer
{
	MgVocab vocab;
	MgAddedTokens raw, normalized;
	MgNormalRules rules;
	MgTokenizerKind kind; /* of the model; pre-tokeniser and decoder go with it */
	MgSpecialTokens special;
	MgWrapping wrapping;

	/* Of MG_PRE_STEPS */
	bool steps;
	MgSteps normalizing, cutting, decoding;
	bool byte_fallback;
	MgUnigram unigram;

	/* BPE; the tokens of bytes in it are those of byte_fallback where symbols are characters, and of Unigram */
	MgPattern pattern;
	bool leading_space;
	MgBpe bpe;

	/* WordPiece */
	uint8_t continuation_bytes[MG_MAX_CONTINUATION];
	size_t continuation_size;
	uint64_t continuation_hash; /* after the continuation's bytes */
	size_t max_word_chars;
	uint8_t kinds[256];	  /* MgByteKind */
	uint8_t lowered[128]; /* of ASCII bytes, by the rules */
};

static inline MgSpan
mg_continuation(const MgTokenizer *tokenizer)
{
	return mg_span(tokenizer->continuation_bytes, tokenizer->continuation_size);
}

#endif
