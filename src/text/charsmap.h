/*
 * The map of characters that SentencePiece compiles into a model ("precompiled_charsmap"):
 *
 *   u32 size, a trie of so many bytes, and texts that each end in NUL
 *
 * The trie is a double array of u32 units (github.com/s-yata/darts-clone): a unit has its label in the low 8 bits, in bit 8 whether a leaf
 * hangs below it, and an offset in bits 10 and up, shifted by 8 more where bit 9 is set. A leaf is where a text begins.
 */
#ifndef MG_TEXT_CHARSMAP_H
#define MG_TEXT_CHARSMAP_H

#include "core/span.h"

/* Whether sizes fit; what the units say is checked as they are followed. */
bool mg_charsmap_is_sound(MgSpan map);

/* The text for the shortest beginning of chunk that the map has; false where it has none. */
bool mg_charsmap_find(MgSpan map, MgSpan chunk, MgSpan *text);

#endif
