/*
 * What a tokeniser is, as plain facts: read from other people's files by
 * src/format, turned into a flat section of the image by text/tokenizer.c.
 */
#ifndef MG_TEXT_SPEC_H
#define MG_TEXT_SPEC_H

#include "core/span.h"

typedef enum MgTokenizerKind
{
	MG_WORDPIECE = 1 /* the numbers are part of the image format */
} MgTokenizerKind;

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

typedef struct MgTokenizerSpec
{
	MgTokenizerKind kind;

	size_t n_tokens;
	const MgSpan *tokens; /* [n_tokens], by id; UTF-8; a hole has size 0 */
	const uint8_t *flags; /* [n_tokens], MG_TOKEN_... */

	/* ids; -1: there is none */
	int32_t unknown, classify, separate, pad, mask; /* [UNK] [CLS] [SEP] [PAD] [MASK] */

	/* BERT normalisation */
	bool clean_text;	/* drop control characters, white space to ' ' */
	bool chinese_chars; /* spaces around CJK ideographs */
	bool strip_accents; /* NFD, then drop Mn */
	bool lowercase;

	/* WordPiece */
	MgSpan continuation;	/* "##" */
	size_t max_word_chars;	/* a longer word is [UNK]; 100 */

	size_t max_tokens; /* of a sequence, special tokens included; 0: the files do not say */
} MgTokenizerSpec;

#endif
