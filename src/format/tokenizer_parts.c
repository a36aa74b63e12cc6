/*
 * Normaliser, pre-tokeniser and decoder of tokenizer.json. All are read as steps (tokenizer_steps.c); where these are one of two pipelines that
 * have faster code of their own, they become it:
 *
 *   WordPiece  BertNormalizer         BertPreTokenizer                         WordPiece
 *   BPE        NFC, or none           ByteLevel, alone or behind a known Split  ByteLevel
 *                                     or single Digits
 *
 * Known is a Split by a regular expression that text/byte_level.h has.
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
	{"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+", MG_PATTERN_GPT2},
};

bool
mg_tokenizer_pattern(MgSpan regex, MgPattern *pattern)
{
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
		if (mg_span_is(regex, patterns[i].regex))
		{
			*pattern = patterns[i].pattern;
			return true;
		}
	return false;
}

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

/* Whether a list has the step at a place, with that number. */
static bool
is_step(const MgSteps *steps, size_t at, MgStepKind kind, uint32_t number)
{
	return at < steps->n && steps->items[at].kind == kind && steps->items[at].number == number;
}

/* BERT's pipeline. */
static bool
become_bert(MgTokenizerSpec *spec)
{
	const MgStep *rules = spec->normalizing.items, *decoder = spec->decoding.items;

	if (spec->kind != MG_WORDPIECE || spec->normalizing.n != 1 || rules->kind != MG_STEP_BERT || spec->cutting.n != 2 ||
		!is_step(&spec->cutting, 0, MG_STEP_SPACES, 0) || !is_step(&spec->cutting, 1, MG_STEP_PUNCTUATION, MG_SPLIT_ISOLATED) ||
		spec->decoding.n != 1 || !is_step(&spec->decoding, 0, MG_STEP_WORDPIECE, 1) || !mg_span_equal(decoder->a, spec->continuation))
		return false;
	spec->clean_text = (rules->number & MG_RULE_CLEAN) != 0;
	spec->chinese_chars = (rules->number & MG_RULE_CHINESE) != 0;
	spec->strip_accents = (rules->number & MG_RULE_STRIP) != 0;
	spec->lowercase = (rules->number & MG_RULE_LOWER) != 0;
	spec->pre = MG_PRE_BERT;
	spec->decoder = MG_DECODE_WORDPIECE;
	return true;
}

/* Byte-level BPE by a known pattern. */
static bool
become_bytes(MgTokenizerSpec *spec)
{
	const MgSteps *cutting = &spec->cutting;
	bool lead = is_step(cutting, 0, MG_STEP_LEAD, 0), digits = is_step(cutting, 0, MG_STEP_DIGITS, 1);
	size_t at = lead || digits;

	if (spec->kind != MG_BPE || spec->byte_fallback || cutting->n != at + 2 || cutting->items[at].kind != MG_STEP_PATTERN ||
		!is_step(cutting, at + 1, MG_STEP_BYTES, 1) || (at > 0 && cutting->items[at].number != MG_PATTERN_GPT2) ||
		spec->decoding.n != 1 || !is_step(&spec->decoding, 0, MG_STEP_BYTE_TEXT, 0) || spec->normalizing.n > 1 ||
		(spec->normalizing.n == 1 && !is_step(&spec->normalizing, 0, MG_STEP_NFC, 0)))
		return false;
	spec->compose = spec->normalizing.n == 1;
	spec->leading_space = lead;
	spec->pattern = digits ? MG_PATTERN_DIGITS : (MgPattern) cutting->items[at].number;
	spec->pre = MG_PRE_BYTES;
	spec->decoder = MG_DECODE_BYTES;
	return true;
}

bool
mg_tokenizer_parts_read(MgCtx *cx, const MgJson *root, const MgTokenTable *table, MgTokenizerSpec *spec)
{
	if (!mg_tokenizer_steps_read(cx, root, spec) || !mg_tokenizer_wrap_read(cx, root, table, spec))
		return false;
	if (become_bert(spec) || become_bytes(spec))
		spec->normalizing.n = spec->cutting.n = spec->decoding.n = 0;
	return true;
}
