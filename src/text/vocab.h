/*
 * The vocabulary: strings by id, and ids by string.
 *
 * It is three runs of bytes in the tokeniser's section, at any alignment,
 * little-endian:
 *
 *   offsets  u32 [n_tokens + 1], ascending; token i is strings[offsets[i], offsets[i + 1])
 *   slots    {u32 tag, u32 id + 1} [1 << slot_bits]; id + 1 is 0 in an empty slot
 *   strings  all tokens end to end, UTF-8 (and the patterns of added tokens behind them)
 *
 * The slots are an open-addressing hash with linear probing. The hash runs
 * forward byte by byte, so that one pass over a word gives the hashes of all
 * its prefixes; its top bits choose the slot, and a tag of 32 other bits saves
 * looking at the string of nearly every wrong token. No search takes more than
 * max_probe steps, whatever the slots hold; a builder that cannot keep this
 * promise refuses the vocabulary.
 */
#ifndef MG_TEXT_VOCAB_H
#define MG_TEXT_VOCAB_H

#include "core/ctx.h"
#include "text/spec.h"

#define MG_VOCAB_LIMIT ((size_t) 1 << 24) /* tokens */
#define MG_PROBE_LIMIT 256				  /* steps of a search */
#define MG_MAX_SLOT_BITS 26

typedef struct MgVocab
{
	size_t n_tokens;
	const uint8_t *offsets;
	const uint8_t *slots;
	const uint8_t *flags; /* [n_tokens], MG_TOKEN_... */
	MgSpan strings;
	unsigned slot_bits;
	uint32_t max_probe;
	size_t longest; /* bytes of the longest token */
} MgVocab;

#define MG_HASH_START UINT64_C(0x6C62272E07BB0142)

/* An odd constant near 2^64 divided by the golden ratio: every step stirs the bits above. */
static inline uint64_t
mg_hash_step(uint64_t hash, uint8_t byte)
{
	return (hash ^ byte) * UINT64_C(0x9E3779B97F4A7C15);
}

static inline uint64_t
mg_hash_span(uint64_t hash, MgSpan bytes)
{
	for (size_t i = 0; i < bytes.size; i++)
		hash = mg_hash_step(hash, bytes.data[i]);
	return hash;
}

static inline uint32_t
mg_load_u32(const uint8_t *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof value);
	return value;
}

/* Slots for n_tokens tokens: at most half of them are used. */
unsigned mg_vocab_slot_bits(size_t n_tokens);

/*
 * Enters all tokens of offsets and strings into zeroed slots; max_probe is the
 * longest search. Of equal tokens the last wins, as in a file that is read
 * line by line. Fails when a search would be too long.
 */
bool mg_vocab_fill(MgCtx *cx, MgVocab *vocab, uint8_t *slots);

/* Checks what offsets, slots and strings say, and sets longest. False after an MG_BAD_FILE error. */
bool mg_vocab_check(MgCtx *cx, MgVocab *vocab);

/* The token of an id in [0, n_tokens). */
static inline MgSpan
mg_vocab_token(const MgVocab *vocab, size_t id)
{
	uint32_t from = mg_load_u32(vocab->offsets + 4 * id);
	uint32_t to = mg_load_u32(vocab->offsets + 4 * id + 4);

	return mg_span(vocab->strings.data + from, to - from);
}

/* The id of head followed by tail, whose hash it is; -1 when there is none. */
int32_t mg_vocab_find(const MgVocab *vocab, uint64_t hash, MgSpan head, MgSpan tail);

#endif
