/*
 * Text that comes token by token: whole characters alone are handed out, special tokens are left out, and text ends before the
 * first stop string. What is handed out, end to end, is what mg_detokenize makes of all tokens, up to the stop.
 *
 * The stop string that is complete first counts, of several that end there the longest. What could become one is held back until
 * it is clear; so pieces do not depend on how tokens cut the text.
 */
#ifndef MG_TEXT_STREAM_H
#define MG_TEXT_STREAM_H

#include "text/tokenizer.h"

#define MG_STREAM_MAX_STOPS 64
#define MG_STREAM_MAX_STOP 1024 /* bytes of one */

typedef struct MgTextStream MgTextStream;

/*
 * A stream in arena memory; tokeniser and stops [n_stops] outlive it. NULL on an error: a stop string is empty, too long, no UTF-8,
 * or there are too many.
 */
MgTextStream *mg_text_stream(MgCtx *cx, const MgTokenizer *tokenizer, const MgSpan *stops, size_t n_stops);

/*
 * Takes one token; *piece is the text that is certain now, valid until the next call, often empty. An id that the vocabulary does not have is
 * nothing. True: a stop string came, and this was the last piece.
 */
bool mg_text_stream_put(MgTextStream *stream, int32_t id, MgSpan *piece);

/* The same tokeniser is bound elsewhere now. */
void mg_text_stream_rebind(MgTextStream *stream, const MgTokenizer *tokenizer);

/* What was held back when no token follows; the beginning of a character is U+FFFD. */
MgSpan mg_text_stream_end(MgTextStream *stream);

#endif
