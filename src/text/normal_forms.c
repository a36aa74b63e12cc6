/*
 * Unicode's normal forms as steps. A part of a decomposition takes the place of the whole; when marks are reordered, places are not. What a
 * character decomposes to is the reference's, whose tables are older than the library's.
 */
#include <utf8proc.h>

#include "text/steps.h"
#include "text/utf8.h"

typedef struct Part
{
	uint32_t code;
	uint8_t class;
	bool added; /* not the first part of its character */
	uint32_t removed; /* composing: characters of from that went into it */
} Part;

typedef struct Form
{
	MgPlacer *placer;
	bool compat, compose;
	Part *parts; /* [n] since the last starter */
	size_t n, room;
} Form;

static bool
add_part(Form *form, Part part)
{
	if (form->n == form->room)
	{
		size_t room = form->room > 0 ? 2 * form->room : 64;
		Part *parts = mg_alloc_array(form->placer->cx, room, sizeof *parts);

		if (parts == NULL)
			return false;
		if (form->n > 0)
			memcpy(parts, form->parts, form->n * sizeof *parts);
		form->parts = parts;
		form->room = room;
	}
	form->parts[form->n++] = part;
	return true;
}

/* Stable, by class; marks of one class stay in their order. */
static bool
reorder(Form *form)
{
	size_t counts[257] = {0};
	Part *sorted;

	for (size_t from = 0; from < form->n;)
	{
		size_t to = from;

		while (to < form->n && form->parts[to].class != 0)
			to++;
		if (to - from > 1)
		{
			sorted = mg_alloc_array(form->placer->cx, to - from, sizeof *sorted);
			if (sorted == NULL)
				return false;
			memset(counts, 0, sizeof counts);
			for (size_t i = from; i < to; i++)
				counts[form->parts[i].class + 1]++;
			for (size_t i = 1; i < 257; i++)
				counts[i] += counts[i - 1];
			for (size_t i = from; i < to; i++)
				sorted[counts[form->parts[i].class]++] = form->parts[i];
			memcpy(form->parts + from, sorted, (to - from) * sizeof *sorted);
		}
		from = to + 1;
	}
	return true;
}

static void
compose(Form *form)
{
	size_t n = 0, starter = SIZE_MAX;
	uint8_t last = 0;

	for (size_t i = 0; i < form->n; i++)
	{
		Part part = form->parts[i];
		uint32_t whole;

		if (starter != SIZE_MAX && (last == 0 ? starter + 1 == n : last < part.class) &&
			(whole = mg_char_compose(form->parts[starter].code, part.code)) != 0)
		{
			form->parts[starter].code = whole;
			form->parts[starter].removed += part.removed + (part.added ? 0 : 1);
			continue;
		}
		if (part.class == 0)
			starter = n;
		last = part.class;
		form->parts[n++] = part;
	}
	form->n = n;
}

static bool
flush(Form *form)
{
	if (!reorder(form))
		return false;
	if (form->compose)
		compose(form);
	for (size_t i = 0; i < form->n; i++)
	{
		const Part *part = &form->parts[i];

		if (!(part->added ? mg_placer_insert(form->placer, part->code) : mg_placer_replace(form->placer, part->code)))
			return false;
		mg_placer_remove(form->placer, part->removed);
	}
	form->n = 0;
	return true;
}

/* Whether a character begins nothing new: it is a mark, or may join what is before it. */
static bool
continues(uint32_t code, unsigned flags)
{
	return (flags & MG_CHAR_REORDERS) != 0 || mg_char_may_compose(code, flags);
}

/* Whether Unicode gave a decomposition after the reference's tables were made: there is none for it. */
static bool
is_newer(uint32_t code)
{
	static const uint32_t newer[][2] = {
		{0x32FF, 0x32FF}, {0xA7F1, 0xA7F4}, {0xAB69, 0xAB69}, {0x105C9, 0x105E4}, {0x10781, 0x107BA}, {0x11383, 0x113C9}, {0x11938, 0x11938},
		{0x16121, 0x16128}, {0x16D68, 0x16D6A}, {0x1CCD6, 0x1CCF9}, {0x1E030, 0x1E06D}, {0x1F16C, 0x1F16C}, {0x1FBF0, 0x1FBF9}};

	for (size_t i = 0; i < sizeof newer / sizeof *newer; i++)
		if (code >= newer[i][0] && code <= newer[i][1])
			return true;
	return false;
}

bool
mg_put_form(MgPlacer *placer, bool compat, bool composing)
{
	Form form = {.placer = placer, .compat = compat, .compose = composing};
	MgSpan bytes = placer->from.bytes;

	for (size_t at = 0; at < bytes.size;)
	{
		uint32_t code = mg_utf8_next(bytes, &at);
		unsigned flags = mg_char_flags(code);
		utf8proc_int32_t parts[32];
		utf8proc_ssize_t n = 1;

		parts[0] = (utf8proc_int32_t) code;
		if (compat && code >= 0x80 && !is_newer(code))
			n = utf8proc_decompose_char(parts[0], parts, 32, UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, NULL);
		else if ((flags & MG_CHAR_DECOMPOSES) != 0 || mg_char_is_hangul(code))
			n = (utf8proc_ssize_t) mg_char_decompose(code, (uint32_t *) parts);
		if (n < 1 || n > 32)
		{
			n = 1;
			parts[0] = (utf8proc_int32_t) code;
		}
		for (utf8proc_ssize_t i = 0; i < n; i++)
		{
			uint32_t one = (uint32_t) parts[i];
			unsigned its = mg_char_flags(one);

			if (form.n > 0 && !continues(one, its) && !flush(&form))
				return false;
			if (!add_part(&form, (Part){one, (its & MG_CHAR_REORDERS) ? mg_char_class(one) : 0, i > 0, 0}) ||
				!mg_pace(placer->cx, placer->pace, 2))
				return false;
		}
	}
	return flush(&form);
}
