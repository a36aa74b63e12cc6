/*
 * Normalised characters cut into words: white space ends a word, and each
 * punctuation character is a word by itself. Characters come one at a time and
 * a word goes to WordPiece when it ends, so that memory is that of one word of
 * max_word_chars; of a longer one only its length and place are kept.
 */
#ifndef MG_TEXT_WORD_BUFFER_H
#define MG_TEXT_WORD_BUFFER_H

#include "text/wordpiece.h"

typedef struct MgWordBuffer
{
	const MgPieces *pieces;
	size_t n_chars; /* of the word so far */
	size_t size;	/* bytes that are kept */
	uint64_t hash;
	uint32_t start, stop;
	uint8_t *bytes; /* [MG_UTF8_MAX * max_word_chars] */
	uint32_t *starts;
	uint32_t *stops;
} MgWordBuffer;

bool mg_word_buffer_init(MgCtx *cx, MgWordBuffer *buffer, const MgPieces *pieces);

bool mg_word_buffer_put(MgCtx *cx, MgWordBuffer *buffer, MgNormalChar character);

/* Ends the word, if there is one. */
bool mg_word_buffer_end(MgCtx *cx, MgWordBuffer *buffer);

#endif
