/*
 * A spec laid out as a section (text/section.h). The strings come first, in
 * memory of their own, since the patterns of normalized added tokens are known
 * only after normalisation; then all sizes are known and the section is filled.
 */
#include "text/section.h"
#include "text/utf8.h"

/* Tokens between two polls. */
#define POLL_STEP 4096

/* The strings and the two lists of entries while they are gathered. */
typedef struct Gathered
{
	uint8_t *strings;
	size_t strings_size;
	size_t strings_room;
	uint8_t *raw, *normalized; /* entries */
	size_t n_raw, n_normalized;
} Gathered;

static bool
check_id(MgCtx *cx, const MgTokenizerSpec *spec, const char *what, int32_t id)
{
	if (id == -1)
		return true;
	if (id < 0 || (size_t) id >= spec->n_tokens || spec->tokens[id].size == 0)
		return mg_fail(cx, MG_BAD_FILE, "id %d of the %s token is not in the vocabulary", id, what);
	return true;
}

static bool
check_facts(MgCtx *cx, const MgTokenizerSpec *spec)
{
	if (spec->kind != MG_WORDPIECE)
		return mg_fail(cx, MG_UNSUPPORTED, "tokenizer of kind %d is not supported", (int) spec->kind);
	if (spec->n_tokens == 0)
		return mg_fail(cx, MG_BAD_FILE, "vocabulary is empty");
	if (spec->n_tokens > MG_VOCAB_LIMIT)
		return mg_fail(cx, MG_TOO_LARGE, "vocabulary has %zu tokens, more than %zu", spec->n_tokens, MG_VOCAB_LIMIT);
	if (spec->unknown == -1)
		return mg_fail(cx, MG_BAD_FILE, "vocabulary has no token for unknown words");
	if (spec->max_word_chars == 0 || spec->max_word_chars > MG_MAX_WORD_CHARS)
		return mg_fail(cx, MG_UNSUPPORTED, "tokenizer's longest word has %zu characters, must be 1 to %d",
					   spec->max_word_chars, MG_MAX_WORD_CHARS);
	if (spec->continuation.size > MG_MAX_CONTINUATION)
		return mg_fail(cx, MG_UNSUPPORTED, "tokenizer's continuation has %zu bytes, more than %d",
					   spec->continuation.size, MG_MAX_CONTINUATION);
	if (mg_utf8_check(spec->continuation) != spec->continuation.size)
		return mg_fail(cx, MG_BAD_FILE, "tokenizer's continuation is not valid UTF-8");
	return check_id(cx, spec, "unknown", spec->unknown) && check_id(cx, spec, "classify", spec->classify) &&
		   check_id(cx, spec, "separate", spec->separate) && check_id(cx, spec, "pad", spec->pad) &&
		   check_id(cx, spec, "mask", spec->mask);
}

/* Adds up the strings and counts the added tokens, and those of them that have a normalised form. */
static bool
measure(MgCtx *cx, const MgTokenizerSpec *spec, size_t *size, size_t *n_added, size_t *n_normalized)
{
	*size = *n_added = *n_normalized = 0;
	for (size_t id = 0; id < spec->n_tokens; id++)
	{
		MgSpan token = spec->tokens[id];

		if (id % POLL_STEP == 0 && !mg_poll(cx))
			return false;
		if (token.size > UINT32_MAX || *size + token.size > UINT32_MAX / 2)
			return mg_fail(cx, MG_TOO_LARGE, "vocabulary has more than %u bytes", UINT32_MAX / 2);
		*size += token.size;
		if (mg_utf8_check(token) != token.size)
			return mg_fail(cx, MG_BAD_FILE, "token %zu is not valid UTF-8", id);
		if (!(spec->flags[id] & MG_TOKEN_ADDED))
			continue;
		if (token.size == 0 || token.size > MG_ADDED_LIMIT)
			return mg_fail(cx, token.size == 0 ? MG_BAD_FILE : MG_TOO_LARGE,
						   "added token %zu has %zu bytes, must have 1 to %zu", id, token.size, MG_ADDED_LIMIT);
		*n_added += 1;
		*n_normalized += (spec->flags[id] & MG_TOKEN_NORMALIZED) != 0;
	}
	return true;
}

static void
add_entry(uint8_t *entries, size_t *n, size_t id, size_t offset, size_t size)
{
	uint32_t entry[3] = {(uint32_t) id, (uint32_t) offset, (uint32_t) size};

	memcpy(entries + MG_ADDED_ENTRY * (*n)++, entry, sizeof entry);
}

static MgNormalRules
rules_of(const MgTokenizerSpec *spec)
{
	return (MgNormalRules){spec->clean_text, spec->chinese_chars, spec->strip_accents, spec->lowercase};
}

/* The normalised form of an added token; one that normalises to nothing is never found. */
static bool
add_normalized(MgCtx *cx, const MgTokenizerSpec *spec, Gathered *gathered, size_t id)
{
	MgNormalizer normalizer = {.chars = NULL};
	MgPace pace = {0};
	size_t offset = gathered->strings_size;

	mg_normalizer_start(&normalizer, rules_of(spec), spec->tokens[id], 0, &pace);
	do
	{
		if (!mg_normalizer_next(cx, &normalizer))
			return false;
		for (size_t i = 0; i < normalizer.n; i++)
		{
			uint8_t *into = gathered->strings + gathered->strings_size;

			if (gathered->strings_room - gathered->strings_size < MG_UTF8_MAX ||
				gathered->strings_size - offset > MG_ADDED_LIMIT - MG_UTF8_MAX)
				return mg_fail(cx, MG_TOO_LARGE, "added token %zu has more than %zu bytes after normalization", id,
							   MG_ADDED_LIMIT - MG_UTF8_MAX);
			gathered->strings_size += mg_utf8_put(normalizer.chars[i].code, into);
		}
	} while (normalizer.n > 0);
	if (gathered->strings_size > offset)
		add_entry(gathered->normalized, &gathered->n_normalized, id, offset, gathered->strings_size - offset);
	return true;
}

static bool
gather(MgCtx *cx, const MgTokenizerSpec *spec, Gathered *gathered)
{
	size_t size, n_added, n_normalized, offset;

	if (!measure(cx, spec, &size, &n_added, &n_normalized))
		return false;
	if (n_normalized > (UINT32_MAX / 2 - size) / MG_ADDED_LIMIT)
		return mg_fail(cx, MG_TOO_LARGE, "vocabulary has too many added tokens: %zu", n_normalized);
	memset(gathered, 0, sizeof *gathered);
	gathered->strings_room = size + n_normalized * MG_ADDED_LIMIT;
	gathered->strings = mg_alloc(cx, gathered->strings_room);
	gathered->raw = mg_alloc_array(cx, n_added, MG_ADDED_ENTRY);
	gathered->normalized = mg_alloc_array(cx, n_normalized, MG_ADDED_ENTRY);
	if (gathered->strings == NULL || gathered->raw == NULL || gathered->normalized == NULL)
		return false;
	for (size_t id = 0; id < spec->n_tokens; id++)
	{
		if (id % POLL_STEP == 0 && !mg_poll(cx))
			return false;
		if (spec->tokens[id].size > 0)
			memcpy(gathered->strings + gathered->strings_size, spec->tokens[id].data, spec->tokens[id].size);
		gathered->strings_size += spec->tokens[id].size;
	}
	offset = 0;
	for (size_t id = 0; id < spec->n_tokens; id++)
	{
		if (id % POLL_STEP == 0 && !mg_poll(cx))
			return false;
		if ((spec->flags[id] & (MG_TOKEN_ADDED | MG_TOKEN_NORMALIZED)) == MG_TOKEN_ADDED)
			add_entry(gathered->raw, &gathered->n_raw, id, offset, spec->tokens[id].size);
		else if ((spec->flags[id] & MG_TOKEN_ADDED) && !add_normalized(cx, spec, gathered, id))
			return false;
		offset += spec->tokens[id].size;
	}
	return true;
}

static void
fill_header(const MgTokenizerSpec *spec, const Gathered *gathered, MgSectionHeader *header)
{
	*header = (MgSectionHeader){.magic = MG_SECTION_MAGIC,
								.version = MG_SECTION_VERSION,
								.kind = (uint32_t) spec->kind,
								.n_tokens = (uint32_t) spec->n_tokens,
								.slot_bits = mg_vocab_slot_bits(spec->n_tokens),
								.n_raw = (uint32_t) gathered->n_raw,
								.n_normalized = (uint32_t) gathered->n_normalized,
								.strings_size = (uint32_t) gathered->strings_size,
								.max_word_chars = (uint32_t) spec->max_word_chars,
								.continuation_size = (uint32_t) spec->continuation.size,
								.special = {spec->unknown, spec->classify, spec->separate, spec->pad, spec->mask}};
	header->rules = (spec->clean_text ? MG_RULE_CLEAN : 0u) | (spec->chinese_chars ? MG_RULE_CHINESE : 0u) |
					(spec->strip_accents ? MG_RULE_STRIP : 0u) | (spec->lowercase ? MG_RULE_LOWER : 0u);
	if (spec->continuation.size > 0)
		memcpy(header->continuation, spec->continuation.data, spec->continuation.size);
}

/* Offsets, flags and strings, over which the slots are then filled. */
static bool
fill_tokens(MgCtx *cx, const MgTokenizerSpec *spec, const Gathered *gathered, const MgSectionLayout *layout,
			uint8_t *bytes)
{
	uint32_t offset = 0;

	for (size_t id = 0; id <= spec->n_tokens; id++)
	{
		if (id % POLL_STEP == 0 && !mg_poll(cx))
			return false;
		memcpy(bytes + layout->offsets + 4 * id, &offset, sizeof offset);
		if (id < spec->n_tokens)
			offset += (uint32_t) spec->tokens[id].size;
	}
	memcpy(bytes + layout->flags, spec->flags, spec->n_tokens);
	memcpy(bytes + layout->strings, gathered->strings, gathered->strings_size);
	memcpy(bytes + layout->raw, gathered->raw, MG_ADDED_ENTRY * gathered->n_raw);
	memcpy(bytes + layout->normalized, gathered->normalized, MG_ADDED_ENTRY * gathered->n_normalized);
	return true;
}

bool
mg_tokenizer_build(MgCtx *cx, const MgTokenizerSpec *spec, MgSpan *section)
{
	Gathered gathered;
	MgSectionHeader header;
	MgSectionLayout layout;
	MgVocab vocab;
	MgSpan strings;
	uint8_t *bytes;

	if (!check_facts(cx, spec) || !gather(cx, spec, &gathered))
		return false;
	strings = mg_span(gathered.strings, gathered.strings_size);
	if (!mg_added_tokens_sort(cx, strings, gathered.raw, &gathered.n_raw) ||
		!mg_added_tokens_sort(cx, strings, gathered.normalized, &gathered.n_normalized))
		return false;
	fill_header(spec, &gathered, &header);
	layout = mg_section_layout(&header);
	bytes = mg_alloc_zeroed(cx, layout.size, 1);
	if (bytes == NULL || !fill_tokens(cx, spec, &gathered, &layout, bytes))
		return false;
	vocab = (MgVocab){.n_tokens = spec->n_tokens,
					  .offsets = bytes + layout.offsets,
					  .slots = bytes + layout.slots,
					  .flags = bytes + layout.flags,
					  .strings = mg_span(bytes + layout.strings, gathered.strings_size),
					  .slot_bits = header.slot_bits};
	if (!mg_vocab_fill(cx, &vocab, bytes + layout.slots))
		return false;
	header.max_probe = vocab.max_probe;
	memcpy(bytes, &header, sizeof header);
	*section = mg_span(bytes, layout.size);
	return true;
}
