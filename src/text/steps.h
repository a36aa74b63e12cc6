/*
 * Pipelines that are made of steps (MG_PRE_STEPS): lists of them in the section, and text on its way through them.
 *
 * A list is u32 n, then for each step u32 kind, number, size of a, size of b, and the bytes of a and b, end to end at any alignment.
 *
 * Each byte of text on its way knows the characters that it stands for, by their bytes in the original. A step that changes
 * text does so character by character, in the terms of the reference, the "tokenizers" package: a new character replaces one, or is
 * inserted behind one and has its place, and some that follow are removed.
 */
#ifndef MG_TEXT_STEPS_H
#define MG_TEXT_STEPS_H

#include "text/parts.h"
#include "text/wordpiece.h"

/* Text with the places of its bytes. starts NULL: byte i stands at base + i. */
typedef struct MgPlaced
{
	MgSpan bytes;
	const uint32_t *starts, *stops;
	uint32_t base; /* where the segment that it was made of begins, as well */
} MgPlaced;

/* Placed text that is being written, out of another one. */
typedef struct MgPlacer
{
	MgCtx *cx;
	MgPace *pace;
	MgPlaced from;
	size_t at; /* of from: the character that is replaced next */
	uint8_t *bytes;
	uint32_t *starts, *stops;
	size_t n, room;
	bool failed;
} MgPlacer;

bool mg_placer_init(MgCtx *cx, MgPace *pace, const MgPlaced *from, MgPlacer *placer);

/* Passes over n characters of from. */
void mg_placer_remove(MgPlacer *placer, size_t n);

/* Writes a character: in place of the next one; or as a new one, with the place of the one before. */
bool mg_placer_replace(MgPlacer *placer, uint32_t code);
bool mg_placer_insert(MgPlacer *placer, uint32_t code);

/* Writes the next n bytes as they are; they are whole characters. */
bool mg_placer_copy(MgPlacer *placer, size_t n);

/* Writes text before all else, with the place of the first character; of no text, nothing. */
bool mg_placer_lead(MgPlacer *placer, MgSpan text);

/* Writes the next n bytes, ASCII. */
bool mg_placer_copy_ascii(MgPlacer *placer, size_t n);

/* Writes all that is left with b in place of each byte a, which is ASCII. */
bool mg_placer_replace_byte(MgPlacer *placer, uint8_t a, MgSpan b);

/* What was written; false when memory ended or the host stopped it. */
bool mg_placer_end(MgPlacer *placer, MgPlaced *into);

/* Bytes [from, to) of it. */
MgPlaced mg_placed_part(const MgPlaced *text, size_t from, size_t to);

/* The place of its first byte; of none at its end, where that ends. */
uint32_t mg_placed_start(const MgPlaced *text, size_t at);
uint32_t mg_placed_stop(const MgPlaced *text, size_t at);

static inline bool
mg_step_has_regex(const MgStep *step)
{
	return step->kind == MG_STEP_REGEX || step->kind == MG_STEP_REPLACE_PATTERN;
}

/* Writes all that is left of the placer's text in NFD, NFC, NFKD or NFKC. */
bool mg_put_form(MgPlacer *placer, bool compat, bool composing);

/* The steps with what running them wants beside their words; false where one is damaged or refused. */
bool mg_steps_prepare(MgCtx *cx, MgSteps *steps);

/* Runs a normalising step. */
bool mg_normalize_step(MgCtx *cx, MgPace *pace, const MgStep *step, MgPlaced *text);

/* Cuts text into words by the tokeniser's steps, and appends their tokens. */
bool mg_cut_words(MgCtx *cx, MgPieces *pieces, const MgPlaced *text);

/* What lies between raw added tokens: bytes [start, stop) of a text. */
bool mg_steps_segment(MgCtx *cx, MgPieces *pieces, MgSpan text, size_t start, size_t stop);

/* Writes what a token adds to a text, at most mg_decoded_room of its bytes; is_first: none was shown before. Returns the bytes written. */
size_t mg_decode_step_token(const MgTokenizer *tokenizer, MgSpan token, bool is_first, uint8_t *into);

/* The part "normalizer.do" and its kin, to and from bytes; refuses steps that are none of theirs. */
bool mg_steps_write(MgCtx *cx, const MgSteps *steps, MgSpan *bytes);
bool mg_steps_read(MgCtx *cx, const char *part, MgSpan bytes, uint32_t least, uint32_t most, MgSteps *steps);

#endif
