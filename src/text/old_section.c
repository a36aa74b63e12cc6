/*
 * Sections of version 1: the facts of BERT's pipeline in a fixed header of 128
 * bytes, then offsets, slots, entries of raw and of normalized added tokens,
 * flags and strings, end to end.
 */
#include "text/section.h"

#include <stddef.h>

typedef struct OldHeader
{
	uint32_t magic;
	uint32_t version;
	uint32_t kind;
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
} OldHeader;

_Static_assert(offsetof(OldHeader, special[1]) == MG_OLD_AROUND && sizeof(OldHeader) == 128, "the header is part of the format");

static bool
check_header(MgCtx *cx, const OldHeader *header)
{
	if (header->kind != MG_WORDPIECE || (header->rules & ~(uint32_t) MG_RULES_BERT) != 0)
	{
		mg_fail(cx, MG_UNSUPPORTED, "tokenizer section is of an unknown kind");
		return mg_detail(cx, "It has version 1, kind %u and rules %u.", header->kind, header->rules);
	}
	if (header->slot_bits > MG_MAX_SLOT_BITS)
		return mg_fail(cx, MG_BAD_FILE, "tokenizer section has 2^%u slots", header->slot_bits);
	for (size_t i = 1; i < 3; i++)
		if (header->special[i] < -1)
			return mg_fail(cx, MG_BAD_FILE, "tokenizer section has special token %d", header->special[i]);
	for (size_t i = 0; i < sizeof header->zero; i++)
		if (header->zero[i] != 0)
			return mg_fail(cx, MG_BAD_FILE, "tokenizer section's header does not end in zeros");
	return true;
}

/* The next size bytes of a section; *at, which passes its end, is checked by the caller. */
static MgSpan
take(MgSpan section, uint64_t *at, uint64_t size)
{
	uint64_t from = *at;

	*at += size;
	return *at <= section.size ? mg_span(section.data + from, (size_t) size) : mg_span("", 0);
}

bool
mg_old_section_read(MgCtx *cx, MgSpan section, MgSectionFacts *facts)
{
	OldHeader header;
	uint64_t at = sizeof header;

	if (section.size < sizeof header)
		return mg_fail(cx, MG_BAD_FILE, "tokenizer section has %zu bytes, fewer than its header", section.size);
	memcpy(&header, section.data, sizeof header);
	if (!check_header(cx, &header))
		return false;
	memset(facts, 0, sizeof *facts);
	/* No sum can overflow: all counts are below 2^32 and are multiplied by 12 at most. */
	facts->offsets = take(section, &at, 4 * ((uint64_t) header.n_tokens + 1));
	facts->slots = take(section, &at, UINT64_C(8) << header.slot_bits);
	facts->raw = take(section, &at, MG_ADDED_ENTRY * (uint64_t) header.n_raw);
	facts->normalized = take(section, &at, MG_ADDED_ENTRY * (uint64_t) header.n_normalized);
	facts->flags = take(section, &at, header.n_tokens);
	facts->strings = take(section, &at, header.strings_size);
	if (at != section.size)
	{
		mg_fail(cx, MG_BAD_FILE, "tokenizer section has the wrong size");
		return mg_detail(cx, "It has %zu bytes, its header says %llu.", section.size, (unsigned long long) at);
	}
	facts->vocab = (MgVocabFacts){header.n_tokens,	 header.slot_bits,	header.max_probe,
								  header.special[0], header.special[3], header.special[4]};
	facts->normalizer.rules = header.rules;
	facts->words.kind = MG_PRE_BERT;
	facts->model.kind = MG_WORDPIECE;
	facts->model.max_word_chars = header.max_word_chars;
	facts->model.continuation_size = header.continuation_size;
	memcpy(facts->model.continuation, header.continuation, sizeof header.continuation);
	facts->decoder.kind = MG_DECODE_WORDPIECE;
	facts->wrapping = mg_wrapping_of_bert(header.special[1], header.special[2]);
	return true;
}
