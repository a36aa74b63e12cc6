/*
 * Cutting steps: each cuts the words of the one before it, and what the last one leaves goes to the model. A step finds ranges that are its
 * delimiter and ranges between them, and joins or drops them as MgSplit says.
 */
#include "text/byte_level.h"
#include "text/regex.h"
#include "text/steps.h"
#include "text/utf8.h"

typedef struct Range
{
	size_t from, to;
	bool match;
} Range;

typedef struct Cutter
{
	MgCtx *cx;
	MgPieces *pieces;
	const MgPlaced *text;
	const MgStep *step;
	size_t next; /* the step behind it */
	Range found; /* of MG_STEP_REGEX: the match that a range before it led to */
} Cutter;

static bool cut(MgCtx *cx, MgPieces *pieces, const MgPlaced *text, size_t at);

/* ------------------------------------------------------------------ model */

/* The token of a whole word. */
static bool
take_level(MgCtx *cx, MgPieces *pieces, const MgWord *word)
{
	const MgTokenizer *tokenizer = pieces->tokenizer;
	MgSpan bytes = mg_span(word->bytes, word->size);
	int32_t id = mg_vocab_find(&tokenizer->vocab, word->hash, mg_span("", 0), bytes);
	size_t last = word->size - 1;

	if (id >= 0 && (tokenizer->vocab.flags[id] & mg_excluded_flags(pieces, word)) != 0)
		id = -1;
	if (id < 0)
		id = tokenizer->special.unknown;
	if (id < 0)
		return true;
	return mg_token_list_push(cx, pieces->list, id, word->starts != NULL ? word->starts[0] : word->first,
							  word->starts != NULL ? word->stops[last] : word->first + (uint32_t) word->size);
}

static bool
take_wordpiece(MgCtx *cx, MgPieces *pieces, const MgWord *word)
{
	size_t n = 0, last = word->size - 1;

	for (size_t i = 0; i < word->size; i++)
		n += !mg_utf8_continues(word->bytes[i]);
	if (n <= pieces->tokenizer->max_word_chars)
		return mg_wordpiece(cx, pieces, word);
	return mg_token_list_push(cx, pieces->list, pieces->tokenizer->special.unknown, word->starts != NULL ? word->starts[0] : word->first,
							  word->starts != NULL ? word->stops[last] : word->first + (uint32_t) word->size);
}

static bool
take_word(MgCtx *cx, MgPieces *pieces, const MgPlaced *text)
{
	MgWord word = {.bytes = text->bytes.data, .size = text->bytes.size, .starts = text->starts, .stops = text->stops, .first = text->base};

	if (!mg_pace(cx, pieces->pace, word.size + 1))
		return false;
	switch (pieces->tokenizer->kind)
	{
		case MG_BPE:
			return pieces->tokenizer->bpe.whole_words && word.size <= MG_LONGEST_WORD ? mg_bpe(cx, pieces, &word)
																						: mg_bpe_text(cx, pieces, &word);
		case MG_UNIGRAM:
			return mg_unigram(cx, pieces, &word);
		case MG_WORDLEVEL:
			word.hash = mg_hash_span(MG_HASH_START, text->bytes);
			return take_level(cx, pieces, &word);
		default:
			word.hash = mg_hash_span(MG_HASH_START, text->bytes);
			return take_wordpiece(cx, pieces, &word);
	}
}

/* ----------------------------------------------------------------- ranges */

/* Bytes that are searched for a text between two polls. */
#define SEARCH_STEP ((size_t) 65536)

/* Numbers of Unicode 17: the reference's functions know them, and its regular expressions do not. */
static bool
is_new_number(uint32_t code)
{
	return code >= 0x16FF4 && code <= 0x16FF6;
}

static bool
is_delimiter(const MgStep *step, uint32_t code)
{
	unsigned flags = mg_char_flags(code);

	if (step->kind == MG_STEP_DIGITS)
		return mg_char_class_of(code) == MG_CLASS_NUMBER || is_new_number(code);
	return (flags & (step->kind == MG_STEP_SPACES ? MG_CHAR_SPACE : MG_CHAR_PUNCTUATION)) != 0;
}

/* Kinds of characters of MG_STEP_WHITESPACE. */
static int
word_class(uint32_t code)
{
	return mg_char_is_word(code) && !is_new_number(code) ? 1 : (mg_char_flags(code) & MG_CHAR_SPACE) != 0 ? 0 : 2;
}

/* The first place of a short text: its first byte is rare, or there is nothing to gain. */
static const uint8_t *
find_text(const uint8_t *bytes, size_t size, MgSpan text)
{
	const uint8_t *place, *end = bytes + size;

	for (; (size_t) (end - bytes) >= text.size; bytes = place + 1)
	{
		place = memchr(bytes, text.data[0], (size_t) (end - bytes) - text.size + 1);
		if (place == NULL || memcmp(place, text.data, text.size) == 0)
			return place;
	}
	return NULL;
}

/* A match of the regular expression, or what is before the next one. */
static bool
range_by_regex(Cutter *cutter, size_t from, Range *range)
{
	MgRegexText text = {cutter->cx, cutter->pieces->pace, &cutter->pieces->regex, cutter->text->bytes};
	bool found = true;

	if (cutter->found.to <= from &&
		!mg_regex_search(&text, cutter->step->regex, from, &cutter->found.from, &cutter->found.to, &found))
		return false;
	if (!found)
		cutter->found.from = cutter->found.to = text.bytes.size;
	*range = cutter->found.from > from ? (Range){from, cutter->found.from, false} : (Range){from, cutter->found.to, true};
	return true;
}

/* The range that begins at a place before the end. False when the host stops it. */
static bool
range_at(Cutter *cutter, size_t from, Range *range)
{
	const MgStep *step = cutter->step;
	MgSpan bytes = cutter->text->bytes;
	size_t at = from, size = step->a.size;

	*range = (Range){from, from, false};
	if (step->kind == MG_STEP_REGEX)
		return range_by_regex(cutter, from, range);
	if (step->kind == MG_STEP_FIXED)
	{
		for (uint32_t i = 0; i < step->number && range->to < bytes.size; i++)
			mg_utf8_next(bytes, &range->to);
		range->match = true;
		return mg_pace(cutter->cx, cutter->pieces->pace, range->to - from);
	}
	if (step->kind == MG_STEP_PATTERN)
	{
		range->to = mg_pattern_next((MgPattern) step->number, bytes, from);
		range->match = true;
		return mg_pace(cutter->cx, cutter->pieces->pace, range->to - from);
	}
	while (range->to < bytes.size)
	{
		bool match;

		if (!mg_pace(cutter->cx, cutter->pieces->pace, 1))
			return false;
		at = range->to;
		if (step->kind == MG_STEP_SPLIT || step->kind == MG_STEP_METASPACE)
		{
			size_t left = bytes.size - at < SEARCH_STEP ? bytes.size - at : SEARCH_STEP;
			const uint8_t *place = find_text(bytes.data + at, left, step->a);

			match = place == bytes.data + at;
			if (match)
				at += size;
			else if (place != NULL)
				at = (size_t) (place - bytes.data);
			else
				at += left == bytes.size - at ? left : left - size;
			while (!mg_utf8_boundary(bytes, at))
				at++;
			if (!mg_pace(cutter->cx, cutter->pieces->pace, (at - range->to) / 16))
				return false;
		}
		else if (step->kind == MG_STEP_WHITESPACE)
		{
			int kind = word_class(mg_utf8_next(bytes, &at)), first;
			size_t begin = from;

			first = word_class(mg_utf8_next(bytes, &begin));
			if (kind != first)
				return true;
			range->match = first != 0;
			range->to = at;
			continue;
		}
		else
			match = is_delimiter(step, mg_utf8_next(bytes, &at));
		if (match && range->to > from)
			return true;
		range->to = at;
		if (match)
		{
			range->match = true;
			return true;
		}
	}
	return true;
}

static bool
pass(const Cutter *cutter, const Range *range)
{
	MgPlaced part = mg_placed_part(cutter->text, range->from, range->to);

	return range->from == range->to || cut(cutter->cx, cutter->pieces, &part, cutter->next);
}

/* Whether a range goes into the one before it. */
static bool
joins(MgSplit split, const Range *before, const Range *range, bool is_joined)
{
	switch (split)
	{
		case MG_SPLIT_CONTIGUOUS:
			return before->match == range->match;
		case MG_SPLIT_PREVIOUS:
			return range->match && !before->match;
		case MG_SPLIT_NEXT:
			return before->match && !range->match && !is_joined;
		default:
			return false;
	}
}

static bool
cut_ranges(Cutter *cutter, MgSplit split, bool inverted)
{
	Range held = {0, 0, false}, range;
	bool is_held = false, is_joined = false;

	for (size_t at = 0; at < cutter->text->bytes.size; at = range.to)
	{
		if (!range_at(cutter, at, &range))
			return false;
		range.match = range.match != inverted;
		if (split == MG_SPLIT_REMOVED && range.match)
			continue;
		if (is_held && joins(split, &held, &range, is_joined))
		{
			/* What was joined is no delimiter any more, and what follows is compared with the last of it. */
			held.to = range.to;
			held.match = range.match;
			is_joined = true;
			continue;
		}
		if (is_held && !pass(cutter, &held))
			return false;
		held = range;
		is_held = true;
		is_joined = false;
	}
	return !is_held || pass(cutter, &held);
}

/* -------------------------------------------------------------------- run */

/* The text with the mark for ' ', and before it. */
static bool
mark(const Cutter *cutter, MgPlaced *marked)
{
	const MgStep *step = cutter->step;
	MgSpan bytes = cutter->text->bytes;
	bool first = (step->number & MG_META_ALWAYS) != 0 || ((step->number & MG_META_FIRST) != 0 && mg_placed_start(cutter->text, 0) == 0);
	MgPlacer placer;

	*marked = *cutter->text;
	if (bytes.data[0] == ' ' || (bytes.size >= step->a.size && memcmp(bytes.data, step->a.data, step->a.size) == 0))
		first = false;
	if (!first && memchr(bytes.data, ' ', bytes.size) == NULL)
		return mg_pace(cutter->cx, cutter->pieces->pace, bytes.size / 16);
	return mg_placer_init(cutter->cx, cutter->pieces->pace, cutter->text, &placer) && (!first || mg_placer_lead(&placer, step->a)) &&
		mg_placer_replace_byte(&placer, ' ', step->a) && mg_placer_end(&placer, marked);
}

/* The text with a before it. */
static bool
lead(const Cutter *cutter, MgPlaced *led)
{
	const MgStep prefix = {.kind = MG_STEP_PREPEND, .a = cutter->step->a};

	*led = *cutter->text;
	if (led->bytes.size >= prefix.a.size && memcmp(led->bytes.data, prefix.a.data, prefix.a.size) == 0)
		return true;
	return mg_normalize_step(cutter->cx, cutter->pieces->pace, &prefix, led);
}

/* The text's bytes as characters, unless the model takes them as they are. */
static bool
spell(const Cutter *cutter, MgPlaced *spelled)
{
	const MgStep chars = {.kind = MG_STEP_BYTE_CHARS};

	*spelled = *cutter->text;
	return cutter->step->number == 1 || mg_normalize_step(cutter->cx, cutter->pieces->pace, &chars, spelled);
}

static bool
cut(MgCtx *cx, MgPieces *pieces, const MgPlaced *text, size_t at)
{
	const MgSteps *steps = &pieces->tokenizer->cutting;
	Cutter cutter = {cx, pieces, text, at < steps->n ? &steps->items[at] : NULL, at + 1, {0, 0, false}};
	MgPlaced marked;

	if (text->bytes.size == 0)
		return true;
	if (at >= steps->n)
		return take_word(cx, pieces, text);
	switch (cutter.step->kind)
	{
		case MG_STEP_METASPACE:
			if (!mark(&cutter, &marked))
				return false;
			cutter.text = &marked;
			if ((cutter.step->number & MG_META_CUT) == 0)
				return cut(cx, pieces, &marked, at + 1);
			return cut_ranges(&cutter, MG_SPLIT_NEXT, false);
		case MG_STEP_WHITESPACE:
			return cut_ranges(&cutter, MG_SPLIT_REMOVED, true);
		case MG_STEP_SPACES:
			return cut_ranges(&cutter, MG_SPLIT_REMOVED, false);
		case MG_STEP_PUNCTUATION:
			return cut_ranges(&cutter, (MgSplit) cutter.step->number, false);
		case MG_STEP_DIGITS:
			return cut_ranges(&cutter, cutter.step->number == 1 ? MG_SPLIT_ISOLATED : MG_SPLIT_CONTIGUOUS, false);
		case MG_STEP_LEAD:
			return lead(&cutter, &marked) && cut(cx, pieces, &marked, at + 1);
		case MG_STEP_BYTES:
			return spell(&cutter, &marked) && cut(cx, pieces, &marked, at + 1);
		case MG_STEP_SPLIT:
		case MG_STEP_REGEX:
			return cut_ranges(&cutter, (MgSplit) (cutter.step->number & ~(uint32_t) MG_SPLIT_INVERT),
							  (cutter.step->number & MG_SPLIT_INVERT) != 0);
		default:
			return cut_ranges(&cutter, MG_SPLIT_ISOLATED, false);
	}
}

bool
mg_cut_words(MgCtx *cx, MgPieces *pieces, const MgPlaced *text)
{
	return cut(cx, pieces, text, 0);
}

/* Normalises a segment, and finds normalized added tokens in it. */
bool
mg_steps_segment(MgCtx *cx, MgPieces *pieces, MgSpan text, size_t start, size_t stop)
{
	const MgTokenizer *tokenizer = pieces->tokenizer;
	MgPlaced placed = {mg_span(text.data + start, stop - start), NULL, NULL, (uint32_t) start}, part;
	MgAddedSearch search;
	MgAddedMatch match;
	size_t done = 0;
	bool found;

	for (size_t i = 0; i < tokenizer->normalizing.n; i++)
		if (!mg_normalize_step(cx, pieces->pace, &tokenizer->normalizing.items[i], &placed))
			return false;
	if (tokenizer->normalized.n == 0)
		return mg_cut_words(cx, pieces, &placed);
	search = (MgAddedSearch){.vocab = &tokenizer->vocab, .tokens = &tokenizer->normalized, .text = placed.bytes, .data = pieces->data,
							 .starts = placed.starts, .stops = placed.stops, .base = placed.base, .pace = pieces->pace};
	for (;;)
	{
		if (!mg_added_search_next(cx, &search, &match, &found))
			return false;
		part = mg_placed_part(&placed, done, found ? match.start : placed.bytes.size);
		if (!mg_cut_words(cx, pieces, &part))
			return false;
		if (!found)
			return true;
		if (!mg_token_list_push(cx, pieces->list, match.id, mg_placed_start(&placed, match.start), mg_placed_stop(&placed, match.stop - 1)))
			return false;
		done = match.stop;
	}
}
