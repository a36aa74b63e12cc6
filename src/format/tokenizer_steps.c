/*
 * Normalisers, pre-tokenisers and decoders of tokenizer.json, as steps. A Sequence is its members end to end. A regular expression that has a
 * loop of its own (text/byte_level.h) is known by its text; others are compiled.
 */
#include "format/tokenizer_steps.h"

#define FILE_NAME MG_TOKENIZER_JSON

#define NORMALIZERS "BertNormalizer, ByteLevel, Lowercase, NFC, NFD, NFKC, NFKD, Nmt, Precompiled, Prepend, Replace, Sequence, Strip, StripAccents"
#define PRE_TOKENIZERS "BertPreTokenizer, ByteLevel, CharDelimiterSplit, Digits, FixedLength, Metaspace, Punctuation, Sequence, Split, Whitespace, WhitespaceSplit"
#define DECODERS "ByteFallback, ByteLevel, Fuse, Metaspace, Replace, Sequence, Strip, WordPiece"

/* A Sequence within a Sequence, and so on. */
#define DEPTH 8

typedef bool (*ReadPart)(MgCtx *cx, const MgJson *part, MgSpan type, MgStepList *list);

bool
mg_step_add(MgCtx *cx, MgStepList *list, MgStepKind kind, uint32_t number, MgSpan a, MgSpan b)
{
	if (list->n == MG_STEPS_MAX)
		return mg_fail(cx, MG_UNSUPPORTED, "tokenizer with more than %d steps is not supported", MG_STEPS_MAX);
	list->items[list->n++] = (MgStep){.kind = kind, .number = number, .a = a, .b = b};
	return true;
}

bool
mg_steps_keep(MgCtx *cx, const MgStepList *list, MgSteps *steps)
{
	MgStep *items = mg_alloc_array(cx, list->n, sizeof *items);

	if (items == NULL)
		return false;
	if (list->n > 0)
		memcpy(items, list->items, list->n * sizeof *items);
	*steps = (MgSteps){list->n, items};
	return true;
}

static bool
add(MgCtx *cx, MgStepList *list, MgStepKind kind, uint32_t number)
{
	return mg_step_add(cx, list, kind, number, mg_span("", 0), mg_span("", 0));
}

static bool
get_bool(MgCtx *cx, const MgJson *part, const char *key, bool *value)
{
	return mg_json_get_bool(cx, FILE_NAME, part, key, value);
}

static bool
get_text(MgCtx *cx, const MgJson *part, const char *key, MgSpan *value)
{
	*value = mg_span("", 0);
	return mg_json_get_string(cx, FILE_NAME, part, key, value);
}

static bool
refuse(MgCtx *cx, const char *part, MgSpan type, const char *what, MgSpan value)
{
	mg_fail(cx, MG_UNSUPPORTED, "tokenizer %s \"%.*s\" with this %s is not supported", part, MG_SPAN_ARGS(type), what);
	return mg_detail(cx, "The %s is \"%.*s\".", what, MG_SPAN_ARGS(value));
}

/* ------------------------------------------------------------- normaliser */

static int
digit64(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : c >= '0' && c <= '9' ? c - '0' + 52 : c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Base 64, with or without the filling at its end. */
static bool
decode64(MgCtx *cx, MgSpan text, MgSpan *bytes)
{
	uint8_t *out = mg_alloc(cx, text.size / 4 * 3 + 3);
	uint32_t held = 0;
	size_t n = 0, bits = 0;

	if (out == NULL)
		return false;
	while (text.size > 0 && text.data[text.size - 1] == '=')
		text.size--;
	for (size_t i = 0; i < text.size; i++)
	{
		int digit = digit64(text.data[i]);

		if (i % 65536 == 0 && !mg_poll(cx))
			return false;
		if (digit < 0)
			return mg_fail(cx, MG_BAD_FILE, "file \"%s\" has a \"precompiled_charsmap\" that is not base 64", FILE_NAME);
		held = held << 6 | (uint32_t) digit;
		bits += 6;
		if (bits >= 8)
			out[n++] = (uint8_t) (held >> (bits -= 8));
	}
	*bytes = mg_span(out, n);
	return true;
}

static bool
read_bert(MgCtx *cx, const MgJson *part, MgStepList *list)
{
	bool clean = true, chinese = true, lower = true, strip;

	if (!get_bool(cx, part, "clean_text", &clean) || !get_bool(cx, part, "handle_chinese_chars", &chinese) ||
		!get_bool(cx, part, "lowercase", &lower))
		return false;
	strip = lower;
	return get_bool(cx, part, "strip_accents", &strip) &&
		add(cx, list, MG_STEP_BERT, (clean ? 1u : 0u) | (chinese ? 2u : 0u) | (strip ? 4u : 0u) | (lower ? 8u : 0u));
}

/* {"String": "a"}, or {"Regex": " {2,}"}. */
static bool
read_replace(MgCtx *cx, const MgJson *part, const char *key, MgSpan type, MgStepList *list)
{
	const MgJson *pattern = mg_json_get(part, "pattern");
	MgSpan text, regex, content;

	if (!get_text(cx, pattern, "String", &text) || !get_text(cx, pattern, "Regex", &regex) || !get_text(cx, part, "content", &content))
		return false;
	if (mg_span_is(regex, " {2,}"))
		return mg_step_add(cx, list, MG_STEP_REPLACE_RUN, 2, mg_span_of(" "), content);
	if (regex.size > 0 && content.size <= 256)
		return mg_step_add(cx, list, MG_STEP_REPLACE_PATTERN, 0, regex, content);
	if (text.size == 0 || text.size > 256 || content.size > 256)
		return refuse(cx, key, type, "pattern", text);
	return mg_step_add(cx, list, MG_STEP_REPLACE, 0, text, content);
}

static bool
read_normalizer(MgCtx *cx, const MgJson *part, MgSpan type, MgStepList *list)
{
	static const struct
	{
		const char *name;
		MgStepKind kind;
	} plain[] = {{"NFD", MG_STEP_NFD}, {"NFC", MG_STEP_NFC}, {"NFKD", MG_STEP_NFKD}, {"NFKC", MG_STEP_NFKC}, {"Lowercase", MG_STEP_LOWERCASE},
				 {"StripAccents", MG_STEP_STRIP_ACCENTS}, {"Nmt", MG_STEP_NMT}, {"ByteLevel", MG_STEP_BYTE_CHARS}};
	MgSpan text;

	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		if (mg_span_is(type, plain[i].name))
			return add(cx, list, plain[i].kind, 0);
	if (mg_span_is(type, "BertNormalizer"))
		return read_bert(cx, part, list);
	if (mg_span_is(type, "Replace"))
		return read_replace(cx, part, "normalizer", type, list);
	if (mg_span_is(type, "Strip"))
	{
		bool left = true, right = true;

		return get_bool(cx, part, "strip_left", &left) && get_bool(cx, part, "strip_right", &right) &&
			add(cx, list, MG_STEP_STRIP, (left ? 1u : 0u) | (right ? 2u : 0u));
	}
	if (mg_span_is(type, "Prepend"))
		return get_text(cx, part, "prepend", &text) &&
			(text.size <= 256 ? mg_step_add(cx, list, MG_STEP_PREPEND, 0, text, mg_span("", 0)) : refuse(cx, "normalizer", type, "text", text));
	if (mg_span_is(type, "Precompiled"))
	{
		MgSpan map = mg_span("", 0);

		if (!get_text(cx, part, "precompiled_charsmap", &text) || !decode64(cx, text, &map))
			return false;
		return map.size == 0 || mg_step_add(cx, list, MG_STEP_CHARSMAP, 0, map, mg_span("", 0));
	}
	return mg_tokenizer_part_fail(cx, "normalizer", type, NORMALIZERS);
}

/* ---------------------------------------------------------- pre-tokeniser */

static bool
read_behavior(MgCtx *cx, const MgJson *part, MgSpan type, MgSplit *split)
{
	static const char *const names[] = {"Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"};
	MgSpan name;

	if (!get_text(cx, part, "behavior", &name))
		return false;
	for (uint32_t i = 0; i < sizeof names / sizeof *names; i++)
		if (name.size == 0 ? i == 1 : mg_span_is(name, names[i]))
		{
			*split = (MgSplit) (MG_SPLIT_REMOVED + i);
			return true;
		}
	return refuse(cx, "pre_tokenizer", type, "behavior", name);
}

/* One character. */
static bool
is_character(MgSpan text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.size; i++)
		n += (text.data[i] & 0xC0) != 0x80;
	return n == 1 && text.size <= 4;
}

static bool
read_metaspace(MgCtx *cx, const MgJson *part, const char *key, MgSpan type, bool decodes, MgStepList *list)
{
	MgSpan mark, scheme;
	bool prefix = true, cuts = true;
	uint32_t number;

	if (!get_text(cx, part, "replacement", &mark) || !get_text(cx, part, "prepend_scheme", &scheme) ||
		!get_bool(cx, part, "add_prefix_space", &prefix) || !get_bool(cx, part, "split", &cuts))
		return false;
	if (!is_character(mark))
		return refuse(cx, key, type, "replacement", mark);
	if (scheme.size == 0)
		scheme = mg_span_of(prefix ? "always" : "never");
	number = mg_span_is(scheme, "always") ? MG_META_ALWAYS : mg_span_is(scheme, "first") ? MG_META_FIRST : 0;
	if (number == 0 && !mg_span_is(scheme, "never"))
		return refuse(cx, key, type, "prepend_scheme", scheme);
	if (decodes)
		number = number != 0 ? MG_META_DROP : 0;
	else if (cuts)
		number |= MG_META_CUT;
	return mg_step_add(cx, list, MG_STEP_METASPACE, number, mark, mg_span("", 0));
}

static bool
read_split(MgCtx *cx, const MgJson *part, MgSpan type, MgStepList *list)
{
	const MgJson *pattern = mg_json_get(part, "pattern");
	MgSpan text, regex;
	MgSplit split;
	MgPattern known;
	bool invert = false;

	if (!get_text(cx, pattern, "String", &text) || !get_text(cx, pattern, "Regex", &regex) || !read_behavior(cx, part, type, &split) ||
		!get_bool(cx, part, "invert", &invert))
		return false;
	if (text.size > 0 && text.size <= 256)
		return mg_step_add(cx, list, MG_STEP_SPLIT, split | (invert ? MG_SPLIT_INVERT : 0u), text, mg_span("", 0));
	if (regex.size == 0)
		return refuse(cx, "pre_tokenizer", type, "pattern", text);
	if (mg_span_is(regex, "\\s+") && split == MG_SPLIT_REMOVED && !invert)
		return add(cx, list, MG_STEP_SPACES, 0);
	if (split == MG_SPLIT_ISOLATED && !invert && mg_tokenizer_pattern(regex, &known))
		return add(cx, list, MG_STEP_PATTERN, known);
	return mg_step_add(cx, list, MG_STEP_REGEX, split | (invert ? MG_SPLIT_INVERT : 0u), regex, mg_span("", 0));
}

/* Whether words are bytes to the model is settled behind all steps. */
static bool
read_byte_level(MgCtx *cx, const MgJson *part, MgStepList *list)
{
	bool lead = true, pattern = true;

	if (!get_bool(cx, part, "add_prefix_space", &lead) || !get_bool(cx, part, "use_regex", &pattern))
		return false;
	return (!lead || mg_step_add(cx, list, MG_STEP_LEAD, 0, mg_span_of(" "), mg_span("", 0))) &&
		(!pattern || add(cx, list, MG_STEP_PATTERN, MG_PATTERN_GPT2)) && add(cx, list, MG_STEP_BYTES, 0);
}

static bool
read_pre_tokenizer(MgCtx *cx, const MgJson *part, MgSpan type, MgStepList *list)
{
	MgSpan text;
	MgSplit split;
	size_t length = 5;
	bool single = false;

	if (mg_span_is(type, "Metaspace"))
		return read_metaspace(cx, part, "pre_tokenizer", type, false, list);
	if (mg_span_is(type, "Whitespace"))
		return add(cx, list, MG_STEP_WHITESPACE, 0);
	if (mg_span_is(type, "WhitespaceSplit"))
		return add(cx, list, MG_STEP_SPACES, 0);
	if (mg_span_is(type, "BertPreTokenizer"))
		return add(cx, list, MG_STEP_SPACES, 0) && add(cx, list, MG_STEP_PUNCTUATION, MG_SPLIT_ISOLATED);
	if (mg_span_is(type, "Punctuation"))
		return read_behavior(cx, part, type, &split) && add(cx, list, MG_STEP_PUNCTUATION, split);
	if (mg_span_is(type, "Digits"))
		return get_bool(cx, part, "individual_digits", &single) && add(cx, list, MG_STEP_DIGITS, single);
	if (mg_span_is(type, "CharDelimiterSplit"))
	{
		if (!get_text(cx, part, "delimiter", &text))
			return false;
		return is_character(text) ? mg_step_add(cx, list, MG_STEP_SPLIT, MG_SPLIT_REMOVED, text, mg_span("", 0))
								  : refuse(cx, "pre_tokenizer", type, "delimiter", text);
	}
	if (mg_span_is(type, "Split"))
		return read_split(cx, part, type, list);
	if (mg_span_is(type, "ByteLevel"))
		return read_byte_level(cx, part, list);
	if (mg_span_is(type, "FixedLength"))
		return mg_json_get_size(cx, FILE_NAME, part, "length", 1, UINT32_MAX, &length) && add(cx, list, MG_STEP_FIXED, (uint32_t) length);
	return mg_tokenizer_part_fail(cx, "pre_tokenizer", type, PRE_TOKENIZERS);
}

/* ---------------------------------------------------------------- decoder */

/* Of all text: at its beginning, of one character. */
static bool
read_strip(MgCtx *cx, const MgJson *part, MgSpan type, MgStepList *list)
{
	MgSpan content;
	size_t start = 0, stop = 0;

	if (!get_text(cx, part, "content", &content) || !mg_json_get_size(cx, FILE_NAME, part, "start", 0, 1000000, &start) ||
		!mg_json_get_size(cx, FILE_NAME, part, "stop", 0, 1000000, &stop))
		return false;
	if (start > 1 || stop > 0 || !is_character(content))
		return refuse(cx, "decoder", type, "content", content);
	return start == 0 || mg_step_add(cx, list, MG_STEP_STRIP_FIRST, 1, content, mg_span("", 0));
}

static bool
read_decoder(MgCtx *cx, const MgJson *part, MgSpan type, MgStepList *list)
{
	MgSpan text;
	bool cleanup = true;

	if (mg_span_is(type, "ByteFallback"))
		return add(cx, list, MG_STEP_BYTE_FALLBACK, 0);
	if (mg_span_is(type, "Fuse"))
		return true;
	if (mg_span_is(type, "ByteLevel"))
		return add(cx, list, MG_STEP_BYTE_TEXT, 0);
	if (mg_span_is(type, "Metaspace"))
		return read_metaspace(cx, part, "decoder", type, true, list);
	if (mg_span_is(type, "Strip"))
		return read_strip(cx, part, type, list);
	if (mg_span_is(type, "Replace"))
	{
		if (!read_replace(cx, part, "decoder", type, list))
			return false;
		return (list->items[list->n - 1].kind == MG_STEP_REPLACE && list->items[list->n - 1].b.size <= list->items[list->n - 1].a.size) ||
			refuse(cx, "decoder", type, "content", list->items[list->n - 1].b);
	}
	if (mg_span_is(type, "WordPiece"))
	{
		if (!get_text(cx, part, "prefix", &text) || !get_bool(cx, part, "cleanup", &cleanup))
			return false;
		return text.size <= 256 ? mg_step_add(cx, list, MG_STEP_WORDPIECE, cleanup, mg_json_get(part, "prefix") != NULL ? text : mg_span_of("##"), mg_span("", 0))
								: refuse(cx, "decoder", type, "prefix", text);
	}
	return mg_tokenizer_part_fail(cx, "decoder", type, DECODERS);
}

/* -------------------------------------------------------------------- run */

/* A part, or the members of a Sequence. */
static bool
read_part(MgCtx *cx, const MgJson *part, const char *key, const char *members, ReadPart read, int depth, MgStepList *list)
{
	const MgJson *inner = mg_json_get(part, members);
	MgSpan type;

	if (part == NULL)
		return true;
	if (!mg_tokenizer_part_type(cx, part, key, &type))
		return false;
	if (!mg_span_is(type, "Sequence"))
		return read(cx, part, type, list);
	if (inner == NULL || inner->kind != MG_JSON_ARRAY || depth == 0)
		return mg_fail(cx, MG_BAD_FILE, "\"%s\" in file \"%s\" has no \"%s\"", key, FILE_NAME, members);
	for (size_t i = 0; i < inner->n; i++)
		if (!read_part(cx, &inner->items[i], key, members, read, depth - 1, list))
			return false;
	return true;
}

bool
mg_tokenizer_steps_read(MgCtx *cx, const MgJson *root, MgTokenizerSpec *spec)
{
	MgStepList normalizing = {.n = 0}, cutting = {.n = 0}, decoding = {.n = 0};
	const MgJson *decoder = mg_json_get(root, "decoder");

	spec->pre = MG_PRE_STEPS;
	spec->decoder = MG_DECODE_STEPS;
	spec->characters = spec->kind == MG_BPE;
	if (!read_part(cx, mg_json_get(root, "normalizer"), "normalizer", "normalizers", read_normalizer, DEPTH, &normalizing) ||
		!read_part(cx, mg_json_get(root, "pre_tokenizer"), "pre_tokenizer", "pretokenizers", read_pre_tokenizer, DEPTH, &cutting) ||
		!read_part(cx, decoder, "decoder", "decoders", read_decoder, DEPTH, &decoding))
		return false;
	/* BPE takes the bytes of words themselves: it has a fast way to their tokens. */
	if (spec->kind == MG_BPE && cutting.n > 0 && cutting.items[cutting.n - 1].kind == MG_STEP_BYTES)
	{
		if (spec->byte_fallback)
			return mg_fail(cx, MG_UNSUPPORTED, "tokenizer model BPE with \"byte_fallback\" is not supported beside ByteLevel");
		cutting.items[cutting.n - 1].number = 1;
		spec->characters = false;
	}
	/* Without a decoder, tokens are words. */
	if (decoder == NULL && !add(cx, &decoding, MG_STEP_JOIN, 0))
		return false;
	return mg_steps_keep(cx, &normalizing, &spec->normalizing) && mg_steps_keep(cx, &cutting, &spec->cutting) &&
		mg_steps_keep(cx, &decoding, &spec->decoding);
}
