/* The section's layout, and the checks that stand between its bytes and everything else in this folder. */
#include "text/section.h"

#include "text/utf8.h"

_Static_assert(sizeof(MgSectionHeader) == 128, "the header is part of the format");

MgSectionLayout
mg_section_layout(const MgSectionHeader *header)
{
	MgSectionLayout layout;

	/* No sum can overflow: all counts are below 2^32 and are multiplied by 12 at most. */
	layout.offsets = sizeof *header;
	layout.slots = layout.offsets + 4 * ((uint64_t) header->n_tokens + 1);
	layout.raw = layout.slots + (UINT64_C(8) << header->slot_bits);
	layout.normalized = layout.raw + MG_ADDED_ENTRY * (uint64_t) header->n_raw;
	layout.flags = layout.normalized + MG_ADDED_ENTRY * (uint64_t) header->n_normalized;
	layout.strings = layout.flags + header->n_tokens;
	layout.size = layout.strings + header->strings_size;
	return layout;
}

static bool
check_header(MgCtx *cx, const MgSectionHeader *header)
{
	if (header->magic != MG_SECTION_MAGIC)
		return mg_fail(cx, MG_BAD_FILE, "tokenizer section does not begin with its mark");
	if (header->version != MG_SECTION_VERSION || header->kind != MG_WORDPIECE || (header->rules & ~MG_RULES_ALL) != 0)
	{
		mg_fail(cx, MG_UNSUPPORTED, "tokenizer section is of an unknown version or kind");
		return mg_detail(cx, "It has version %u, kind %u and rules %u; known are version %d, kind %d and rules to %d.",
						 header->version, header->kind, header->rules, MG_SECTION_VERSION, MG_WORDPIECE, MG_RULES_ALL);
	}
	if (header->n_tokens == 0 || header->n_tokens > MG_VOCAB_LIMIT || header->slot_bits == 0 ||
		header->slot_bits > MG_MAX_SLOT_BITS)
		return mg_fail(cx, MG_BAD_FILE, "tokenizer section has %u tokens in 2^%u slots", header->n_tokens,
					   header->slot_bits);
	if (header->max_word_chars == 0 || header->max_word_chars > MG_MAX_WORD_CHARS ||
		header->continuation_size > MG_MAX_CONTINUATION)
		return mg_fail(cx, MG_BAD_FILE, "tokenizer section has words of %u characters and a continuation of %u bytes",
					   header->max_word_chars, header->continuation_size);
	for (size_t i = 0; i < 5; i++)
		if (header->special[i] < (i == 0 ? 0 : -1) || header->special[i] >= (int32_t) header->n_tokens)
			return mg_fail(cx, MG_BAD_FILE, "tokenizer section has special token %d of %u", header->special[i],
						   header->n_tokens);
	for (size_t i = 0; i < sizeof header->zero; i++)
		if (header->zero[i] != 0)
			return mg_fail(cx, MG_BAD_FILE, "tokenizer section's header does not end in zeros");
	return true;
}

static MgByteKind
kind_of(const MgNormalRules *rules, unsigned flags)
{
	if (rules->clean && (flags & MG_CHAR_DROP))
		return MG_BYTE_OTHER;
	if (flags & MG_CHAR_SPACE)
		return MG_BYTE_SPACE;
	return flags & MG_CHAR_PUNCTUATION ? MG_BYTE_PUNCTUATION : MG_BYTE_WORD;
}

/* What follows from the header alone. */
static void
set_rules(MgTokenizer *tokenizer, const MgSectionHeader *header)
{
	uint32_t rules = header->rules;

	tokenizer->rules = (MgNormalRules){(rules & MG_RULE_CLEAN) != 0, (rules & MG_RULE_CHINESE) != 0,
									   (rules & MG_RULE_STRIP) != 0, (rules & MG_RULE_LOWER) != 0};
	tokenizer->max_word_chars = header->max_word_chars;
	tokenizer->special = (MgSpecialTokens){header->special[0], header->special[1], header->special[2],
										   header->special[3], header->special[4]};
	memcpy(tokenizer->continuation_bytes, header->continuation, MG_MAX_CONTINUATION);
	tokenizer->continuation_size = header->continuation_size;
	tokenizer->continuation_hash = mg_hash_span(MG_HASH_START, mg_continuation(tokenizer));
	memset(tokenizer->kinds, MG_BYTE_OTHER, sizeof tokenizer->kinds);
	for (uint32_t code = 0; code < 128; code++)
	{
		tokenizer->kinds[code] = (uint8_t) kind_of(&tokenizer->rules, mg_char_flags(code));
		tokenizer->lowered[code] = (uint8_t) (tokenizer->rules.lower ? mg_char_lower(code) : code);
	}
}

bool
mg_section_bind(MgCtx *cx, MgSpan section, MgTokenizer *tokenizer)
{
	MgSectionHeader header;
	MgSectionLayout layout;

	if (section.size < sizeof header)
		return mg_fail(cx, MG_BAD_FILE, "tokenizer section has %zu bytes, fewer than its header", section.size);
	memcpy(&header, section.data, sizeof header);
	if (!check_header(cx, &header))
		return false;
	layout = mg_section_layout(&header);
	if (layout.size != section.size)
	{
		mg_fail(cx, MG_BAD_FILE, "tokenizer section has the wrong size");
		return mg_detail(cx, "It has %zu bytes, its header says %llu.", section.size, (unsigned long long) layout.size);
	}
	set_rules(tokenizer, &header);
	if (mg_utf8_check(mg_continuation(tokenizer)) != header.continuation_size)
		return mg_fail(cx, MG_BAD_FILE, "continuation in tokenizer section is not valid UTF-8");

	tokenizer->vocab = (MgVocab){.n_tokens = header.n_tokens,
								 .offsets = section.data + layout.offsets,
								 .slots = section.data + layout.slots,
								 .flags = section.data + layout.flags,
								 .strings = mg_span(section.data + layout.strings, header.strings_size),
								 .slot_bits = header.slot_bits,
								 .max_probe = header.max_probe};
	tokenizer->raw.n = header.n_raw;
	tokenizer->raw.entries = section.data + layout.raw;
	tokenizer->normalized.n = header.n_normalized;
	tokenizer->normalized.entries = section.data + layout.normalized;
	return mg_vocab_check(cx, &tokenizer->vocab) &&
		   mg_added_tokens_check(cx, &tokenizer->vocab, &tokenizer->raw) &&
		   mg_added_tokens_check(cx, &tokenizer->vocab, &tokenizer->normalized);
}
