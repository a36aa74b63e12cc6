/*
 * Where sentences of a text begin and end.
 *
 * After UAX #29 (sentence boundaries), with what its rules leave to tailoring: abbreviations, initials, numbers. Blank lines, headings and items of lists
 * (Markdown's) end a sentence too. No tables but unicode.h's are used, so that what a text is cut into never changes with a library.
 */
#ifndef MG_TEXT_SENTENCE_H
#define MG_TEXT_SENTENCE_H

#include "core/ctx.h"

typedef struct MgSentence
{
	size_t start, stop; /* bytes, without white space around them */
} MgSentence;

/*
 * The first sentence at or behind byte *at, which is moved behind it; *found is false at the end of the text. The text is valid UTF-8. Polls; false
 * if the host has had enough.
 */
bool mg_sentence_next(MgCtx *cx, MgSpan text, size_t *at, MgSentence *sentence, bool *found);

#endif
