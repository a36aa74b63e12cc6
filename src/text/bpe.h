/*
 * Byte pair encoding (Sennrich and others, arXiv 1508.07909), over bytes: a
 * word is the tokens of its bytes; then, of all neighbours that a merge joins,
 * those of the earliest merge are joined, from the left, until there are none.
 * With SentencePiece's vocabularies it goes over characters, and bytes where a character is no token.
 *
 * Merges are an open-addressing hash by the two tokens:
 *
 *   slot  u32 left, u32 right, u32 rank + 1, u32 id; rank + 1 is 0 in an empty slot
 *
 * at any alignment, little-endian, 2^merge_bits of them; no search takes more
 * than max_probe steps.
 */
#ifndef MG_TEXT_BPE_H
#define MG_TEXT_BPE_H

#include "core/ctx.h"
#include "text/spec.h"
#include "text/vocab.h"

#define MG_MERGE_SLOT 16
#define MG_JOINS_SIZE 32
#define MG_MAX_MERGE_BITS 25

typedef struct MgMerge
{
	uint32_t left, right, id, rank;
} MgMerge;

typedef struct MgBpe
{
	const uint8_t *merges;
	unsigned merge_bits;
	uint32_t max_probe;
	bool whole_words, fuse_unknown;
	bool characters;	/* symbols are characters */
	bool cuts;			/* no merge goes over the beginning of a word, U+2581 behind another character */
	const uint8_t *joins; /* bits [256]: those that a merge has before U+2581; NULL: not known */
	int32_t bytes[256]; /* the token of each byte; -1: there is none */
	uint8_t names[256][3]; /* the size and UTF-8 of the character that stands for a byte */
} MgBpe;

struct MgTokenizer;
struct MgPieces;
struct MgWord;

/* Merges as slots, in arena memory. Of equal pairs the last one counts. Ranks may be equal. */
bool mg_bpe_build(MgCtx *cx, const MgMerge *merges, size_t n, MgSpan *slots, uint32_t *merge_bits, uint32_t *max_probe);

/* Checks slots that come from a section. False after an MG_BAD_FILE error. */
bool mg_bpe_check(MgCtx *cx, uint32_t merge_bits, uint32_t max_probe, size_t n_tokens, MgSpan slots);

/* Finds the tokens of the bytes. */
bool mg_bpe_bind(MgCtx *cx, struct MgTokenizer *tokenizer);

/* Appends the tokens of text over characters, cut where that changes nothing, or at MG_LONGEST_WORD. */
bool mg_bpe_text(MgCtx *cx, struct MgPieces *pieces, const struct MgWord *text);

/* Appends the tokens of a word of at most MG_LONGEST_WORD bytes, which are those of the text, not the characters for them. */
bool mg_bpe(MgCtx *cx, struct MgPieces *pieces, const struct MgWord *word);

#endif
