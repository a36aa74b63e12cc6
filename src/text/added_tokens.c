/*
 * The search for added tokens: a table of first bytes skips nearly all text;
 * where a pattern may begin, the sorted entries are narrowed down by one byte
 * of the text at a time, and the longest pattern that ended on the way wins.
 */
#include "text/added_tokens.h"

#include "text/unicode.h"
#include "text/utf8.h"

/* Each compares some 40 patterns of up to MG_ADDED_LIMIT bytes. */
#define SIFTS_A_POLL 4096

typedef struct Entry
{
	uint32_t id, offset, size;
} Entry;

static inline Entry
entry_at(const uint8_t *entries, size_t i)
{
	Entry entry;

	memcpy(&entry, entries + MG_ADDED_ENTRY * i, sizeof entry);
	return entry;
}

bool
mg_added_tokens_check(MgCtx *cx, const MgVocab *vocab, MgAddedTokens *tokens)
{
	memset(tokens->first, 0, sizeof tokens->first);
	for (size_t i = 0; i < tokens->n; i++)
	{
		Entry entry = entry_at(tokens->entries, i);
		uint64_t end = (uint64_t) entry.offset + entry.size;

		if (entry.id >= vocab->n_tokens || entry.size == 0 || entry.size > MG_ADDED_LIMIT ||
			!mg_utf8_boundary(vocab->strings, entry.offset) || !mg_utf8_boundary(vocab->strings, end))
			return mg_fail(cx, MG_BAD_FILE, "added token %zu in tokenizer section is invalid", i);
		tokens->first[vocab->strings.data[entry.offset]] = true;
	}
	return true;
}

static int
compare_patterns(const uint8_t *strings, Entry a, Entry b)
{
	uint32_t size = a.size < b.size ? a.size : b.size;
	int order = memcmp(strings + a.offset, strings + b.offset, size);

	if (order != 0)
		return order;
	if (a.size != b.size)
		return a.size < b.size ? -1 : 1;
	return 0;
}

static int
compare(const uint8_t *strings, Entry a, Entry b)
{
	int order = compare_patterns(strings, a, b);

	if (order != 0 || a.id == b.id)
		return order;
	return a.id < b.id ? -1 : 1;
}

/* One step of a heap sort by pattern and id: nothing to allocate, no bad case. */
static void
sift(const uint8_t *strings, uint8_t *entries, size_t root, size_t n)
{
	for (;;)
	{
		size_t child = 2 * root + 1;
		uint8_t *parent = entries + MG_ADDED_ENTRY * root;
		uint8_t *larger;
		uint8_t held[MG_ADDED_ENTRY];

		if (child >= n)
			return;
		if (child + 1 < n && compare(strings, entry_at(entries, child), entry_at(entries, child + 1)) < 0)
			child++;
		if (compare(strings, entry_at(entries, root), entry_at(entries, child)) >= 0)
			return;
		larger = entries + MG_ADDED_ENTRY * child;
		memcpy(held, parent, sizeof held);
		memcpy(parent, larger, sizeof held);
		memcpy(larger, held, sizeof held);
		root = child;
	}
}

bool
mg_added_tokens_sort(MgCtx *cx, MgSpan strings, uint8_t *entries, size_t *n_entries)
{
	size_t n = *n_entries, kept = 0;

	for (size_t root = n / 2; root-- > 0;)
	{
		if (root % SIFTS_A_POLL == 0 && !mg_poll(cx))
			return false;
		sift(strings.data, entries, root, n);
	}
	for (size_t end = n; end-- > 1;)
	{
		uint8_t held[MG_ADDED_ENTRY];

		if (end % SIFTS_A_POLL == 0 && !mg_poll(cx))
			return false;

		memcpy(held, entries, sizeof held);
		memcpy(entries, entries + MG_ADDED_ENTRY * end, sizeof held);
		memcpy(entries + MG_ADDED_ENTRY * end, held, sizeof held);
		sift(strings.data, entries, 0, end);
	}
	for (size_t i = 0; i < n; i++)
	{
		if (kept > 0 && compare_patterns(strings.data, entry_at(entries, kept - 1), entry_at(entries, i)) == 0)
			continue;
		memmove(entries + MG_ADDED_ENTRY * kept, entries + MG_ADDED_ENTRY * i, MG_ADDED_ENTRY);
		kept++;
	}
	*n_entries = kept;
	return true;
}

/* The byte of a pattern at a depth; -1 behind its end, so that a prefix sorts first. */
static int
byte_at(const MgAddedSearch *search, size_t i, size_t depth)
{
	Entry entry = entry_at(search->tokens->entries, i);

	return depth < entry.size ? search->vocab->strings.data[entry.offset + depth] : -1;
}

/* The first entry of [low, high) whose byte at depth is at least value. */
static size_t
lower_bound(const MgAddedSearch *search, size_t low, size_t high, size_t depth, int value)
{
	while (low < high)
	{
		size_t middle = (low + high) / 2;

		if (byte_at(search, middle, depth) < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Whether an entry is the text's next size bytes; compared in full, since the entries may not be sorted. */
static bool
ends_here(const MgAddedSearch *search, size_t i, size_t size)
{
	Entry entry = entry_at(search->tokens->entries, i);

	return entry.size == size &&
		   memcmp(search->vocab->strings.data + entry.offset, search->text.data + search->position, size) == 0;
}

/* The longest pattern at the search's position, as its entry; tokens->n when there is none. */
static size_t
longest_here(const MgAddedSearch *search, size_t *depth_reached)
{
	size_t low = 0;
	size_t high = search->tokens->n;
	size_t best = search->tokens->n;
	size_t depth = 0;

	while (low < high && search->position + depth < search->text.size)
	{
		int byte = search->text.data[search->position + depth];

		low = lower_bound(search, low, high, depth, byte);
		high = lower_bound(search, low, high, depth, byte + 1);
		depth++;
		if (low < high && ends_here(search, low, depth))
			best = low;
	}
	*depth_reached = depth;
	return best;
}

static bool
is_single_word(MgSpan text, size_t start, size_t stop)
{
	size_t at = start;

	if (start > 0 && mg_char_is_word(mg_utf8_previous(text, &at)))
		return false;
	at = stop;
	return stop == text.size || !mg_char_is_word(mg_utf8_next(text, &at));
}

/* Widens a match over white space, to the left not into the match before. */
static bool
swallow_spaces(MgCtx *cx, const MgAddedSearch *search, uint8_t flags, MgAddedMatch *match)
{
	size_t at = match->start;

	while ((flags & MG_TOKEN_LSTRIP) && at > search->behind)
	{
		if (!mg_pace(cx, search->pace, 1))
			return false;
		if (!(mg_char_flags(mg_utf8_previous(search->text, &at)) & MG_CHAR_SPACE))
			break;
		match->start = at;
	}
	at = match->stop;
	while ((flags & MG_TOKEN_RSTRIP) && at < search->text.size)
	{
		if (!mg_pace(cx, search->pace, 1))
			return false;
		if (!(mg_char_flags(mg_utf8_next(search->text, &at)) & MG_CHAR_SPACE))
			break;
		match->stop = at;
	}
	return true;
}

/* Whether a match has bytes that are data. */
static bool
is_data(const MgAddedSearch *search, size_t start, size_t stop)
{
	if (search->starts == NULL)
		return mg_touches_data(search->data, search->base + start, search->base + stop);
	return mg_touches_data(search->data, search->starts[start], search->stops[stop - 1]);
}

bool
mg_added_search_next(MgCtx *cx, MgAddedSearch *search, MgAddedMatch *match, bool *found)
{
	*found = false;
	if (search->tokens->n == 0)
		return true;
	while (search->position < search->text.size)
	{
		size_t from = search->position;
		size_t end = search->text.size - from > MG_PACE_UNITS ? from + MG_PACE_UNITS : search->text.size;
		size_t best, depth;
		Entry entry;
		uint8_t flags;

		while (search->position < end && !search->tokens->first[search->text.data[search->position]])
			search->position++;
		if (!mg_pace(cx, search->pace, (search->position - from) / 16))
			return false;
		if (search->position == end)
			continue;
		best = longest_here(search, &depth);
		if (!mg_pace(cx, search->pace, depth * 4))
			return false;
		if (best == search->tokens->n)
		{
			search->position++;
			continue;
		}
		entry = entry_at(search->tokens->entries, best);
		flags = search->vocab->flags[entry.id];
		*match = (MgAddedMatch){(int32_t) entry.id, search->position, search->position + entry.size};
		search->position = match->stop;
		if ((flags & MG_TOKEN_SPECIAL) && is_data(search, match->start, match->stop))
			continue;
		if ((flags & MG_TOKEN_SINGLE_WORD) && !is_single_word(search->text, match->start, match->stop))
			continue;
		if (!swallow_spaces(cx, search, flags, match))
			return false;
		search->behind = match->stop;
		*found = true;
		return true;
	}
	return true;
}
