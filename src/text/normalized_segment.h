/* A segment that is normalised as a whole, and one with normalized added tokens in it. */
#ifndef MG_TEXT_NORMALIZED_SEGMENT_H
#define MG_TEXT_NORMALIZED_SEGMENT_H

#include "text/word_buffer.h"

/* Normalised characters as bytes, with the place of each byte's character; cleared before its first use. */
typedef struct MgNormalized
{
	uint8_t *bytes; /* [n] */
	uint32_t *starts;
	uint32_t *stops;
	size_t n;
	size_t room;
} MgNormalized;

/* All that a started normalizer gives, in arena memory. */
bool mg_normalize_all(MgCtx *cx, MgNormalizer *normalizer, MgNormalized *normalized);

/* Takes all that a started normalizer gives: added tokens found in it, and the words between them. */
bool mg_normalized_segment(MgCtx *cx, MgNormalizer *normalizer, MgWordBuffer *buffer);

#endif
