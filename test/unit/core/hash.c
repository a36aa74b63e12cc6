/* SipHash against the values that OpenSSL 3.0 gives: openssl mac -macopt hexkey:000102...0f -macopt size:16 SIPHASH. */
#include "core/hash.h"

#include "unit/tap.h"

int
main(void)
{
	static const struct
	{
		size_t size;
		uint64_t words[2]; /* of the output's bytes, the first one lowest */
	} cases[] = {
		{0, {0xe6a825ba047f81a3, 0x930255c71472f66d}},	{1, {0x44af996bd8c187da, 0x45fc229b11597634}},
		{7, {0x53c1dbd8beebf1a1, 0x3982f01fa64ab8c0}},	{8, {0x61f55862baa9623b, 0xb49714f364e2830f}},
		{9, {0xabbad90a06994426, 0xed716dbb028b7fc4}},	{63, {0x4a83502f77d15051, 0x7cbd3f979a063e50}},
	};
	const MgHash key = {{0x0706050403020100, 0x0f0e0d0c0b0a0908}}, other = {{0x0706050403020101, 0x0f0e0d0c0b0a0908}};
	uint8_t bytes[65];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t) i;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		MgHash hash = mg_hash(key, mg_span(cases[i].size > 0 ? bytes : NULL, cases[i].size));

		ok(hash.words[0] == cases[i].words[0] && hash.words[1] == cases[i].words[1], "%zu bytes", cases[i].size);
	}
	for (size_t i = 1; i < sizeof bytes; i++)
		bytes[i - 1] = (uint8_t) (i - 1);
	memmove(bytes + 1, bytes, 63);
	ok(mg_hash(key, mg_span(bytes + 1, 63)).words[1] == cases[5].words[1], "of bytes that are not aligned");
	ok(mg_hash(other, mg_span(NULL, 0)).words[0] != cases[0].words[0], "depends on the key");
	return done();
}
