/*
 * Normalising steps. What is one character and what stands where is said in the reference's terms (text/steps.h), odd ones among them:
 *
 *   canonical forms   text/normal_forms.c
 *   charsmap          goes by graphemes of fewer than 6 bytes, and otherwise by characters; what has no text any more goes with
 *                     the character before it
 */
#include <utf8proc.h>

#include "text/byte_level.h"
#include "text/charsmap.h"
#include "text/mark_table.h"
#include "text/regex.h"
#include "text/section.h"
#include "text/steps.h"
#include "text/utf8.h"

/* The code point at the placer's place; does not move. */
static uint32_t
peek(const MgPlacer *placer, size_t *size)
{
	size_t at = placer->at;
	uint32_t code = mg_utf8_next(placer->from.bytes, &at);

	*size = at - placer->at;
	return code;
}

static bool
is_done(const MgPlacer *placer)
{
	return placer->at >= placer->from.bytes.size;
}

static bool
lower(MgPlacer *placer)
{
	while (!is_done(placer))
	{
		size_t size;
		uint32_t code = peek(placer, &size);

		if (code == 0x0130 ? !mg_placer_replace(placer, 'i') || !mg_placer_insert(placer, 0x0307)
						   : !mg_placer_replace(placer, mg_char_lower(code)))
			return false;
	}
	return true;
}

/* Marks of all three categories, where a BERT normaliser drops those of Mn alone. */
static bool
is_mark(uint32_t code)
{
	size_t low = 0, high = sizeof marks / sizeof *marks;

	while (low < high)
	{
		size_t middle = (low + high) / 2;

		if (marks[middle].last < code)
			low = middle + 1;
		else
			high = middle;
	}
	return low < sizeof marks / sizeof *marks && marks[low].first <= code;
}

static bool
drop_marks(MgPlacer *placer)
{
	while (!is_done(placer))
	{
		size_t size;

		if (is_mark(peek(placer, &size)))
			mg_placer_remove(placer, 1);
		else if (!mg_placer_copy(placer, size))
			return false;
	}
	return true;
}

/* Controls that SentencePiece's nmt rules drop, and what they take for a space. */
static bool
clean(MgPlacer *placer)
{
	while (!is_done(placer))
	{
		size_t size;
		uint32_t code = peek(placer, &size);

		if ((code >= 0x01 && code <= 0x08) || code == 0x0B || (code >= 0x0E && code <= 0x1F) || code == 0x7F || code == 0x8F ||
			code == 0x9F)
			mg_placer_remove(placer, 1);
		else if (code == 0x09 || code == 0x0A || code == 0x0C || code == 0x0D || code == 0x1680 || (code >= 0x200B && code <= 0x200F) ||
				 code == 0x2028 || code == 0x2029 || code == 0x2581 || code == 0xFEFF || code == 0xFFFD)
		{
			if (!mg_placer_replace(placer, ' '))
				return false;
		}
		else if (!mg_placer_copy(placer, size))
			return false;
	}
	return true;
}

static bool
strip(MgPlacer *placer, uint32_t sides)
{
	MgSpan bytes = placer->from.bytes;
	size_t end = bytes.size, size;

	while ((sides & 2) != 0 && end > 0)
	{
		size_t before = end;

		if (!(mg_char_flags(mg_utf8_previous(bytes, &before)) & MG_CHAR_SPACE))
			break;
		end = before;
	}
	while ((sides & 1) != 0 && placer->at < end && (mg_char_flags(peek(placer, &size)) & MG_CHAR_SPACE))
		placer->at += size;
	return mg_placer_copy(placer, end > placer->at ? end - placer->at : 0);
}

/* The text b instead of what the placer passes over next, n characters, with the place of the last. */
static bool
put_instead(MgPlacer *placer, size_t n, MgSpan b)
{
	mg_placer_remove(placer, n);
	for (size_t at = 0; at < b.size;)
		if (!mg_placer_insert(placer, mg_utf8_next(b, &at)))
			return false;
	return true;
}

static size_t
count_characters(MgSpan text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.size; i++)
		n += !mg_utf8_continues(text.data[i]);
	return n;
}

static bool
replace(MgPlacer *placer, const MgStep *step)
{
	MgSpan bytes = placer->from.bytes;
	size_t n = count_characters(step->a);

	if (step->a.size == 1 && step->b.size > 0)
		return mg_placer_replace_byte(placer, step->a.data[0], step->b);
	while (!is_done(placer))
	{
		const uint8_t *rest = bytes.data + placer->at, *found;
		size_t left = bytes.size - placer->at;

		found = left >= step->a.size ? memmem(rest, left < 65536 ? left : 65536, step->a.data, step->a.size) : NULL;
		if (found == NULL)
		{
			size_t some = left < 65536 ? left : 65536 - step->a.size;

			while (!mg_utf8_boundary(bytes, placer->at + some))
				some--;
			if (!mg_placer_copy(placer, some))
				return false;
		}
		else if (!mg_placer_copy(placer, (size_t) (found - rest)) || !put_instead(placer, n, step->b))
			return false;
	}
	return true;
}

static bool
replace_run(MgPlacer *placer, const MgStep *step)
{
	MgSpan bytes = placer->from.bytes;

	while (!is_done(placer))
	{
		size_t n = 0, at = placer->at, size;

		for (; bytes.size - at >= step->a.size && memcmp(bytes.data + at, step->a.data, step->a.size) == 0; n++)
			at += step->a.size;
		peek(placer, &size);
		if (n >= step->number ? !put_instead(placer, n, step->b) : !mg_placer_copy(placer, n > 0 ? at - placer->at : size))
			return false;
	}
	return true;
}

static bool
replace_pattern(MgPlacer *placer, const MgStep *step)
{
	MgRegexStack stack = {0};
	MgRegexText text = {placer->cx, placer->pace, &stack, placer->from.bytes};
	size_t start, end;
	bool found;

	for (;;)
	{
		if (!mg_regex_search(&text, step->regex, placer->at, &start, &end, &found))
			return false;
		if (!found)
			return mg_placer_copy(placer, text.bytes.size - placer->at);
		if (!mg_placer_copy(placer, start - placer->at) ||
			!put_instead(placer, count_characters(mg_span(text.bytes.data + start, end - start)), step->b))
			return false;
	}
}

/* The first byte's character replaces the one that it is of; the others are new. */
static bool
spell_bytes(MgPlacer *placer)
{
	while (!is_done(placer))
	{
		size_t size, at = placer->at;

		peek(placer, &size);
		for (size_t i = 0; i < size; i++)
		{
			uint32_t code = mg_byte_char(placer->from.bytes.data[at + i]);

			if (!(i == 0 ? mg_placer_replace(placer, code) : mg_placer_insert(placer, code)))
				return false;
		}
	}
	return true;
}

static bool
prepend(MgPlacer *placer, const MgStep *step)
{
	/* In the reference the first character is replaced by the text's first, and inserted again behind the text. */
	return mg_placer_lead(placer, step->a) && mg_placer_copy(placer, placer->from.bytes.size - placer->at);
}

/* A character on its way: its change is 1 where it is new, else less the number of characters that go behind the one it replaces. */
typedef struct Held
{
	MgPlacer *placer;
	uint32_t code;
	long change;
	bool is_held;
} Held;

static bool
let_go(Held *held)
{
	bool fine = true;

	if (!held->is_held)
		return true;
	held->is_held = false;
	if (held->change > 0)
		return mg_placer_insert(held->placer, held->code);
	fine = mg_placer_replace(held->placer, held->code);
	mg_placer_remove(held->placer, (size_t) -held->change);
	return fine;
}

static bool
hold(Held *held, uint32_t code, long change)
{
	if (!let_go(held))
		return false;
	*held = (Held){held->placer, code, change, true};
	return true;
}

/* What the map has for n characters: the last of more are new, behind the last of fewer they go. */
static bool
put_mapped(Held *held, size_t n_old, MgSpan text)
{
	size_t n_new = count_characters(text), at = 0;

	for (size_t i = 0; at < text.size; i++)
		if (!hold(held, mg_utf8_next(text, &at), i >= n_old))
			return false;
	if (n_new < n_old && held->is_held)
		held->change -= (long) (n_old - n_new);
	return true;
}

static bool
map(MgPlacer *placer, const MgStep *step)
{
	MgSpan bytes = placer->from.bytes, charsmap = step->a, text;
	Held held = {.placer = placer};
	size_t next = 0; /* of from: the placer may be elsewhere */
	bool behind = false;

	while (next < bytes.size)
	{
		size_t run = next;

		/* ASCII that stays: but the last, which may have marks behind it or take what has no text any more. */
		while (!behind && run < bytes.size && run - next < 65536 && bytes.data[run] < 128 && (step->plain[bytes.data[run] >> 6] >> (bytes.data[run] & 63) & 1))
			run++;
		if (run > next + 1)
		{
			if (!let_go(&held))
				return false;
			/* What had no text at the beginning has left the placer behind. */
			behind = placer->at != next;
			if (!behind)
			{
				if (!mg_placer_copy_ascii(placer, run - 1 - next))
					return false;
				next = run - 1;
			}
		}
		size_t end = next, at;
		utf8proc_int32_t state = 0, code = (utf8proc_int32_t) mg_utf8_next(bytes, &end), other;

		for (at = end; at < bytes.size; end = at, code = other)
		{
			other = (utf8proc_int32_t) mg_utf8_next(bytes, &at);
			if (utf8proc_grapheme_break_stateful(code, other, &state))
				break;
			if (!mg_pace(placer->cx, placer->pace, 1))
				return false;
		}
		if (end - next < 6 && mg_charsmap_find(charsmap, mg_span(bytes.data + next, end - next), &text))
		{
			if (!put_mapped(&held, count_characters(mg_span(bytes.data + next, end - next)), text))
				return false;
			next = end;
		}
		while (next < end)
		{
			size_t from = next;
			uint32_t one = mg_utf8_next(bytes, &next);

			if (mg_charsmap_find(charsmap, mg_span(bytes.data + from, next - from), &text) ? !put_mapped(&held, 1, text)
																							 : !hold(&held, one, 0))
				return false;
		}
	}
	return let_go(&held);
}

/* -------------------------------------------------------------------- run */

static bool
bert(MgCtx *cx, MgPace *pace, uint32_t rules, MgPlaced *text)
{
	MgNormalizer normalizer = {.n = 0};
	MgPlacer placer;

	if (!mg_placer_init(cx, pace, text, &placer))
		return false;
	mg_normalizer_start(&normalizer, (MgNormalRules){(rules & MG_RULE_CLEAN) != 0, (rules & MG_RULE_CHINESE) != 0,
													 (rules & MG_RULE_STRIP) != 0, (rules & MG_RULE_LOWER) != 0, false},
						text->bytes, 0, pace);
	do
	{
		if (!mg_normalizer_next(cx, &normalizer))
			return false;
		for (size_t i = 0; i < normalizer.n; i++)
		{
			const MgNormalChar *one = &normalizer.chars[i];

			/* Its place is that of the bytes it was made of. */
			placer.at = one->start < one->stop ? one->start : text->bytes.size;
			if (!mg_placer_replace(&placer, one->code))
				return false;
			if (one->stop > one->start && text->starts == NULL)
				for (size_t j = placer.n; j > 0 && placer.starts[j - 1] == text->base + one->start; j--)
					placer.stops[j - 1] = text->base + one->stop;
		}
	} while (normalizer.n > 0);
	return mg_placer_end(&placer, text);
}

/* Whether a step would leave text as it is: then its bytes stay where they are. */
static bool
is_idle(const MgStep *step, MgSpan bytes)
{
	if (step->kind == MG_STEP_REPLACE)
		return memmem(bytes.data, bytes.size, step->a.data, step->a.size) == NULL;
	if (step->kind == MG_STEP_NFC)
	{
		for (size_t i = 0; i < bytes.size; i++)
			if (bytes.data[i] >= 0xCC)
				return false;
		return true;
	}
	return bytes.size == 0;
}

bool
mg_normalize_step(MgCtx *cx, MgPace *pace, const MgStep *step, MgPlaced *text)
{
	MgPlacer placer;
	bool fine = true;

	if (is_idle(step, text->bytes))
		return mg_pace(cx, pace, text->bytes.size / 16);
	if (step->kind == MG_STEP_BERT)
		return bert(cx, pace, step->number, text);
	if (!mg_placer_init(cx, pace, text, &placer))
		return false;
	switch (step->kind)
	{
		case MG_STEP_NFD:
		case MG_STEP_NFC:
		case MG_STEP_NFKD:
		case MG_STEP_NFKC:
			fine = mg_put_form(&placer, step->kind == MG_STEP_NFKD || step->kind == MG_STEP_NFKC,
							step->kind == MG_STEP_NFC || step->kind == MG_STEP_NFKC);
			break;
		case MG_STEP_LOWERCASE:
			fine = lower(&placer);
			break;
		case MG_STEP_STRIP_ACCENTS:
			fine = drop_marks(&placer);
			break;
		case MG_STEP_STRIP:
			fine = strip(&placer, step->number);
			break;
		case MG_STEP_REPLACE:
			fine = replace(&placer, step);
			break;
		case MG_STEP_REPLACE_RUN:
			fine = replace_run(&placer, step);
			break;
		case MG_STEP_PREPEND:
			fine = prepend(&placer, step);
			break;
		case MG_STEP_REPLACE_PATTERN:
			fine = replace_pattern(&placer, step);
			break;
		case MG_STEP_BYTE_CHARS:
			fine = spell_bytes(&placer);
			break;
		case MG_STEP_CHARSMAP:
			fine = map(&placer, step);
			break;
		case MG_STEP_NMT:
			fine = clean(&placer);
			break;
		default:
			fine = mg_placer_copy(&placer, text->bytes.size);
	}
	return fine && mg_placer_end(&placer, text);
}
