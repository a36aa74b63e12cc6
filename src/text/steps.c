/* Steps to and from the section, and text on its way through them. */
#include "text/steps.h"

#include "text/charsmap.h"
#include "text/regex.h"
#include "text/section.h"
#include "text/utf8.h"

/* ---------------------------------------------------------------- section */

bool
mg_steps_write(MgCtx *cx, const MgSteps *steps, MgSpan *bytes)
{
	size_t size = 4;
	uint8_t *out;

	for (size_t i = 0; i < steps->n; i++)
		size += 16 + steps->items[i].a.size + steps->items[i].b.size;
	out = mg_alloc(cx, size);
	if (out == NULL)
		return false;
	*bytes = mg_span(out, size);
	memcpy(out, &(uint32_t){(uint32_t) steps->n}, 4);
	out += 4;
	for (size_t i = 0; i < steps->n; i++)
	{
		const MgStep *step = &steps->items[i];
		uint32_t head[4] = {step->kind, step->number, (uint32_t) step->a.size, (uint32_t) step->b.size};

		memcpy(out, head, sizeof head);
		out += sizeof head;
		if (step->a.size > 0)
			memcpy(out, step->a.data, step->a.size);
		out += step->a.size;
		if (step->b.size > 0)
			memcpy(out, step->b.data, step->b.size);
		out += step->b.size;
	}
	return true;
}

static bool
is_text(MgSpan bytes)
{
	return mg_utf8_check(bytes) == bytes.size;
}

/* Whether a step has what running it relies on. */
static bool
is_sound(const MgStep *step)
{
	uint32_t split = step->number & ~(uint32_t) MG_SPLIT_INVERT;

	if (step->kind != MG_STEP_CHARSMAP && (!is_text(step->a) || !is_text(step->b) || step->b.size > 256 ||
										   step->a.size > (mg_step_has_regex(step) ? MG_REGEX_LONGEST : 256)))
		return false;
	switch (step->kind)
	{
		case MG_STEP_REPLACE:
			return step->a.size > 0;
		case MG_STEP_REPLACE_RUN:
		case MG_STEP_STRIP_FIRST:
		case MG_STEP_METASPACE:
			return step->a.size > 0 && mg_utf8_boundary(step->a, 1 + (step->a.data[0] >= 0xC0) + (step->a.data[0] >= 0xE0) + (step->a.data[0] >= 0xF0)) &&
				step->a.size <= MG_UTF8_MAX && (step->kind != MG_STEP_REPLACE_RUN || step->number > 0);
		case MG_STEP_CHARSMAP:
			return mg_charsmap_is_sound(step->a);
		case MG_STEP_PUNCTUATION:
			return step->number >= MG_SPLIT_REMOVED && step->number <= MG_SPLIT_CONTIGUOUS;
		case MG_STEP_SPLIT:
		case MG_STEP_REGEX:
			return step->a.size > 0 && split >= MG_SPLIT_REMOVED && split <= MG_SPLIT_CONTIGUOUS;
		case MG_STEP_PATTERN:
			return step->number >= MG_PATTERN_GPT2 && step->number <= MG_PATTERN_DIGITS;
		case MG_STEP_LEAD:
			return step->a.size > 0;
		case MG_STEP_BYTES:
			return step->number <= 1;
		case MG_STEP_FIXED:
			return step->number > 0;
		case MG_STEP_BERT:
			return (step->number & ~(uint32_t) MG_RULES_BERT) == 0;
		default:
			return true;
	}
}

bool
mg_steps_read(MgCtx *cx, const char *part, MgSpan bytes, uint32_t least, uint32_t most, MgSteps *steps)
{
	MgStep *items;
	uint32_t n = 0;
	size_t at = 4;

	if (bytes.size >= 4)
		memcpy(&n, bytes.data, 4);
	if (bytes.size < 4 || n > MG_STEPS_MAX)
		return mg_fail(cx, MG_BAD_FILE, "part \"%s\" of tokenizer section is damaged", part);
	items = mg_alloc_array(cx, n, sizeof *items);
	if (items == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
	{
		uint32_t head[4];
		bool both;

		if (bytes.size - at < sizeof head)
			return mg_fail(cx, MG_BAD_FILE, "part \"%s\" of tokenizer section is damaged", part);
		memcpy(head, bytes.data + at, sizeof head);
		at += sizeof head;
		if (head[2] > bytes.size - at || head[3] > bytes.size - at - head[2])
			return mg_fail(cx, MG_BAD_FILE, "part \"%s\" of tokenizer section is damaged", part);
		items[i] = (MgStep){head[0], head[1], mg_span(bytes.data + at, head[2]), mg_span(bytes.data + at + head[2], head[3]), NULL, {0, 0}};
		at += (size_t) head[2] + head[3];
		both = least >= MG_STEP_BYTE_FALLBACK && (head[0] == MG_STEP_REPLACE || head[0] == MG_STEP_METASPACE);
		if (!both && (head[0] < least || head[0] > most))
			return mg_fail(cx, MG_UNSUPPORTED, "part \"%s\" of tokenizer section has a step of kind %u", part, head[0]);
		/* A token does not grow when it is decoded. */
		if (!is_sound(&items[i]) || (both && head[3] > head[2]))
			return mg_fail(cx, MG_BAD_FILE, "part \"%s\" of tokenizer section has a step that is damaged", part);
	}
	if (at != bytes.size)
		return mg_fail(cx, MG_BAD_FILE, "part \"%s\" of tokenizer section is damaged", part);
	*steps = (MgSteps){n, items};
	return mg_steps_prepare(cx, steps);
}

bool
mg_steps_prepare(MgCtx *cx, MgSteps *steps)
{
	MgStep *items = mg_alloc_array(cx, steps->n, sizeof *items);
	MgSpan text;

	if (items == NULL)
		return false;
	for (size_t i = 0; i < steps->n; i++)
	{
		items[i] = steps->items[i];
		if (items[i].kind == MG_STEP_CHARSMAP && !mg_charsmap_is_sound(items[i].a))
			return mg_fail(cx, MG_BAD_FILE, "map of characters of the tokenizer is damaged");
		/* CR may be one with LF behind it. */
		for (uint8_t c = 0; c < 128 && items[i].kind == MG_STEP_CHARSMAP; c++)
			if (c != '\r' && !mg_charsmap_find(items[i].a, mg_span(&c, 1), &text))
				items[i].plain[c >> 6] |= UINT64_C(1) << (c & 63);
		if (mg_step_has_regex(&items[i]) && (items[i].regex = mg_regex_compile(cx, items[i].a)) == NULL)
			return false;
	}
	steps->items = items;
	return true;
}

/* ------------------------------------------------------------ placed text */

/* Bytes that are copied between two polls. */
#define COPY_STEP ((size_t) 65536)

bool
mg_placer_init(MgCtx *cx, MgPace *pace, const MgPlaced *from, MgPlacer *placer)
{
	size_t room = from->bytes.size + from->bytes.size / 8 + 64;

	*placer = (MgPlacer){.cx = cx, .pace = pace, .from = *from, .room = room, .bytes = mg_alloc(cx, room),
						 .starts = mg_alloc_array(cx, room, sizeof *placer->starts), .stops = mg_alloc_array(cx, room, sizeof *placer->stops)};
	placer->failed = placer->bytes == NULL || placer->starts == NULL || placer->stops == NULL;
	return !placer->failed;
}

static bool
make_room(MgPlacer *placer, size_t n)
{
	size_t room = 2 * placer->room + n;
	uint8_t *bytes;
	uint32_t *starts, *stops;

	if (placer->failed)
		return false;
	if (placer->room - placer->n >= n)
		return true;
	bytes = mg_alloc(placer->cx, room);
	starts = mg_alloc_array(placer->cx, room, sizeof *starts);
	stops = mg_alloc_array(placer->cx, room, sizeof *stops);
	placer->failed = bytes == NULL || starts == NULL || stops == NULL;
	if (placer->failed)
		return false;
	memcpy(bytes, placer->bytes, placer->n);
	memcpy(starts, placer->starts, placer->n * sizeof *starts);
	memcpy(stops, placer->stops, placer->n * sizeof *stops);
	placer->bytes = bytes;
	placer->starts = starts;
	placer->stops = stops;
	placer->room = room;
	return true;
}

uint32_t
mg_placed_start(const MgPlaced *text, size_t at)
{
	if (text->starts == NULL)
		return text->base + (uint32_t) at;
	return at < text->bytes.size ? text->starts[at] : at > 0 ? text->stops[at - 1] : text->base;
}

uint32_t
mg_placed_stop(const MgPlaced *text, size_t at)
{
	if (text->stops != NULL)
		return text->stops[at];
	/* A byte of a character has the place of all of it. */
	for (at++; !mg_utf8_boundary(text->bytes, at); at++)
		;
	return text->base + (uint32_t) at;
}

/* The place of a byte: its character's. */
static void
place_of(const MgPlaced *text, size_t at, uint32_t *start, uint32_t *stop)
{
	if (text->starts != NULL)
	{
		*start = text->starts[at];
		*stop = text->stops[at];
		return;
	}
	*stop = mg_placed_stop(text, at);
	while (at > 0 && mg_utf8_continues(text->bytes.data[at]))
		at--;
	*start = text->base + (uint32_t) at;
}

MgPlaced
mg_placed_part(const MgPlaced *text, size_t from, size_t to)
{
	MgPlaced part = {mg_span(text->bytes.data + from, to - from), NULL, NULL, text->base + (uint32_t) from};

	if (text->starts == NULL)
		return part;
	part.starts = text->starts + from;
	part.stops = text->stops + from;
	part.base = mg_placed_start(text, from);
	return part;
}

static bool
put(MgPlacer *placer, uint32_t code, uint32_t start, uint32_t stop)
{
	size_t size;

	if (!make_room(placer, MG_UTF8_MAX))
		return false;
	size = mg_utf8_put(code, placer->bytes + placer->n);
	for (size_t i = 0; i < size; i++, placer->n++)
	{
		placer->starts[placer->n] = start;
		placer->stops[placer->n] = stop;
	}
	if (!mg_pace(placer->cx, placer->pace, 2))
		placer->failed = true;
	return !placer->failed;
}

void
mg_placer_remove(MgPlacer *placer, size_t n)
{
	for (; n > 0 && placer->at < placer->from.bytes.size; n--)
		mg_utf8_next(placer->from.bytes, &placer->at);
}

bool
mg_placer_replace(MgPlacer *placer, uint32_t code)
{
	uint32_t start = placer->from.base, stop = placer->from.base;

	if (placer->at < placer->from.bytes.size)
		place_of(&placer->from, placer->at, &start, &stop);
	mg_placer_remove(placer, 1);
	return put(placer, code, start, stop);
}

bool
mg_placer_insert(MgPlacer *placer, uint32_t code)
{
	uint32_t start = placer->from.base, stop = placer->from.base;

	if (placer->at > 0)
		place_of(&placer->from, placer->at - 1, &start, &stop);
	return put(placer, code, start, stop);
}

bool
mg_placer_copy(MgPlacer *placer, size_t n)
{
	const MgPlaced *from = &placer->from;

	if (!make_room(placer, n))
		return false;
	for (; n > 0; n--, placer->at++, placer->n++)
	{
		size_t ascii = 0;

		while (ascii < n && ascii < COPY_STEP && from->bytes.data[placer->at + ascii] < 128)
			ascii++;
		if (ascii > 8)
		{
			if (!mg_placer_copy_ascii(placer, ascii))
				return false;
			if ((n -= ascii) == 0)
				break;
		}
		placer->bytes[placer->n] = from->bytes.data[placer->at];
		place_of(from, placer->at, &placer->starts[placer->n], &placer->stops[placer->n]);
		if (!mg_pace(placer->cx, placer->pace, 1))
			return !(placer->failed = true);
	}
	return true;
}

bool
mg_placer_copy_ascii(MgPlacer *placer, size_t n)
{
	const MgPlaced *from = &placer->from;
	size_t at = placer->at, into = placer->n;

	if (!make_room(placer, n))
		return false;
	memcpy(placer->bytes + into, from->bytes.data + at, n);
	if (from->starts != NULL)
	{
		memcpy(placer->starts + into, from->starts + at, n * sizeof *from->starts);
		memcpy(placer->stops + into, from->stops + at, n * sizeof *from->stops);
	}
	else
		for (size_t i = 0; i < n; i++)
		{
			placer->starts[into + i] = from->base + (uint32_t) (at + i);
			placer->stops[into + i] = from->base + (uint32_t) (at + i) + 1;
		}
	placer->at += n;
	placer->n += n;
	if (!mg_pace(placer->cx, placer->pace, n / 4 + 1))
		placer->failed = true;
	return !placer->failed;
}

/* Writes text whose characters have one place. */
static bool
put_text(MgPlacer *placer, MgSpan text, uint32_t start, uint32_t stop)
{
	if (!make_room(placer, text.size))
		return false;
	for (size_t i = 0; i < text.size; i++, placer->n++)
	{
		placer->bytes[placer->n] = text.data[i];
		placer->starts[placer->n] = start;
		placer->stops[placer->n] = stop;
	}
	if (!mg_pace(placer->cx, placer->pace, text.size + 1))
		placer->failed = true;
	return !placer->failed;
}

bool
mg_placer_lead(MgPlacer *placer, MgSpan text)
{
	uint32_t start, stop;

	if (placer->from.bytes.size == 0)
		return true;
	place_of(&placer->from, 0, &start, &stop);
	return put_text(placer, text, start, stop);
}

/* Of checked text, by its first byte. */
static size_t
character_size(uint8_t first)
{
	return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

bool
mg_placer_replace_byte(MgPlacer *placer, uint8_t a, MgSpan b)
{
	MgSpan bytes = placer->from.bytes;

	while (placer->at < bytes.size)
	{
		const uint8_t *rest = bytes.data + placer->at;
		size_t left = bytes.size - placer->at < COPY_STEP ? bytes.size - placer->at : COPY_STEP, n = 0;
		uint32_t start, stop;

		if (*rest == a)
		{
			place_of(&placer->from, placer->at, &start, &stop);
			if (!put_text(placer, b, start, stop))
				return false;
			placer->at++;
			continue;
		}
		while (n < left && rest[n] != a && rest[n] < 128)
			n++;
		if (n > 0 ? !mg_placer_copy_ascii(placer, n) : !mg_placer_copy(placer, character_size(rest[0])))
			return false;
	}
	return true;
}

bool
mg_placer_end(MgPlacer *placer, MgPlaced *into)
{
	*into = (MgPlaced){mg_span(placer->bytes, placer->n), placer->starts, placer->stops, placer->from.base};
	return !placer->failed;
}
