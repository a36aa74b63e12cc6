/* What one token adds to a text, for detokenize.c and stream.c. */
#ifndef MG_TEXT_DETOKENIZE_H
#define MG_TEXT_DETOKENIZE_H

#include "text/parts.h"

/* Undoes the cutting at English punctuation in what one token adds, in place; the new size. */
size_t mg_clean_up(uint8_t *bytes, size_t size);

/* Whether detokenising shows a token at all. */
bool mg_token_is_shown(const MgTokenizer *tokenizer, int32_t id, bool keep_special);

/* Writes what a token that is shown adds, up to its size and 1 more; the bytes written, which need not be UTF-8. is_first: none was shown before. */
size_t mg_put_token(const MgTokenizer *tokenizer, int32_t id, bool is_first, uint8_t *into);

/*
 * The next character of bytes that may be no UTF-8, from at < bytes.size: writes it to into [MG_UTF8_MAX], *n bytes, U+FFFD for each start
 * of a character that does not go on. Returns how many bytes it took; 0 when more bytes could make a character of the last
 * ones, and is_end does not say that there are none.
 */
size_t mg_mend_next(MgSpan bytes, size_t at, bool is_end, uint8_t *into, size_t *n);

#endif
