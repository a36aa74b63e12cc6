/*
 * Unigram (Kudo, arXiv 1804.10959): of all ways to cut a word into tokens, the one with the largest sum of scores. A character that no
 * token is gets the score of the unknown token, 10 below the least; neighbours of that kind are one token, or the tokens of their bytes.
 *
 *   scores    f64 [n_tokens]
 *   prefixes  bits [1 << prefix_bits]: bit hash >> (64 - prefix_bits) is set for the hash of each beginning of each token, so that
 *             a search ends where no token goes on
 *
 * Sums go from left to right in double, and of equal ones the first that is found counts, as in the reference.
 */
#ifndef MG_TEXT_UNIGRAM_H
#define MG_TEXT_UNIGRAM_H

#include "core/ctx.h"

#define MG_MAX_PREFIX_BITS 30

typedef struct MgUnigram
{
	const uint8_t *scores, *prefixes; /* at any alignment */
	uint32_t prefix_bits;
	double unknown_score;
} MgUnigram;

struct MgTokenizerSpec;
struct MgPieces;
struct MgWord;

/* The bits for tokens, in arena memory. */
bool mg_unigram_prefixes(MgCtx *cx, const MgSpan *tokens, size_t n, MgSpan *prefixes, uint32_t *prefix_bits);

/* Checks parts that come from a section. False after an MG_BAD_FILE error. */
bool mg_unigram_check(MgCtx *cx, size_t n_tokens, uint32_t prefix_bits, MgSpan scores, MgSpan prefixes);

/* Appends the tokens of a word of any length; where nothing ends within MG_LONGEST_WORD bytes, it is cut there. Polls. */
bool mg_unigram(MgCtx *cx, struct MgPieces *pieces, const struct MgWord *word);

#endif
