/* Sets of code points, by merging their ranges. */
#include "text/code_set.h"

typedef struct NamedRange
{
	uint32_t first, last, name;
} NamedRange;

#include "text/category_table.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Longer than any name of a set. */
#define LONGEST_NAME 24

static bool
keep(MgCtx *cx, MgCodeRange *ranges, size_t n, MgCodeSet *set)
{
	(void) cx;
	*set = (MgCodeSet){.n = n, .ranges = ranges};
	for (size_t i = 0; i < n && ranges[i].first < 128; i++)
		for (uint32_t code = ranges[i].first; code <= ranges[i].last && code < 128; code++)
			set->ascii[code >> 6] |= UINT64_C(1) << (code & 63);
	return true;
}

bool
mg_code_set_range(MgCtx *cx, uint32_t first, uint32_t last, MgCodeSet *set)
{
	MgCodeRange *range = mg_alloc(cx, sizeof *range);

	if (range == NULL)
		return false;
	*range = (MgCodeRange){first, last};
	return keep(cx, range, 1, set);
}

bool
mg_code_set_union(MgCtx *cx, const MgCodeSet *a, const MgCodeSet *b, MgCodeSet *set)
{
	MgCodeRange *ranges = mg_alloc_array(cx, a->n + b->n, sizeof *ranges);
	size_t i = 0, j = 0, n = 0;

	if (ranges == NULL)
		return false;
	while (i < a->n || j < b->n)
	{
		MgCodeRange next = j >= b->n || (i < a->n && a->ranges[i].first <= b->ranges[j].first) ? a->ranges[i++] : b->ranges[j++];

		if (n > 0 && next.first <= ranges[n - 1].last + 1)
			ranges[n - 1].last = next.last > ranges[n - 1].last ? next.last : ranges[n - 1].last;
		else
			ranges[n++] = next;
	}
	return keep(cx, ranges, n, set);
}

bool
mg_code_set_other(MgCtx *cx, const MgCodeSet *a, MgCodeSet *set)
{
	MgCodeRange *ranges = mg_alloc_array(cx, a->n + 1, sizeof *ranges);
	uint32_t next = 0;
	size_t n = 0;

	if (ranges == NULL)
		return false;
	for (size_t i = 0; i < a->n; i++)
	{
		if (a->ranges[i].first > next)
			ranges[n++] = (MgCodeRange){next, a->ranges[i].first - 1};
		next = a->ranges[i].last + 1;
	}
	if (next <= MG_CODE_LAST)
		ranges[n++] = (MgCodeRange){next, MG_CODE_LAST};
	return keep(cx, ranges, n, set);
}

bool
mg_code_set_both(MgCtx *cx, const MgCodeSet *a, const MgCodeSet *b, MgCodeSet *set)
{
	MgCodeSet not_a, not_b, neither;

	return mg_code_set_other(cx, a, &not_a) && mg_code_set_other(cx, b, &not_b) && mg_code_set_union(cx, &not_a, &not_b, &neither) &&
		mg_code_set_other(cx, &neither, set);
}

static bool
add(MgCtx *cx, MgCodeSet *set, uint32_t code)
{
	MgCodeSet one;

	return mg_code_set_has(set, code) || (mg_code_set_range(cx, code, code, &one) && mg_code_set_union(cx, set, &one, set));
}

bool
mg_code_set_fold(MgCtx *cx, MgCodeSet *set)
{
	MgCodeSet before = *set;

	for (uint32_t code = 0; code < 128; code++)
	{
		uint32_t lower = code | 32;

		if (!mg_code_set_has(&before, code) || lower < 'a' || lower > 'z')
			continue;
		if (!add(cx, set, lower) || !add(cx, set, lower - 32) || (lower == 's' && !add(cx, set, 0x17F)) || (lower == 'k' && !add(cx, set, 0x212A)))
			return false;
	}
	return true;
}

/* The members of a table whose names begin with a letter, or are the name. */
static bool
collect(MgCtx *cx, const NamedRange *table, size_t n, uint64_t names, MgCodeSet *set)
{
	size_t n_members = 0;
	MgCodeRange *ranges;

	for (size_t i = 0; i < n; i++)
		n_members += names >> table[i].name & 1;
	ranges = mg_alloc_array(cx, n_members, sizeof *ranges);
	if (ranges == NULL)
		return false;
	n_members = 0;
	for (size_t i = 0; i < n; i++)
	{
		if (!(names >> table[i].name & 1))
			continue;
		if (n_members > 0 && ranges[n_members - 1].last + 1 == table[i].first)
			ranges[n_members - 1].last = table[i].last;
		else
			ranges[n_members++] = (MgCodeRange){table[i].first, table[i].last};
	}
	return keep(cx, ranges, n_members, set);
}

/* Without '_', '-' and ' ', in lower case, as the reference compares names. */
static bool
plain_name(MgSpan name, char *plain)
{
	size_t n = 0;

	for (size_t i = 0; i < name.size; i++)
	{
		uint8_t c = name.data[i];

		if (c == '_' || c == '-' || c == ' ')
			continue;
		if (n + 1 >= LONGEST_NAME || c >= 128)
			return false;
		plain[n++] = (char) (c >= 'A' && c <= 'Z' ? c + 32 : c);
	}
	plain[n] = '\0';
	return n > 0;
}

/* Long names of categories, in the order of their letters. */
static const struct
{
	const char *name, *category;
} long_names[] = {{"letter", "l"}, {"mark", "m"}, {"number", "n"}, {"punctuation", "p"}, {"punct", "p"}, {"symbol", "s"}, {"separator", "z"}, {"other", "c"},
				  {"uppercaseletter", "lu"}, {"lowercaseletter", "ll"}, {"decimalnumber", "nd"}, {"digit", "nd"}};

bool
mg_code_set_named(MgCtx *cx, MgSpan name, MgCodeSet *set, bool *found)
{
	char plain[LONGEST_NAME];
	const char *wanted = plain;
	uint64_t names = 0;
	MgCodeSet rest;

	*found = plain_name(name, plain);
	if (!*found)
		return true;
	for (size_t i = 0; i < COUNT(script_names); i++)
		if (strcmp(wanted, script_names[i]) == 0)
			return collect(cx, script_ranges, COUNT(script_ranges), UINT64_C(1) << i, set);
	for (size_t i = 0; i < COUNT(long_names); i++)
		if (strcmp(plain, long_names[i].name) == 0)
			wanted = long_names[i].category;
	for (size_t i = 0; i < COUNT(category_names); i++)
		if ((category_names[i][0] | 32) == wanted[0] && (wanted[1] == '\0' || (category_names[i][1] == wanted[1] && wanted[2] == '\0')))
			names |= UINT64_C(1) << i;
	if (strcmp(wanted, "space") == 0)
		return mg_code_set_spaces(cx, set);
	if (strcmp(wanted, "word") == 0)
		return mg_code_set_words(cx, set);
	*found = names != 0;
	/* Unassigned code points are other, and in no range. */
	if (strcmp(wanted, "c") == 0)
		return collect(cx, category_ranges, COUNT(category_ranges), ~names, &rest) && mg_code_set_other(cx, &rest, set);
	return !*found || collect(cx, category_ranges, COUNT(category_ranges), names, set);
}

static bool
copy(MgCtx *cx, const MgCodeRange *ranges, size_t n, MgCodeSet *set)
{
	MgCodeRange *copied = mg_alloc_array(cx, n, sizeof *copied);

	if (copied == NULL)
		return false;
	memcpy(copied, ranges, n * sizeof *copied);
	return keep(cx, copied, n, set);
}

bool
mg_code_set_words(MgCtx *cx, MgCodeSet *set)
{
	return copy(cx, word_ranges, COUNT(word_ranges), set);
}

bool
mg_code_set_spaces(MgCtx *cx, MgCodeSet *set)
{
	return copy(cx, space_ranges, COUNT(space_ranges), set);
}
