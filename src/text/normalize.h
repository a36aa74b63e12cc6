/*
 * BERT normalisation, in the reference's order, as a stream of characters that
 * know where in the text they came from:
 *
 *   1. clean    drop control characters, all white space to ' '
 *   2. chinese  ' ' before and after each CJK ideograph
 *   3. strip    canonical decomposition with reordering (NFD), then drop Mn
 *   4. lower    lower case, by character (no final sigma, no language)
 *
 * The work is done by clusters: a character and the marks behind it, which is
 * as far as reordering can reach. Memory is that of the longest cluster.
 *
 * Easy to get wrong: a character's place. A part of a decomposition stands for
 * the whole character. When marks are reordered, places are not: the k-th
 * character that is left over from the text takes the k-th place, and a part
 * that a decomposition added takes the place of whatever precedes it. A mark
 * that is dropped takes its place with it, so that the "e" of "e" + U+0301
 * ends before the mark, while that of U+00E9 ends behind it. What composition
 * makes of a cluster has the place of all of it.
 */
#ifndef MG_TEXT_NORMALIZE_H
#define MG_TEXT_NORMALIZE_H

#include "core/ctx.h"
#include "text/pace.h"
#include "text/unicode.h"

typedef struct MgNormalRules
{
	bool clean, chinese, strip, lower;
	bool compose; /* canonical composition (NFC) instead of the others */
} MgNormalRules;

typedef struct MgNormalChar
{
	uint32_t code;
	uint32_t start, stop; /* bytes of the text */
} MgNormalChar;

typedef struct MgNormalizer
{
	MgNormalRules rules;
	MgSpan text; /* checked UTF-8, below 4 GiB */
	size_t position;
	uint32_t base; /* added to all places */
	MgPace *pace;

	/* What mg_normalizer_next made; arena memory that the next call overwrites. */
	MgNormalChar *chars; /* [n] */
	size_t n;
	size_t chars_size;

	struct MgCluster *cluster;
} MgNormalizer;

/* Starts over text; cleared memory, or a normalizer that was used before, whose arena memory is then used again. */
void mg_normalizer_start(MgNormalizer *normalizer, MgNormalRules rules, MgSpan text, uint32_t base, MgPace *pace);

/* Whether composition may change a character, or what stands before it. */
bool mg_char_may_compose(uint32_t code, unsigned flags);

/* Makes the next characters, some hundreds; n is 0 at the end. False on an error. */
bool mg_normalizer_next(MgCtx *cx, MgNormalizer *normalizer);

#endif
