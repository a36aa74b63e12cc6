/*
 * What a tokeniser is, as plain facts: read from other people's files by
 * src/format, turned into a flat section of the image by text/build.c.
 *
 * It is a pipeline, and each of its parts is of some kind:
 *
 *   added tokens    strings that are found before, or after, normalisation
 *   normaliser      characters to characters
 *   pre-tokeniser   characters to words
 *   model           words to tokens
 *   post-processor  tokens of one text or two to a sequence (text/wrap.h)
 *   decoder         tokens to text
 *
 * The numbers of kinds and flags are part of the section's format.
 */
#ifndef MG_TEXT_SPEC_H
#define MG_TEXT_SPEC_H

#include "core/span.h"
#include "text/wrap.h"

typedef enum MgTokenizerKind
{
	MG_WORDPIECE = 1,
	MG_BPE = 2
} MgTokenizerKind;

typedef enum MgPreTokenizerKind
{
	MG_PRE_BERT = 1, /* white space and punctuation */
	MG_PRE_BYTES = 2 /* a pattern, then bytes as characters: text/byte_level.h */
} MgPreTokenizerKind;

/* What parts words of MG_PRE_BYTES; text/byte_level.h has them as regular expressions. */
typedef enum MgPattern
{
	MG_PATTERN_GPT2 = 1,
	MG_PATTERN_CL100K = 2, /* numbers of up to three digits */
	MG_PATTERN_QWEN2 = 3,  /* digits by themselves */
	MG_PATTERN_DIGITS = 4  /* GPT2 between digits, which stand by themselves */
} MgPattern;

typedef enum MgDecoderKind
{
	MG_DECODE_WORDPIECE = 1,
	MG_DECODE_BYTES = 2
} MgDecoderKind;

/* Flags of one token, for those recognised in text before anything else ("added tokens"). */
enum
{
	MG_TOKEN_ADDED = 1,		   /* found in text as it stands */
	MG_TOKEN_SPECIAL = 2,	   /* left out by detokenize */
	MG_TOKEN_LSTRIP = 4,	   /* swallows white space on its left */
	MG_TOKEN_RSTRIP = 8,	   /* and on its right */
	MG_TOKEN_SINGLE_WORD = 16, /* only at word boundaries */
	MG_TOKEN_NORMALIZED = 32,  /* matched against normalised text */
	MG_TOKEN_OUTSIDE = 64	   /* not in the model's own vocabulary: WordPiece never makes it */
};

/* Two tokens that become one, which is their strings end to end; the first of all merges comes first. */
typedef struct MgMergeNames
{
	MgSpan left, right;
} MgMergeNames;

typedef struct MgTokenizerSpec
{
	MgTokenizerKind kind;

	size_t n_tokens;
	const MgSpan *tokens; /* [n_tokens], by id; UTF-8; a hole has size 0 */
	const uint8_t *flags; /* [n_tokens], MG_TOKEN_... */

	int32_t unknown, pad, mask; /* ids; -1: there is none */

	/* The normaliser: BERT's, or NFC, or none. */
	bool clean_text;	/* drop control characters, white space to ' ' */
	bool chinese_chars; /* spaces around CJK ideographs */
	bool strip_accents; /* NFD, then drop Mn */
	bool lowercase;
	bool compose; /* NFC; none of the others beside it */

	MgPreTokenizerKind pre;
	MgPattern pattern;	/* of MG_PRE_BYTES */
	bool leading_space; /* the same: a text without one gets a space in front */

	/* WordPiece */
	MgSpan continuation;	/* "##" */
	size_t max_word_chars;	/* a longer word is [UNK]; 100 */

	/* BPE */
	size_t n_merges;
	const MgMergeNames *merges; /* [n_merges] */
	bool whole_words;	   /* a word that is a token is that token ("ignore_merges") */
	bool fuse_unknown;

	MgWrapping wrapping;
	MgDecoderKind decoder;

	size_t max_tokens; /* of a sequence, special tokens included; 0: the files do not say */
} MgTokenizerSpec;

#endif
