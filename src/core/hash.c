/* SipHash: four words of state, two rounds for each 8 bytes, four after the last and four more for the second half. */
#include "core/hash.h"

static inline uint64_t
rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static inline void
run_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static inline void
take_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	run_round(v);
	run_round(v);
	v[0] ^= word;
}

static inline uint64_t
finish(uint64_t v[4])
{
	for (int i = 0; i < 4; i++)
		run_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* Up to 8 bytes, the first one lowest. */
static inline uint64_t
load(const uint8_t *bytes, size_t n)
{
	uint64_t word = 0;

	for (size_t i = 0; i < n; i++)
		word |= (uint64_t) bytes[i] << 8 * i;
	return word;
}

MgHash
mg_hash(MgHash key, MgSpan bytes)
{
	/* "somepseudorandomlygeneratedbytes", as the paper has it; 0xEE marks the longer output. */
	uint64_t v[4] = {key.words[0] ^ 0x736F6D6570736575, key.words[1] ^ 0x646F72616E646F6D ^ 0xEE,
					 key.words[0] ^ 0x6C7967656E657261, key.words[1] ^ 0x7465646279746573};
	size_t whole = bytes.size & ~(size_t) 7;
	MgHash hash;

	for (size_t i = 0; i < whole; i += 8)
		take_word(v, load(bytes.data + i, 8));
	take_word(v, (bytes.size > whole ? load(bytes.data + whole, bytes.size - whole) : 0) | (uint64_t) bytes.size << 56);
	v[2] ^= 0xEE;
	hash.words[0] = finish(v);
	v[1] ^= 0xDD;
	hash.words[1] = finish(v);
	return hash;
}
