/*
 * Normaliser, pre-tokeniser and decoder of tokenizer.json. Which are read
 * depends on the model, since a model's words are those of its pre-tokeniser:
 *
 *   WordPiece  BertNormalizer         BertPreTokenizer   WordPiece
 *   BPE        NFC, or none           ByteLevel, alone   ByteLevel
 *                                     or behind a Split
 *
 * All others are steps: tokenizer_steps.c.
 *
 * A Split's regular expression is one of those that text/byte_level.h knows. A
 * missing strip_accents means "as lowercase".
 */
#include "format/tokenizer_parts.h"

#include "format/tokenizer_steps.h"

static const struct
{
	const char *regex;
	MgPattern pattern;
} patterns[] = {
	{"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
	 MG_PATTERN_CL100K},
	{"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
	 MG_PATTERN_QWEN2},
};

bool
mg_tokenizer_part_fail(MgCtx *cx, const char *part, MgSpan type, const char *supported)
{
	if (type.size == 0)
		mg_fail(cx, MG_UNSUPPORTED, "tokenizer without a %s is not supported", part);
	else
		mg_fail(cx, MG_UNSUPPORTED, "tokenizer %s \"%.*s\" is not supported", part, MG_SPAN_ARGS(type));
	return mg_hint(cx, "Supported: %s.", supported);
}

bool
mg_tokenizer_part_type(MgCtx *cx, const MgJson *part, const char *key, MgSpan *type)
{
	*type = mg_span(NULL, 0);
	if (!mg_json_get_string(cx, MG_TOKENIZER_JSON, part, "type", type))
		return false;
	return type->size > 0 || part == NULL ||
		   mg_fail(cx, MG_BAD_FILE, "\"%s\" in file \"%s\" has no type", key, MG_TOKENIZER_JSON);
}

/* The part of that key, refused unless it is the wanted one. */
static bool
find_part(MgCtx *cx, const MgJson *root, const char *key, const char *wanted, const MgJson **part)
{
	MgSpan type;

	*part = mg_json_get(root, key);
	return mg_tokenizer_part_type(cx, *part, key, &type) &&
		   (mg_span_is(type, wanted) || mg_tokenizer_part_fail(cx, key, type, wanted));
}

static bool
read_bert_normalizer(MgCtx *cx, const MgJson *root, MgTokenizerSpec *spec)
{
	const MgJson *part;

	if (!find_part(cx, root, "normalizer", "BertNormalizer", &part))
		return false;
	spec->clean_text = spec->chinese_chars = spec->lowercase = true;
	if (!mg_json_get_bool(cx, MG_TOKENIZER_JSON, part, "clean_text", &spec->clean_text) ||
		!mg_json_get_bool(cx, MG_TOKENIZER_JSON, part, "handle_chinese_chars", &spec->chinese_chars) ||
		!mg_json_get_bool(cx, MG_TOKENIZER_JSON, part, "lowercase", &spec->lowercase))
		return false;
	spec->strip_accents = spec->lowercase;
	return mg_json_get_bool(cx, MG_TOKENIZER_JSON, part, "strip_accents", &spec->strip_accents);
}

static bool
read_wordpiece_decoder(MgCtx *cx, const MgJson *root, MgTokenizerSpec *spec)
{
	const MgJson *part;
	MgSpan prefix = mg_span_of("##");
	bool cleanup = true;

	if (!find_part(cx, root, "decoder", "WordPiece", &part) ||
		!mg_json_get_string(cx, MG_TOKENIZER_JSON, part, "prefix", &prefix) ||
		!mg_json_get_bool(cx, MG_TOKENIZER_JSON, part, "cleanup", &cleanup))
		return false;
	if (!cleanup)
		return mg_fail(cx, MG_UNSUPPORTED, "tokenizer decoder without cleanup is not supported");
	if (!mg_span_equal(prefix, spec->continuation))
		return mg_fail(cx, MG_UNSUPPORTED, "tokenizer decoder has prefix \"%.*s\", the model \"%.*s\"",
					   MG_SPAN_ARGS(prefix), MG_SPAN_ARGS(spec->continuation));
	spec->decoder = MG_DECODE_WORDPIECE;
	return true;
}

/* None, NFC, or a sequence of at most that. */
static bool
read_nfc(MgCtx *cx, const MgJson *root, MgTokenizerSpec *spec)
{
	const MgJson *part = mg_json_get(root, "normalizer"), *list = mg_json_get(part, "normalizers");
	MgSpan type;

	if (list != NULL && list->kind == MG_JSON_ARRAY && list->n <= 1)
		part = list->n == 0 ? NULL : &list->items[0];
	if (!mg_tokenizer_part_type(cx, part, "normalizer", &type))
		return false;
	spec->compose = mg_span_is(type, "NFC");
	return part == NULL || spec->compose || mg_tokenizer_part_fail(cx, "normalizer", type, "NFC");
}

/* ByteLevel; with a pattern of its own, unless a Split stands before it. */
static bool
read_byte_level(MgCtx *cx, const MgJson *part, bool is_split, MgTokenizerSpec *spec)
{
	MgSpan type;
	bool use_regex = true;

	spec->leading_space = true;
	if (!mg_tokenizer_part_type(cx, part, "pre_tokenizer", &type))
		return false;
	if (!mg_span_is(type, "ByteLevel"))
		return mg_tokenizer_part_fail(cx, "pre_tokenizer", type, "ByteLevel, or a Split and ByteLevel");
	if (!mg_json_get_bool(cx, MG_TOKENIZER_JSON, part, "add_prefix_space", &spec->leading_space) ||
		!mg_json_get_bool(cx, MG_TOKENIZER_JSON, part, "use_regex", &use_regex))
		return false;
	if (use_regex == is_split || (is_split && spec->leading_space))
		return mg_fail(cx, MG_UNSUPPORTED, "tokenizer pre_tokenizer \"ByteLevel\" with these options is not supported");
	if (!is_split && spec->pattern != MG_PATTERN_DIGITS)
		spec->pattern = MG_PATTERN_GPT2;
	if (spec->pattern == MG_PATTERN_DIGITS && spec->leading_space)
		return mg_fail(cx, MG_UNSUPPORTED, "tokenizer pre_tokenizer \"ByteLevel\" with these options is not supported");
	return true;
}

static bool
read_split(MgCtx *cx, const MgJson *part, MgTokenizerSpec *spec)
{
	MgSpan type, regex = {NULL, 0}, behavior = {NULL, 0};
	bool invert = false;

	if (!mg_tokenizer_part_type(cx, part, "pre_tokenizer", &type))
		return false;
	if (!mg_span_is(type, "Split"))
		return mg_tokenizer_part_fail(cx, "pre_tokenizer", type, "ByteLevel, or a Split and ByteLevel");
	if (!mg_json_get_string(cx, MG_TOKENIZER_JSON, mg_json_get(part, "pattern"), "Regex", &regex) ||
		!mg_json_get_string(cx, MG_TOKENIZER_JSON, part, "behavior", &behavior) ||
		!mg_json_get_bool(cx, MG_TOKENIZER_JSON, part, "invert", &invert))
		return false;
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
		if (mg_span_is(regex, patterns[i].regex) && mg_span_is(behavior, "Isolated") && !invert)
		{
			spec->pattern = patterns[i].pattern;
			return true;
		}
	mg_fail(cx, MG_UNSUPPORTED, "tokenizer pre_tokenizer \"Split\" with this pattern is not supported");
	return mg_detail(cx, "The pattern is \"%.*s\".", MG_SPAN_ARGS(regex));
}

/* Digits by themselves, before ByteLevel. */
static bool
read_digits(MgCtx *cx, const MgJson *part, MgTokenizerSpec *spec)
{
	bool individual = false;

	if (!mg_json_get_bool(cx, MG_TOKENIZER_JSON, part, "individual_digits", &individual))
		return false;
	if (!individual)
		return mg_fail(cx, MG_UNSUPPORTED, "tokenizer pre_tokenizer \"Digits\" with these options is not supported");
	spec->pattern = MG_PATTERN_DIGITS;
	return true;
}

static bool
read_byte_words(MgCtx *cx, const MgJson *root, MgTokenizerSpec *spec)
{
	const MgJson *part = mg_json_get(root, "pre_tokenizer"), *list = mg_json_get(part, "pretokenizers");
	MgSpan type;

	spec->pre = MG_PRE_BYTES;
	if (list == NULL || list->kind != MG_JSON_ARRAY)
		return read_byte_level(cx, part, false, spec);
	if (list->n == 1)
		return read_byte_level(cx, &list->items[0], false, spec);
	if (list->n != 2)
		return mg_tokenizer_part_fail(cx, "pre_tokenizer", mg_span_of("Sequence"), "ByteLevel, or a Split and ByteLevel");
	if (!mg_tokenizer_part_type(cx, &list->items[0], "pre_tokenizer", &type))
		return false;
	if (mg_span_is(type, "Digits"))
		return read_digits(cx, &list->items[0], spec) && read_byte_level(cx, &list->items[1], false, spec);
	return read_split(cx, &list->items[0], spec) && read_byte_level(cx, &list->items[1], true, spec);
}

/* Whether a part is of that type, or a sequence with one of it. */
static bool
has_type(const MgJson *root, const char *key, const char *members, const char *type)
{
	const MgJson *part = mg_json_get(root, key), *list = mg_json_get(part, members), *name = mg_json_get(part, "type");

	if (name != NULL && name->kind == MG_JSON_STRING && mg_span_is(name->string, type))
		return true;
	for (size_t i = 0; list != NULL && list->kind == MG_JSON_ARRAY && i < list->n; i++)
	{
		name = mg_json_get(&list->items[i], "type");
		if (name != NULL && name->kind == MG_JSON_STRING && mg_span_is(name->string, type))
			return true;
	}
	return false;
}

/* Whether one of the two pipelines with readers of their own is meant. */
static bool
is_fixed(const MgJson *root, const MgTokenizerSpec *spec)
{
	if (spec->kind == MG_BPE)
		return has_type(root, "pre_tokenizer", "pretokenizers", "ByteLevel") || has_type(root, "decoder", "decoders", "ByteLevel");
	return spec->kind == MG_WORDPIECE && has_type(root, "normalizer", "", "BertNormalizer") &&
		has_type(root, "pre_tokenizer", "", "BertPreTokenizer");
}

bool
mg_tokenizer_parts_read(MgCtx *cx, const MgJson *root, const MgTokenTable *table, MgTokenizerSpec *spec)
{
	const MgJson *part;

	if (!is_fixed(root, spec))
		return mg_tokenizer_steps_read(cx, root, spec) && mg_tokenizer_wrap_read(cx, root, table, spec);
	if (spec->byte_fallback)
		return mg_fail(cx, MG_UNSUPPORTED, "tokenizer model BPE with \"byte_fallback\" is not supported beside ByteLevel");
	if (spec->kind == MG_BPE)
	{
		spec->decoder = MG_DECODE_BYTES;
		return read_nfc(cx, root, spec) && read_byte_words(cx, root, spec) &&
			   mg_tokenizer_wrap_read(cx, root, table, spec) && find_part(cx, root, "decoder", "ByteLevel", &part);
	}
	spec->pre = MG_PRE_BERT;
	return read_bert_normalizer(cx, root, spec) && find_part(cx, root, "pre_tokenizer", "BertPreTokenizer", &part) &&
		   mg_tokenizer_wrap_read(cx, root, table, spec) && read_wordpiece_decoder(cx, root, spec);
}
