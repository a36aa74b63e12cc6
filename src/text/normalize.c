/*
 * The stream of normalised characters.
 *
 * Most clusters are one character that neither decomposes nor reorders, and
 * pass without touching the cluster's arrays. The others are decomposed into
 * parts, each run of parts with a combining class is sorted by it, and then
 * places are dealt out (see the header).
 */
#include "text/normalize.h"

#include "text/utf8.h"

/* Characters made at a time, and the most that one character becomes: ' ', ideograph, ' '. */
#define CHUNK 256
#define SPREAD 4

/* Runs of marks up to this are sorted in place; longer ones, which nobody writes, by counting. */
#define SHORT_RUN 16

typedef struct Part
{
	uint32_t code;
	uint8_t class;
	bool added; /* not the first part of its character */
} Part;

typedef struct Place
{
	uint32_t start, stop;
} Place;

typedef struct MgCluster
{
	Part *parts; /* [n_parts] */
	size_t n_parts;
	size_t parts_size;
	Place *places; /* [n_places], of the characters before decomposition */
	size_t n_places;
	size_t places_size;
	Part *sorted; /* [sorted_size], for counting */
	size_t sorted_size;
} MgCluster;

void
mg_normalizer_start(MgNormalizer *normalizer, MgNormalRules rules, MgSpan text, uint32_t base, MgPace *pace)
{
	normalizer->rules = rules;
	normalizer->text = text;
	normalizer->position = 0;
	normalizer->base = base;
	normalizer->pace = pace;
	normalizer->n = 0;
}

/* A larger arena array with the first n items of an old one, which is left to the arena. */
static void *
grow(MgCtx *cx, const void *items, size_t *size, size_t n, size_t item_size)
{
	size_t larger = *size < CHUNK ? CHUNK : *size * 2;
	void *grown = mg_alloc_array(cx, larger, item_size);

	if (grown == NULL)
		return NULL;
	if (n > 0)
		memcpy(grown, items, n * item_size);
	*size = larger;
	return grown;
}

/* Makes room for two more items, the most that one step adds. False on an error. */
#define RESERVE(cx, items, size, n) \
	((n) + 2 <= (size) || ((items) = grow((cx), (items), &(size), (n), sizeof *(items))) != NULL)

/* The last steps, for one character: strip, lower, out. */
static bool
emit(MgCtx *cx, MgNormalizer *normalizer, uint32_t code, unsigned flags, Place place)
{
	if (normalizer->rules.strip && (flags & MG_CHAR_MARK))
		return true;
	if (!RESERVE(cx, normalizer->chars, normalizer->chars_size, normalizer->n))
		return false;
	if (normalizer->rules.lower)
	{
		if (code == 0x0130)
		{
			normalizer->chars[normalizer->n++] = (MgNormalChar){'i', place.start, place.stop};
			code = 0x0307;
		}
		else
			code = mg_char_lower(code);
	}
	normalizer->chars[normalizer->n++] = (MgNormalChar){code, place.start, place.stop};
	return true;
}

static bool
add_part(MgCtx *cx, MgCluster *cluster, uint32_t code, bool added)
{
	bool reorders = (mg_char_flags(code) & MG_CHAR_REORDERS) != 0;

	if (!RESERVE(cx, cluster->parts, cluster->parts_size, cluster->n_parts))
		return false;
	cluster->parts[cluster->n_parts++] = (Part){code, reorders ? mg_char_class(code) : 0, added};
	return true;
}

static bool
add_character(MgCtx *cx, MgCluster *cluster, uint32_t code, unsigned flags, Place place)
{
	uint32_t parts[MG_DECOMPOSITION_MAX];
	size_t n = 1;

	if (!RESERVE(cx, cluster->places, cluster->places_size, cluster->n_places))
		return false;
	cluster->places[cluster->n_places++] = place;
	parts[0] = code;
	if ((flags & MG_CHAR_DECOMPOSES) || mg_char_is_hangul(code))
		n = mg_char_decompose(code, parts);
	for (size_t i = 0; i < n; i++)
		if (!add_part(cx, cluster, parts[i], i > 0))
			return false;
	return true;
}

/* Stable, by class. A hostile text can make the run as long as itself, so this is linear. */
static bool
sort_long_run(MgCtx *cx, MgCluster *cluster, Part *run, size_t n)
{
	size_t ends[257] = {0};

	if (cluster->sorted_size < n)
	{
		cluster->sorted = mg_alloc_array(cx, cluster->parts_size, sizeof *cluster->sorted);
		if (cluster->sorted == NULL)
			return false;
		cluster->sorted_size = cluster->parts_size;
	}
	for (size_t i = 0; i < n; i++)
		ends[run[i].class + 1]++;
	for (size_t i = 1; i < 257; i++)
		ends[i] += ends[i - 1];
	for (size_t i = 0; i < n; i++)
		cluster->sorted[ends[run[i].class]++] = run[i];
	memcpy(run, cluster->sorted, n * sizeof *run);
	return true;
}

static void
sort_short_run(Part *run, size_t n)
{
	for (size_t i = 1; i < n; i++)
	{
		Part part = run[i];
		size_t at = i;

		for (; at > 0 && run[at - 1].class > part.class; at--)
			run[at] = run[at - 1];
		run[at] = part;
	}
}

static bool
reorder(MgCtx *cx, MgCluster *cluster)
{
	size_t from = 0;

	while (from < cluster->n_parts)
	{
		size_t to = from;

		while (to < cluster->n_parts && cluster->parts[to].class != 0)
			to++;
		if (to - from > SHORT_RUN)
		{
			if (!sort_long_run(cx, cluster, cluster->parts + from, to - from))
				return false;
		}
		else
			sort_short_run(cluster->parts + from, to - from);
		from = to + 1;
	}
	return true;
}

/* Characters of combining class 0 that compose with what precedes them; Hangul's are below. */
static const uint32_t joining[] = {0x09BE, 0x09D7, 0x0B3E, 0x0B56, 0x0B57, 0x0BBE, 0x0BD7, 0x0CC2, 0x0CD5, 0x0CD6, 0x0D3E, 0x0D57,
								   0x0DCF, 0x0DDF, 0x102E, 0x1B35, 0x11127, 0x1133E, 0x11357, 0x114B0, 0x114BA, 0x114BD, 0x115AF};

static bool
joins_back(uint32_t code)
{
	if (code < 0x09BE)
		return false;
	if ((code >= 0x1161 && code <= 0x1175) || (code >= 0x11A8 && code <= 0x11C2))
		return true;
	for (size_t i = 0; i < sizeof joining / sizeof *joining; i++)
		if (joining[i] == code)
			return true;
	return false;
}

bool
mg_char_may_compose(uint32_t code, unsigned flags)
{
	return code >= 0x300 && ((flags & (MG_CHAR_MARK | MG_CHAR_REORDERS | MG_CHAR_DECOMPOSES)) != 0 || joins_back(code));
}

/* Composes what reordering left, in place. */
static bool
compose(MgCtx *cx, MgNormalizer *normalizer)
{
	MgCluster *cluster = normalizer->cluster;
	size_t n = 0, starter = SIZE_MAX;
	uint8_t last = 0;

	for (size_t i = 0; i < cluster->n_parts; i++)
	{
		Part part = cluster->parts[i];

		if (!mg_pace(cx, normalizer->pace, 1))
			return false;
		if (starter != SIZE_MAX && (last == 0 ? starter + 1 == n : last < part.class))
		{
			uint32_t whole = mg_char_compose(cluster->parts[starter].code, part.code);

			if (whole != 0)
			{
				cluster->parts[starter].code = whole;
				continue;
			}
		}
		if (part.class == 0)
			starter = n;
		last = part.class;
		cluster->parts[n++] = part;
	}
	cluster->n_parts = n;
	return true;
}

/* Composes a cluster and passes it on. */
static bool
emit_composed(MgCtx *cx, MgNormalizer *normalizer)
{
	MgCluster *cluster = normalizer->cluster;
	Place place = {cluster->places[0].start, cluster->places[cluster->n_places - 1].stop};

	if (!compose(cx, normalizer))
		return false;
	for (size_t i = 0; i < cluster->n_parts; i++)
		if (!mg_pace(cx, normalizer->pace, 1) || !emit(cx, normalizer, cluster->parts[i].code, 0, place))
			return false;
	return true;
}

/* Reorders what the cluster holds, deals out its places and passes it on. */
static bool
emit_cluster(MgCtx *cx, MgNormalizer *normalizer)
{
	MgCluster *cluster = normalizer->cluster;
	size_t n_dealt = 0;

	if (!reorder(cx, cluster))
		return false;
	if (normalizer->rules.compose)
		return emit_composed(cx, normalizer);
	for (size_t i = 0; i < cluster->n_parts; i++)
	{
		const Part *part = &cluster->parts[i];
		Place place;

		if (!part->added)
			n_dealt++;
		place = cluster->places[n_dealt > 0 ? n_dealt - 1 : 0];
		if (!mg_pace(cx, normalizer->pace, 1) ||
			!emit(cx, normalizer, part->code, mg_char_flags(part->code), place))
			return false;
	}
	return true;
}

/* The next character of the text that cleaning leaves, as cleaning leaves it. False at the end. */
static bool
peek(const MgNormalizer *normalizer, size_t *position, uint32_t *code, unsigned *flags, Place *place)
{
	while (*position < normalizer->text.size)
	{
		place->start = normalizer->base + (uint32_t) *position;
		*code = mg_utf8_next(normalizer->text, position);
		place->stop = normalizer->base + (uint32_t) *position;
		*flags = mg_char_flags(*code);
		if (!normalizer->rules.clean)
			return true;
		if (*flags & MG_CHAR_DROP)
			continue;
		if (*flags & MG_CHAR_SPACE)
		{
			*code = ' ';
			*flags = MG_CHAR_SPACE;
		}
		return true;
	}
	return false;
}

static bool
continues_cluster(unsigned flags)
{
	return (flags & (MG_CHAR_MARK | MG_CHAR_REORDERS)) != 0;
}

/* A character that cannot be passed on by itself, with the marks that follow it. */
static bool
take_cluster(MgCtx *cx, MgNormalizer *normalizer, uint32_t code, unsigned flags, Place place)
{
	MgCluster *cluster = normalizer->cluster;

	if (cluster == NULL)
	{
		cluster = mg_alloc_zeroed(cx, 1, sizeof *cluster);
		if (cluster == NULL)
			return false;
		normalizer->cluster = cluster;
	}
	cluster->n_parts = cluster->n_places = 0;
	for (;;)
	{
		size_t position = normalizer->position;

		if (!mg_pace(cx, normalizer->pace, 1))
			return false;
		if (!add_character(cx, cluster, code, flags, place))
			return false;
		if (!peek(normalizer, &position, &code, &flags, &place) ||
			!(continues_cluster(flags) || (normalizer->rules.compose && joins_back(code))))
			break;
		normalizer->position = position;
	}
	return emit_cluster(cx, normalizer);
}

/* One cluster, or one character when nothing is decomposed. */
static bool
take(MgCtx *cx, MgNormalizer *normalizer, uint32_t code, unsigned flags, Place place)
{
	bool spaced = normalizer->rules.chinese && mg_char_is_ideograph(code);

	if (normalizer->rules.compose)
	{
		size_t position = normalizer->position;
		uint32_t next;
		unsigned next_flags;
		Place next_place;

		if ((flags & (MG_CHAR_DECOMPOSES | MG_CHAR_REORDERS)) || mg_char_is_hangul(code) ||
			(peek(normalizer, &position, &next, &next_flags, &next_place) &&
			 (continues_cluster(next_flags) || joins_back(next))))
			return take_cluster(cx, normalizer, code, flags, place);
		return emit(cx, normalizer, code, flags, place);
	}

	/* Its place is that of the ideograph; it is never part of a word. */
	if (spaced && !emit(cx, normalizer, ' ', MG_CHAR_SPACE, place))
		return false;
	if (normalizer->rules.strip && ((flags & (MG_CHAR_DECOMPOSES | MG_CHAR_REORDERS)) || mg_char_is_hangul(code)))
	{
		/* A space behind an ideograph ends its cluster. */
		if (!spaced)
			return take_cluster(cx, normalizer, code, flags, place);
		if (flags & MG_CHAR_DECOMPOSES)
		{
			uint32_t parts[MG_DECOMPOSITION_MAX];
			size_t n = mg_char_decompose(code, parts);

			for (size_t i = 0; i < n; i++)
				if (!emit(cx, normalizer, parts[i], mg_char_flags(parts[i]), place))
					return false;
		}
	}
	else if (!emit(cx, normalizer, code, flags, place))
		return false;
	return !spaced || emit(cx, normalizer, ' ', MG_CHAR_SPACE, place);
}

bool
mg_normalizer_next(MgCtx *cx, MgNormalizer *normalizer)
{
	uint32_t code;
	unsigned flags;
	Place place;

	normalizer->n = 0;
	while (normalizer->n + SPREAD <= CHUNK)
	{
		size_t from = normalizer->position;

		if (!peek(normalizer, &normalizer->position, &code, &flags, &place))
			break;
		if (!mg_pace(cx, normalizer->pace, normalizer->position - from))
			return false;
		if (!take(cx, normalizer, code, flags, place))
			return false;
	}
	return true;
}
