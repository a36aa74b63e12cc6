/* The table's facts, at places where a mistake would show. */
#include "text/unicode.h"
#include "unit/tap.h"

static void
test_flags(void)
{
	is_int(mg_char_flags('a'), 0, "a letter has no flags");
	is_int(mg_char_flags('$'), MG_CHAR_PUNCTUATION, "ASCII symbols are punctuation");
	is_int(mg_char_flags(0x20AC), 0, "other symbols are not");
	is_int(mg_char_flags('\n'), MG_CHAR_SPACE, "a line end is white space, and not dropped");
	is_int(mg_char_flags(0x0B), MG_CHAR_SPACE | MG_CHAR_DROP, "a vertical tab is both");
	is_int(mg_char_flags(0x85), MG_CHAR_SPACE | MG_CHAR_DROP, "so is U+0085");
	is_int(mg_char_flags(0xAD), MG_CHAR_DROP, "a soft hyphen is dropped");
	is_int(mg_char_flags(0xFFFD), MG_CHAR_DROP, "and U+FFFD");
	is_int(mg_char_flags(0x10FFFD), MG_CHAR_DROP, "and private use to its end");
	is_int(mg_char_flags(0x10FFFF), 0, "but not what is unassigned");
	is_int(mg_char_flags(0x301), MG_CHAR_MARK | MG_CHAR_REORDERS, "an accent is a mark with a class");
	is_int(mg_char_flags(0x34F), MG_CHAR_MARK, "a grapheme joiner is a mark without");
	is_int(mg_char_flags(0x1D165), MG_CHAR_REORDERS, "a stem has a class and is no mark");
	is_int(mg_char_flags(0xE9), MG_CHAR_DECOMPOSES, "e with acute decomposes");
	is_int(mg_char_flags(0x2028), MG_CHAR_SPACE, "a line separator is white space");
	is_int(mg_char_flags(0x7FFFFFFF), 0, "beyond Unicode there is nothing");
}

static void
test_lower(void)
{
	long bad = 0;

	for (uint32_t code = 'A'; code <= 'Z'; code++)
		if (mg_char_lower(code) != code + 32)
			bad++;
	is_int(bad, 0, "ASCII");
	is_int(mg_char_lower('['), '[', "what follows Z stays");
	is_int(mg_char_lower(0x100), 0x101, "the first of a run of pairs");
	is_int(mg_char_lower(0x101), 0x101, "its lower half stays");
	is_int(mg_char_lower(0x12E), 0x12F, "the last of the run");
	is_int(mg_char_lower(0x1E9E), 0xDF, "capital sharp s");
	is_int(mg_char_lower(0x3A3), 0x3C3, "sigma, whatever follows");
	is_int(mg_char_lower(0x10400), 0x10428, "Deseret");
	is_int(mg_char_lower(0x10FFFF), 0x10FFFF, "the last code point");
}

static void
test_others(void)
{
	uint32_t parts[MG_DECOMPOSITION_MAX];

	is_int(mg_char_decompose(0x1E69, parts), 3, "s with two dots has three parts");
	ok(parts[0] == 's' && parts[1] == 0x323 && parts[2] == 0x307, "which are these");
	is_int(mg_char_decompose(0xD55C, parts), 3, "so does a Hangul syllable");
	ok(parts[0] == 0x1112 && parts[1] == 0x1161 && parts[2] == 0x11AB, "which are these");
	is_int(mg_char_class(0x327), 202, "the class of a cedilla");
	ok(mg_char_is_ideograph(0x4E00) && mg_char_is_ideograph(0x2CEAF) && !mg_char_is_ideograph(0x2CEB0) &&
		   !mg_char_is_ideograph(0x3042),
	   "ideographs");
	ok(mg_char_is_word('_') && mg_char_is_word('7') && mg_char_is_word(0x301) && mg_char_is_word(0x24B6) &&
		   !mg_char_is_word('-') && !mg_char_is_word(0x2460) && !mg_char_is_word(0x10FFFF),
	   "word characters");
}

/* Each range of the table is found at both ends: a flaw in its order would hide some. */
static void
test_order(void)
{
	long n_marks = 0, n_drops = 0, n_punctuation = 0, n_lower = 0, n_word = 0;

	for (uint32_t code = 0; code < 0x110000; code++)
	{
		unsigned flags = mg_char_flags(code);

		n_marks += (flags & MG_CHAR_MARK) != 0;
		n_drops += (flags & MG_CHAR_DROP) != 0;
		n_punctuation += (flags & MG_CHAR_PUNCTUATION) != 0;
		n_lower += mg_char_lower(code) != code;
		n_word += mg_char_is_word(code);
	}
	is_int(n_marks, 1567, "marks of the reference");
	is_int(n_drops, 137681, "dropped characters of the reference");
	is_int(n_punctuation, 726, "punctuation of the reference");
	is_int(n_lower, 1487, "capitals of the reference, but for the one that becomes two");
	ok(n_word > 140000, "word characters: %ld", n_word);
}

int
main(void)
{
	test_flags();
	test_lower();
	test_others();
	test_order();
	return done();
}
