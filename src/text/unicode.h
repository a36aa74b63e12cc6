/*
 * What the tokeniser needs to know of a code point.
 *
 * The facts are those of the reference, the "tokenizers" package, which mixes
 * Unicode versions: its categories and decompositions date from before
 * Unicode 11, its lower case and word characters from Unicode 16 and 17. Models were trained on text cut
 * by these, and an embedding that is called IMMUTABLE may not change with the
 * Unicode library of an operating system. So which code points are white
 * space, punctuation, marks, decomposed, reordered or lowered comes from a
 * generated table; only *what* a decomposition and a combining class are is
 * asked of utf8proc, for code points where Unicode guarantees that they never
 * change.
 */
#ifndef MG_TEXT_UNICODE_H
#define MG_TEXT_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum
{
	MG_CHAR_DROP = 1,		 /* control, format, private use, U+FFFD: cleaning removes it */
	MG_CHAR_SPACE = 2,		 /* White_Space; some controls are both */
	MG_CHAR_PUNCTUATION = 4, /* ASCII punctuation and category P */
	MG_CHAR_MARK = 8,		 /* category Mn: stripped as an accent */
	MG_CHAR_DECOMPOSES = 16, /* has a canonical decomposition; Hangul syllables, which do too, are not flagged */
	MG_CHAR_REORDERS = 32	 /* combining class is not 0 */
};

unsigned mg_char_flags(uint32_t code);

/* Lower case; U+0130 is left to the caller, since it becomes two. */
uint32_t mg_char_lower(uint32_t code);

/* CJK ideographs, in the blocks that BERT's authors listed. */
bool mg_char_is_ideograph(uint32_t code);

bool mg_char_is_hangul(uint32_t code);

/* Letters, marks, digits, connectors and joiners: what a "single word" added token may not touch. */
bool mg_char_is_word(uint32_t code);

#define MG_DECOMPOSITION_MAX 4

/* Full canonical decomposition of a code point that has one, not reordered; the number of parts. */
size_t mg_char_decompose(uint32_t code, uint32_t parts[MG_DECOMPOSITION_MAX]);

/* What two characters are in one, by canonical composition; 0: nothing. */
uint32_t mg_char_compose(uint32_t first, uint32_t second);

/* Canonical combining class. */
uint8_t mg_char_class(uint32_t code);

#endif
