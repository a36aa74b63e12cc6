/* Sections with any byte changed: an error, or a tokeniser that can be used. */
#include "text/section.h"

#include <stddef.h>

#include "text/byte_level.h"
#include "text/utf8.h"
#include "unit/text/sample.h"

static MgSpan tokens[N_SAMPLE];
static uint8_t flags[N_SAMPLE];

static const char text[] = "The unplayable caf\xC3\xA9\xCC\x81, \xE4\xB8\xAD [MASK] abcb  <l> New York's \xED\x95\x9C";

static MgSpan
sample_section(MgCtx *cx)
{
	MgTokenizerSpec spec = sample_spec(tokens, flags);
	MgSpan section = {NULL, 0};

	sample_add(&spec, "<l>", MG_TOKEN_ADDED | MG_TOKEN_LSTRIP | MG_TOKEN_RSTRIP);
	sample_add(&spec, "New York", MG_TOKEN_ADDED | MG_TOKEN_NORMALIZED | MG_TOKEN_SINGLE_WORD);
	ok(mg_tokenizer_build(cx, &spec, &section), "built (%s)", cx->error.message);
	return section;
}

/* All bytes but one, some merges, and an added token. */
static MgSpan
byte_section(MgCtx *cx)
{
	static MgSpan names[270];
	static uint8_t name_flags[270], chars[256][4];
	static const MgMergeNames merges[] = {
		{{(const uint8_t *) "t", 1}, {(const uint8_t *) "h", 1}, 0}, {{(const uint8_t *) "th", 2}, {(const uint8_t *) "e", 1}, 1},
		{{(const uint8_t *) "\xC4\xA0", 2}, {(const uint8_t *) "the", 3}, 2}, {{(const uint8_t *) "l", 1}, {(const uint8_t *) "a", 1}, 3}};
	MgTokenizerSpec spec = {.kind = MG_BPE, .pre = MG_PRE_BYTES, .pattern = MG_PATTERN_GPT2, .decoder = MG_DECODE_BYTES, .compose = true,
							.tokens = names, .flags = name_flags, .unknown = -1, .pad = -1, .mask = 262, .merges = merges, .n_merges = 4,
							.wrapping = mg_wrapping_of_bert(260, 261)};
	MgSpan section = {NULL, 0};

	for (int byte = 0; byte < 255; byte++)
		names[byte] = mg_span(chars[byte], mg_utf8_put(mg_byte_char((uint8_t) byte), chars[byte]));
	names[256] = mg_span_of("th");
	names[257] = mg_span_of("the");
	names[258] = mg_span_of("\xC4\xA0the");
	names[259] = mg_span_of("la");
	names[260] = mg_span_of("<s>");
	names[261] = mg_span_of("</s>");
	names[262] = mg_span_of("[MASK]");
	name_flags[262] = MG_TOKEN_ADDED | MG_TOKEN_SPECIAL | MG_TOKEN_LSTRIP;
	names[263] = mg_span_of("New York");
	name_flags[263] = MG_TOKEN_ADDED | MG_TOKEN_NORMALIZED;
	spec.n_tokens = 264;
	ok(mg_tokenizer_build(cx, &spec, &section), "built with bytes (%s)", cx->error.message);
	return section;
}

/* The part of that name. */
static MgSpan
part_of(MgSpan section, const char *name)
{
	MgSectionPart part;

	for (size_t at = MG_SECTION_HEADER;; at += sizeof part)
	{
		memcpy(&part, section.data + at, sizeof part);
		if (strncmp(part.name, name, sizeof part.name) == 0)
			return mg_span(section.data + part.offset, (size_t) part.size);
	}
}

/* The same as maskgen 0.1.0 laid it out. */
static MgSpan
old_section(MgCtx *cx, MgSpan section)
{
	static const char *const order[] = {"offsets", "slots", "added", "added.norm", "flags", "strings"};
	MgVocabFacts vocab;
	uint32_t header[32] = {MG_SECTION_MAGIC, 1, 1, 15};
	size_t size = sizeof header;
	uint8_t *bytes;

	memcpy(&vocab, part_of(section, "vocab").data, sizeof vocab);
	header[4] = vocab.n_tokens;
	header[5] = vocab.slot_bits;
	header[6] = vocab.max_probe;
	header[7] = (uint32_t) part_of(section, "added").size / 12;
	header[8] = (uint32_t) part_of(section, "added.norm").size / 12;
	header[9] = (uint32_t) part_of(section, "strings").size;
	header[10] = 100;
	header[11] = 2;
	memcpy(&header[12], "##", 2);
	memcpy(&header[16], (const int32_t[]){1, 2, 3, 0, 4}, 20);
	for (size_t i = 0; i < 6; i++)
		size += part_of(section, order[i]).size;
	bytes = mg_alloc(cx, size);
	memcpy(bytes, header, sizeof header);
	size = sizeof header;
	for (size_t i = 0; i < 6; i++)
	{
		MgSpan part = part_of(section, order[i]);

		memcpy(bytes + size, part.data, part.size);
		size += part.size;
	}
	return mg_span(bytes, size);
}

/* Uses everything that a bound tokeniser offers; false when something is out of its range. */
static bool
use(MgCtx *cx, const MgTokenizer *tokenizer)
{
	MgSpecialTokens special = mg_special_tokens(tokenizer);
	size_t n = mg_tokenizer_size(tokenizer);
	MgTokens found;
	MgSpan back;

	if (special.unknown >= (int64_t) n || special.mask >= (int64_t) n ||
		!mg_wrapping_is_valid(mg_tokenizer_wrapping(tokenizer), n))
		return false;
	if (!mg_tokenize(cx, tokenizer, mg_span(text, sizeof text - 1), MG_NO_DATA, &found))
		return false;
	for (size_t i = 0; i < found.n; i++)
		if (found.ids[i] < 0 || (size_t) found.ids[i] >= n || found.starts[i] > found.stops[i] ||
			found.stops[i] > sizeof text - 1)
			return false;
	for (size_t id = 0; id < n; id++)
	{
		int32_t one = (int32_t) id;

		if (!mg_detokenize(cx, tokenizer, &one, 1, true, &back) || mg_utf8_check(back) != back.size)
			return false;
	}
	for (size_t id = 0; id < n; id++)
		(void) mg_token_find(tokenizer, mg_token_text(tokenizer, (int32_t) id));
	return true;
}

/* A copy at its exact size and at an odd address, where a sanitizer sees a read too many. */
static void
try_section(MgSpan section, size_t at, uint8_t byte, long *n_refused, long *n_bad)
{
	TestHost host;
	MgCtx cx;
	uint8_t *copy = malloc(section.size + 1);
	const MgTokenizer *tokenizer;

	test_host_init(&host);
	mg_ctx_init(&cx, &host.host);
	memcpy(copy + 1, section.data, section.size);
	if (at < section.size)
		copy[1 + at] = byte;
	tokenizer = mg_tokenizer_bind(&cx, mg_span(copy + 1, section.size));
	if (tokenizer == NULL)
	{
		*n_refused += 1;
		if (cx.error.code != MG_BAD_FILE && cx.error.code != MG_UNSUPPORTED)
			*n_bad += 1;
	}
	else if (!use(&cx, tokenizer))
		*n_bad += 1;
	mg_ctx_free(&cx);
	free(copy);
}

/* head: bytes of header and list of parts. */
static void
test_flips(const char *what, MgSpan section, size_t head)
{
	static const uint8_t changes[] = {0x01, 0x40, 0x80, 0xFF};
	long n_refused = 0, n_bad = 0, n_head = 0;

	try_section(section, section.size, 0, &n_refused, &n_bad);
	ok(n_refused == 0 && n_bad == 0, "%s: unchanged, at an odd address", what);
	for (size_t at = 0; at < section.size; at++)
	{
		for (size_t i = 0; i < sizeof changes; i++)
			try_section(section, at, section.data[at] ^ changes[i], &n_refused, &n_bad);
		if (at == head - 1)
			n_head = n_refused;
	}
	is_int(n_bad, 0, "%s: each byte changed: an error, or a tokeniser that works", what);
	ok(n_head > (long) (2 * head), "%s: %ld of %zu changes of the head are refused", what, n_head, 4 * head);
	ok(n_refused > n_head, "%s: and %ld behind it", what, n_refused - n_head);
}

static void
test_sizes(MgCtx *cx, const char *what, MgSpan section)
{
	long bad = 0;
	uint8_t *longer = malloc(section.size + 1);

	for (size_t size = 0; size < section.size; size++)
	{
		mg_ctx_reset(cx);
		if (mg_tokenizer_bind(cx, mg_span(section.data, size)) != NULL || cx->error.code != MG_BAD_FILE)
			bad++;
	}
	is_int(bad, 0, "%s: one that ends early is refused", what);
	memcpy(longer, section.data, section.size);
	longer[section.size] = 0;
	mg_ctx_reset(cx);
	ok(mg_tokenizer_bind(cx, mg_span(longer, section.size + 1)) == NULL, "%s: and one that ends late", what);
	is_text(cx->error.message, "tokenizer section has the wrong size", "with these words");
	free(longer);
}

/* Slots that are all taken, each by the wrong token: searches end, and find nothing. */
static void
test_full_slots(MgCtx *cx, MgSpan section)
{
	uint8_t *copy = malloc(section.size);
	MgSpan slots, vocab;
	const MgTokenizer *tokenizer;
	uint32_t probe = MG_PROBE_LIMIT;

	memcpy(copy, section.data, section.size);
	slots = part_of(mg_span(copy, section.size), "slots");
	vocab = part_of(mg_span(copy, section.size), "vocab");
	memcpy((uint8_t *) vocab.data + offsetof(MgVocabFacts, max_probe), &probe, sizeof probe);
	for (size_t at = 0; at < slots.size; at += 8)
		memcpy((uint8_t *) slots.data + at, (const uint32_t[]){0, 7}, 8);
	mg_ctx_reset(cx);
	tokenizer = mg_tokenizer_bind(cx, mg_span(copy, section.size));
	ok(tokenizer != NULL && mg_token_find(tokenizer, mg_span_of("play")) == -1, "slots without an empty one");
	ok(tokenizer != NULL && use(cx, tokenizer), "can be used");
	probe++;
	memcpy((uint8_t *) vocab.data + offsetof(MgVocabFacts, max_probe), &probe, sizeof probe);
	ok(mg_tokenizer_bind(cx, mg_span(copy, section.size)) == NULL, "too long a search is refused");
	free(copy);
}

/* A part that a later version adds is passed over; the old form gives the same tokens. */
static void
test_versions(MgCtx *cx, MgSpan section, MgSpan old)
{
	uint32_t n_parts;
	MgSectionPart part;
	uint8_t *copy;
	MgTokens now, before;
	size_t head;

	memcpy(&n_parts, section.data + 8, sizeof n_parts);
	head = MG_SECTION_HEADER + n_parts * sizeof part;
	copy = mg_alloc(cx, section.size + sizeof part + 4);
	memcpy(copy, section.data, head);
	for (size_t at = MG_SECTION_HEADER; at < head; at += sizeof part)
	{
		memcpy(&part, copy + at, sizeof part);
		part.offset += sizeof part;
		memcpy(copy + at, &part, sizeof part);
	}
	part = (MgSectionPart){"news", section.size + sizeof part, 4};
	memcpy(copy + head, &part, sizeof part);
	memcpy(copy + head + sizeof part, section.data + head, section.size - head);
	memcpy(copy + section.size + sizeof part, "what", 4);
	n_parts++;
	memcpy(copy + 8, &n_parts, sizeof n_parts);
	ok(mg_tokenizer_bind(cx, mg_span(copy, section.size + sizeof part + 4)) != NULL, "an unknown part is passed over (%s)",
	   cx->error.message);
	ok(mg_tokenize(cx, mg_tokenizer_bind(cx, section), mg_span(text, sizeof text - 1), MG_NO_DATA, &now) &&
		   mg_tokenize(cx, mg_tokenizer_bind(cx, old), mg_span(text, sizeof text - 1), MG_NO_DATA, &before),
	   "a section of version 1 is read (%s)", cx->error.message);
	ok(now.n == before.n && memcmp(now.ids, before.ids, now.n * sizeof *now.ids) == 0, "and gives the same tokens");
	is_int(mg_tokenizer_extra(mg_span(section.data, MG_TOKENIZER_HEAD)), 2, "tokens around a text, by the head");
	is_int(mg_tokenizer_extra(mg_span(old.data, old.size < MG_TOKENIZER_HEAD ? old.size : MG_TOKENIZER_HEAD)), 2, "also by the old one");
	is_int(mg_tokenizer_extra(mg_span(section.data, 100)), 0, "not by less of it");
}

int
main(void)
{
	TestHost host;
	MgCtx cx;
	MgCtx kept;
	MgSpan section, bytes, old;

	test_host_init(&host);
	mg_ctx_init(&cx, &host.host);
	mg_ctx_init(&kept, &host.host);
	section = sample_section(&kept);
	bytes = byte_section(&kept);
	old = old_section(&kept, section);
	test_flips("words", section, MG_SECTION_HEADER + 12 * sizeof(MgSectionPart));
	test_flips("bytes", bytes, MG_SECTION_HEADER + 13 * sizeof(MgSectionPart));
	test_flips("old", old, 128);
	test_sizes(&cx, "words", section);
	test_sizes(&cx, "bytes", bytes);
	test_sizes(&cx, "old", old);
	test_full_slots(&cx, section);
	mg_ctx_reset(&cx);
	test_versions(&cx, section, old);
	mg_ctx_free(&cx);
	mg_ctx_free(&kept);
	return done();
}
