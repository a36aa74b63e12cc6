/* A segment of text for byte-level models. */
#ifndef MG_TEXT_BYTE_SEGMENT_H
#define MG_TEXT_BYTE_SEGMENT_H

#include "text/wordpiece.h"

/*
 * Takes [start, stop) of a text: normalised if that changes anything, normalized added tokens found in it, and what is
 * between them cut into words for BPE.
 */
bool mg_byte_segment(MgCtx *cx, MgPieces *pieces, MgSpan text, size_t start, size_t stop);

#endif
