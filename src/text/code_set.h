/*
 * Sets of code points: what a regular expression takes for one character.
 *
 * A set is ascending, disjoint ranges, with a map of its ASCII members. Sets by name are the reference's (category_table.h): \p{L} and the
 * like, \w, \s and a few scripts.
 */
#ifndef MG_TEXT_CODE_SET_H
#define MG_TEXT_CODE_SET_H

#include "core/ctx.h"
#include "core/span.h"

#define MG_CODE_LAST 0x10FFFF

typedef struct MgCodeRange
{
	uint32_t first, last;
} MgCodeRange;

typedef struct MgCodeSet
{
	size_t n;
	const MgCodeRange *ranges; /* [n], in arena memory */
	uint64_t ascii[2];		   /* a bit for each of 128 */
} MgCodeSet;

/* A range; both sets together; what is in both; all that is in none. False when memory ends. */
bool mg_code_set_range(MgCtx *cx, uint32_t first, uint32_t last, MgCodeSet *set);
bool mg_code_set_union(MgCtx *cx, const MgCodeSet *a, const MgCodeSet *b, MgCodeSet *set);
bool mg_code_set_both(MgCtx *cx, const MgCodeSet *a, const MgCodeSet *b, MgCodeSet *set);
bool mg_code_set_other(MgCtx *cx, const MgCodeSet *a, MgCodeSet *set);

/* Adds what differs from an ASCII member by case alone: U+017F and U+212A have ASCII letters as their lower case. */
bool mg_code_set_fold(MgCtx *cx, MgCodeSet *set);

/* The set of a name as in \p{...}; *found is false when there is none of it. */
bool mg_code_set_named(MgCtx *cx, MgSpan name, MgCodeSet *set, bool *found);

/* \w and \s. */
bool mg_code_set_words(MgCtx *cx, MgCodeSet *set);
bool mg_code_set_spaces(MgCtx *cx, MgCodeSet *set);

static inline bool
mg_code_set_has(const MgCodeSet *set, uint32_t code)
{
	size_t low = 0, high = set->n;

	if (code < 128)
		return set->ascii[code >> 6] >> (code & 63) & 1;
	while (low < high)
	{
		size_t middle = (low + high) / 2;

		if (set->ranges[middle].last < code)
			low = middle + 1;
		else
			high = middle;
	}
	return low < set->n && set->ranges[low].first <= code;
}

#endif
