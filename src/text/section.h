/*
 * The tokeniser's section: a flat, position-independent run of bytes at any
 * alignment, little-endian.
 *
 *   1. u32 magic "MGTK", u32 version 2, u32 number of parts, u32 0
 *   2. parts, 32 bytes each: char name[16], u64 offset, u64 size
 *   3. the parts' bytes, end to end, in the order of the list
 *
 * and no byte more. A part that is not known is passed over:
 *
 *   vocab       MgVocabFacts
 *   offsets     u32 [n_tokens + 1]                 text/vocab.h
 *   slots       8 bytes each [1 << slot_bits]      text/vocab.h
 *   flags       u8 [n_tokens]                      MG_TOKEN_...
 *   strings     the tokens end to end, then the normalised patterns of added tokens
 *   added       entries of raw added tokens        text/added_tokens.h
 *   added.norm  entries of normalized ones
 *   normalizer  MgNormalizerFacts
 *   words       MgWordsFacts: the pre-tokeniser
 *   model       MgModelFacts
 *   merges      16 bytes each [1 << merge_bits]    text/bpe.h; absent without BPE
 *   wrap        u32 pieces of the single form, u32 of the pair's, then i32 id, u32 segment of each
 *   decoder     MgDecoderFacts
 *
 * and of a pipeline of steps (text/steps.h), or of Unigram:
 *
 *   options     MgOptionFacts
 *   normalizing, cutting, decoding   lists of steps
 *   joins       bits [256]                         text/bpe.h
 *   scores      f64 [n_tokens]                     text/unigram.h
 *   prefixes    bits [1 << prefix_bits]            text/unigram.h
 *
 * Version 1, of images before version 3, is a fixed header for BERT's pipeline
 * (old_section.c). A section may come from a table row that somebody has
 * changed, so mg_section_bind checks every offset before anything is looked up;
 * what it cannot see, such as a token in the wrong slot, can make answers wrong
 * but not reads wild or searches long.
 */
#ifndef MG_TEXT_SECTION_H
#define MG_TEXT_SECTION_H

#include "text/parts.h"

#define MG_SECTION_MAGIC UINT32_C(0x4B54474D) /* "MGTK" */
#define MG_SECTION_VERSION 2
#define MG_SECTION_HEADER 16
#define MG_SECTION_PARTS 64

typedef struct MgSectionPart
{
	char name[16]; /* padded with zeros */
	uint64_t offset, size;
} MgSectionPart;

typedef struct MgVocabFacts
{
	uint32_t n_tokens, slot_bits, max_probe;
	int32_t unknown, pad, mask; /* -1: none */
} MgVocabFacts;

typedef struct MgNormalizerFacts
{
	uint32_t rules; /* MG_RULE_... */
} MgNormalizerFacts;

typedef struct MgWordsFacts
{
	uint32_t kind, pattern, leading_space;
} MgWordsFacts;

typedef struct MgModelFacts
{
	uint32_t kind;
	uint32_t max_word_chars, continuation_size; /* WordPiece */
	uint8_t continuation[MG_MAX_CONTINUATION];
	uint32_t merge_bits, merge_probe, whole_words, fuse_unknown; /* BPE */
} MgModelFacts;

typedef struct MgOptionFacts
{
	uint32_t characters, byte_fallback, cuts; /* BPE; byte_fallback of Unigram, too */
	uint32_t prefix_bits;
	double unknown_score;
} MgOptionFacts;

typedef struct MgDecoderFacts
{
	uint32_t kind;
} MgDecoderFacts;

/* All that a section says, of either version. */
typedef struct MgSectionFacts
{
	MgVocabFacts vocab;
	MgNormalizerFacts normalizer;
	MgWordsFacts words;
	MgModelFacts model;
	MgDecoderFacts decoder;
	MgOptionFacts options;
	MgWrapping wrapping;
	MgSpan normalizing, cutting, decoding, scores, prefixes, joins;
	MgSpan offsets, slots, flags, strings, raw, normalized, merges;
} MgSectionFacts;

/* Fills in a tokeniser; false after an MG_BAD_FILE or MG_UNSUPPORTED error. */
bool mg_section_bind(MgCtx *cx, MgSpan section, MgTokenizer *tokenizer);

/* Where a section of version 1 has the ids around a text. */
#define MG_OLD_AROUND 68

/* The facts of a section of version 1. */
bool mg_old_section_read(MgCtx *cx, MgSpan section, MgSectionFacts *facts);

/* A section of these facts, in arena memory. */
bool mg_section_write(MgCtx *cx, const MgSectionFacts *facts, MgSpan *section);

#endif
