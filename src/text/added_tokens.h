/*
 * Added tokens: strings such as "[MASK]" that are looked for in text before it
 * is cut into words.
 *
 * There are two sets. Raw ones are looked for in the text as it stands, before
 * normalisation; normalized ones in each normalised piece between those, by
 * their own normalised form. In both the leftmost match wins, of several at
 * one place the longest, and the search goes on behind it. A match that
 * violates its token's "single word", or is a special token in data, is no
 * match, but the search goes on behind it all the same, as the reference does.
 *
 * A set is a run of entries in the tokeniser's section, sorted by pattern:
 *
 *   entry    u32 id, u32 offset, u32 size; the pattern is strings[offset, offset + size)
 *
 * Should a section from a table row not be sorted, some are not found.
 */
#ifndef MG_TEXT_ADDED_TOKENS_H
#define MG_TEXT_ADDED_TOKENS_H

#include "core/ctx.h"
#include "text/pace.h"
#include "text/tokenizer.h"
#include "text/vocab.h"

#define MG_ADDED_ENTRY 12
#define MG_ADDED_LIMIT ((size_t) 1024) /* bytes of a pattern */

typedef struct MgAddedTokens
{
	size_t n;
	const uint8_t *entries; /* at any alignment */
	bool first[256];		/* whether any pattern begins with a byte */
} MgAddedTokens;

/* A match, with the white space that its token swallows. */
typedef struct MgAddedMatch
{
	int32_t id;
	size_t start, stop;
} MgAddedMatch;

/* A search over one text. */
typedef struct MgAddedSearch
{
	const MgVocab *vocab;
	const MgAddedTokens *tokens;
	MgSpan text;	 /* checked UTF-8 */
	MgData data;	 /* of the text that it was made of */
	const uint32_t *starts, *stops; /* [text.size] where each byte was in that; NULL: at base and on */
	size_t base;
	size_t position; /* where the search goes on */
	size_t behind;	 /* the last match's stop */
	MgPace *pace;
} MgAddedSearch;

/* Checks the entries of a set and sets first. False after an MG_BAD_FILE error. */
bool mg_added_tokens_check(MgCtx *cx, const MgVocab *vocab, MgAddedTokens *tokens);

/* Sorts *n entries by pattern, and of equal patterns leaves the one of the lowest id; *n becomes the number left. */
bool mg_added_tokens_sort(MgCtx *cx, MgSpan strings, uint8_t *entries, size_t *n);

/* The next match, or found false. False on an error. */
bool mg_added_search_next(MgCtx *cx, MgAddedSearch *search, MgAddedMatch *match, bool *found);

#endif
