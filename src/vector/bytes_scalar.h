/*
 * int8 and bits for the level "scalar". What each bytes_*.h brings:
 *
 *   BYTES, ByteSums          bytes that add_bytes takes at once, and what it adds to, zero at first
 *   add_bytes(term, s, a, b) adds the terms of BYTES pairs
 *   total_of(term, s)        their sum
 *   count_bits(bits, a, b, n) bits set in n bytes
 *
 * A ByteSums holds the terms of at least 2^17 pairs.
 */
#define BYTES 1

typedef int64_t ByteSums;

ALWAYS_INLINE void
add_bytes(MgTerm term, ByteSums *sums, const int8_t *a, const int8_t *b)
{
	int32_t difference = *a - *b;

	if (term == MG_TERM_PRODUCT)
		*sums += *a * *b;
	else if (term == MG_TERM_SQUARE)
		*sums += difference * difference;
	else
		*sums += difference < 0 ? -difference : difference;
}

ALWAYS_INLINE int64_t
total_of(MgTerm term, const ByteSums *sums)
{
	(void) term;
	return *sums;
}

#include "vector/bits_word.h"
