/*
 * The tokeniser's section: a flat, position-independent run of bytes at any
 * alignment, little-endian.
 *
 *   1. MgSectionHeader, 128 bytes
 *   2. u32 offsets [n_tokens + 1]                 text/vocab.h
 *   3. slots, 8 bytes each [1 << slot_bits]       text/vocab.h
 *   4. entries of raw added tokens [n_raw]        text/added_tokens.h
 *   5. entries of normalized ones [n_normalized]
 *   6. u8 flags [n_tokens]                        MG_TOKEN_...
 *   7. strings [strings_size]: the tokens end to end, then the normalised
 *      patterns of added tokens
 *
 * and no byte more. It may come from a table row that somebody has changed, so
 * mg_section_bind checks every offset before anything is looked up; what it
 * cannot see, such as a token in the wrong slot, can make answers wrong but
 * not reads wild or searches long.
 */
#ifndef MG_TEXT_SECTION_H
#define MG_TEXT_SECTION_H

#include "text/parts.h"

#define MG_SECTION_MAGIC UINT32_C(0x4B54474D) /* "MGTK" */
#define MG_SECTION_VERSION 1

enum
{
	MG_RULE_CLEAN = 1,
	MG_RULE_CHINESE = 2,
	MG_RULE_STRIP = 4,
	MG_RULE_LOWER = 8,
	MG_RULES_ALL = 15
};

typedef struct MgSectionHeader
{
	uint32_t magic;
	uint32_t version;
	uint32_t kind; /* MgTokenizerKind */
	uint32_t rules;
	uint32_t n_tokens;
	uint32_t slot_bits;
	uint32_t max_probe;
	uint32_t n_raw;
	uint32_t n_normalized;
	uint32_t strings_size;
	uint32_t max_word_chars;
	uint32_t continuation_size;
	uint8_t continuation[MG_MAX_CONTINUATION];
	int32_t special[5]; /* unknown, classify, separate, pad, mask; -1: none */
	uint8_t zero[44];
} MgSectionHeader;

/* Bytes from the section's first to each of its parts. */
typedef struct MgSectionLayout
{
	uint64_t offsets, slots, raw, normalized, flags, strings, size;
} MgSectionLayout;

MgSectionLayout mg_section_layout(const MgSectionHeader *header);

/* Fills in a tokeniser; false after an MG_BAD_FILE or MG_UNSUPPORTED error. */
bool mg_section_bind(MgCtx *cx, MgSpan section, MgTokenizer *tokenizer);

#endif
