/* Cutting text into sentences. */
#include "text/sentence.h"

#include <string.h>

#include "text/pace.h"
#include "text/unicode.h"
#include "text/utf8.h"

/* A full stop behind these is none: a name or a number follows. */
static const char *const titles[] = {"mr",	"mrs", "ms",  "mx",	 "dr",	 "prof", "st",	 "sr",	"jr",  "gen", "col", "capt", "lt",	"sgt",	"rev", "hon", "pres", "gov", "sen", "rep",
									 "vs",	"cf",  "fig", "figs", "no",	 "nos",	 "vol",	 "pp",	"p",   "ch",  "sec", "art",	 "eq",	"ref",	"viz", "e.g", "i.e",  "ca",	 "nr",	"abs",
									 "bzw", "z.b", "d.h", "u.a",	 "vgl", "hr",	 "fr",	 "frl", "mme", "mlle", "m",	  "sra", "srta", "dra", "dott", "sig", "ing",  "dipl", "inkl", "evtl"};

/* Behind these it is one if the next word is capitalised. */
static const char *const shortened[] = {"etc", "al", "inc", "ltd", "co",  "corp", "dept", "est", "approx", "jan", "feb", "mar", "apr", "jun", "jul", "aug",
										"sep", "sept", "oct", "nov", "dec", "mon", "tue", "wed", "thu",	 "fri", "sat", "sun", "usw", "a.m", "p.m", "u.s", "u.k", "ph.d"};

#define MOST_WORD 12 /* bytes of an abbreviation */

static uint32_t
peek(MgSpan text, size_t at)
{
	return at < text.size ? mg_utf8_next(text, &at) : 0;
}

static bool
is_space(uint32_t code)
{
	return (mg_char_flags(code) & MG_CHAR_SPACE) != 0;
}

static bool
is_digit(uint32_t code)
{
	return code >= '0' && code <= '9';
}

static bool
is_stop(uint32_t code)
{
	return code == '.' || code == '!' || code == '?' || code == 0x2026 || code == 0x203D || code == 0x061F || code == 0x06D4 || code == 0x0964;
}

/* Those of East Asia need no white space behind them. */
static bool
is_wide_stop(uint32_t code)
{
	return code == 0x3002 || code == 0xFF01 || code == 0xFF1F || code == 0xFF61;
}

static bool
is_closing(uint32_t code)
{
	static const uint32_t codes[] = {'"', '\'', ')', ']', '}', '*', '_', 0xBB, 0x2019, 0x201D, 0x203A, 0x300D, 0x300F, 0xFF09, 0x3011, 0x300B};

	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		if (codes[i] == code)
			return true;
	return false;
}

static bool
is_lower(uint32_t code)
{
	/* What has no upper case of its own is lower when it is a letter that some letter becomes: ASCII and Latin, Greek, Cyrillic by their blocks. */
	return (code >= 'a' && code <= 'z') || (code >= 0xDF && code <= 0xFF && code != 0xF7) || (code >= 0x3B1 && code <= 0x3C9) || (code >= 0x430 && code <= 0x45F);
}

static bool
is_upper(uint32_t code)
{
	return mg_char_lower(code) != code;
}

/* The word in front of a full stop, lowered, with the stops within it; 0: it is longer than any abbreviation, or there is none. */
static size_t
word_before(MgSpan text, size_t start, size_t at, char word[MOST_WORD + 1])
{
	size_t from = at, n = 0;

	while (from > start && at - from <= MOST_WORD)
	{
		uint8_t byte = text.data[from - 1];

		if (!((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '.'))
			break;
		from--;
	}
	if (from == at || at - from > MOST_WORD || (from > start && text.data[from - 1] >= 0x80))
		return 0;
	for (size_t i = from; i < at; i++)
		word[n++] = (char) (text.data[i] >= 'A' && text.data[i] <= 'Z' ? text.data[i] + 32 : text.data[i]);
	word[n] = '\0';
	return n;
}

static bool
is_among(const char *word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

/* "1." in front of what it numbers, "3." of a date. */
static bool
is_number_alone(MgSpan text, size_t start, size_t at)
{
	for (size_t i = start; i < at; i++)
		if (!is_digit(text.data[i]))
			return false;
	return at > start;
}

/* Whether a full stop at a byte, with white space and then a character behind it, belongs to its word. */
static bool
is_of_word(MgSpan text, size_t start, size_t at, uint32_t next)
{
	char word[MOST_WORD + 1];
	size_t n = word_before(text, start, at, word);

	if (is_number_alone(text, start, at))
		return true;
	if (n == 0)
		return false;
	if (is_among(word, titles, sizeof titles / sizeof *titles))
		return true;
	if (is_among(word, shortened, sizeof shortened / sizeof *shortened))
		return !is_upper(next);
	/* An initial: "J. Smith", "U. S. Grant". "I" ends sentences. */
	return n == 1 && word[0] != 'i' && text.data[at - 1] <= 'Z' && is_upper(next);
}

static size_t
skip_spaces(MgSpan text, size_t at)
{
	while (at < text.size)
	{
		size_t next = at;

		if (!is_space(mg_utf8_next(text, &next)))
			break;
		at = next;
	}
	return at;
}

/* Whether a line that begins there is a heading or an item of a list. */
static bool
begins_block(MgSpan text, size_t at)
{
	size_t i = at;

	while (i < text.size && (text.data[i] == ' ' || text.data[i] == '\t'))
		i++;
	if (i >= text.size)
		return false;
	if (text.data[i] == '#' || text.data[i] == '>' || text.data[i] == '|')
		return true;
	if ((text.data[i] == '-' || text.data[i] == '*' || text.data[i] == '+') && i + 1 < text.size && text.data[i + 1] == ' ')
		return true;
	at = i;
	while (i < text.size && is_digit(text.data[i]))
		i++;
	return i > at && i + 1 < text.size && (text.data[i] == '.' || text.data[i] == ')') && text.data[i + 1] == ' ';
}

/* A line ends here: whether the sentence does. */
static bool
ends_block(MgSpan text, size_t start, size_t at)
{
	size_t i = at + 1;

	while (i < text.size && (text.data[i] == ' ' || text.data[i] == '\t' || text.data[i] == '\r'))
		i++;
	return i >= text.size || text.data[i] == '\n' || text.data[start] == '#' || begins_block(text, at + 1);
}

/* Behind terminators that begin at a byte: where the sentence ends, 0: it goes on. */
static size_t
end_at(MgSpan text, size_t start, size_t at)
{
	size_t stop = at, next;
	bool is_wide = false, is_one = true;
	uint32_t first = peek(text, at), following;

	while (is_stop(peek(text, stop)) || is_wide_stop(peek(text, stop)))
	{
		is_one = is_one && stop == at;
		is_wide = is_wide_stop(mg_utf8_next(text, &stop));
	}
	while (is_closing(peek(text, stop)))
		mg_utf8_next(text, &stop);
	if (is_wide || stop >= text.size)
		return stop;
	if (!is_space(peek(text, stop)))
		return 0;
	next = skip_spaces(text, stop);
	if (next >= text.size)
		return stop;
	following = peek(text, next);
	if (is_lower(following))
		return 0;
	if (first == '.' && is_one && is_of_word(text, start, at, following))
		return 0;
	return stop;
}

bool
mg_sentence_next(MgCtx *cx, MgSpan text, size_t *at, MgSentence *sentence, bool *found)
{
	size_t start = skip_spaces(text, *at), i = start, stop = 0;
	MgPace pace = {0};

	*found = start < text.size;
	while (i < text.size && stop == 0)
	{
		uint32_t code = peek(text, i);

		if (!mg_pace(cx, &pace, 1))
			return false;

		if (code == '\n' && ends_block(text, start, i))
			stop = i;
		else if (is_stop(code) || is_wide_stop(code))
		{
			stop = end_at(text, start, i);
			/* A run that goes on is looked at once. */
			while (stop == 0 && (is_stop(peek(text, i)) || is_wide_stop(peek(text, i))))
				mg_utf8_next(text, &i);
		}
		else
			mg_utf8_next(text, &i);
	}
	*at = stop == 0 ? text.size : stop;
	stop = *at;
	while (stop > start)
	{
		size_t before = stop;

		if (!is_space(mg_utf8_previous(text, &before)))
			break;
		stop = before;
	}
	*sentence = (MgSentence){start, stop};
	return true;
}
