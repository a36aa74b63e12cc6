/*
 * Byte-level words, as GPT-2 and its heirs have them: a pattern cuts text into
 * words, and each byte of a word is written as a character of its own, so that
 * a vocabulary of strings can hold any bytes.
 *
 *   GPT2    's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *   CL100K  (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}
 *           | ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
 *   QWEN2   the same with \p{N} for \p{N}{1,3}
 *   DIGITS  \p{N}, and GPT2 in what is between: it sees no further than to the next number
 *
 * Easy to get wrong: of a run of white space before a word the last character
 * is left to that word, but only a ' ' becomes part of it (GPT2).
 */
#ifndef MG_TEXT_BYTE_LEVEL_H
#define MG_TEXT_BYTE_LEVEL_H

#include "text/spec.h"

typedef enum MgCharClass
{
	MG_CLASS_OTHER,
	MG_CLASS_LETTER,
	MG_CLASS_NUMBER,
	MG_CLASS_SPACE
} MgCharClass;

/* As the reference's regular expressions have it. */
MgCharClass mg_char_class_of(uint32_t code);

/*
 * The end of the word at text[at], at < text.size; text is checked UTF-8. Looks no further than MG_LONGEST_WORD bytes: what the
 * pattern takes beyond them is a word by itself, where the reference goes on.
 */
size_t mg_pattern_next(MgPattern pattern, MgSpan text, size_t at);

/* Bounds the time between two polls, and the memory of merging. */
#define MG_LONGEST_WORD ((size_t) 256 * 1024)

/* The character that stands for a byte; and back, -1 when it stands for none. */
uint32_t mg_byte_char(uint8_t byte);
int mg_char_byte(uint32_t code);

#endif
