/* A segment with normalized added tokens in it. */
#ifndef MG_TEXT_NORMALIZED_SEGMENT_H
#define MG_TEXT_NORMALIZED_SEGMENT_H

#include "text/word_buffer.h"

/* Takes all that a started normalizer gives: added tokens found in it, and the words between them. */
bool mg_normalized_segment(MgCtx *cx, MgNormalizer *normalizer, MgWordBuffer *buffer);

#endif
