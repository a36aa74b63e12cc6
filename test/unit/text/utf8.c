/* Well-formed and ill-formed UTF-8. */
#include "text/utf8.h"
#include "unit/tap.h"

/* What a decoder that knows only the definition says: is this a code point's shortest form? */
static bool
plain_check(const uint8_t *bytes, size_t size)
{
	for (uint32_t code = 0; code < 0x110000; code++)
	{
		uint8_t made[MG_UTF8_MAX];

		if (code >= 0xD800 && code < 0xE000)
			continue;
		if (mg_utf8_put(code, made) == size && memcmp(made, bytes, size) == 0)
			return true;
	}
	return false;
}

static void
test_all_codes(void)
{
	long bad = 0;

	for (uint32_t code = 0; code < 0x110000; code++)
	{
		uint8_t bytes[MG_UTF8_MAX];
		size_t size = mg_utf8_put(code, bytes);
		size_t at = 0;
		size_t back = size;
		bool valid = mg_utf8_check(mg_span(bytes, size)) == size;

		if (valid != (code < 0xD800 || code >= 0xE000))
			bad++;
		if (mg_utf8_next(mg_span(bytes, size), &at) != code || at != size)
			bad++;
		if (mg_utf8_previous(mg_span(bytes, size), &back) != code || back != 0)
			bad++;
		for (size_t cut = 1; cut < size; cut++)
			if (mg_utf8_check(mg_span(bytes, cut)) != 0)
				bad++;
	}
	is_int(bad, 0, "each code point comes back, surrogates and cut characters do not");
}

/* All pairs of bytes, and a sample of three and four behind critical first bytes. */
static void
test_all_bytes(void)
{
	static const uint8_t edges[] = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF};
	static const uint8_t firsts[] = {0xE0, 0xED, 0xEF, 0xF0, 0xF4, 0xF5};
	long bad = 0;

	for (unsigned pair = 0; pair < 65536; pair++)
	{
		uint8_t bytes[2] = {(uint8_t) (pair >> 8), (uint8_t) pair};
		uint8_t first = bytes[0];
		size_t want = first < 0x80 ? (bytes[1] < 0x80 ? 2 : 1) : 0;

		if (first >= 0xC2 && first < 0xE0 && mg_utf8_continues(bytes[1]))
			want = 2;
		if (mg_utf8_check(mg_span(bytes, 2)) != want)
			bad++;
	}
	is_int(bad, 0, "two bytes are valid exactly when they should be");

	bad = 0;
	for (size_t f = 0; f < sizeof firsts; f++)
		for (size_t i = 0; i < sizeof edges; i++)
			for (size_t j = 0; j < sizeof edges; j++)
			{
				uint8_t bytes[4] = {firsts[f], edges[i], edges[j], 0x80};
				size_t size = firsts[f] < 0xF0 ? 3 : 4;

				if ((mg_utf8_check(mg_span(bytes, size)) == size) != plain_check(bytes, size))
					bad++;
			}
	is_int(bad, 0, "longer characters are valid exactly when some code point is written so");
}

int
main(void)
{
	static const char text[] = "eight ASCII bytes, then \xC3\xA9 and an error: \xC3(";

	test_all_codes();
	test_all_bytes();
	is_int(mg_utf8_check(mg_span(text, sizeof text - 1)), sizeof text - 3, "the offset is that of the bad character");
	is_int(mg_utf8_check(mg_span(NULL, 0)), 0, "nothing is valid");
	ok(mg_utf8_boundary(mg_span("\xC3\xA9", 2), 0) && !mg_utf8_boundary(mg_span("\xC3\xA9", 2), 1) &&
		   mg_utf8_boundary(mg_span("\xC3\xA9", 2), 2) && !mg_utf8_boundary(mg_span("\xC3\xA9", 2), 3),
	   "text can be cut between characters only");
	return done();
}
