/*
 * SentencePiece's models (github.com/google/sentencepiece, sentencepiece_model.proto): a protocol buffer of
 *
 *   1  pieces      1 text, 2 score (float), 3 type: 1 normal, 2 unknown, 3 control, 4 of the user, 5 unused, 6 a byte
 *   2  trainer     3 type: 1 Unigram, 2 BPE; 35 byte_fallback
 *   3  normalizer  2 precompiled_charsmap, 3 add_dummy_prefix, 4 remove_extra_whitespaces, 5 escape_whitespaces
 *
 * Fields that are not known are passed over. What is put around a text, no model says: see the file's reader.
 */
#ifndef MG_FORMAT_SENTENCEPIECE_H
#define MG_FORMAT_SENTENCEPIECE_H

#include "format/token_table.h"

/* Names of the file, by preference; NULL ends. */
extern const char *const mg_sentencepiece_files[];

/* Reads all but pad and mask. The table's and the spec's texts are those of bytes. */
bool mg_sentencepiece_read(MgCtx *cx, const char *name, MgSpan bytes, const MgTokenizerConfig *files, MgTokenTable *table, MgTokenizerSpec *spec);

/* The kinds of pieces, in GGUF files, too. */
typedef enum MgPieceKind
{
	MG_PIECE_NORMAL = 1,
	MG_PIECE_UNKNOWN = 2,
	MG_PIECE_CONTROL = 3,
	MG_PIECE_USER = 4,
	MG_PIECE_UNUSED = 5,
	MG_PIECE_BYTE = 6
} MgPieceKind;

/* Flags of a token of that kind; unused ones are never made. */
uint8_t mg_piece_flags(int64_t kind);

/* Steps of SentencePiece's BPE: spaces are marks, one more stands before a text, and what is no token is its bytes. */
bool mg_sentencepiece_steps(MgCtx *cx, bool prefix, MgSpan charsmap, bool squeeze, MgTokenizerSpec *spec);

#endif
