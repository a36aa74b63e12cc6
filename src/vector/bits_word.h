/* count_bits by words of 64; the compiler takes the instruction of the level, if it has one. */
ALWAYS_INLINE uint64_t
word_of(MgBits bits, const uint8_t *a, const uint8_t *b, size_t n)
{
	uint64_t x = 0, y = 0;

	memcpy(&x, a, n);
	memcpy(&y, b, n);
	return bits == MG_BITS_DIFFERENT ? x ^ y : bits == MG_BITS_COMMON ? x & y : x | y;
}

ALWAYS_INLINE int64_t
count_bits(MgBits bits, const uint8_t *a, const uint8_t *b, size_t n)
{
	int64_t counts[4] = {0};
	size_t i = 0;

	for (; i + 32 <= n; i += 32)
		for (int j = 0; j < 4; j++)
			counts[j] += __builtin_popcountll(word_of(bits, a + i + 8 * j, b + i + 8 * j, 8));
	for (; i + 8 <= n; i += 8)
		counts[0] += __builtin_popcountll(word_of(bits, a + i, b + i, 8));
	if (i < n)
		counts[1] += __builtin_popcountll(word_of(bits, a + i, b + i, n - i));
	return counts[0] + counts[1] + counts[2] + counts[3];
}
