/*
 * WordPiece: a word becomes the longest token that it begins with, then the
 * longest continuation ("##ing") that the rest begins with, and so on. A word
 * that cannot be used up so, or is longer than max_word_chars, is one [UNK].
 */
#ifndef MG_TEXT_WORDPIECE_H
#define MG_TEXT_WORDPIECE_H

#include "text/parts.h"
#include "text/regex.h"
#include "text/token_list.h"

typedef struct MgWord
{
	const uint8_t *bytes; /* [size], normalised UTF-8, at least one */
	size_t size;
	uint64_t hash;			/* of all bytes, from MG_HASH_START */
	const uint32_t *starts; /* [size] places in the text, by byte; NULL: byte i is at first + i */
	const uint32_t *stops;	/* [size] */
	uint32_t first;
} MgWord;

/*
 * What the pieces of one text share; a word of its data becomes no special
 * token, even where its letters spell one. ends[i] is the hash of i + 1 bytes from
 * where a piece begins: [MG_UTF8_MAX * max_word_chars].
 */
typedef struct MgPieces
{
	const MgTokenizer *tokenizer;
	MgTokenList *list;
	MgPace *pace;
	uint64_t *ends;
	MgData data;
	struct MgBpeScratch *bpe; /* of BPE alone */
	void *nodes;			  /* [n_nodes] of Unigram alone */
	size_t n_nodes;
	MgRegexStack regex;		  /* of pipelines with regular expressions */
} MgPieces;

/* Flags of tokens that a word may not become. */
uint8_t mg_excluded_flags(const MgPieces *pieces, const MgWord *word);

/* Appends the tokens of a word of at most max_word_chars characters. */
bool mg_wordpiece(MgCtx *cx, const MgPieces *pieces, const MgWord *word);

#endif
